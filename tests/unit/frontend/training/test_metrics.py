"""Metrics over batches are those of all examples at once, dynamically and in compiled steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc import nn
from graphc.errors import (
    ArgumentError,
    CheckpointError,
    DTypeError,
    GraphcError,
    IndexRangeError,
    ShapeError,
    SymbolicValueError,
)
from graphc.training import Accuracy, ConfusionMatrix, Mean, Metric, R2Score

Array = Any
SIZES = (5, 1, 8, 3)


def batches(rng: np.random.Generator, classes: int, *more: int) -> list[tuple[Array, Array]]:
    return [
        (
            rng.standard_normal((size, classes, *more)).astype(np.float32),
            rng.integers(0, classes, (size, *more)),
        )
        for size in SIZES
    ]


def in_both_ways(make: Callable[[], Any], given: list[tuple[Array, Array]]) -> list[Any]:
    """The metric after dynamic updates, and after updates inside a compiled function."""
    results = []
    for compiled in (False, True):
        metric = make()
        update = gc.compile(metric.update) if compiled else metric.update
        for output, target in given:
            update(gc.tensor(output), gc.tensor(target))
        results.append(metric.compute())
    return results


def found_among(scores: Array, target: Array, k: int) -> Array:
    """Whether each target is among the k best classes, by sorting."""
    order = np.argsort(-np.moveaxis(scores, 1, -1), axis=-1)[..., :k]
    return (order == target[..., None]).any(-1)


@pytest.mark.parametrize("top_k", [1, 2, 5])
@pytest.mark.parametrize("more", [(), (4,), (2, 3)])
def test_accuracy(top_k: int, more: tuple[int, ...], rng: np.random.Generator) -> None:
    given = batches(rng, 5, *more)
    right = np.concatenate([found_among(*batch, top_k).ravel() for batch in given])
    for found in in_both_ways(lambda: Accuracy(top_k), given):
        assert found == right.mean()


@pytest.mark.parametrize("top_k", [1, 3])
def test_accuracy_leaves_out_what_is_ignored(top_k: int, rng: np.random.Generator) -> None:
    given = batches(rng, 5)
    for _, target in given[1:]:
        target[::2] = -100
    kept = [(scores[target >= 0], target[target >= 0]) for scores, target in given]
    right = np.concatenate([found_among(*batch, top_k) for batch in kept])
    for found in in_both_ways(lambda: Accuracy(top_k, ignore_index=-100), given):
        assert found == right.mean()


def test_accuracy_of_classes_and_of_both_kinds_of_arguments() -> None:
    accuracy = Accuracy()
    accuracy.update([1, 2, 0], [1, 2, 2])
    accuracy.update(np.array([True, False]), np.array([True, True]))
    accuracy.update(gc.tensor(1), gc.tensor(1))
    assert accuracy.compute() == 4 / 6


def test_outputs_that_are_not_numbers_are_not_right() -> None:
    for top_k in (1, 2):
        accuracy = Accuracy(top_k)
        accuracy.update(gc.full((4, 5), float("nan")), gc.tensor([4, 4, 4, 4]))
        assert accuracy.compute() == 0.0


def test_equal_scores_are_not_all_right() -> None:
    for top_k in (1, 2):
        accuracy = Accuracy(top_k)
        accuracy.update(gc.zeros(5, 5), gc.arange(5))
        assert accuracy.compute() == top_k / 5


def test_confusion_matrix(rng: np.random.Generator) -> None:
    given = batches(rng, 4, 2)
    expected = np.zeros((4, 4), np.int64)
    for scores, target in given:
        for found, truth in zip(scores.argmax(1).ravel(), target.ravel(), strict=True):
            expected[truth, found] += 1
    for found in in_both_ways(lambda: ConfusionMatrix(4), given):
        assert found.dtype is gc.int64
        np.testing.assert_array_equal(found.numpy(), expected)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    ("found", "truth"), [([0, 3], [0, 0]), ([0], [-1]), ([-1], [2]), ([3], [-1]), ([2, 2], [1, 3])]
)
def test_classes_that_are_none_are_refused(
    found: list[int], truth: list[int], compiled: bool
) -> None:
    matrix = ConfusionMatrix(3)
    update = gc.compile(matrix.update) if compiled else matrix.update
    message = r"ConfusionMatrix: class out of range\n  got: (3|-1)\n  expected: 0\.\.2"
    with pytest.raises(IndexRangeError, match=message):
        update(gc.tensor(found), gc.tensor(truth))
    assert matrix.compute().sum().item() == 0


def r2(target: Array, output: Array) -> float:
    """What scikit-learn computes, in long double."""
    target, output = (x.astype(np.longdouble).reshape(len(x), -1) for x in (target, output))
    errors = ((target - output) ** 2).sum(0)
    spread = ((target - target.mean(0)) ** 2).sum(0)
    scores = [1 - e / s if s > 0 else float(e == 0) for e, s in zip(errors, spread, strict=True)]
    return float(np.mean(scores))


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_r2(outputs: int, offset: float, rng: np.random.Generator) -> None:
    shape = (outputs,) if outputs > 1 else ()
    given = []
    for size in SIZES:
        target = offset + rng.standard_normal((size, *shape))
        given.append((target + 0.5 * rng.standard_normal(target.shape), target))
    whole = [np.concatenate(parts) for parts in zip(*given, strict=True)]
    for found in in_both_ways(lambda: R2Score(outputs), given):
        assert found == pytest.approx(r2(whole[1], whole[0]), rel=1e-6 if offset else 1e-12)


@pytest.mark.parametrize(
    ("output", "target", "expected"),
    [([1, 1], [1, 1], 1.0), ([1, 2], [1, 1], 0.0), ([2, 2, 2], [1, 2, 3], 0.0)],
)
def test_r2_of_little_spread(output: list[float], target: list[float], expected: float) -> None:
    score = R2Score()
    score.update(output, target)
    assert score.compute() == expected


def test_mean(rng: np.random.Generator) -> None:
    given = [(rng.standard_normal(size), rng.random(size)) for size in SIZES]
    whole = [np.concatenate(parts) for parts in zip(*given, strict=True)]
    for found in in_both_ways(Mean, given):
        assert found == pytest.approx(np.average(whole[0], weights=whole[1]), rel=1e-12)


def test_mean_of_batches_of_different_sizes() -> None:
    mean = Mean()
    mean.update(gc.tensor(1.0), weight=30)
    mean.update(4.0, 10)
    assert mean.compute() == 1.75


@pytest.mark.parametrize("kind", [Accuracy, Mean, R2Score])
def test_nothing_has_no_metric(kind: type[Metric]) -> None:
    metric = kind()
    assert math.isnan(metric.compute())
    assert repr(metric) == f"{kind.__name__}(nan)"


@pytest.mark.parametrize("kind", [Accuracy, lambda: ConfusionMatrix(2), R2Score, Mean])
def test_reset_and_state(kind: Callable[[], Any]) -> None:
    def of(metric: Any) -> list[Any]:
        found = metric.compute()
        return [found.tolist()] if isinstance(found, gc.Tensor) else [found]

    metric, other = kind(), kind()
    metric.update(gc.tensor([1, 0, 1]), gc.tensor([1, 1, 0]))
    before, state = of(metric), metric.state_dict()
    other.load_state_dict(state)
    assert of(other) == before
    metric.reset()
    metric.update(gc.tensor([1, 0]), gc.tensor([1, 0]))
    assert of(metric) != before
    metric.load_state_dict(state)
    assert of(metric) == before


def test_the_state_of_another_metric() -> None:
    with pytest.raises(CheckpointError, match="another metric"):
        Accuracy().load_state_dict(Mean().state_dict())
    with pytest.raises(CheckpointError, match="another metric"):
        ConfusionMatrix(2).load_state_dict(ConfusionMatrix(3).state_dict())


def test_metrics_in_an_evaluation_that_is_one_program(rng: np.random.Generator) -> None:
    model = nn.Linear(6, 3)
    accuracy, loss_mean = Accuracy(), Mean()

    @gc.compile
    def evaluate(x: gc.Tensor, y: gc.Tensor) -> None:
        output = model(x)
        accuracy.update(output, y)
        loss_mean.update(F.cross_entropy(output, y), weight=len(y))

    inputs = rng.standard_normal((17, 6)).astype(np.float32)
    labels = rng.integers(0, 3, 17)
    for repeat in range(2):
        for start in range(0, 17, 8):
            evaluate(inputs[start : start + 8], labels[start : start + 8])
        with gc.no_grad():
            output = model(gc.tensor(inputs))
            expected = F.cross_entropy(output, gc.tensor(labels)).item()
        assert accuracy.compute() == (output.numpy().argmax(1) == labels).mean(), repeat
        assert loss_mean.compute() == pytest.approx(expected, rel=1e-5)
        accuracy.reset()
        loss_mean.reset()


def test_metrics_keep_no_tape() -> None:
    mean = Mean()
    mean.update(gc.ones(2, requires_grad=True) * 2)
    assert not any(state.requires_grad for state in mean.state_dict().values())


@pytest.mark.parametrize(
    ("metric", "output", "target", "error"),
    [
        (Accuracy(), gc.ones(3, 2), gc.ones(2).long(), ShapeError),
        (Accuracy(), gc.ones(3).long(), gc.ones(2).long(), ShapeError),
        (Accuracy(), gc.ones(3, 2), gc.ones(3), DTypeError),
        (Accuracy(), gc.ones(3), gc.ones(3).long(), DTypeError),
        (Accuracy(2), gc.ones(3).long(), gc.ones(3).long(), ArgumentError),
        (Accuracy(2), gc.ones(3, 2), gc.ones(2).long(), ShapeError),
        (Accuracy(3), gc.ones(3, 2), gc.ones(3).long(), GraphcError),
        (ConfusionMatrix(2), gc.ones(3), gc.ones(3).long(), DTypeError),
        (ConfusionMatrix(2), gc.ones(3, 2), gc.ones(4).long(), ShapeError),
        (R2Score(), gc.ones(3), gc.ones(3, 1), ShapeError),
        (R2Score(2), gc.ones(3), gc.ones(3), ShapeError),
        (Mean(), gc.ones(3), gc.ones(2), ShapeError),
        (Mean(), gc.ones(3) * 1j, gc.ones(3), ArgumentError),
    ],
)
def test_wrong_arguments(metric: Any, output: Any, target: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        metric.update(output, target)


@pytest.mark.parametrize(
    "make", [lambda: Accuracy(0), lambda: ConfusionMatrix(0), lambda: R2Score(0)]
)
def test_wrong_options(make: Callable[[], Any]) -> None:
    with pytest.raises(ArgumentError):
        make()


def test_a_metric_has_no_value_while_recording() -> None:
    mean = Mean()

    @gc.compile
    def step(x: gc.Tensor) -> gc.Tensor:
        mean.update(x)
        return x * mean.compute()

    with pytest.raises(SymbolicValueError, match="while recording"):
        step(gc.ones(2))
    assert math.isnan(mean.compute())


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_metrics_in_a_graph_by_hand_with_any_batch(backend: str, rng: np.random.Generator) -> None:
    def metrics() -> list[Metric]:
        return [Accuracy(), Accuracy(2, ignore_index=0), ConfusionMatrix(3), R2Score(), Mean()]

    recorded, dynamic = metrics(), metrics()

    def update(those: list[Any], x: gc.Tensor, y: gc.Tensor, a: gc.Tensor, b: gc.Tensor) -> None:
        for metric, output, target in zip(those, (x, x, x, a, a), (y, y, y, b, 1), strict=True):
            metric.update(output, target)

    with gc.Graph() as graph:
        x = gc.placeholder((None, 3), name="x")
        y = gc.placeholder((None,), gc.int64, name="y")
        a, b = (gc.placeholder(("batch",), name=name) for name in "ab")
        update(recorded, x, y, a, b)
        total = x.sum()
    session = graph.compile(outputs=total, backend=backend)
    for size in SIZES:
        feed = {
            "x": rng.random((size, 3), np.float32), "y": rng.integers(0, 3, size),
            "a": rng.random(size, np.float32), "b": rng.random(size, np.float32),
        }  # fmt: skip
        session.run(feed)
        update(dynamic, *map(gc.tensor, feed.values()))
    for one, other in zip(recorded, dynamic, strict=True):
        assert np.asarray(one.compute()) == pytest.approx(np.asarray(other.compute()), rel=1e-12)


@pytest.mark.parametrize("make", [Accuracy, lambda: ConfusionMatrix(3), R2Score, Mean])
def test_an_empty_batch_changes_nothing(make: Callable[[], Any]) -> None:
    metric, twin = make(), make()
    given = [gc.tensor([1, 2, 2]), gc.tensor([1, 2, 0])]
    for each in (metric, twin):
        each.update(*given)
    metric.update(gc.zeros(0).long(), gc.zeros(0).long())
    assert repr(metric) == repr(twin)
