"""Edges of operators: no dims, negative spreads that only the run knows, complex Jacobians."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ArgumentError
from tests.torch_oracle import check

TRUTHS = np.array([[1.0, 0.0], [2.0, np.nan]])


@pytest.mark.parity
@pytest.mark.parametrize(
    "array", [TRUTHS, TRUTHS > 1, TRUTHS[1, :1].astype(np.uint8), TRUTHS[0, 0]]
)
def test_all_and_any_over_no_dims(array: Any) -> None:
    for name in ("all", "any"):
        check(lambda m, x, name=name: getattr(m, name)(x, ()), array)
        check(lambda m, x, name=name: getattr(x, name)((), True), array)


def test_all_and_any_over_no_dims_without_torch() -> None:
    x = gc.tensor([[True, False]])
    assert x.all(()).tolist() == [[True, False]]
    assert x.any([]).tolist() == [[True, False]]
    assert x.all(()) is not x


def test_a_negative_spread_gives_nan_in_compiled_functions() -> None:
    spread = gc.tensor([1.0, -1.0, 0.0, -0.0])
    with pytest.raises(ArgumentError, match="out of its range"):
        gc.normal(2.0, spread)
    drawn = gc.compile(lambda std: gc.normal(2.0, std))(spread)
    assert gc.isnan(drawn).tolist() == [False, True, False, False]
    assert drawn[2:].tolist() == [2.0, 2.0]


@pytest.mark.parametrize("jacobian", [gc.func.jacrev, gc.func.jacfwd, gc.func.hessian])
def test_jacobians_are_real(jacobian: object) -> None:
    assert callable(jacobian)
    with pytest.raises(ArgumentError, match="arguments must be real"):
        jacobian(lambda z: z * z)(gc.tensor([1 + 2j]))
    with pytest.raises(ArgumentError, match="results must be real"):
        jacobian(lambda x: x * 1j)(gc.tensor([1.0]))
    other = gc.tensor([3j])
    found = gc.func.jacrev(lambda x, z: x * z.imag)(gc.tensor([1.0]), other)
    assert found.tolist() == [[3.0]]


def test_one_hot_needs_a_number_of_classes() -> None:
    none = gc.zeros(0, dtype=gc.int64)
    assert gc.nn.functional.one_hot(none, 3).shape == (0, 3)
    for number in (-1, 0, -2):
        with pytest.raises(ArgumentError, match="no number of classes"):
            gc.nn.functional.one_hot(none, number)
