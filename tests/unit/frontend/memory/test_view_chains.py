"""Several views at once, and results without their dims of size 1, behave like one at a time."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.frontend.memory.view_chains import run_views
from graphc.ops.shape import flip, reshape, slice_

STEPS: list[Any] = [
    (slice_, {"starts": (1, 0), "stops": (3, 4), "steps": (1, 2)}),
    (flip, {"dims": (1,)}),
    (reshape, {"shape": (2, 1, 2)}),
]


def applied(x: Any) -> Any:
    for op, attrs in STEPS:
        x = op(x, **attrs)
    return x


@pytest.mark.parametrize("is_tracked", [False, True])
def test_views_at_once_are_views_one_by_one(is_tracked: bool) -> None:
    found = []
    for run in (applied, lambda x: run_views(x, STEPS)):
        leaf = gc.arange(12.0).reshape(3, 4).clone().requires_grad_(is_tracked)
        x = leaf * 1.0
        view = run(x)
        before = view.tolist()
        view.mul_(3.0)  # reaches the whole, and its tape
        view.add_(x[2, 1])
        if is_tracked:
            (x * x).sum().backward()
        grad = None if leaf.grad is None else leaf.grad.tolist()
        found.append([before, view.tolist(), x.tolist(), grad])
    assert found[0] == found[1]
    assert found[0][0] == np.arange(12.0).reshape(3, 4)[1:, [2, 0]].reshape(2, 1, 2).tolist()


def test_a_view_follows_a_later_write_to_its_whole() -> None:
    leaf = gc.ones(3, requires_grad=True)
    x = leaf * 1.0
    view = x[1]
    x.mul_(5.0)
    view[None][0].backward()
    assert view.item() == 5.0
    assert leaf.grad is not None
    assert leaf.grad.tolist() == [0.0, 5.0, 0.0]


def test_a_reduction_is_a_tensor_of_its_own() -> None:
    x = gc.ones(2, 3, requires_grad=True)
    for made in (x.sum(), x.mean(1), x.amax(0), x.var()):
        assert made._viewed is None
        assert made.grad_fn is not None
        assert not made.storage.version.shared
    total = x.sum(1)
    total.mul_(gc.tensor([2.0, 3.0]))
    total.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[2.0] * 3, [3.0] * 3]


def test_what_a_rule_keeps_of_its_result_is_still_watched() -> None:
    x = gc.tensor([[1.0, 4.0], [3.0, 2.0]], requires_grad=True)
    peak = x.amax(1)
    with gc.no_grad():
        peak.zero_()
    with pytest.raises(gc.errors.AutogradError, match="overwritten"):
        peak.sum().backward()


def test_anomaly_detection_sees_each_operation() -> None:
    x = gc.tensor([[1.0, 0.0]], requires_grad=True)
    with gc.autograd.detect_anomaly(), pytest.raises(gc.errors.GraphcError, match=r"(?i)nan"):
        (x.sqrt() * 0.0)[0].sum().backward()
