"""What functions of loops and branches may do: random numbers, buffers, custom functions, more."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc import nn
from graphc.frontend.structure import flatten
from tests.control_programs import check

XS = gc.tensor(np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32))
W = nn.Parameter(gc.tensor(np.random.default_rng(1).normal(size=(3, 3)).astype(np.float32)))
BACKENDS = pytest.mark.parametrize("backend", ["numpy", "llvm"])


def data(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape) * 0.7


def in_scan(xs: gc.Tensor) -> Any:
    return gc.scan(lambda c, x: (c + gc.rand(3), x * gc.randn(3) + gc.rand(3)), gc.zeros(3), xs)


def around(xs: gc.Tensor) -> Any:
    before = gc.rand(3)
    last, _ = gc.scan(lambda c, x: (c + gc.rand(3), None), gc.zeros(3), xs, reverse=True)
    return before, last, gc.rand(3), gc.rand(2)


def nested(xs: gc.Tensor) -> Any:
    def outer(c: gc.Tensor, x: gc.Tensor) -> Any:
        d, _ = gc.scan(lambda c, x: (c + gc.rand(3), None), c, length=2)
        drawn = gc.cond(x.sum() > 0, lambda: gc.rand(2), lambda: gc.zeros(2))
        return d + gc.rand(3), drawn

    return gc.scan(outer, gc.zeros(3), xs)


def in_while(xs: gc.Tensor) -> Any:
    last = gc.while_loop(lambda c: c.sum() < 5, lambda c: (c + gc.rand(3),), (xs[0].abs(),))
    return last, gc.rand(2)


def with_gradient(xs: gc.Tensor) -> Any:
    def step(c: gc.Tensor, x: gc.Tensor) -> Any:
        return F.dropout((x + c @ W).tanh(), 0.5, training=True), c

    last, ys = gc.scan(step, gc.zeros(3), xs)
    return last, gc.grad(last.sum() + (ys * ys).sum(), [W])


def another_generator(xs: gc.Tensor) -> Any:
    return gc.scan(lambda c, x: (c + gc.rand(3, generator=GENERATOR), gc.rand(1)), gc.zeros(3), xs)


GENERATOR = gc.Generator()


@BACKENDS
@pytest.mark.parametrize(
    "function", [in_scan, around, nested, in_while, with_gradient, another_generator]
)
def test_random_numbers_are_those_of_the_python_loop(
    function: Callable[..., Any], backend: str
) -> None:
    """Other ones in each step and in each run; the generators end in the same state."""
    compiled = gc.compile(function, backend=backend)
    runs = []
    for run in (function, compiled):
        gc.manual_seed(3)
        GENERATOR.manual_seed(4)
        found = [[x.detach().numpy() for x in flatten(run(XS))[1]] for _ in range(2)]
        runs.append((found, gc.get_rng_state().tolist(), GENERATOR.get_state().tolist()))
    (wanted, *states), (got, *others) = runs
    assert states == others
    for one, other in zip(wanted, got, strict=True):
        for want, have in zip(one, other, strict=True):
            np.testing.assert_allclose(have, want, rtol=1e-5, atol=1e-6)
    assert not np.array_equal(wanted[0][0], wanted[1][0])


@BACKENDS
def test_batch_norm_in_training(backend: str) -> None:
    xs = gc.tensor(data(4, 5, 3).astype(np.float32))

    def made() -> tuple[nn.Module, Callable[..., Any]]:
        norm = nn.BatchNorm1d(3)

        def run(xs: gc.Tensor) -> Any:
            def step(c: gc.Tensor, x: gc.Tensor) -> Any:
                y = norm(c + x)
                return y * 0.5, y.sum()

            last, ys = gc.scan(step, gc.zeros(5, 3), xs)
            return last, ys, gc.grad((last * last).sum() + ys.sum(), list(norm.parameters()))

        return norm, run

    (plain, function), (norm, other) = made(), made()
    compiled = gc.compile(other, backend=backend)
    for _ in range(2):
        for want, got in zip(flatten(function(xs))[1], flatten(compiled(xs))[1], strict=True):
            np.testing.assert_allclose(
                got.detach().numpy(), want.detach().numpy(), rtol=1e-4, atol=1e-5
            )
    for name, value in plain.state_dict().items():
        np.testing.assert_allclose(norm.state_dict()[name].numpy(), value.numpy(), rtol=1e-5)
    assert norm.state_dict()["num_batches_tracked"].item() == 8


class Counter(nn.Module):
    """Writes a buffer, and a part of it, in each step."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", gc.zeros(2))
        self.scale = nn.Parameter(gc.ones(2))

    def forward(self, xs: gc.Tensor) -> Any:
        def step(c: gc.Tensor, x: gc.Tensor) -> Any:
            with gc.no_grad():
                self.seen += x[:2]
                self.seen[0] = self.seen[0] * 2
            return c + self.scale * x[:2] + self.seen, self.seen * 1

        return gc.scan(step, gc.zeros(2), xs)


