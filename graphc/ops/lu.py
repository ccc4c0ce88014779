"""The LU decomposition with row exchanges (LAPACK evaluates)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from graphc.dtypes import int64
from graphc.errors import IndexRangeError, ShapeError
from graphc.opdef import Call, OpDef, Saves, Trait
from graphc.ops.comparison import eq
from graphc.ops.elementwise import add, sub
from graphc.ops.elimination import eliminated, is_finite
from graphc.ops.infer import INT, require_category
from graphc.ops.linalg import adjoint, matmul, swap_last
from graphc.ops.matrices import (
    as_columns,
    constant_like,
    each_matrix,
    lapack_routine,
    lower,
    matrix_sizes,
    require_matrix,
    unpacked,
    upper,
)  # fmt: skip
from graphc.ops.select import cast
from graphc.ops.shape import concat, narrow
from graphc.ops.solve import solve_triangular
from graphc.storage import Array
from graphc.types import TensorType


def _infer_lu(a: TensorType) -> TensorType:
    require_matrix("lu", a)
    rows, columns = matrix_sizes("lu", a)
    return a.with_shape((*a.shape[:-2], rows * columns + min(rows, columns) + rows))


def _eval_lu(a: Array) -> Array:
    rows, columns = a.shape[-2:]
    getrf = lapack_routine("getrf", a.dtype)

    def factor(matrix: Array) -> Array:
        order = np.arange(rows)
        if min(rows, columns) == 0:
            return order.astype(a.dtype)
        factors, pivots = getrf(matrix)[:2] if is_finite(matrix) else eliminated(matrix)
        for place, other in enumerate(pivots):
            order[[place, other]] = order[[other, place]]
        return np.concatenate([factors.reshape(-1), pivots + 1, order]).astype(a.dtype)

    return each_matrix(factor, (rows * columns + min(rows, columns) + rows,), a)


class Factors(NamedTuple):
    """What ``lu`` packs: all of the operand's dtype, whole numbers included.

    Attributes:
        factors: ``(..., m, n)``, U in the upper triangle and L without its diagonal of ones below.
        pivots: ``(..., k)``, the row that each row was exchanged with, counted from 1.
        order: ``(..., m)``, the operand's row that each row of the product is.
    """

    factors: Any
    pivots: Any
    order: Any


def lu_parts(packed: Any, rows: int, columns: int) -> Factors:
    """Take the results of ``lu`` apart."""
    return Factors(*unpacked(packed, [(rows, columns), (min(rows, columns),), (rows,)]))


def row_exchanges(order: Any) -> Any:
    """The matrix that puts the operand's rows into the order of the product's."""
    size = order.type.shape[-1]
    return cast(eq(as_columns(order), constant_like(order, np.arange(size))),
                dtype=order.type.dtype)  # fmt: skip


def _block(x: Any, rows: tuple[int, int], columns: tuple[int, int]) -> Any:
    rank = len(x.type.shape)
    return narrow(narrow(x, rank - 2, *rows), rank - 1, *columns)


def _lu_vjp(call: Call, g: Any) -> tuple[Any]:
    """Through the leading square block, and the rows below it or the columns beside it."""
    rows, columns = call.inputs[0].type.shape[-2:]
    factors, _, order = lu_parts(call.output, rows, columns)
    grad = lu_parts(g, rows, columns).factors
    side = min(rows, columns)
    square = (0, side)
    rank = len(factors.type.shape)
    first, to_first = (_block(x, square, square) for x in (factors, grad))
    to_lower, to_upper = lower(to_first, -1), upper(to_first)
    if rows > side:  # the rows below are A U^-1
        below, to_below = (_block(x, (side, rows), square) for x in (factors, grad))
        to_rest = _times_inverse(to_below, first)
        to_upper = sub(to_upper, upper(_times_inverse(matmul(adjoint(below), to_below), first)))
        parts = [_square_vjp(first, to_lower, to_upper), to_rest]
        return (matmul(swap_last(row_exchanges(order)), concat(*parts, dim=rank - 2)),)
    if columns > side:  # the columns beside are L^-1 A
        beside, to_beside = (_block(x, square, (side, columns)) for x in (factors, grad))
        to_rest = _inverse_times(first, to_beside)
        to_lower = sub(to_lower, lower(matmul(to_rest, adjoint(beside)), -1))
        parts = [_square_vjp(first, to_lower, to_upper), to_rest]
        return (matmul(swap_last(row_exchanges(order)), concat(*parts, dim=rank - 1)),)
    to_square = _square_vjp(first, to_lower, to_upper)
    return (matmul(swap_last(row_exchanges(order)), to_square),)


def _square_vjp(factors: Any, to_lower: Any, to_upper: Any) -> Any:
    ones = constant_like(factors, np.eye(factors.type.shape[-1]))
    left = matmul(adjoint(add(lower(factors, -1), ones)), to_lower)
    right = matmul(to_upper, adjoint(upper(factors)))
    return _times_inverse(_inverse_times(factors, add(lower(left, -1), upper(right))), factors)


def _inverse_times(factors: Any, x: Any) -> Any:
    """``L^-H @ x``."""
    return solve_triangular(adjoint(factors), x, upper=True, unitriangular=True)


def _times_inverse(x: Any, factors: Any) -> Any:
    """``x @ U^-H``."""
    return adjoint(solve_triangular(factors, adjoint(x), upper=True, unitriangular=False))


lu = OpDef("lu", _infer_lu, _eval_lu, _lu_vjp, saves=Saves.OUTPUT)
"""L, U and the exchanges of rows in one row of numbers; see ``lu_parts``."""


def _infer_row_order(pivots: TensorType, *, rows: int) -> TensorType:
    require_category("row_order", (pivots,), INT)
    if pivots.rank < 1:
        raise ShapeError("row_order: expected the pivots of matrices", got=str(pivots))
    return TensorType((*pivots.shape[:-1], rows), int64)


def _eval_row_order(pivots: Array, *, rows: int) -> Array:
    if pivots.size and (int(pivots.min()) < 1 or int(pivots.max()) > rows):
        raise IndexRangeError("row_order: pivot out of range", expected=f"1..{rows}")
    order = np.broadcast_to(np.arange(rows), (*pivots.shape[:-1], rows)).copy()
    for step in range(pivots.shape[-1]):
        other = np.asarray(pivots[..., step : step + 1], np.int64) - 1
        moved = np.take_along_axis(order, other, -1)
        np.put_along_axis(order, other, order[..., step : step + 1].copy(), -1)
        order[..., step : step + 1] = moved
    return order


row_order = OpDef("row_order", _infer_row_order, _eval_row_order, traits=Trait.FALLIBLE)
"""The operand's row that each row of the product is, from the exchanges counted from 1."""
