"""The CTC loss against PyTorch and against a sum over all paths, in both executions."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc.errors import ArgumentError, DTypeError, ShapeError
from tests.both_modes import check_both
from tests.torch_oracle import check


def _functional(module: Any) -> Any:
    return F if module is gc else module.nn.functional


def log_probs(rng: np.random.Generator, *shape: int) -> Any:
    values = rng.normal(size=shape)
    return values - np.log(np.exp(values).sum(-1, keepdims=True))


def by_paths(logs: Any, labels: list[int], blank: int) -> float:
    """Minus the logarithm of the summed probability of all paths that give the labels."""
    total = 0.0
    for path in itertools.product(range(logs.shape[1]), repeat=len(logs)):
        merged = [c for i, c in enumerate(path) if i == 0 or c != path[i - 1]]
        if [c for c in merged if c != blank] == labels:
            total += math.exp(sum(logs[t, c] for t, c in enumerate(path)))
    return -math.log(total) if total else math.inf


@pytest.mark.parametrize("blank", [0, 2])
@pytest.mark.parametrize("labels", [[], [1], [1, 1], [1, 3, 1], [3, 1, 1, 3]])
def test_against_the_sum_over_paths(
    labels: list[int], blank: int, rng: np.random.Generator
) -> None:
    logs = log_probs(rng, 5, 4)
    got = check_both(
        lambda x: F.ctc_loss(x, gc.tensor(labels, dtype=gc.int64), [5], [len(labels)], blank,
                             "none"),
        logs,
    )  # fmt: skip
    assert got.outputs[0] == pytest.approx(by_paths(logs, labels, blank), rel=1e-12)
    assert np.isfinite(np.asarray(got.grads[0])).all()


@pytest.mark.parity
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_against_torch(reduction: str, rng: np.random.Generator) -> None:
    logs = rng.normal(size=(7, 4, 5))
    rows = np.array([[1, 2, 2], [3, 4, 1], [1, 1, 1], [4, 2, 3]])
    times, counts = np.array([7, 5, 6, 4]), np.array([3, 2, 0, 1])
    flat = np.concatenate([row[:n] for row, n in zip(rows, counts, strict=True)])
    for targets in (rows, flat):
        check(
            lambda m, x, y, t, n: _functional(m).ctc_loss(
                x.log_softmax(-1) if m is not gc else F.log_softmax(x, -1), y, t, n,
                reduction=reduction,
            ),
            logs, targets, times, counts, loose=50,
        )  # fmt: skip


def test_impossible_sequences(rng: np.random.Generator) -> None:
    logs = log_probs(rng, 2, 2, 4)
    run = lambda x, zero: F.ctc_loss(  # noqa: E731 - one expression
        x, gc.tensor([[1, 1], [1, 2]]), [2, 2], [2, 2], reduction="none", zero_infinity=zero
    )
    loss = check_both(lambda x: run(x, False), logs)
    assert loss.outputs[0][0] == math.inf
    assert np.isfinite(loss.outputs[0][1])
    zeroed = check_both(lambda x: run(x, True), logs)
    assert zeroed.outputs[0][0] == 0
    for outcome in (loss, zeroed):
        assert np.isfinite(np.asarray(outcome.grads[0])).all()
        assert not np.asarray(outcome.grads[0])[:, 0].any()


def test_no_time() -> None:
    logs = gc.zeros(2, 2, 3)
    loss = F.ctc_loss(logs, gc.tensor([[1], [1]]), [0, 0], [0, 1], reduction="none")
    assert loss.tolist() == [0, math.inf]


def test_first_and_second_derivatives(rng: np.random.Generator) -> None:
    x = gc.tensor(rng.normal(size=(4, 1, 3)), requires_grad=True)

    def loss(x: gc.Tensor) -> gc.Tensor:
        return F.ctc_loss(F.log_softmax(x, -1), gc.tensor([[1, 2]]), [4], [2])

    assert gc.autograd.gradcheck(loss, [x])
    assert gc.autograd.gradcheck(lambda x: gc.grad(loss(x), x, create_graph=True)[0], [x])


LOGS, LABELS = gc.zeros(3, 1, 4), gc.tensor([[1, 2]])


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: F.ctc_loss(LOGS[0, 0], LABELS, [3], [2]), ShapeError, "time"),
        (lambda: F.ctc_loss(LOGS, LABELS, [3, 3], [2]), ShapeError, "input_lengths"),
        (lambda: F.ctc_loss(LOGS, LABELS, [3], [2, 1]), ShapeError, "target_lengths"),
        (lambda: F.ctc_loss(LOGS, LABELS.float(), [3], [2]), DTypeError, "integer"),
        (lambda: F.ctc_loss(LOGS, LABELS, [3], [2], blank=4), ArgumentError, "blank"),
        (lambda: F.ctc_loss(LOGS, gc.tensor([[1], [2]]), [3], [1]), ShapeError, "targets"),
        (lambda: F.ctc_loss(LOGS, LABELS, [3], [2], reduction="max"), ArgumentError, "reduction"),
    ],
)
def test_wrong_arguments(call: Callable[[], Any], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        call()
