"""``gc.scan``: the same as a Python loop, in every form, with its gradients."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn
from tests.control_programs import check, dynamic


def data(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape) * 0.7


def cell(x: gc.Tensor, h: gc.Tensor, w: gc.Tensor, u: gc.Tensor, b: gc.Tensor) -> gc.Tensor:
    return gc.tanh(x @ w + h @ u + b)


def rnn(xs: gc.Tensor, h: gc.Tensor, *weights: gc.Tensor) -> Any:
    def step(h: gc.Tensor, x: gc.Tensor) -> Any:
        h = cell(x, h, *weights)
        return h, h * 2

    return gc.scan(step, h, xs)


RNN = (data(5, 2, 3), data(2, 4, seed=1), data(3, 4, seed=2), data(4, 4, seed=3), data(4, seed=4))


@pytest.mark.parametrize("length", [0, 1, 5])
def test_lengths(length: int) -> None:
    check(rnn, RNN[0][:length], *RNN[1:], outputs=2)


def test_the_loop_is_the_unrolled_one() -> None:
    """Values and gradients of both orders against operations written one after the other."""

    def unrolled(xs: gc.Tensor, h: gc.Tensor, *weights: gc.Tensor) -> Any:
        ys = []
        for x in xs.unbind(0):
            h = cell(x, h, *weights)
            ys.append(h * 2)
        return h, gc.stack(ys)

    looped, plain = dynamic(rnn, RNN), dynamic(unrolled, RNN)
    for one, other in zip(looped, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("batch", ["B", "H"])
def test_unknown_sizes(batch: str) -> None:
    """Of the sequence and its items; the carry's may have another name."""
    shapes = [("T", "B", 3), (batch, 4), (3, 4), (4, 4), (4,)]
    check(rnn, *RNN, shapes=shapes, outputs=2)


def test_unknown_sizes_that_differ_are_an_error_of_the_run() -> None:
    with gc.Graph() as graph:
        xs = gc.placeholder(("T", "B", 3), gc.float64, "xs")
        h = gc.placeholder(("H", 4), gc.float64, "h")
        graph.output(rnn(xs, h, *map(gc.tensor, RNN[2:]))[0])
    session = graph.compile(backend="numpy")
    with pytest.raises(gc.errors.ShapeError):
        session.run({"xs": RNN[0], "h": data(3, 4)})


def test_reverse() -> None:
    def run(xs: gc.Tensor, start: gc.Tensor) -> Any:
        return gc.scan(lambda c, x: (c * 0.5 + x, c - x), start, xs, reverse=True)

    check(run, data(4, 3), data(3, seed=1), outputs=2)
    last, results = gc.scan(lambda c, x: (c + x, c), gc.tensor(0), gc.arange(4), reverse=True)
    assert (last.item(), results.tolist()) == (6, [6, 5, 3, 0])


@pytest.mark.parametrize("dim", [1, -1, 2])
def test_another_dim(dim: int) -> None:
    """Items lie along it, and so do results that have it."""

    def run(xs: gc.Tensor) -> Any:
        return gc.scan(
            lambda c, x: (c + x.sum(), {"full": x * c, "sum": x.sum()}), xs[0, 0, 0], xs, dim=dim
        )

    xs = data(2, 3, 4)
    last, full, total = check(run, xs, order=1, outputs=3)[:3]
    size = xs.shape[dim]
    sums = np.moveaxis(xs, dim, 0).reshape(size, -1).sum(1)
    carries = xs[0, 0, 0] + np.concatenate([[0], np.cumsum(sums)])
    np.testing.assert_allclose(last, carries[-1])
    np.testing.assert_allclose(total, sums)
    rows = np.moveaxis(xs, dim, 0) * carries[:-1, None, None]
    np.testing.assert_allclose(full, np.moveaxis(rows, 0, dim))


def test_several_carries_of_several_kinds() -> None:
    def run(xs: gc.Tensor, h: gc.Tensor, n: gc.Tensor, b: gc.Tensor) -> Any:
        def step(carry: Any, x: Any) -> Any:
            count, flag = carry["count"], carry["pair"][1]
            value = gc.where(flag, carry["pair"][0] * x["a"], x["a"] + count)
            after = {"count": count + x["k"], "pair": (value, ~flag), "none": None}
            return after, [value.sum(), (count, None)]

        start = {"count": n, "pair": (h, b), "none": None}
        return gc.scan(step, start, {"a": xs, "k": gc.arange(4)})

    check(run, data(4, 3), data(3, seed=1), np.array(5), np.array([True, False, True]), outputs=5)


def test_nan_and_infinities_pass() -> None:
    xs = np.array([[1.0, np.nan], [np.inf, 2.0], [-1.0, -np.inf]])
    check(
        lambda xs, h: gc.scan(lambda c, x: (c * x, c - x), h, xs),
        xs,
        np.ones(2),
        order=0,
        outputs=2,
    )


def test_without_carry_sequence_or_result() -> None:
    _, doubled = gc.scan(lambda c, x: (None, x * 2), None, gc.arange(3))
    assert doubled.tolist() == [0, 2, 4]
    last, nothing = gc.scan(lambda c, x: (c * 2, x), gc.tensor(1), length=5)
    assert (last.item(), nothing) == (32, None)

    def both(start: gc.Tensor) -> Any:
        _, ones = gc.scan(lambda c, x: (None, gc.ones(2)), None, length=3)
        last, _ = gc.scan(lambda c, x: (c * start, None), start, length=2)
        return ones, last

    found = check(both, np.float64(3), outputs=2)
    assert found[0].tolist() == [[1, 1]] * 3
    assert found[1] == 27


