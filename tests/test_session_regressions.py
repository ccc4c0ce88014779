"""Mistakes that other compilers shipped, each as a test of compiled programs.

Wrong numbers for repeated indices, NaN, -0.0 and dead branches, for views as inputs, dtypes, long
chains and large sums are covered for every execution by the program zoo (tests/programs); here is
what calls and sessions add: aliasing, order of reads and writes, captured values, second calls.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import (
    ArgumentError,
    FeedError,
    GraphcError,
    IndexRangeError,
    SymbolicValueError,
)  # fmt: skip
from tests.backends import BACKENDS, EXECUTIONS, Execution
from tests.closeness import assert_same
from tests.programs.base import Array

every_backend = pytest.mark.parametrize("backend", BACKENDS)


def single(*values: float) -> Array:
    return np.array(values, np.float32)


def leaf(*values: float) -> gc.Tensor:
    return gc.tensor([float(v) for v in values], requires_grad=True)


# --- (a), (b): hostile values that need a call of their own ----------------


@every_backend
def test_an_index_outside_raises_and_leaves_variables_alone(backend: str) -> None:
    w = leaf(1, 2, 3)

    def step(rows: Any) -> Any:
        read = w[rows]
        with gc.no_grad():
            w.mul_(2)
        return read

    fast = gc.compile(step, backend=backend)
    with pytest.raises(IndexRangeError):
        fast(np.array([0, 3]))
    assert w.tolist() == [1, 2, 3]
    assert fast(np.array([0, -1])).tolist() == [1, 3]
    assert w.tolist() == [2, 4, 6]


@every_backend
def test_empty_reductions(backend: str) -> None:
    empty = np.zeros((0, 3), np.float32)
    fast = gc.compile(lambda x: (x.sum(), x.prod(0), x.mean(0), x.any()), backend=backend)
    total, product, mean, found = fast(empty)
    assert (total.item(), product.tolist(), found.item()) == (0, [1, 1, 1], False)
    assert np.isnan(mean.numpy()).all()
    with pytest.raises(GraphcError, match="no elements"):
        gc.compile(lambda x: x.amax(0), backend=backend)(empty)


# --- (d), (e), (p): results ------------------------------------------------


@every_backend
def test_results_alias_nothing(backend: str) -> None:
    w = leaf(5, 6)
    with gc.Graph() as graph:
        x = gc.placeholder((2,), name="x")
        constant = gc.tensor([1.0, 2.0]) * 1
        outputs = {"x": x, "again": x, "w": w, "view": w.flip(0), "one": constant, "sum": x + w}
    session = graph.compile(outputs, backend=backend)
    fed = single(3, 4)
    first = session.run({"x": fed})
    for array in first.values():
        array += 100
    second = session.run({"x": fed})
    assert fed.tolist() == [3, 4]
    assert w.tolist() == [5, 6]
    assert {name: array.tolist() for name, array in second.items()} == {
        "x": [3, 4], "again": [3, 4], "w": [5, 6], "view": [6, 5], "one": [1, 2], "sum": [8, 10]
    }  # fmt: skip


@every_backend
def test_one_array_for_two_inputs(backend: str) -> None:
    x = single(1, 2)
    fast = gc.compile(lambda a, b: (a - b, a * b + 1), backend=backend)
    difference, product = fast(x, x)
    assert difference.tolist() == [0, 0]
    assert product.tolist() == [2, 5]
    assert fast(x, single(0, 1))[0].tolist() == [1, 1]


@every_backend
def test_results_survive_the_next_run(backend: str) -> None:
    fast = gc.compile(lambda x: (x.exp().sum(0), x * 2), backend=backend)
    kept = [fast(np.full((3, 4), n, np.float32)) for n in range(4)]
    for n, (total, double) in enumerate(kept):
        np.testing.assert_allclose(total.numpy(), 3 * np.exp(np.full(4, n)), rtol=1e-6)
        assert double.numpy().min() == double.numpy().max() == 2 * n


@every_backend
def test_results_in_the_callers_memory(backend: str) -> None:
    with gc.Graph() as graph:
        y = gc.placeholder((3,), name="x").exp()
    session = graph.compile({"y": y}, backend=backend)
    mine = np.zeros(3, np.float32)
    assert session.run({"x": single(0, 0, 0)}, out={"y": mine})["y"] is mine
    assert mine.tolist() == [1, 1, 1]
    with pytest.raises(FeedError, match="share"):
        session.run({"x": mine}, out={"y": mine})


@pytest.mark.parametrize("execution", EXECUTIONS, ids=str)
def test_dropping_a_result_does_not_change_the_others(
    execution: Execution, rng: np.random.Generator
) -> None:
    def parts(x: Any) -> dict[str, Any]:
        e = (x - x.amax(-1, keepdim=True)).exp()
        total = e.sum(-1, keepdim=True)
        return {"e": e, "total": total, "p": e / total, "entropy": (e / total * total.log()).sum()}

    x = rng.standard_normal((5, 37)).astype(np.float32)
    everything = gc.compile(parts, **execution.options())(x)
    for name, array in everything.items():
        alone = gc.compile(lambda x, name=name: parts(x)[name], **execution.options())(x)
        assert_same(alone.numpy(), array.numpy(), what=name)


# --- (f), (g): rules that interact -----------------------------------------


@pytest.mark.parametrize("execution", EXECUTIONS, ids=str)
def test_casts_between_a_product_and_a_quotient_stay(execution: Execution) -> None:
    """Dropping the casts, then merging * and /, would skip the rounding to float16."""
    x = np.linspace(0.1, 3, 50, dtype=np.float32)
    got = gc.compile(lambda x: (x * 3).half().float() / 3, **execution.options())(x)
    expected = (x * np.float32(3)).astype(np.float16).astype(np.float32) / np.float32(3)
    assert_same(got.numpy(), expected)


@pytest.mark.parametrize("execution", EXECUTIONS, ids=str)
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int32, np.int64, np.bool_])
def test_functions_of_whole_numbers_are_float32(execution: Execution, dtype: Any) -> None:
    x = np.array([0, 1, 1, 0] if dtype is np.bool_ else [0, 1, 2, 100], dtype)
    got = gc.compile(
        lambda x: (x.exp(), (x + 1).log(), x / 3, x * 2.5), **execution.options()
    )(x)  # fmt: skip
    wide = x.astype(np.float64)
    with np.errstate(over="ignore"):
        expected = [np.exp(wide), np.log(wide + 1), wide / 3, wide * 2.5]
    for one, other in zip(got, expected, strict=True):
        with np.errstate(over="ignore"):
            assert_same(one.numpy(), other.astype(np.float32), ulps=4)


# --- (j): second calls -----------------------------------------------------


@every_backend
def test_later_calls_with_other_values_shapes_and_dtypes(
    backend: str, rng: np.random.Generator
) -> None:
    fast = gc.compile(lambda x: (x * 2 + 1).sum(-1), backend=backend)
    for shape, dtype in [((3, 4), "f4"), ((3, 4), "f4"), ((5, 1), "f4"), ((0, 4), "f4"),
                         ((3, 4), "f8"), ((3, 4), "i8"), ((7,), "f4"), ((3, 4), "f4")]:  # fmt: skip
        x = (rng.standard_normal(shape) * 9).astype(dtype)
        np.testing.assert_allclose(fast(x).numpy(), (x * 2 + 1).sum(-1), rtol=1e-5, atol=1e-4)
    assert (fast.cache_info().misses, fast.cache_info().hits) == (6, 2)


@every_backend
def test_one_session_for_many_batch_sizes(backend: str) -> None:
    with gc.Graph() as graph:
        x = gc.placeholder(("batch", 3), name="x")
        y = gc.placeholder(("batch",), name="y")
        mean = (x.sum(1) * y).mean()
    with graph.compile(mean, backend=backend) as session:
        for batch in (4, 1, 4, 9, 1):
            result = session.run(
                {"x": np.ones((batch, 3), "f4"), "y": np.arange(batch, dtype="f4")}
            )
            np.testing.assert_allclose(result, 3 * (batch - 1) / 2, rtol=1e-6)
        info = session.cache_info()
        assert (info.misses, info.hits) == (3, 2)
        assert [entry.reason for entry in info.entries][-1] != "first run"
        with pytest.raises(GraphcError, match="batch"):
            session.run({"x": np.ones((4, 3), "f4"), "y": np.ones(5, "f4")})


# --- (l): order of reads and writes ----------------------------------------


@every_backend
def test_old_and_new_value_of_a_variable(backend: str) -> None:
    w = leaf(1, 2)
    with gc.Graph() as graph:
        old = w * 1
        with gc.no_grad():
            w.mul_(10)
        new = w + 0
    session = graph.compile({"old": old, "new": new, "now": w}, backend=backend)
    for scale in (1, 10):
        values = {name: array.tolist() for name, array in session.run().items()}
        expected = [10.0 * scale, 20.0 * scale]
        assert values == {"old": [scale, 2 * scale], "new": expected, "now": expected}
    assert w.tolist() == [100, 200]


@every_backend
def test_a_feed_that_is_the_variables_own_memory(backend: str) -> None:
    w = leaf(1, 2, 3)

    def step(x: Any) -> Any:
        with gc.no_grad():
            w.copy_(w + 1)
        return x * 10 + w.flip(0)

    fast = gc.compile(step, backend=backend)
    assert fast(w.detach().numpy()).tolist() == [14, 23, 32]
    assert w.tolist() == [2, 3, 4]


@every_backend
def test_sessions_share_weights(backend: str) -> None:
    w = leaf(1, 1)
    with gc.Graph() as training, gc.no_grad():
        w.add_(gc.placeholder((2,), name="x"))
    with gc.Graph() as evaluation:
        y = (w * 2).sum()
    train, evaluate = training.compile(backend=backend), evaluation.compile(y, backend=backend)
    assert evaluate.run() == 4
    train.run({"x": single(1, 2)})
    assert evaluate.run() == 10
    with gc.no_grad():
        w.zero_()
    assert evaluate.run() == 0


@every_backend
def test_a_failed_run_changes_nothing(backend: str) -> None:
    w = leaf(1, 2)
    with gc.Graph() as graph:
        x = gc.placeholder((2,), name="x")
        with gc.no_grad():
            w.add_(x)
    session = graph.compile(backend=backend)
    for feed in ({}, {"x": single(1, 2, 3)}, {"x": np.ones(2)}):
        with pytest.raises(GraphcError):
            session.run(feed)
    assert w.tolist() == [1, 2]


@every_backend
def test_threads_share_a_session(backend: str) -> None:
    total = leaf(0)
    with gc.Graph() as graph:
        x = gc.placeholder((None,), name="x")
        with gc.no_grad():
            total.add_(x.sum())
        double = x * 2
    session = graph.compile(double, backend=backend)
    wrong: list[Any] = []

    def work(number: int) -> None:
        for size in (3, 5, 3, 8) * 10:
            result = session.run({"x": np.full(size, number, np.float32)})
            if result.tolist() != [2 * number] * size:
                wrong.append(result)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert total.tolist() == [(1 + 2 + 3 + 4) * 10 * (3 + 5 + 3 + 8)]


# --- (o): random numbers ---------------------------------------------------


def test_one_seed_gives_the_same_masks_everywhere() -> None:
    """Whatever backend and level, and whether the mask is used once, twice or fused."""

    def masks(x: Any) -> Any:
        first, second = gc.rand(5, 7) < 0.5, gc.rand(5, 7) < 0.5
        return (x * second).sum(0), first, second

    x = np.ones((5, 7), np.float32)

    def drawn(run: Any) -> list[list[Any]]:
        gc.manual_seed(3)
        return [[part.tolist() for part in run(x)] for _ in range(2)]

    expected = drawn(lambda x: masks(gc.tensor(x)))
    assert expected[0][1] != expected[0][2] != expected[1][1]
    for execution in EXECUTIONS:
        assert drawn(gc.compile(masks, **execution.options())) == expected
        only = gc.compile(lambda x: masks(x)[2], **execution.options())
        gc.manual_seed(3)
        assert [only(x).tolist() for _ in range(2)] == [one[2] for one in expected]


# --- (q): gradients --------------------------------------------------------


@pytest.mark.parametrize("execution", EXECUTIONS, ids=str)
def test_a_dead_branch_gives_no_nan_gradient(execution: Execution) -> None:
    """No rule may move or merge the two `where`s that keep NaN out."""

    def safe(x: Any) -> Any:
        x.requires_grad_()
        some = x > 0
        y = gc.where(some, gc.where(some, x, 1).log(), 0)
        return gc.grad(y.sum(), x)[0]

    got = gc.compile(safe, **execution.options())(single(-1, 0, 2))
    assert got.tolist() == [0, 0, 0.5]


# --- (s): what surprises users of tracing compilers ------------------------


@every_backend
def test_python_arguments_are_part_of_the_signature(backend: str) -> None:
    fast = gc.compile(lambda x, n, mode="mul": x * n if mode == "mul" else x + n, backend=backend)
    x = single(1, 2)
    assert fast(x, 3).tolist() == [3, 6]
    assert fast(x, 4).tolist() == [4, 8]
    assert fast(x, 4, mode="add").tolist() == [5, 6]
    assert fast(x, mode="add", n=4).tolist() == [5, 6]


@every_backend
def test_keywords_in_another_order(backend: str) -> None:
    fast = gc.compile(lambda a, b: a - b, backend=backend)
    a, b = single(5, 6), single(1, 2)
    assert fast(a, b).tolist() == fast(b=b, a=a).tolist() == fast(a=a, b=b).tolist() == [4, 4]
    assert gc.compare(fast, b=b, a=a, repeats=1).max_abs == 0
    assert gc.compare(lambda a, *, b: a - b, a, b=b, repeats=1).max_abs == 0


@every_backend
def test_python_effects_happen_once_per_trace(backend: str) -> None:
    calls = []
    fast = gc.compile(lambda x: calls.append(1) or x * 2, backend=backend)
    assert [fast(single(n)).item() for n in range(3)] == [0, 2, 4]
    assert len(calls) == 1


@every_backend
def test_captured_tensors_and_leaves_are_as_they_are_now(backend: str) -> None:
    plain, w = gc.tensor([1.0]), leaf(1)
    fast = gc.compile(lambda x: (x + plain, x + w), backend=backend)
    assert [one.tolist() for one in fast(single(1))] == [[2], [2]]
    with gc.no_grad():
        plain.add_(5)
        w.add_(5)
    assert [one.tolist() for one in fast(single(1))] == [[7], [7]]


@every_backend
def test_a_compiled_function_inside_another(backend: str) -> None:
    inner = gc.compile(lambda x: x * 3, backend=backend)
    outer = gc.compile(lambda x: inner(x) + inner(x + 1), backend=backend)
    assert outer(single(1, 2)).tolist() == [9, 15]


@pytest.mark.parametrize(
    "asks",
    [
        lambda x: x if x.sum() > 0 else -x,
        lambda x: x * int(x[0]),
        lambda x: x * float(x[0]),
        lambda x: x.sum().item(),
        lambda x: x.numpy(),
        lambda x: x.tolist(),
        lambda x: x[x > 0],
        lambda x: x.nonzero(),
        lambda x: list(range(x[0])),
    ],
)
def test_asking_for_values_while_tracing_names_the_users_line(asks: Any) -> None:
    with pytest.raises(SymbolicValueError, match=r"test_session_regressions\.py:\d+"):
        gc.compile(asks, backend="numpy")(single(1, 2))


@every_backend
def test_random_numbers_are_fresh_on_each_call(backend: str) -> None:
    fast = gc.compile(lambda: gc.rand(8), backend=backend)
    assert fast().tolist() != fast().tolist()


@every_backend
def test_gradients_inside_a_compiled_function(backend: str) -> None:
    w = leaf(3)

    def loss(x: Any) -> Any:
        value = (x * w * w).sum()
        value.backward()
        return value

    fast = gc.compile(loss, backend=backend)
    for n in (1, 2):
        assert fast(single(2)).item() == 18
        assert w.grad is not None
        assert w.grad.tolist() == [12 * n]


# --- feeds that do not fit -------------------------------------------------


def test_wrong_names_get_a_suggestion() -> None:
    with gc.Graph() as graph:
        x = gc.placeholder((2,), name="images")
        y = graph.output(x * 2, "doubled")
    session = graph.compile(y, backend="numpy")
    with pytest.raises(FeedError, match="did you mean 'images'"):
        session.run({"image": single(1, 2)})
    with pytest.raises(FeedError, match=r"missing input[\s\S]*'images'"):
        session.run({})
    with pytest.raises(FeedError, match="neither a placeholder's name nor"):
        session.run({y: single(1, 2)})
    with pytest.raises(ArgumentError, match="did you mean 'numpy'"):
        graph.compile(y, backend="nunpy")
    with pytest.raises(ArgumentError, match="did you mean 'fuse'"):
        graph.compile(y, backend="numpy", disable=("fuze",)).run({x: single(1, 2)})
    assert session.run({x: single(1, 2)}).tolist() == [2, 4]
