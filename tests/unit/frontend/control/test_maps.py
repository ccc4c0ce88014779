"""``gc.vmap``, ``jvp`` and ``hessian`` of loops and branches against one call per example."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import RecordingError
from graphc.frontend.structure import flatten


def data(*shape: int, seed: int = 0) -> gc.Tensor:
    return gc.tensor(np.random.default_rng(seed).normal(size=shape) * 0.7)


W = data(3, 3, seed=5)
LIMITS = gc.tensor([3.0, 10.0, 1.0, 30.0], dtype=gc.float64)


def rnn(xs: gc.Tensor, h: gc.Tensor, w: gc.Tensor = W) -> Any:
    return gc.scan(lambda h, x: ((x + h @ w).tanh(), h * x.sum()), h, xs)


def branch(p: gc.Tensor, x: gc.Tensor) -> Any:
    return gc.cond(p.sum() > 0, lambda x: x * 2, lambda x: x.sin() + p.sum(), (x,))


def grow(x: gc.Tensor, limit: gc.Tensor) -> Any:
    start = (x.abs(), gc.tensor(0))
    return gc.while_loop(lambda a, n: a.sum() < limit, lambda a, n: (a * 1.5 + 0.1, n + 1), start)


def loss(xs: gc.Tensor, w: gc.Tensor) -> gc.Tensor:
    zeros = gc.zeros(3, dtype=gc.float64)
    return gc.scan(lambda h, x: ((x + h @ w).tanh(), h), zeros, xs)[1].sum()


def loop_loss(x: gc.Tensor, w: gc.Tensor) -> gc.Tensor:
    step = lambda a: ((a @ w).tanh() + a * 1.5 + 0.3,)  # noqa: E731
    return gc.while_loop(lambda a: a.sum() < 6, step, (x.abs(),))[0].sum()


def branch_loss(x: gc.Tensor, w: gc.Tensor) -> gc.Tensor:
    return gc.cond(x.sum() > 0, lambda x: (x @ w).sum(), lambda x: (x * x).sum(), (x,))


CASES: dict[str, tuple[Callable[..., Any], list[gc.Tensor], tuple[int | None, ...]]] = {
    "scan": (rnn, [data(4, 5, 3), data(4, 3)], (0, 0)),
    "scan along another dim": (rnn, [data(5, 4, 3), data(3)], (1, None)),
    "scan from several starts": (rnn, [data(5, 3), data(4, 3)], (None, 0)),
    "scan with several weights": (rnn, [data(5, 3), data(3), data(4, 3, 3)], (None, None, 0)),
    "cond that all decide": (branch, [data(4, 2), data(4, 3)], (0, 0)),
    "cond with one decision": (branch, [data(2), data(4, 3)], (None, 0)),
    "cond of one operand": (branch, [data(4, 2), data(3)], (0, None)),
    "while_loop": (grow, [data(4, 2), LIMITS], (0, 0)),
    "while_loop with one limit": (grow, [data(4, 2), LIMITS[1]], (0, None)),
    "gradient of scan": (gc.func.grad(loss, (0, 1)), [data(4, 5, 3), W], (0, None)),
    "gradient of while_loop": (gc.func.grad(loop_loss, (0, 1)), [data(4, 3), W], (0, None)),
    "gradient of cond": (gc.func.grad(branch_loss, (0, 1)), [data(4, 3), W], (0, None)),
    "hessian of scan": (gc.func.hessian(loss), [data(2, 3, 3), W], (0, None)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_map_is_as_its_examples(name: str) -> None:
    function, arguments, dims = CASES[name]
    count = next(x.shape[d] for x, d in zip(arguments, dims, strict=True) if d is not None)
    each = [
        flatten(function(*(
            x if d is None else x.select(d, i) for x, d in zip(arguments, dims, strict=True)
        )))[1]
        for i in range(count)
    ]  # fmt: skip
    wanted = [np.stack([x.detach().numpy() for x in column]) for column in zip(*each, strict=True)]
    mapped = gc.vmap(function, dims)
    compiled = gc.compile(mapped)
    for run in (mapped, compiled):
        for want, got in zip(wanted, flatten(run(*arguments))[1], strict=True):
            np.testing.assert_allclose(got.detach().numpy(), want, rtol=1e-9, atol=1e-11)


def test_gradients_through_a_map() -> None:
    xs, w = data(4, 5, 3).requires_grad_(), data(3, 3, seed=2).requires_grad_()
    mapped = gc.vmap(loss, (0, None))(xs, w)
    wanted = gc.stack([loss(x, w) for x in xs.unbind(0)])
    pairs = (gc.grad((y * y).sum(), [xs, w]) for y in (mapped, wanted))
    for one, other in zip(*pairs, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-9, atol=1e-12)


def test_forward_mode() -> None:
    run = lambda x, v: gc.func.jvp(lambda x: loss(x, W), (x,), (v,))  # noqa: E731
    x, v = data(5, 3), data(5, 3, seed=8)
    value, slope = run(x, v)
    step = 1e-6
    numeric = (loss(x + step * v, W) - loss(x - step * v, W)) / (2 * step)
    assert slope.item() == pytest.approx(numeric.item(), rel=1e-6)
    assert value.item() == loss(x, W).item()
    for one, other in zip(gc.compile(run)(x, v), (value, slope), strict=True):
        assert one.item() == pytest.approx(other.item(), rel=1e-10)


@pytest.mark.parametrize("randomness", ["error", "same", "different"])
def test_random_numbers_in_a_mapped_loop_are_refused(randomness: str) -> None:
    mapped = gc.vmap(lambda x: gc.scan(lambda c, y: (c + gc.rand(3), y), x, x)[0],
                     randomness=randomness)  # fmt: skip
    with pytest.raises(RecordingError, match="vmap"):
        mapped(gc.ones(2, 3))
