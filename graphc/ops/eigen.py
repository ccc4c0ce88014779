"""Eigenvalues and eigenvectors (LAPACK evaluates)."""

from __future__ import annotations

from typing import Any, Literal, NoReturn

import numpy as np

from graphc.dtypes import complex64, complex128, float32
from graphc.errors import AutogradError
from graphc.opdef import Call, OpDef, Saves, Trait
from graphc.ops.comparison import eq
from graphc.ops.elementwise import add, div, mul, sub
from graphc.ops.linalg import matmul, swap_last
from graphc.ops.matrices import (
    as_columns,
    as_rows_of_one,
    constant_like,
    matrix_sizes,
    packed,
    require_matrix,
    unpacked,
)  # fmt: skip
from graphc.ops.select import scalar, where
from graphc.ops.solve import lapack
from graphc.storage import Array
from graphc.types import TensorType

NOT_FINITE = "are all elements finite?"


def _infer_eigh(a: TensorType, *, lower: bool) -> TensorType:
    require_matrix("eigh", a, square=True)
    size, _ = matrix_sizes("eigh", a)
    return a.with_shape((*a.shape[:-2], size + size * size))


def _eval_eigh(a: Array, *, lower: bool) -> Array:
    side: Literal["L", "U"] = "L" if lower else "U"
    values, vectors = lapack("eigh", lambda x: np.linalg.eigh(x, side), a, fix=NOT_FINITE)
    return packed([values, vectors], [1, 2])


def eigh_parts(both: Any, size: int) -> tuple[Any, Any]:
    """Eigenvalues ``(..., n)`` and eigenvectors ``(..., n, n)``, from what ``eigh`` packs."""
    values, vectors = unpacked(both, [(size,), (size, size)])
    return values, vectors


def _eigh_vjp(call: Call, g: Any) -> tuple[Any]:
    """Symmetric; vectors of equal eigenvalues have no gradient, unless nothing asks for it."""
    size = call.inputs[0].type.shape[-1]
    values, vectors = eigh_parts(call.output, size)
    to_values, to_vectors = eigh_parts(g, size)
    turned = swap_last(vectors)
    turning = matmul(turned, to_vectors)
    mixing = mul(sub(turning, swap_last(turning)), scalar(g, 0.5))
    gaps = sub(as_rows_of_one(values), as_columns(values))
    is_zero = eq(mixing, scalar(g, 0))
    rotation = where(is_zero, scalar(g, 0), div(mixing, where(is_zero, scalar(g, 1), gaps)))
    stretching = mul(constant_like(g, np.eye(size)), as_columns(to_values))
    return (matmul(matmul(vectors, add(stretching, rotation)), turned),)


eigh: OpDef = OpDef("eigh", _infer_eigh, _eval_eigh, _eigh_vjp, Trait.FALLIBLE, Saves.OUTPUT)
"""Of symmetric matrices, of which one triangle is read; see ``eigh_parts``."""


def _infer_eigvalsh(a: TensorType, *, lower: bool) -> TensorType:
    require_matrix("eigvalsh", a, square=True)
    return a.with_shape(a.shape[:-1])


def _eval_eigvalsh(a: Array, *, lower: bool) -> Array:
    side: Literal["L", "U"] = "L" if lower else "U"
    values = lapack("eigvalsh", lambda x: np.linalg.eigvalsh(x, side), a, fix=NOT_FINITE)
    return np.ascontiguousarray(values)


def _eigvalsh_vjp(call: Call, g: Any) -> tuple[Any]:
    (a,) = call.inputs
    _, vectors = eigh_parts(eigh(a, lower=call.attrs["lower"]), a.type.shape[-1])
    return (matmul(mul(vectors, as_rows_of_one(g)), swap_last(vectors)),)


eigvalsh = OpDef(
    "eigvalsh", _infer_eigvalsh, _eval_eigvalsh, _eigvalsh_vjp, Trait.FALLIBLE, Saves.INPUTS
)


def _infer_eig(a: TensorType) -> TensorType:
    require_matrix("eig", a, square=True)
    size, _ = matrix_sizes("eig", a)
    dtype = complex64 if a.dtype is float32 else complex128
    return TensorType((*a.shape[:-2], size + size * size), dtype)


def _eval_eig(a: Array) -> Array:
    values, vectors = lapack("eig", np.linalg.eig, a, fix=NOT_FINITE)
    dtype = complex64 if a.dtype == np.float32 else complex128
    return packed([values, vectors], [1, 2]).astype(dtype.numpy)


def _eig_vjp(call: Call, g: Any) -> NoReturn:
    raise AutogradError(
        "eig: the gradient of complex eigenvalues is not supported",
        got=str(call.inputs[0].type),
        fix="for symmetric matrices use gc.linalg.eigh",
    )


eig = OpDef("eig", _infer_eig, _eval_eig, _eig_vjp, Trait.FALLIBLE)
"""Complex eigenvalues and eigenvectors of any square matrix, packed as those of ``eigh``."""
