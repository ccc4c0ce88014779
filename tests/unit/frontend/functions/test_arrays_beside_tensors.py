"""Operators between tensors and numpy's arrays: arrays are tensors there, on either side."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import DTypeError, ShapeError
from tests.backends import BACKENDS

ARITHMETIC = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"]
COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge"]
BITS = ["and_", "or_", "xor", "lshift", "rshift"]

X = np.array([[1.5, 2.0], [0.5, 3.0]], np.float32)
Y = np.array([[2.0, 2.0], [1.25, 0.75]])
WHOLE = np.array([[1, 2], [3, 1]])


def _same(found: gc.Tensor, wanted: np.ndarray[Any, Any]) -> None:
    assert isinstance(found, gc.Tensor)
    assert found.numpy().dtype == wanted.dtype
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-6)


def _in_all_modes(function: Callable[[gc.Tensor], gc.Tensor], x: gc.Tensor) -> list[gc.Tensor]:
    compiled = [gc.compile(function, backend=backend)(x) for backend in BACKENDS]
    return [function(x), *compiled]


@pytest.mark.parametrize("name", [*ARITHMETIC, *COMPARISONS])
def test_operators_of_floats(name: str) -> None:
    apply = getattr(operator, name)
    for found in _in_all_modes(lambda x: apply(x, Y), gc.tensor(X)):
        _same(found, apply(X.astype(np.float64), Y))
    for found in _in_all_modes(lambda x: apply(Y, x), gc.tensor(X)):
        _same(found, apply(Y, X.astype(np.float64)))


@pytest.mark.parametrize("name", BITS)
def test_operators_of_bits(name: str) -> None:
    apply = getattr(operator, name)
    for found in _in_all_modes(lambda x: apply(x, WHOLE), gc.tensor(WHOLE.T.copy())):
        _same(found, apply(WHOLE.T, WHOLE))
    for found in _in_all_modes(lambda x: apply(WHOLE, x), gc.tensor(WHOLE.T.copy())):
        _same(found, apply(WHOLE, WHOLE.T))


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")  # PyTorch's own
@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "eq"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(2, 2), (2,), (3, 1, 2), (1, 1), (), (0, 1, 2)])
def test_an_array_behind_a_tensor_as_in_pytorch(name: str, dtype: Any, shape: Any) -> None:
    torch = pytest.importorskip("torch")
    array = np.random.default_rng(2).uniform(0.5, 2, shape).astype(dtype)
    apply = getattr(operator, name)
    _same(apply(gc.tensor(X), np.asarray(array)),
          apply(torch.tensor(X), torch.tensor(array)).numpy())  # fmt: skip
    if shape:
        _same(apply(gc.tensor(X), array), apply(torch.tensor(X), array).numpy())


def test_gradients_pass_an_array() -> None:
    for left in (False, True):

        def loss(w: gc.Tensor, left: bool = left) -> gc.Tensor:
            (found,) = gc.grad((Y * w if left else w * Y).sum(), [w])
            return found

        w = gc.tensor(X).requires_grad_()
        for found in _in_all_modes(loss, w):
            _same(found, Y.astype(np.float32))


def test_the_values_are_those_at_the_time() -> None:
    array = np.ones(2)
    w = gc.ones(2, dtype=gc.float64).requires_grad_()
    product = w * array
    array[:] = 5
    product.sum().backward()
    assert w.grad is not None
    assert w.grad.tolist() == [1, 1]


def test_views_and_other_byte_orders() -> None:
    base = np.arange(6.0).reshape(2, 3)
    for array in (base[:, ::-1], base.T.copy().T, base.astype(">f8"), np.asfortranarray(base)):
        _same(gc.zeros(2, 3, dtype=gc.float64) + array, np.asarray(array, "=f8"))


def test_in_place_writes() -> None:
    x = gc.ones(2)
    same = x
    x += np.array([1.0, 2.0])
    assert x is same
    _same(x, np.array([2, 3], np.float32))
    array: Any = np.ones(2)
    array += gc.ones(2)
    _same(array, np.full(2, 2.0))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError):
        gc.ones(2) + np.ones(3)
    with pytest.raises(DTypeError):
        gc.ones(2) + np.array(["a", "b"])
    with pytest.raises(DTypeError):
        np.array([None, 1]) * gc.ones(2)
    with pytest.raises(DTypeError, match="expected a tensor"):
        gc.add(np.ones(2), np.ones(2))


def test_truths_of_arrays_are_their_elements() -> None:
    """Not those of the array as a Python value, which one element has and others do not."""
    x = gc.tensor([1.0, 0.0])
    for array in (np.array([0, 2]), np.array([3]), np.array(0.0), np.array([True, False])):
        for logical in (gc.logical_and, gc.logical_or, gc.logical_xor):
            wanted = logical(x, gc.tensor(array))
            assert logical(x, array).tolist() == wanted.tolist()
            assert gc.compile(lambda y, f=logical, a=array: f(y, a))(x).tolist() == wanted.tolist()
    with pytest.raises(DTypeError, match="array's dtype"):
        gc.logical_and(x, np.array([object(), 1]))


@pytest.mark.parametrize("array", [np.array([True]), np.array(True)])
def test_arrays_of_truths_are_not_subtracted(array: np.ndarray[Any, Any]) -> None:
    for subtract in (lambda x: x - array, lambda x: array - x, lambda x: x.sub_(array)):
        with pytest.raises(DTypeError, match="bools cannot be subtracted"):
            subtract(gc.ones(2))
        with pytest.raises(DTypeError, match="bools cannot be subtracted"):
            gc.compile(lambda x, f=subtract: f(x.clone()))(gc.ones(2))
