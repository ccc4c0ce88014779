"""L, D and exchanges of symmetric matrices that need not be definite (LAPACK's sytrf).

D has blocks of one or two rows. Neither operation has a gradient, as in PyTorch.

Source: Bunch, Kaufman, "Some stable methods for calculating inertia and solving symmetric linear
systems", 1977; the layout of the factors is LAPACK's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import IndexRangeError, ShapeError
from graphc.opdef import OpDef, Trait
from graphc.ops.infer import INT, require_category
from graphc.ops.matrices import (
    common_batch,
    each_matrix,
    lapack_routine,
    matrix_sizes,
    packed,
    require_matrix,
    unpacked,
)  # fmt: skip
from graphc.ops.solve import infer_equations
from graphc.storage import Array
from graphc.types import TensorType


def _infer_ldl(a: TensorType, *, hermitian: bool) -> TensorType:
    require_matrix("ldl", a, square=True)
    side, _ = matrix_sizes("ldl", a)
    return a.with_shape((*a.shape[:-2], side * side + side + 1))


def _eval_ldl(a: Array, *, hermitian: bool) -> Array:
    side = a.shape[-1]
    is_hermitian = hermitian and a.dtype.kind == "c"
    factorize = lapack_routine("hetrf" if is_hermitian else "sytrf", a.dtype)

    def factor(matrix: Array) -> Array:
        if not side:
            return np.zeros(1, a.dtype)
        found, pivots, info = factorize(matrix, lower=True)
        kept = np.tril(np.asarray(found))
        return packed([kept, np.asarray(pivots, a.dtype), np.array([info], a.dtype)], (2, 1, 1))

    return each_matrix(factor, (side * side + side + 1,), a)


def ldl_parts(x: Any, side: int) -> tuple[Any, Any, Any]:
    """The packed factors, LAPACK's pivots, and the block that is exactly 0, from 1; 0 for none."""
    factors, pivots, info = unpacked(x, [(side, side), (side,), ()])
    return factors, pivots, info


ldl = OpDef("ldl", _infer_ldl, _eval_ldl)
"""The factors of ``L D L^T``, or with ``hermitian`` of ``L D L^H``, in one row of numbers."""


def _infer_solve(
    factors: TensorType, pivots: TensorType, right: TensorType, *, hermitian: bool
) -> TensorType:
    require_category("ldl_solve", (pivots,), INT)
    if pivots.rank < 2 or pivots.shape[-2:] != (factors.shape[-1], 1):
        raise ShapeError("ldl_solve: expected a pivot for each row", got=f"{factors}, {pivots}")
    solution = infer_equations("ldl_solve", factors, right)
    batch = common_batch("ldl_solve", solution, pivots)
    return solution.with_shape((*batch, *right.shape[-2:]))


def _eval_solve(factors: Array, pivots: Array, right: Array, *, hermitian: bool) -> Array:
    def run(matrix: Array, exchanges: Array, b: Array) -> Array:
        with np.errstate(all="ignore"):
            return _solved(matrix, exchanges[:, 0].astype(np.int64), b.copy(), hermitian)

    return each_matrix(run, right.shape[-2:], factors, pivots, right)


def _solved(packed_factors: Array, pivots: Array, x: Array, hermitian: bool) -> Array:
    """LAPACK's sytrs: the rows of ``x``, forward through L and D, then back."""
    mirrored = np.conj(packed_factors) if hermitian else packed_factors
    size, blocks = len(pivots), []
    row = 0
    while row < size:
        width = 1 if pivots[row] > 0 else 2
        last = row + width - 1
        is_block = last < size and (pivots[row:last] == pivots[last]).all()
        if not is_block or not 1 <= abs(int(pivots[last])) <= size:
            raise IndexRangeError("ldl_solve: pivot out of range", expected=f"1..{size}")
        blocks.append((row, last + 1))
        _exchange(x, last, abs(int(pivots[last])) - 1)
        x[last + 1 :] -= packed_factors[last + 1 :, row : last + 1] @ x[row : last + 1]
        x[row : last + 1] = _by_block(packed_factors, mirrored, row, width, x[row : last + 1])
        row = last + 1
    for first, stop in reversed(blocks):
        x[first:stop] -= mirrored[stop:, first:stop].T @ x[stop:]
        _exchange(x, stop - 1, abs(int(pivots[stop - 1])) - 1)
    return x


def _exchange(x: Array, row: int, other: int) -> None:
    x[[row, other]] = x[[other, row]]


def _by_block(packed_factors: Array, mirrored: Array, row: int, width: int, x: Array) -> Array:
    """Divide by a block of D, scaled by what couples its two rows so that nothing overflows."""
    if width == 1:
        return np.asarray(x / packed_factors[row, row])
    below, beside = packed_factors[row + 1, row], mirrored[row + 1, row]
    first, last = packed_factors[row, row] / beside, packed_factors[row + 1, row + 1] / below
    scale = first * last - 1
    upper, lower = x[0] / beside, x[1] / below
    return np.stack([(last * upper - lower) / scale, (first * lower - upper) / scale])


ldl_solve = OpDef("ldl_solve", _infer_solve, _eval_solve, traits=Trait.FALLIBLE)
"""``ldl_solve(factors, pivots, b)``; a column of integer pivots."""
