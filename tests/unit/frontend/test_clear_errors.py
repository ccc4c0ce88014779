"""Mistakes are told where they were made, in words of what the user wrote."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn, optim
from graphc.errors import ArgumentError, AutogradError, CheckpointError, DTypeError, ShapeError


def traced(function: Callable[[Any], Any]) -> Any:
    return gc.trace(function, gc.TensorSpec((None, 3)))


def line_of(function: Callable[..., Any]) -> str:
    return f"{__file__}:{inspect.getsourcelines(function)[1]}"


COMPARISONS: list[Callable[[Any], Any]] = [
    lambda x: x if x.shape[0] > 2 else -x,
    lambda x: x if x.shape[0] < 2 else -x,
    lambda x: x if x.shape[0] >= 2 else -x,
    lambda x: x[: max(x.shape[0], 3)],
    lambda x: x[: int(x.shape[0])],
    lambda x: x if x.shape[0] else -x,
]


@pytest.mark.parametrize("function", COMPARISONS)
def test_a_branch_on_an_unknown_size(function: Callable[[Any], Any]) -> None:
    with pytest.raises(ShapeError, match="known only at run time") as caught:
        traced(function)
    assert caught.value.where == line_of(function)


def test_comparisons_that_hold_for_all_sizes() -> None:
    def f(x: Any) -> Any:
        size = x.shape[0]
        assert size >= 0
        assert not size < 0
        assert size + 1 > 0
        assert size <= size
        assert not size > size
        assert size > -1
        return x

    traced(f)


def test_loaded_state_that_does_not_fit() -> None:
    net = nn.Linear(2, 2)
    mistakes: list[Callable[[], Any]] = [
        lambda: net.load_state_dict([1]),  # type: ignore[arg-type]  # the mistake that is tested
        lambda: net.load_state_dict({"weight": np.ones((3, 3)), "bias": np.ones(2)}),
        lambda: net.load_state_dict({"weight": [[1.0], [2.0, 3.0]], "bias": np.ones(2)}),
    ]
    for mistake in mistakes:
        with pytest.raises(CheckpointError) as caught:
            mistake()
        assert caught.value.where == line_of(mistake)


def test_a_structure_that_contains_itself(tmp_path: Path) -> None:
    cycle: dict[str, Any] = {"a": 1}
    cycle["parts"] = [cycle]
    with pytest.raises(ArgumentError, match=r"cannot store parts\.0: it contains itself"):
        gc.save(cycle, tmp_path / "cycle.safetensors")
    shared = [1, 2]
    gc.save({"a": shared, "b": shared}, tmp_path / "shared.safetensors")
    assert gc.load(tmp_path / "shared.safetensors") == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parity
def test_a_schedule_by_a_function_takes_over_pytorchs_state() -> None:
    torch = pytest.importorskip("torch")

    def made(framework: Any, parameter: Any) -> tuple[Any, Any]:
        optimizer = framework.optim.SGD([parameter], lr=0.5)
        return optimizer, framework.optim.lr_scheduler.LambdaLR(optimizer, lambda e: 1 / (e + 1))

    theirs, their_schedule = made(torch, torch.nn.Parameter(torch.ones(1)))
    for _ in range(3):
        theirs.step()
        their_schedule.step()
    optimizer = optim.SGD([nn.Parameter([1.0])], lr=0.5)
    schedule = optim.lr_scheduler.LambdaLR(optimizer, lambda e: 1 / (e + 1))
    schedule.load_state_dict(their_schedule.state_dict())
    for _ in range(2):
        theirs.step()
        their_schedule.step()
        schedule.step()
        assert schedule.get_last_lr() == their_schedule.get_last_lr()


def test_gradients_and_data_of_other_types() -> None:
    weight = nn.Parameter([1.0, 2.0])

    def of_another_dtype() -> None:
        weight.grad = gc.ones(2, dtype=gc.float64)

    def of_another_shape() -> None:
        weight.grad = gc.ones(3)

    def a_number() -> None:
        weight.grad = 1.0  # type: ignore[assignment]  # the mistake that is tested

    for mistake in (of_another_dtype, of_another_shape, a_number):
        with pytest.raises(AutogradError, match="its tensor's shape and dtype") as caught:
            mistake()
        assert caught.value.where.startswith(f"{__file__}:")
    with pytest.raises(AutogradError) as caught:
        gc.arange(3).requires_grad_()
    assert caught.value.where.startswith(f"{__file__}:")
    with pytest.raises(ShapeError, match="new data must be as the tensor is"):
        weight.data = gc.ones(3)
    with pytest.raises(DTypeError, match="new data must be as the tensor is"):
        weight.data = gc.ones(2, dtype=gc.float64)
    assert weight.tolist() == [1.0, 2.0]
