"""Decompositions into orthogonal matrices: QR, singular values, and inverses made of them."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from graphc.errors import AutogradError, ShapeError
from graphc.opdef import Call, OpDef, Saves, Trait
from graphc.ops.eigen import quotient
from graphc.ops.elementwise import add, mul, neg, sub
from graphc.ops.elementwise_parts import part_dtype
from graphc.ops.infer import require_same_dtype
from graphc.ops.linalg import adjoint, matmul
from graphc.ops.matrices import (
    as_columns,
    as_rows_of_one,
    common_batch,
    constant_like,
    each_matrix,
    matrix_sizes,
    packed,
    real_part,
    require_matrix,
    unpacked,
    upper,
    without_diagonal,
)  # fmt: skip
from graphc.ops.select import cast
from graphc.ops.shape import narrow
from graphc.ops.solve import solve_triangular, spectral
from graphc.shapes import unify
from graphc.storage import Array
from graphc.types import TensorType


def _qr_shapes(rows: int, columns: int, complete: bool) -> list[tuple[int, int]]:
    side = rows if complete else min(rows, columns)
    return [(rows, side), (side, columns)]


def _infer_qr(a: TensorType, *, complete: bool) -> TensorType:
    require_matrix("qr", a)
    rows, columns = matrix_sizes("qr", a)
    (_, side), _ = _qr_shapes(rows, columns, complete)
    return a.with_shape((*a.shape[:-2], rows * side + side * columns))


def _eval_qr(a: Array, *, complete: bool) -> Array:
    mode: Literal["complete", "reduced"] = "complete" if complete else "reduced"
    q, r = np.linalg.qr(np.ascontiguousarray(a), mode)
    return packed([q, r], [2, 2])


def qr_parts(both: Any, rows: int, columns: int, complete: bool) -> tuple[Any, Any]:
    """Q and R, from what ``qr`` packs."""
    q, r = unpacked(both, _qr_shapes(rows, columns, complete))
    return q, r


def _qr_vjp(call: Call, g: Any) -> tuple[Any]:
    rows, columns = call.inputs[0].type.shape[-2:]
    complete = call.attrs["complete"]
    if rows < columns or (complete and rows > columns):
        raise AutogradError(
            "qr: no gradient for a Q whose last columns are arbitrary",
            got=f"{call.inputs[0].type}, complete={complete}",
            fix="use mode='reduced'",
        )
    q, r = qr_parts(call.output, rows, columns, complete)
    to_q, to_r = qr_parts(g, rows, columns, complete)
    middle = sub(matmul(upper(to_r), adjoint(r)), matmul(adjoint(q), to_q))
    half = upper(middle, on_diagonal=0.5)
    both = add(to_q, matmul(q, add(half, adjoint(half))))
    solved = solve_triangular(r, adjoint(both), upper=True, unitriangular=False)
    return (adjoint(solved),)


qr: OpDef = OpDef("qr", _infer_qr, _eval_qr, _qr_vjp, saves=Saves.OUTPUT)
"""Q and R in one row of numbers; it has a gradient where there are no more columns than rows."""


class Singular(NamedTuple):
    """Left vectors as columns, values in falling order, right vectors as rows."""

    u: Any
    s: Any
    vh: Any


def _svd_shapes(rows: int, columns: int, full: bool) -> list[tuple[int, ...]]:
    side = min(rows, columns)
    if full:
        return [(rows, rows), (side,), (columns, columns)]
    return [(rows, side), (side,), (side, columns)]


def _infer_svd(a: TensorType, *, full: bool) -> TensorType:
    require_matrix("svd", a)
    rows, columns = matrix_sizes("svd", a)
    (m, k), (side,), (j, n) = _svd_shapes(rows, columns, full)
    return a.with_shape((*a.shape[:-2], m * k + side + j * n))


def _eval_svd(a: Array, *, full: bool) -> Array:
    parts = spectral("svd", lambda x: np.linalg.svd(x, full), a)
    return packed(parts, [2, 1, 2])


def svd_parts(packed: Any, rows: int, columns: int, full: bool) -> Singular:
    """Take the results of ``svd`` apart; of complex matrices, all are complex."""
    return Singular(*unpacked(packed, _svd_shapes(rows, columns, full)))


def _reduced_svd(packed: Any, rows: int, columns: int, full: bool) -> Singular:
    """The parts without the vectors that belong to no singular value."""
    u, s, vh = svd_parts(packed, rows, columns, full)
    rank = len(u.type.shape)
    side = min(rows, columns)
    return Singular(narrow(u, rank - 1, 0, side), s, narrow(vh, rank - 2, 0, side))


def _svd_vjp(call: Call, g: Any) -> tuple[Any]:
    """Vectors of equal singular values have no gradient, unless nothing asks for it.

    The common phase of a pair of complex vectors is arbitrary, so nothing may depend on it.
    """
    rows, columns = call.inputs[0].type.shape[-2:]
    u, s, vh = _reduced_svd(call.output, rows, columns, call.attrs["full"])
    to_u, to_s, to_vh = _reduced_svd(g, rows, columns, call.attrs["full"])
    side = min(rows, columns)
    turned_u, v, to_v = adjoint(u), adjoint(vh), adjoint(to_vh)
    squares = mul(s, s)
    gaps = sub(as_rows_of_one(squares), as_columns(squares))
    turning = matmul(turned_u, to_u)
    left = quotient(_skew(turning), gaps)
    right = quotient(_skew(matmul(vh, to_v)), gaps)
    ones = constant_like(g, np.eye(side))
    along = as_columns(real_part(to_s))
    if g.type.dtype.is_complex:  # both phases may turn against each other
        along = add(along, quotient(sub(turning, real_part(turning)), as_columns(s)))
    inner = add(
        mul(ones, along),
        add(mul(left, as_rows_of_one(s)), mul(as_columns(s), right)),
    )
    grad = matmul(matmul(u, inner), vh)
    if rows > side:
        outside = sub(to_u, matmul(u, matmul(turned_u, to_u)))
        grad = add(grad, matmul(quotient(outside, as_rows_of_one(s)), vh))
    if columns > side:
        outside = sub(to_vh, matmul(matmul(to_vh, v), vh))
        grad = add(grad, matmul(u, quotient(outside, as_columns(s))))
    return (grad,)


def _skew(x: Any) -> Any:
    return without_diagonal(sub(x, adjoint(x)))


svd: OpDef = OpDef("svd", _infer_svd, _eval_svd, _svd_vjp, Trait.FALLIBLE, Saves.OUTPUT)
"""Singular vectors and values in one row of numbers; see ``svd_parts``."""


def _infer_svdvals(a: TensorType) -> TensorType:
    require_matrix("svdvals", a)
    rows, columns = matrix_sizes("svdvals", a)
    return TensorType((*a.shape[:-2], min(rows, columns)), part_dtype(a.dtype))


def _eval_svdvals(a: Array) -> Array:
    values = spectral("svdvals", lambda x: np.linalg.svd(x, compute_uv=False), a)
    return np.ascontiguousarray(values)


def _svdvals_vjp(call: Call, g: Any) -> tuple[Any]:
    (a,) = call.inputs
    rows, columns = a.type.shape[-2:]
    u, _, vh = svd_parts(svd(a, full=False), rows, columns, False)
    return (matmul(mul(u, cast(as_rows_of_one(g), dtype=a.type.dtype)), vh),)


svdvals = OpDef(
    "svdvals", _infer_svdvals, _eval_svdvals, _svdvals_vjp, Trait.FALLIBLE, Saves.INPUTS
)


def _infer_pinv(a: TensorType, *, atol: float, rtol: float) -> TensorType:
    require_matrix("pinv", a)
    return a.with_shape((*a.shape[:-2], a.shape[-1], a.shape[-2]))


def _eval_pinv(a: Array, *, atol: float, rtol: float) -> Array:
    u, s, vh = spectral("pinv", lambda x: np.linalg.svd(x, False), a)
    least = np.maximum(atol, rtol * s[..., :1])
    inverse = np.where(s > least, 1 / np.where(s > least, s, 1), 0).astype(a.dtype)
    turned = np.conj(np.swapaxes(vh, -1, -2)) * inverse[..., None, :]
    return np.ascontiguousarray(np.matmul(turned, np.conj(np.swapaxes(u, -1, -2))))


def _pinv_vjp(call: Call, g: Any) -> tuple[Any]:
    """For changes of ``a`` that keep its rank."""
    (a,) = call.inputs
    inverse = call.output
    turned = adjoint(inverse)
    back = adjoint(g)
    first = neg(matmul(turned, matmul(g, turned)))
    beside = sub(back, matmul(a, matmul(inverse, back)))
    second = matmul(matmul(beside, inverse), turned)
    below = sub(back, matmul(matmul(back, inverse), a))
    third = matmul(turned, matmul(inverse, below))
    return (add(first, add(second, third)),)


pinv = OpDef(
    "pinv", _infer_pinv, _eval_pinv, _pinv_vjp, Trait.FALLIBLE, Saves.INPUTS | Saves.OUTPUT
)
"""The pseudoinverse; singular values up to ``max(atol, rtol * largest)`` count as 0."""


def _infer_lstsq(a: TensorType, b: TensorType, *, rtol: float) -> TensorType:
    require_same_dtype("lstsq", (a, b))
    require_matrix("lstsq", a)
    require_matrix("lstsq", b)
    if unify(a.shape[-2], b.shape[-2]) is None:
        raise ShapeError("lstsq: the number of equations differs", got=f"{a} and {b}")
    return b.with_shape((*common_batch("lstsq", a, b), a.shape[-1], b.shape[-1]))


def _eval_lstsq(a: Array, b: Array, *, rtol: float) -> Array:
    def solve(matrix: Array, right: Array) -> Array:
        solution, _, _, _ = spectral(
            "lstsq", lambda x, y: np.linalg.lstsq(x, y, rtol), matrix, right
        )
        return np.asarray(solution)

    return each_matrix(solve, (a.shape[-1], b.shape[-1]), a, b)


def _lstsq_vjp(call: Call, g: Any) -> tuple[Any | None, Any]:
    a, b = call.inputs
    inverse = pinv(a, atol=0.0, rtol=call.attrs["rtol"])
    to_b = matmul(adjoint(inverse), g)
    if 0 in call.unwanted:
        return None, to_b
    as_inverse = Call((a,), inverse, {}, frozenset())
    (to_a,) = _pinv_vjp(as_inverse, matmul(g, adjoint(b)))
    return to_a, to_b


lstsq = OpDef("lstsq", _infer_lstsq, _eval_lstsq, _lstsq_vjp, Trait.FALLIBLE, Saves.INPUTS)
"""The ``x`` of least norm that minimizes ``|a @ x - b|``."""
