"""``gc.cond`` and ``gc.while_loop``: in every form, with their gradients."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from tests.control_programs import check, dynamic


def data(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape) * 0.7


@pytest.mark.parametrize("sign", [1, -1])
def test_both_branches(sign: int) -> None:
    def run(x: gc.Tensor, y: gc.Tensor) -> Any:
        return gc.cond(
            x.sum() > 0,
            lambda a, b: (a.sin() * y, {"b": b}), lambda a, b: (a * a @ y, {"b": b + a}), (x, y),
        )  # fmt: skip

    check(run, sign * np.abs(data(3, 3)), data(3, 3, seed=1), outputs=2)


def test_only_the_chosen_branch_is_computed() -> None:
    """The other one would raise: its index is out of range."""

    def run(x: gc.Tensor, i: gc.Tensor) -> Any:
        return gc.cond(i < 3, lambda: x[i], lambda: x.sum())

    x = np.arange(3.0)
    for backend in ("numpy", "llvm"):
        compiled = gc.compile(run, backend=backend)
        assert compiled(gc.tensor(x), gc.tensor(2)).item() == 2
        assert compiled(gc.tensor(x), gc.tensor(99)).item() == 3


@pytest.mark.parametrize(
    ("predicate", "want"),
    [(True, 1), (False, 2), (np.bool_(True), 1), (gc.tensor([[True]]), 1), (gc.tensor(0.0), 2),
     (gc.tensor(-3), 1)],
)  # fmt: skip
def test_predicates(predicate: Any, want: int) -> None:
    chosen = lambda p: gc.cond(p, lambda: gc.tensor(1), lambda: gc.tensor(2))  # noqa: E731
    assert chosen(predicate).item() == want
    if isinstance(predicate, gc.Tensor):
        assert gc.compile(chosen, backend="numpy")(predicate).item() == want


def test_a_python_bool_decides_while_recording() -> None:
    with gc.Graph() as graph:
        x = gc.placeholder((2,), name="x")
        graph.output(gc.cond(True, lambda a: a.exp(), lambda a: 1 / 0, (x,)))
    assert "cond" not in [node.op.name for node in graph.nodes]


def test_a_constant_predicate_leaves_one_branch() -> None:
    with gc.Graph() as graph:
        x = gc.placeholder((2,), name="x")
        graph.output(gc.cond(gc.tensor(True), lambda a: a.exp(), lambda a: -a, (x,)))
    assert "cond" in [node.op.name for node in graph.nodes]
    assert [node.op.name for node in graph.lower("control").nodes] == ["placeholder", "exp"]


def test_branches_that_do_not_use_what_the_other_uses() -> None:
    def run(x: gc.Tensor, y: gc.Tensor) -> Any:
        return gc.cond(x[0] > y[0], lambda: x * x, lambda: gc.ones(3, dtype=gc.float64))

    check(run, np.float64([2, 3, 4]), np.float64([1, 5, 5]), outputs=1)
    check(run, np.float64([0, 3, 4]), np.float64([1, 5, 5]), outputs=1)


def test_branches_inside_a_scan() -> None:
    def run(xs: gc.Tensor, h: gc.Tensor, k: gc.Tensor) -> Any:
        def step(carry: Any, x: gc.Tensor) -> Any:
            a, n = carry
            a = gc.cond(x.sum() > 0, lambda v: v * k + x, lambda v: (-v * v).exp(), (a,))
            return (a, n + 1), (a.sum(), n)

        return gc.scan(step, (h, gc.tensor(0)), xs)

    check(run, data(6, 3), data(3, seed=2), data(3, seed=4), outputs=4)


def test_a_loop_of_known_and_unknown_length() -> None:
    def run(x: gc.Tensor, w: gc.Tensor, limit: gc.Tensor) -> Any:
        def go_on(n: gc.Tensor, a: gc.Tensor) -> Any:
            return gc.logical_and(n < limit, a.abs().sum() < 50)

        return gc.while_loop(go_on, lambda n, a: (n + 1, (a @ w).tanh() * 3 + a), (gc.tensor(0), x))

    for limit in (0, 1, 6, 1000):
        check(run, data(2, 3), data(3, 3, seed=1), np.array(limit), order=1, outputs=2)


def test_nested_carries_and_unknown_sizes() -> None:
    def run(x: gc.Tensor) -> Any:
        def body(carry: Any) -> Any:
            return ({"x": carry["x"] * 1.5, "n": [carry["n"][0] + 1, None]},)

        return gc.while_loop(
            lambda c: c["x"].sum() < 20, body, ({"x": x.abs(), "n": [gc.tensor(0), None]},)
        )

    check(run, data(4), shapes=[("N",)], order=1, outputs=2)


def test_dynamic_loops_have_all_gradients() -> None:
    def run(x: gc.Tensor) -> Any:
        return gc.while_loop(
            lambda a, n: n < 3, lambda a, n: (a.sin() * a, n + 1), (x, gc.tensor(0))
        )

    def unrolled(x: gc.Tensor) -> Any:
        for _ in range(3):
            x = x.sin() * x
        return x, gc.tensor(3)

    looped, plain = dynamic(run, [data(3)]), dynamic(unrolled, [data(3)])
    for one, other in zip(looped, plain, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_loop_that_never_starts() -> None:
    with gc.Graph() as graph:
        x = gc.placeholder((2,), name="x")
        (same,) = gc.while_loop(lambda a: False, lambda a: (a * 2,), (x,))
        graph.output(same)
    assert [node.op.name for node in graph.nodes] == ["placeholder"]


def test_a_search() -> None:
    """Newton's method, which knows itself when it is ready."""

    def root(a: gc.Tensor) -> gc.Tensor:
        start = (a, gc.tensor(0))
        close = lambda x, n: gc.logical_and((x * x - a).abs() > 1e-12, n < 99)  # noqa: E731
        found, _ = gc.while_loop(close, lambda x, n: ((x + a / x) / 2, n + 1), start)
        return found

    (value, slope) = check(root, np.float64(2), order=1, tolerance=1e-9, outputs=1)
    assert value == pytest.approx(2**0.5)
    plus, minus = (2 + 1e-6) ** 0.5, (2 - 1e-6) ** 0.5
    half = (plus - minus) / 2e-6  # the harness differentiates (x * x + x) / 2
    assert slope == pytest.approx((2**0.5 + 0.5) * half, rel=1e-4)


@pytest.mark.parity
@pytest.mark.parametrize("sign", [1, -1])
def test_pytorch_agrees(sign: int) -> None:
    torch = pytest.importorskip("torch")
    x, w = sign * np.abs(data(3, 3)), data(3, 3, seed=1)

    def program(lib: Any, x: Any, w: Any, cond: Any) -> Any:
        return cond(x.sum() > 0, lambda: lib.tanh(x @ w), lambda: lib.sin(x) * w)

    ours = dynamic(lambda x, w: program(gc, x, w, gc.cond), [x, w], order=1)
    tx, tw = (torch.tensor(each, requires_grad=True) for each in (x, w))
    out = program(torch, tx, tw, lambda p, true, false: true() if p else false())
    (0.5 * (out * out + out)).sum().backward()
    for one, other in zip(ours, (out, tx.grad, tw.grad), strict=True):
        np.testing.assert_allclose(one, other.detach().numpy(), rtol=1e-12)