@BACKENDS
def test_buffers_and_parts_of_them_are_written(backend: str) -> None:
    one, other = Counter(), Counter()
    compiled = gc.compile(other, backend=backend)
    for _ in range(2):
        for want, got in zip(flatten(one(XS))[1], flatten(compiled(XS))[1], strict=True):
            np.testing.assert_allclose(got.detach().numpy(), want.detach().numpy(), rtol=1e-6)
        np.testing.assert_allclose(other.seen.numpy(), one.seen.numpy(), rtol=1e-6)


@BACKENDS
def test_a_branch_that_writes_and_one_that_does_not(backend: str) -> None:
    counter = Counter()

    def run(x: gc.Tensor) -> Any:
        def write(x: gc.Tensor) -> gc.Tensor:
            with gc.no_grad():
                counter.seen.add_(1)
            return x * 2

        return gc.cond(x.sum() > 0, write, lambda x: x, (x,)), counter.seen * 1

    compiled = gc.compile(run, backend=backend)
    seen = [compiled(sign * gc.ones(2))[1].tolist() for sign in (1, -1, 1)]
    assert seen == [[1, 1], [1, 1], [2, 2]]
    assert counter.seen.tolist() == [2, 2]


class Steep(gc.autograd.Function):
    """Its gradient is not the derivative, reads inputs and an output, and sums over a broadcast."""

    @staticmethod
    def forward(ctx: Any, x: gc.Tensor, y: gc.Tensor, k: float) -> Any:
        s = x.sin() * y
        ctx.save_for_backward(x, y, s)
        ctx.k = k
        return s, x.detach() * 0, x + y

    @staticmethod
    def backward(ctx: Any, g: gc.Tensor, _: Any, h: gc.Tensor) -> Any:
        x, y, s = ctx.saved_tensors
        return g * x * x * y * ctx.k + h * s, (g * s * 3).sum(0), None


def steep(xs: gc.Tensor, h: gc.Tensor, w: gc.Tensor) -> Any:
    def step(c: gc.Tensor, x: gc.Tensor) -> Any:
        a, _, b = Steep.apply(c + x, w, 2.0)
        return a + b * 0.1, b

    return gc.scan(step, h, xs)


def test_custom_functions_keep_their_gradient() -> None:
    check(steep, data(4, 2, 3), data(2, 3, seed=1), data(3, seed=2), outputs=2)


def test_gradients_inside() -> None:
    """Steps of gradient descent, differentiated through."""

    def run(p: gc.Tensor, xs: gc.Tensor, rate: gc.Tensor) -> Any:
        def step(p: gc.Tensor, x: gc.Tensor) -> Any:
            slope = gc.func.grad(lambda q: ((q * x).sin() ** 2).sum())(p)
            return p - rate * slope, slope.sum()

        return gc.scan(step, p, xs)

    check(run, data(3), data(4, 3, seed=1), data(seed=2), outputs=2)


def test_maps_inside() -> None:
    def run(p: gc.Tensor, xs: gc.Tensor, w: gc.Tensor) -> Any:
        return gc.scan(lambda p, x: (gc.vmap(lambda q: q @ w + x)(p).tanh(), p.sum()), p, xs)

    check(run, data(5, 3), data(4, 3, seed=1), data(3, 3, seed=2), outputs=2)


def test_host_values_and_settings_are_read_as_usual() -> None:
    """A learning rate that changes between runs, and the mode of a module."""
    layer = nn.Dropout(0.5)

    def run(xs: gc.Tensor) -> gc.Tensor:
        last, _ = gc.scan(lambda c, x: (layer(c + x), None), gc.zeros(3), xs)
        return last

    compiled = gc.compile(run, backend="numpy")
    layer.eval()
    np.testing.assert_allclose(compiled(XS).numpy(), XS.numpy().sum(0), rtol=1e-5)
    layer.train()
    gc.manual_seed(0)
    want = run(XS).numpy()
    gc.manual_seed(0)
    np.testing.assert_allclose(compiled(XS).numpy(), want, rtol=1e-5)