def test_an_unknown_length_alone() -> None:
    with gc.Graph() as graph:
        xs = gc.placeholder(("T",), name="xs")
        last, _ = gc.scan(lambda c, x: (c + 1, None), gc.tensor(0), length=xs.shape[0])
        graph.output(last, "count")
        graph.output(xs.sum(), "sum")
    for backend in ("numpy", "llvm"):
        assert graph.compile(backend=backend).run({"xs": np.ones(7, np.float32)})["count"] == 7


def test_nested() -> None:
    def run(xs: gc.Tensor, h: gc.Tensor) -> Any:
        def outer(c: gc.Tensor, x: gc.Tensor) -> Any:
            def inner(a: gc.Tensor, b: gc.Tensor) -> Any:
                return a * 0.9 + b * c, a * b

            last, ys = gc.scan(inner, x.sum(-1), x.transpose(0, 1))
            return c * 0.5 + last.sum(), ys.sum() + c

        return gc.scan(outer, h, xs)

    check(run, data(3, 2, 4), data(seed=3), outputs=2)


def test_what_it_closes_over() -> None:
    """Tensors of the recording, parameters, modules, constants; one of them in every step alike."""
    layer = nn.Linear(3, 3).double()
    table = gc.tensor(data(3, seed=7))

    def run(xs: gc.Tensor, scale: gc.Tensor) -> Any:
        shift = scale.sin()

        def step(c: gc.Tensor, x: gc.Tensor) -> Any:
            return layer(c + x).tanh() * (scale * 2) + shift + table, c

        return gc.scan(step, gc.zeros(3, dtype=gc.float64), xs)

    check(run, data(4, 3), data(3, seed=1), outputs=2)


def test_parameters_get_their_gradients() -> None:
    layer = nn.Linear(3, 3).double()
    xs = gc.tensor(data(4, 3))

    def loss() -> gc.Tensor:
        last, ys = gc.scan(lambda c, x: (layer(c + x).tanh(), c), gc.zeros(3, dtype=gc.float64), xs)
        return (last * last).sum() + ys.sum()

    def step() -> gc.Tensor:
        layer.zero_grad()
        value = loss()
        value.backward()
        return value

    want = step().item()
    grads = [p.grad.numpy().copy() for p in layer.parameters()]
    for backend in ("numpy", "llvm"):
        assert gc.compile(step, backend=backend)().item() == pytest.approx(want)
        for p, grad in zip(layer.parameters(), grads, strict=True):
            np.testing.assert_allclose(p.grad.numpy(), grad, rtol=1e-11)


def test_parts_without_a_gradient() -> None:
    """Detached values, and what is computed inside ``no_grad``."""

    def run(xs: gc.Tensor, h: gc.Tensor) -> Any:
        def step(c: gc.Tensor, x: gc.Tensor) -> Any:
            with gc.no_grad():
                scale = (c * c).sum() + 1
            return c / scale + x.detach() * x, x.sum()

        return gc.scan(step, h, xs)

    check(run, data(4, 3), data(3, seed=1), outputs=2)


def test_the_same_results_require_gradients() -> None:
    weight = nn.Parameter(gc.ones(3))

    def run(xs: gc.Tensor) -> Any:
        def step(c: gc.Tensor, x: gc.Tensor) -> Any:
            with gc.no_grad():
                mean = (c * weight).mean()
            return c * weight + x, (mean, x * 2, c.detach(), c)

        last, ys = gc.scan(step, gc.zeros(3), xs)
        branch = gc.cond(xs.sum() > 0, lambda: (xs * 1, xs @ weight), lambda: (xs, xs.sum(1)))
        return [x.requires_grad for x in (last, *ys, branch[0])]

    with gc.Graph():
        recorded = run(gc.placeholder((4, 3), name="xs"))
    assert recorded == run(gc.ones(4, 3)) == [True, False, False, False, True, False]


def test_the_function_is_called_once_while_recording() -> None:
    calls = []

    def step(c: gc.Tensor, x: gc.Tensor) -> Any:
        calls.append(1)
        return c + x, None

    compiled = gc.compile(lambda xs: gc.scan(step, gc.zeros(()), xs)[0], backend="numpy")
    assert [compiled(gc.ones(9)).item() for _ in range(2)] == [9, 9]
    assert len(calls) == 1


def test_a_long_loop_is_a_small_program() -> None:
    def nodes(length: int) -> int:
        with gc.Graph() as graph:
            xs = gc.placeholder((length, 3), name="xs", requires_grad=True)
            last, _ = gc.scan(lambda c, x: ((c + x).tanh(), None), gc.zeros(3), xs)
            graph.output(gc.grad(last.sum(), xs)[0])
        return len(graph)

    assert nodes(2) == nodes(5000)


@pytest.mark.parity
def test_pytorch_agrees() -> None:
    """Against a loop in PyTorch, in float32, through the whole backward."""
    torch = pytest.importorskip("torch")
    arrays = [array.astype(np.float32) for array in RNN]
    ours = dynamic(lambda *tensors: (lambda last, ys: (last, ys))(*rnn(*tensors)), arrays, order=1)
    xs, h, w, u, b = (torch.tensor(array, requires_grad=True) for array in arrays)
    state, ys = h, []
    for x in xs:
        state = torch.tanh(x @ w + state @ u + b)
        ys.append(state * 2)
    stacked = torch.stack(ys)
    total = sum(((0.5 + 0.25 * i) * (x * x + x)).sum() for i, x in enumerate((state, stacked)))
    total.backward()
    wanted = [state, stacked, xs.grad, h.grad, w.grad, u.grad, b.grad]
    for one, other in zip(ours, wanted, strict=True):
        np.testing.assert_allclose(one, other.detach().numpy(), rtol=2e-5, atol=2e-5)
