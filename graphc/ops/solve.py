"""Systems of linear equations and the factors that solve them (LAPACK evaluates)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.errors import LinAlgError, ShapeError
from graphc.opdef import Call, OpDef, Saves, Trait
from graphc.ops.elementwise import add, mul, neg
from graphc.ops.elimination import is_finite, solved
from graphc.ops.infer import require_same_dtype
from graphc.ops.linalg import adjoint, matmul
from graphc.ops.matrices import (
    common_batch,
    each_matrix,
    lower,
    require_matrix,
    upper,
)  # fmt: skip
from graphc.ops.select import scalar
from graphc.shapes import unify
from graphc.storage import Array
from graphc.types import TensorType


def lapack(op: str, function: Callable[..., Any], *arrays: Array, fix: str) -> Any:
    """Call numpy's LAPACK on C-contiguous operands; LinAlgError where it fails."""
    ordered = [np.ascontiguousarray(x) for x in arrays]
    try:
        return function(*ordered)
    except np.linalg.LinAlgError as error:
        raise LinAlgError(f"{op}: {str(error).lower()}", fix=fix) from None


def spectral(op: str, function: Callable[..., Any], *arrays: Array) -> Any:
    """Call one of LAPACK's iterations, some of which never end for a matrix that is not finite."""
    if not np.isfinite(arrays[0]).all():
        raise LinAlgError(f"{op}: the matrix holds infinite elements or NaN", fix=NOT_FINITE)
    return lapack(op, function, *arrays, fix=NOT_FINITE)


NOT_FINITE = "are all elements finite?"
SINGULAR = "the matrix has no inverse; gc.linalg.lstsq or pinv accept it"


def infer_equations(op: str, a: TensorType, b: TensorType) -> TensorType:
    """The type of the solution; raise unless both are matrices that fit."""
    require_same_dtype(op, (a, b))
    require_matrix(op, a, square=True)
    require_matrix(op, b)
    if unify(a.shape[-1], b.shape[-2]) is None:
        raise ShapeError(f"{op}: the number of equations differs", got=f"{a} and {b}")
    return b.with_shape((*common_batch(op, a, b), *b.shape[-2:]))


def _eval_solve(a: Array, b: Array) -> Array:
    solution = lapack("solve", _solved, a, b, fix=SINGULAR)
    return np.ascontiguousarray(solution, dtype=b.dtype)


def _solved(a: Array, b: Array) -> Array:
    if is_finite(a):
        return np.linalg.solve(a, b)
    return each_matrix(_solved_one, b.shape[-2:], a, b)


def _solved_one(matrix: Array, right: Array) -> Array:
    return np.linalg.solve(matrix, right) if is_finite(matrix) else solved(matrix, right)


def _inverse(a: Array) -> Array:
    if is_finite(a):
        return np.linalg.inv(a)
    ones = np.eye(a.shape[-1], dtype=a.dtype)
    return each_matrix(_solved_one, a.shape[-2:], a, ones)


def _solve_vjp(call: Call, g: Any) -> tuple[Any | None, Any]:
    a, _ = call.inputs
    to_b = solve(adjoint(a), g)
    return None if 0 in call.unwanted else neg(matmul(to_b, adjoint(call.output))), to_b


solve: OpDef = OpDef(
    "solve", lambda a, b: infer_equations("solve", a, b), _eval_solve, _solve_vjp,
    Trait.FALLIBLE, Saves.INPUTS | Saves.OUTPUT,
)  # fmt: skip
"""``x`` of ``a @ x = b`` for square matrices and several columns."""


def _infer_triangular(
    a: TensorType, b: TensorType, *, upper: bool, unitriangular: bool
) -> TensorType:
    return infer_equations("solve_triangular", a, b)


def _eval_triangular(a: Array, b: Array, *, upper: bool, unitriangular: bool) -> Array:
    from scipy.linalg import blas

    trsm = blas.get_blas_funcs("trsm", dtype=b.dtype)
    one = b.dtype.type(1)
    return each_matrix(
        lambda matrix, right: trsm(one, matrix, right, lower=not upper, diag=unitriangular),
        b.shape[-2:], a, b,
    )  # fmt: skip


def _triangular_vjp(call: Call, g: Any) -> tuple[Any | None, Any]:
    """The unread triangle has no gradient, nor has a diagonal that counts as ones."""
    is_upper, unit = call.attrs["upper"], call.attrs["unitriangular"]
    a, _ = call.inputs
    to_b = solve_triangular(adjoint(a), g, upper=not is_upper, unitriangular=unit)
    if 0 in call.unwanted:
        return None, to_b
    to_a = neg(matmul(to_b, adjoint(call.output)))
    return upper(to_a, int(unit)) if is_upper else lower(to_a, -int(unit)), to_b


solve_triangular: OpDef = OpDef(
    "solve_triangular", _infer_triangular, _eval_triangular, _triangular_vjp,
    saves=Saves.INPUTS | Saves.OUTPUT,
)  # fmt: skip
"""``x`` of ``a @ x = b`` reading one triangle of ``a``; a zero on its diagonal gives inf or NaN."""


def _infer_square(op: str) -> Callable[[TensorType], TensorType]:
    def infer(a: TensorType) -> TensorType:
        require_matrix(op, a, square=True)
        return a

    return infer


def _inv_vjp(call: Call, g: Any) -> tuple[Any]:
    turned = adjoint(call.output)
    return (neg(matmul(matmul(turned, g), turned)),)


inv = OpDef(
    "inv", _infer_square("inv"),
    lambda a: np.ascontiguousarray(lapack("inv", _inverse, a, fix=SINGULAR)),
    _inv_vjp, Trait.FALLIBLE, Saves.OUTPUT,
)  # fmt: skip


def _eval_cholesky(a: Array) -> Array:
    fix = "the matrix must be symmetric and positive definite; add a multiple of eye(n) to it"
    return np.ascontiguousarray(lapack("cholesky", _definite, a, fix=fix))


def _definite(a: Array) -> Array:
    factor = np.linalg.cholesky(a)
    if np.isnan(np.diagonal(factor, axis1=-2, axis2=-1)).any():  # which LAPACK may not notice
        raise np.linalg.LinAlgError("Matrix is not positive definite")
    return factor


def _cholesky_vjp(call: Call, g: Any) -> tuple[Any]:
    """Hermitian, as if each pair of mirrored elements were one number."""
    factor = call.output
    turned = adjoint(factor)
    middle = lower(matmul(turned, lower(g)), on_diagonal=0.5)
    left = solve_triangular(turned, middle, upper=True, unitriangular=False)
    both = adjoint(solve_triangular(turned, adjoint(left), upper=True, unitriangular=False))
    return (mul(add(both, adjoint(both)), scalar(g, 0.5)),)


cholesky = OpDef(
    "cholesky", _infer_square("cholesky"), _eval_cholesky, _cholesky_vjp,
    Trait.FALLIBLE, Saves.OUTPUT,
)  # fmt: skip
"""The lower factor; the upper triangle of the operand is not read."""
