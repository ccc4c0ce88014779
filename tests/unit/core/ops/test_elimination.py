"""Matrices with NaN: nothing that is computed from it looks like a number."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.linalg import lu_factor

import graphc as gc
from graphc.errors import LinAlgError
from graphc.ops.elimination import eliminated, solved
from tests.both_modes import check_both
from tests.torch_oracle import torch

Array = npt.NDArray[Any]
DTYPES = [np.float32, np.float64, np.complex64, np.complex128]


def matrices(rng: np.random.Generator, dtype: type, count: int = 60) -> list[Array]:
    """Random ones with a NaN at a random place."""
    made = []
    for _ in range(count):
        size = int(rng.integers(1, 7))
        matrix = rng.normal(size=(size, size))
        matrix = (matrix @ matrix.T + np.eye(size)).astype(dtype)
        matrix[tuple(rng.integers(size, size=2))] = np.nan
        made.append(matrix)
    return made


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (5, 3), (3, 5), (0, 3), (8, 8)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_finite_matrices_have_the_factors_of_lapack(
    shape: tuple[int, int], dtype: type, rng: np.random.Generator
) -> None:
    matrix = (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex128)
    matrix = (matrix if np.dtype(dtype).kind == "c" else matrix.real).astype(dtype)
    factors, pivots = eliminated(matrix)
    assert factors.dtype == dtype
    if matrix.size:
        wanted, order = lu_factor(matrix)
        np.testing.assert_allclose(factors, wanted, atol=1e-4)
        np.testing.assert_array_equal(pivots, order)
    if shape[0] == shape[1]:
        right = np.ones((shape[0], 2), dtype)
        np.testing.assert_allclose(matrix @ solved(matrix, right), right, atol=1e-3)


def test_a_pivot_of_zero_is_singular_beside_infinity() -> None:
    with pytest.raises(LinAlgError, match="singular"):
        gc.linalg.solve(gc.tensor([[np.inf, 1.0], [0.0, 0.0]]), gc.ones(2))


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_nan_reaches_is_nan(dtype: type) -> None:
    matrix = np.eye(3, dtype=dtype) * 2
    matrix[0, 0] = np.nan  # the first pivot, by which everything below is divided
    matrix[1, 0] = matrix[2, 0] = 1
    x = gc.tensor(matrix)
    right = gc.ones(3, 2, dtype=x.dtype)
    for solution in (gc.linalg.solve(x, right), gc.compile(gc.linalg.solve)(x, right)):
        assert np.isnan(solution.numpy()).all()
    assert np.isnan(gc.linalg.inv(x).numpy()).all()
    assert np.isnan(gc.linalg.lu_factor(x)[0].numpy()[1:, 0]).all()
    batch = gc.stack([x, gc.eye(3, dtype=x.dtype)])
    both = gc.linalg.solve(batch, right).numpy()
    assert np.isnan(both[0]).all()
    np.testing.assert_array_equal(both[1], right.numpy())
    check_both(lambda a: gc.linalg.solve(a, right), matrix)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_is_not_positive(dtype: type, size: int) -> None:
    for place in range(size):
        matrix = np.eye(size, dtype=dtype)
        matrix[place, place] = np.nan
        x = gc.tensor(matrix)
        assert gc.linalg.cholesky_ex(x).info.item() == place + 1
        assert gc.compile(lambda a: gc.linalg.cholesky_ex(a).info)(x).item() == place + 1
        with pytest.raises(LinAlgError, match="positive definite"):
            gc.linalg.cholesky(x)


@pytest.mark.parametrize("dtype", DTYPES)
def test_determinants_beside_a_zero_keep_nan(dtype: type) -> None:
    """LAPACK takes the 0 for the largest of the first column."""
    matrices = gc.tensor(np.array([[[0, 2], [np.nan, 1]], [[0, 2], [3, 1]]], dtype))
    for det in (gc.linalg.det, gc.compile(gc.linalg.det)):
        np.testing.assert_allclose(det(matrices).numpy(), [np.nan, -6], rtol=1e-6)
        assert np.isnan(det(matrices[0]).numpy())
    sign, logarithm = gc.linalg.slogdet(matrices)
    np.testing.assert_allclose(sign.numpy(), [np.nan, -1])
    np.testing.assert_allclose(logarithm.numpy(), [np.nan, np.log(6)], rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parity
def test_nan_is_where_pytorch_has_it(dtype: type, rng: np.random.Generator) -> None:
    for matrix in matrices(rng, dtype):
        right = np.ones((len(matrix), 1), dtype)
        ours, theirs = gc.tensor(matrix), torch().tensor(matrix)
        for found, wanted in [
            (gc.linalg.inv(ours), torch().linalg.inv(theirs)),
            (
                gc.linalg.solve(ours, gc.tensor(right)),
                torch().linalg.solve(theirs, torch().tensor(right)),
            ),
            (gc.linalg.det(ours), torch().linalg.det(theirs)),
        ]:
            np.testing.assert_array_equal(np.isnan(found.numpy()), np.isnan(wanted.numpy()))
        codes = gc.linalg.cholesky_ex(ours).info, torch().linalg.cholesky_ex(theirs).info
        assert codes[0].item() == codes[1].item()
