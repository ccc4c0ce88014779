"""What recording makes of user code: the text of graphs before any pass."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

import graphc as gc
from graphc.text import format_graph
from tests.goldens import Golden


def recorded(function: Any, *specs: Any) -> str:
    return format_graph(gc.trace(function, *specs).program, locations=False)


def test_broadcast_and_promotion(golden: Golden) -> None:
    golden(recorded(
        lambda x, n: {"half": x / 2, "sum": x + n, "mask": n > 1},
        gc.TensorSpec(("batch", 3)), gc.TensorSpec((3,), gc.int32),
    ))  # fmt: skip


def test_indexing(golden: Golden) -> None:
    golden(recorded(lambda x: (x[1:, ::-2], x[None, -1], x[[0, 0, 2]]), gc.TensorSpec((3, 5))))


def test_softmax(golden: Golden) -> None:
    golden(recorded(lambda x: x.softmax(-1), gc.TensorSpec((None, 10))))


def test_backward(golden: Golden) -> None:
    def gradient(x: Any, w: Any) -> Any:
        w.requires_grad_()
        return gc.grad((x @ w).tanh().sum(), w)

    golden(recorded(gradient, gc.TensorSpec((4, 3)), gc.TensorSpec((3,))))


def train_step() -> Any:
    w = gc.tensor(np.ones((3, 2), np.float32), requires_grad=True)

    def step(x: Any) -> Any:
        loss = ((x @ w) ** 2).mean()
        (gradient,) = gc.grad(loss, w)
        with gc.no_grad():
            w.sub_(0.1 * gradient)
        return loss

    return step


def test_train_step(golden: Golden) -> None:
    golden(recorded(train_step(), gc.TensorSpec((4, 3))))


def test_locations_survive_all_passes(golden: Golden) -> None:
    """Line numbers are left out, so that this file can change."""
    text = str(gc.trace(train_step(), gc.TensorSpec((4, 3))).lower())
    golden(re.sub(r"\.py:\d+", ".py", text))
