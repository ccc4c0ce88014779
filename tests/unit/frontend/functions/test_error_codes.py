"""Decompositions that give codes of errors, and those of indefinite matrices."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import (
    ArgumentError,
    DTypeError,
    IndexRangeError,
    LinAlgError,
    SymbolicValueError,
)
from tests.both_modes import check_both
from tests.torch_oracle import check

GOOD = np.array([[4.0, 1.0, 2.0], [1.0, 3.0, 0.0], [2.0, 0.0, 5.0]])
SINGULAR = np.array([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.0, 0.0, 1.0]])
ZERO = np.zeros((2, 2))


def test_codes_name_the_first_minor_or_pivot() -> None:
    batch = gc.tensor(np.stack([GOOD, SINGULAR, -GOOD, np.zeros((3, 3))]))
    assert gc.linalg.cholesky_ex(batch).info.tolist() == [0, 2, 1, 1]
    for info in (gc.linalg.lu_factor_ex(batch)[2], gc.linalg.inv_ex(batch)[1]):
        assert info.dtype is gc.int32
        assert info.tolist() == [0, 2, 0, 1]
    assert gc.linalg.solve_ex(batch, gc.ones(4, 3, dtype=gc.float64)).info.tolist() == [0, 2, 0, 1]
    assert gc.linalg.ldl_factor_ex(batch).info.tolist() == [0, 2, 0, 1]
    empty = gc.zeros(2, 0, 0)
    assert gc.linalg.inv_ex(empty).info.tolist() == [0, 0]
    assert gc.linalg.cholesky_ex(empty).info.tolist() == [0, 0]
    assert gc.linalg.ldl_factor_ex(empty).info.tolist() == [0, 0]


def test_good_matrices_beside_bad_ones_keep_their_results() -> None:
    batch = gc.tensor(np.stack([SINGULAR, GOOD]))
    np.testing.assert_allclose(gc.linalg.inv_ex(batch)[0][1].numpy(), np.linalg.inv(GOOD))
    np.testing.assert_allclose(gc.linalg.cholesky_ex(batch)[0][1].numpy(), np.linalg.cholesky(GOOD))
    assert not gc.linalg.inv_ex(batch)[0][0].isfinite().all()


CHECKED: dict[str, Callable[[gc.Tensor], Any]] = {
    "cholesky_ex": lambda a: gc.linalg.cholesky_ex(a, check_errors=True),
    "lu_factor_ex": lambda a: gc.linalg.lu_factor_ex(a, check_errors=True),
    "inv_ex": lambda a: gc.linalg.inv_ex(a, check_errors=True),
    "solve_ex": lambda a: gc.linalg.solve_ex(a, a, check_errors=True),
    "ldl_factor_ex": lambda a: gc.linalg.ldl_factor_ex(a, check_errors=True),
    "ldl_factor": gc.linalg.ldl_factor,
}


@pytest.mark.parametrize("name", CHECKED)
def test_errors_are_raised_where_asked_for(name: str) -> None:
    CHECKED[name](gc.tensor(GOOD))
    with pytest.raises(LinAlgError, match=r"matrix \(1,\)"):
        CHECKED[name](gc.tensor(np.stack([np.eye(2), ZERO])))
    if name != "ldl_factor":
        with pytest.raises(SymbolicValueError, match="return info as an output"):
            gc.trace(CHECKED[name], gc.TensorSpec((2, 2), gc.float64))


def test_vectors_have_no_other_side() -> None:
    with pytest.raises(ArgumentError, match="solve_ex: vectors need left=True"):
        gc.linalg.solve_ex(gc.tensor(GOOD), gc.ones(3, dtype=gc.float64), left=False)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_results_and_gradients(dtype: str) -> None:
    loose = 1e4 if dtype == "float64" else 100
    rng = np.random.default_rng(3)
    a = np.stack([GOOD, GOOD + np.eye(3)]).astype(dtype)
    b = rng.normal(size=(2, 3, 2)).astype(dtype)
    row = rng.normal(size=(2, 3)).astype(dtype)
    if dtype.startswith("c"):
        a = a + 0.3j * np.array([[0, 1, 0], [-1, 0, 2], [0, -2, 0]])
        b = b * (1 + 2j)
    check(lambda m, a: m.linalg.inv_ex(a), a, loose=loose)
    check(lambda m, a, b: m.linalg.solve_ex(a, b), a, b, loose=loose)
    check(lambda m, a, b: m.linalg.solve_ex(a, b.mT, left=False), a, b, loose=loose)
    check(lambda m, a, b: m.linalg.solve_ex(a, b), a, row, loose=loose)
    check(lambda m, a: m.linalg.lu_factor_ex(a)[0], a, loose=loose)
    check(lambda m, a: m.linalg.cholesky_ex((a + a.mH) / 2), a, loose=loose)
    check(lambda m, a: m.linalg.cholesky_ex((a + a.mH) / 2, upper=True), a, loose=loose)


@pytest.mark.parity
@pytest.mark.parametrize("hermitian", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_indefinite_matrices(dtype: str, hermitian: bool) -> None:
    rng = np.random.default_rng(5)
    for size in (1, 2, 5):
        a = rng.normal(size=(3, size, size)) + 1j * rng.normal(size=(3, size, size))
        a = (a if dtype.startswith("c") else a.real).astype(dtype)
        turned = np.swapaxes(a, -1, -2)
        a = a + (np.conj(turned) if hermitian else turned)
        a[1] *= 1 - np.eye(size)  # needs blocks of two rows
        if size == 1:
            a[1] = 1
        b = rng.normal(size=(3, size, 2)).astype(dtype)

        def solved(m: Any, a: Any, b: Any) -> Any:
            factors, pivots = m.linalg.ldl_factor(a, hermitian=hermitian)
            return (
                factors.tril(),
                pivots,
                m.linalg.ldl_solve(factors, pivots, b, hermitian=hermitian),
            )

        check(solved, a, b, grads=False, loose=1e5 if dtype == "complex128" else 1e3)
        x = solved(gc, gc.tensor(a), gc.tensor(b))[2].numpy()
        np.testing.assert_allclose(a @ x, b, atol=1e-3 if dtype == "float32" else 1e-10)


def test_there_is_no_gradient_of_indefinite_factors() -> None:
    a = gc.tensor(GOOD, requires_grad=True)
    factors, pivots = gc.linalg.ldl_factor(a)
    assert not factors.requires_grad
    assert not gc.linalg.ldl_solve(factors, pivots, a).requires_grad


def test_recorded() -> None:
    outcome = check_both(lambda a: gc.linalg.inv_ex(a), np.stack([SINGULAR, GOOD]), grads=False)
    assert outcome.outputs[1].tolist() == [2, 0]
    check_both(lambda a: gc.linalg.ldl_factor(a), GOOD, grads=False)


def test_wrong_pivots() -> None:
    factors, b = gc.eye(3), gc.ones(3, 1)
    for pivots in ([1, 2, 4], [0, 1, 2], [1, 2, -3]):
        with pytest.raises(IndexRangeError, match="pivot out of range"):
            gc.linalg.ldl_solve(factors, gc.tensor(pivots), b)
    with pytest.raises(DTypeError, match="must be integers"):
        gc.linalg.ldl_solve(factors, gc.ones(3), b)
