"""Eigenvalues and eigenvectors (LAPACK evaluates)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from graphc.dtypes import complex64, complex128, float32, float64
from graphc.opdef import Call, OpDef, Saves, Trait
from graphc.ops.comparison import eq
from graphc.ops.elementwise import add, div, mul, sub
from graphc.ops.elementwise_parts import conjugated, part_dtype, real
from graphc.ops.linalg import adjoint, matmul
from graphc.ops.matrices import (
    as_columns,
    as_rows_of_one,
    constant_like,
    matrix_sizes,
    packed,
    real_part,
    require_matrix,
    unpacked,
    without_diagonal,
)  # fmt: skip
from graphc.ops.reduce import sum_
from graphc.ops.select import cast, scalar, where
from graphc.ops.solve import solve, spectral
from graphc.storage import Array
from graphc.types import TensorType

_WHOLE = {float32: complex64, float64: complex128}


def _infer_eigh(a: TensorType, *, lower: bool) -> TensorType:
    require_matrix("eigh", a, square=True)
    size, _ = matrix_sizes("eigh", a)
    return a.with_shape((*a.shape[:-2], size + size * size))


def _eval_eigh(a: Array, *, lower: bool) -> Array:
    side: Literal["L", "U"] = "L" if lower else "U"
    values, vectors = spectral("eigh", lambda x: np.linalg.eigh(x, side), a)
    return packed([values, vectors], [1, 2])


def eigh_parts(both: Any, size: int) -> tuple[Any, Any]:
    """Eigenvalues ``(..., n)`` and eigenvectors ``(..., n, n)``, from what ``eigh`` packs.

    Of complex matrices, both are complex, though the eigenvalues are real.
    """
    values, vectors = unpacked(both, [(size,), (size, size)])
    return values, vectors


def quotient(x: Any, divisor: Any) -> Any:
    """0 stays 0 over 0."""
    is_zero = eq(x, scalar(x, 0))
    return where(is_zero, scalar(x, 0), div(x, where(is_zero, scalar(x, 1), divisor)))


def _eigh_vjp(call: Call, g: Any) -> tuple[Any]:
    """Hermitian; vectors of equal eigenvalues have no gradient, unless nothing asks for it.

    The phases of complex vectors are arbitrary, so nothing may depend on them.
    """
    size = call.inputs[0].type.shape[-1]
    values, vectors = eigh_parts(call.output, size)
    to_values, to_vectors = eigh_parts(g, size)
    turned = adjoint(vectors)
    turning = matmul(turned, to_vectors)
    mixing = mul(without_diagonal(sub(turning, adjoint(turning))), scalar(g, 0.5))
    gaps = sub(as_rows_of_one(values), as_columns(values))
    rotation = quotient(mixing, real_part(gaps))
    stretching = mul(constant_like(g, np.eye(size)), as_columns(real_part(to_values)))
    return (matmul(matmul(vectors, add(stretching, rotation)), turned),)


eigh: OpDef = OpDef("eigh", _infer_eigh, _eval_eigh, _eigh_vjp, Trait.FALLIBLE, Saves.OUTPUT)
"""Of Hermitian matrices, of which one triangle is read; see ``eigh_parts``."""


def _infer_eigvalsh(a: TensorType, *, lower: bool) -> TensorType:
    require_matrix("eigvalsh", a, square=True)
    return TensorType(a.shape[:-1], part_dtype(a.dtype))


def _eval_eigvalsh(a: Array, *, lower: bool) -> Array:
    side: Literal["L", "U"] = "L" if lower else "U"
    values = spectral("eigvalsh", lambda x: np.linalg.eigvalsh(x, side), a)
    return np.ascontiguousarray(values)


def _eigvalsh_vjp(call: Call, g: Any) -> tuple[Any]:
    (a,) = call.inputs
    _, vectors = eigh_parts(eigh(a, lower=call.attrs["lower"]), a.type.shape[-1])
    scales = cast(as_rows_of_one(g), dtype=a.type.dtype)
    return (matmul(mul(vectors, scales), adjoint(vectors)),)


eigvalsh = OpDef(
    "eigvalsh", _infer_eigvalsh, _eval_eigvalsh, _eigvalsh_vjp, Trait.FALLIBLE, Saves.INPUTS
)


def _infer_eig(a: TensorType) -> TensorType:
    require_matrix("eig", a, square=True)
    size, _ = matrix_sizes("eig", a)
    dtype = _WHOLE.get(a.dtype, a.dtype)
    return TensorType((*a.shape[:-2], size + size * size), dtype)


def _eval_eig(a: Array) -> Array:
    values, vectors = spectral("eig", np.linalg.eig, a)
    return packed([values, vectors], [1, 2]).astype(np.result_type(a.dtype, np.complex64))


def _eig_vjp(call: Call, g: Any) -> tuple[Any]:
    """Vectors keep their length; their phases are arbitrary, so nothing may depend on them."""
    (a,) = call.inputs
    size = a.type.shape[-1]
    values, vectors = eigh_parts(call.output, size)
    to_values, to_vectors = eigh_parts(g, size)
    turned = adjoint(vectors)
    turning = matmul(turned, to_vectors)
    ones = constant_like(g, np.eye(size))
    rank = len(turning.type.shape)
    lengthening = real_part(sum_(mul(turning, ones), dims=(rank - 2,)))
    mixing = without_diagonal(sub(turning, mul(matmul(turned, vectors), lengthening)))
    gaps = conjugated(sub(as_rows_of_one(values), as_columns(values)))
    inner = add(quotient(mixing, gaps), mul(ones, as_columns(to_values)))
    grad = solve(turned, matmul(inner, turned))
    return (grad if a.type.dtype.is_complex else real(grad),)


eig = OpDef("eig", _infer_eig, _eval_eig, _eig_vjp, Trait.FALLIBLE, Saves.OUTPUT)
"""Complex eigenvalues and eigenvectors of any square matrix, packed as those of ``eigh``."""
