"""Closeness, equality, membership: what holds of elements and of whole tensors."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ArgumentError, DTypeError, SymbolicValueError
from tests.torch_oracle import check, torch

VALUES = [0.0, -0.0, 1.0, 1.000001, 1.1, -1.0, math.inf, -math.inf, math.nan, 1e-9]


@pytest.mark.parity
@pytest.mark.parametrize("equal_nan", [False, True])
@pytest.mark.parametrize(("rtol", "atol"), [(1e-5, 1e-8), (0, 0), (0.2, 0.0), (0.0, 1e-3)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_isclose(dtype: str, rtol: float, atol: float, equal_nan: bool) -> None:
    pairs = np.array(list(itertools.product(VALUES, VALUES)), dtype)
    check(lambda m, a, b: m.isclose(a, b, rtol, atol, equal_nan), pairs[:, 0], pairs[:, 1])
    check(lambda m, a, b: a.isclose(b, rtol=rtol, atol=atol), pairs[:, 0], pairs[:, 1])


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int64"])
def test_isclose_of_whole_numbers(dtype: str) -> None:
    a = np.array([0, 1, 100, 101, 127]).astype(dtype)
    b = np.array([1, 1, 101, 100, 0]).astype(dtype)
    check(lambda m, a, b: m.isclose(a, b, rtol=0.01), a, b)
    check(lambda m, a, b: m.isclose(a, b), a, b)


@pytest.mark.parity
@pytest.mark.parametrize(
    ("a", "b"),
    [([1.0, 2.0], [1.0, 2.0]), ([1.0], [1.1]), ([], []), ([math.nan], [math.nan]), ([0.0], [-0.0]),
     ([1.0, 2.0], [[1.0, 2.0]])],
)  # fmt: skip
def test_allclose_and_equal(a: Any, b: Any) -> None:
    ours, theirs = (gc.tensor(a), gc.tensor(b)), (torch().tensor(a), torch().tensor(b))
    assert gc.allclose(*ours) == torch().allclose(*theirs)
    assert gc.allclose(*ours, equal_nan=True) == torch().allclose(*theirs, equal_nan=True)
    assert gc.equal(*ours) == torch().equal(*theirs)
    assert ours[0].allclose(ours[1]) == theirs[0].allclose(theirs[1])
    assert ours[0].equal(ours[1]) == theirs[0].equal(theirs[1])


@pytest.mark.parity
@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("dtype", ["int64", "float32"])
def test_isin(dtype: str, invert: bool) -> None:
    a = np.arange(6).reshape(2, 3).astype(dtype)
    check(lambda m, a, b: m.isin(a, b, invert=invert), a, np.array([[3, 1], [9, 9]]), grads=False)
    check(lambda m, a: m.isin(a, 4, invert=invert), a, grads=False)
    check(lambda m, a, b: m.isin(a, b, assume_unique=True), a, np.zeros(0, dtype), grads=False)
    check(lambda m, b: m.isin(3, b), a, grads=False)


def test_answers_are_python_bools() -> None:
    x = gc.ones(2)
    assert gc.allclose(x, x) is True
    assert gc.equal(x, x + 1) is False
    assert gc.is_nonzero(gc.tensor(2)) is True
    assert gc.is_floating_point(x) is True
    assert gc.is_complex(x) is False
    assert gc.is_complex(gc.complex(x, x)) is True


def test_answers_do_not_exist_while_recording() -> None:
    with gc.Graph():
        x = gc.placeholder((2,), name="x")
        assert gc.isclose(x, x).dtype is gc.bool
        with pytest.raises(SymbolicValueError, match=r"bool\(\)"):
            gc.allclose(x, x)
        with pytest.raises(SymbolicValueError, match=r"bool\(\)"):
            gc.equal(x, x + 1)


def test_wrong_arguments() -> None:
    with pytest.raises(DTypeError, match="one dtype"):
        gc.isclose(gc.ones(2), gc.ones(2).double())
    with pytest.raises(DTypeError, match="one dtype"):
        gc.equal(gc.ones(2), gc.arange(2))
    with pytest.raises(ArgumentError, match="negative"):
        gc.isclose(gc.ones(2), gc.ones(2), rtol=-1.0)
    with pytest.raises(DTypeError, match="no sign"):
        gc.signbit(gc.complex(gc.ones(2), gc.ones(2)))
    with pytest.raises(ArgumentError, match="ambiguous"):
        gc.is_nonzero(gc.ones(2))
