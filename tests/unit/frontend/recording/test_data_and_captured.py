"""Assigning ``data``, and tensors that compiled functions captured by value."""

from __future__ import annotations

from typing import Any

import pytest

import graphc as gc
from graphc import nn


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_new_data_reaches_compiled_functions(backend: str) -> None:
    weight = nn.Parameter([1.0, 2.0])
    fast = gc.compile(lambda x: weight * x, backend=backend)
    for number in range(6):
        assert fast(gc.ones(2)).tolist() == weight.tolist()
        weight.data = gc.tensor([number + 3.0, 4.0])
    assert fast.cache_info().misses == 1


def test_new_data_is_a_copy_in_memory_of_its_own() -> None:
    weight = nn.Parameter([1.0, 2.0])
    before, given = weight.detach(), gc.tensor([3.0, 4.0])
    weight.data = given
    given.fill_(0)
    assert weight.tolist() == [3.0, 4.0]
    assert before.tolist() == [1.0, 2.0]
    assert weight.requires_grad
    assert weight.is_leaf
    plain = gc.ones(2)
    plain.data = gc.zeros(3, dtype=gc.int64)
    assert plain.tolist() == [0, 0, 0]
    assert plain.dtype is gc.int64


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_data_is_assigned_at_each_run(backend: str) -> None:
    def halve(weight: Any) -> Any:
        def step(x: Any) -> Any:
            weight.data = weight.data * 0.5
            return weight * x

        return step

    dynamic, static = nn.Parameter([8.0, 4.0]), nn.Parameter([8.0, 4.0])
    slow, fast = halve(dynamic), gc.compile(halve(static), backend=backend)
    for _ in range(3):
        assert fast(gc.ones(2)).tolist() == slow(gc.ones(2)).tolist()
        assert static.tolist() == dynamic.tolist()


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_a_captured_tensor_that_is_written_is_captured_again(backend: str) -> None:
    scale = gc.tensor([2.0, 3.0])
    fast = gc.compile(lambda x: x * scale, backend=backend)
    x = gc.ones(2)
    assert [fast(x).tolist() for _ in range(3)] == [[2.0, 3.0]] * 3
    scale.mul_(10)
    assert [fast(x).tolist() for _ in range(3)] == [[20.0, 30.0]] * 3
    scale[0] = 1
    assert fast(x).tolist() == [1.0, 30.0]
    assert "writes to a captured f32[2]" in fast.cache_info().reasons[-1]


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_a_modules_plain_tensor_that_is_written_is_captured_again(backend: str) -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = gc.ones(3)

        def forward(self, x: gc.Tensor) -> gc.Tensor:
            return x * self.scale

    module, x = Scaled(), gc.ones(3)
    fast = gc.compile(module, backend=backend)
    assert [fast(x).tolist() for _ in range(3)] == [[1.0] * 3] * 3
    module.scale[:] = 2
    assert fast(x).tolist() == [2.0] * 3


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_a_captured_tensor_that_gets_gradients_is_a_variable_from_then_on(backend: str) -> None:
    factor, held = gc.tensor([2.0, 3.0]), gc.tensor([1.0, 1.0])
    fast = gc.compile(lambda x: x * factor + held + gc.tensor([0.0, 0.0]), backend=backend)
    for _ in range(3):
        assert fast(gc.ones(2)).tolist() == [3.0, 4.0]
    factor.requires_grad_()
    assert fast(gc.ones(2)).requires_grad
    with gc.no_grad():
        factor.mul_(5)
    assert fast(gc.ones(2)).tolist() == [11.0, 16.0]
    reasons = fast.cache_info().reasons
    assert len(reasons) == 2
    assert "requires_grad of a captured f32[2]" in reasons[1]
