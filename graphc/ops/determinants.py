"""Determinants and what their gradients are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from graphc.errors import ShapeError
from graphc.opdef import Call, OpDef, Saves, Trait
from graphc.ops.elementwise import add, mul, sub
from graphc.ops.elementwise_parts import complex_, conj, conjugated, imag
from graphc.ops.elimination import eliminated
from graphc.ops.linalg import adjoint, matmul, swap_last
from graphc.ops.matrices import as_columns, real_part, require_matrix
from graphc.ops.reduce import sum_
from graphc.ops.select import zeros_like
from graphc.ops.shape import narrow
from graphc.ops.solve import inv
from graphc.storage import Array
from graphc.types import TensorType


def _infer_det(a: TensorType) -> TensorType:
    require_matrix("det", a, square=True)
    return a.with_shape(a.shape[:-2])


def _as_factor(x: Any) -> Any:
    """``(...)`` to ``(..., 1, 1)``."""
    return as_columns(as_columns(x))


def _eval_det(a: Array) -> Array:
    found = np.array(np.linalg.det(np.ascontiguousarray(a)), a.dtype)
    for place in _with_nan(a):
        found[place] = _pivots(a[place]).prod()
    return found


def _with_nan(a: Array) -> Iterator[tuple[int, ...]]:
    """Where in a batch matrices hold NaN, which LAPACK may lose."""
    return map(tuple, np.argwhere(np.isnan(a).any(axis=(-2, -1))))


def _pivots(matrix: Array) -> Array:
    """Factors of the determinant: those on the diagonal of U, and -1 for each exchange of rows."""
    factors, places = eliminated(matrix)
    exchanges = np.where(places == np.arange(len(places)), 1, -1)
    return np.asarray(factors.diagonal() * exchanges, matrix.dtype)


def _det_vjp(call: Call, g: Any) -> tuple[Any]:
    return (mul(_as_factor(g), conjugated(cofactors(call.inputs[0]))),)


det = OpDef("det", _infer_det, _eval_det, _det_vjp, saves=Saves.INPUTS)


def _infer_cofactors(a: TensorType) -> TensorType:
    require_matrix("cofactors", a, square=True)
    return a


def _eval_cofactors(a: Array) -> Array:
    """By singular values, whose products without one need no division; NaN if not finite."""
    size = a.shape[-1]
    finite = np.asarray(np.isfinite(a).all(axis=(-2, -1), keepdims=True))
    u, s, vh, sign = _singular(a, finite)
    others = np.repeat(s[..., None, :], size, axis=-2)
    others[..., np.arange(size), np.arange(size)] = 1
    scaled = np.conj(u) * (sign[..., None] * others.prod(-1))[..., None, :]
    found = np.where(finite, np.matmul(scaled, np.conj(vh)), np.nan)
    return np.asarray(found, a.dtype, order="C")


def _singular(a: Array, finite: Array) -> tuple[Array, Array, Array, Array]:
    """The singular value decomposition, and the determinant of both rotations together."""
    u, s, vh = np.linalg.svd(np.where(finite, a, 0))  # its iteration may never end otherwise
    sign = np.linalg.det(u) * np.linalg.det(vh)
    return u, s, vh, sign / np.abs(sign) if a.dtype.kind == "c" else np.round(sign)


def _cofactors_vjp(call: Call, g: Any) -> tuple[Any]:
    return (cofactor_slopes(conjugated(call.inputs[0]), g),)


cofactors = OpDef(
    "cofactors", _infer_cofactors, _eval_cofactors, _cofactors_vjp, Trait.FALLIBLE, Saves.INPUTS,
)  # fmt: skip
"""The derivative of the determinant by each element, of singular matrices, too."""


def _infer_slopes(a: TensorType, g: TensorType) -> TensorType:
    require_matrix("cofactor_slopes", a, square=True)
    if g != a:
        raise ShapeError("cofactor_slopes: expected a factor per cofactor", got=f"{a}, {g}")
    return a


def _eval_slopes(a: Array, g: Array) -> Array:
    """In the coordinates of the singular vectors, where cofactors of cofactors are products."""
    finite = np.asarray(np.isfinite(a).all(axis=(-2, -1), keepdims=True))
    u, s, vh, sign = _singular(a, finite)
    turned = np.matmul(
        np.matmul(np.conj(np.swapaxes(u, -1, -2)), g), np.conj(np.swapaxes(vh, -1, -2))
    )
    others = _products_without_two(s)
    inside = -np.swapaxes(turned, -1, -2) * others
    places = np.arange(a.shape[-1])
    diagonal = np.diagonal(turned, axis1=-2, axis2=-1)
    inside[..., places, places] = np.matmul(others, diagonal[..., None])[..., 0]
    scaled = np.matmul(np.conj(u) * sign[..., None, None], inside)
    found = np.where(finite, np.matmul(scaled, np.conj(vh)), np.nan)
    return np.asarray(found, a.dtype, order="C")


def _products_without_two(s: Array) -> Array:
    """For each pair of places the product of all others; 0 for a place and itself."""
    size = s.shape[-1]
    ones = np.ones((*s.shape[:-1], 1), s.dtype)
    before = np.cumprod(np.concatenate([ones, s[..., :-1]], -1), -1)
    after = np.cumprod(np.concatenate([ones, s[..., :0:-1]], -1), -1)[..., ::-1]
    found = np.zeros((*s.shape, size), s.dtype)
    for place in range(size - 1):
        between = np.cumprod(np.concatenate([ones, s[..., place + 1 : size - 1]], -1), -1)
        pair = before[..., place : place + 1] * between * after[..., place + 1 :]
        found[..., place, place + 1 :] = found[..., place + 1 :, place] = pair
    return found


def _slopes_vjp(call: Call, g: Any) -> tuple[Any, Any]:
    """By the factors it is linear; by the matrix it needs the inverse (a third derivative)."""
    a, factors = call.inputs
    to_factors = None if 1 in call.unwanted else cofactor_slopes(conjugated(a), g)
    if 0 in call.unwanted:
        return None, to_factors
    if a.type.shape[-1] in (0, 1, 2):
        return zeros_like(a), to_factors
    rank = len(a.type.shape)
    t, w = swap_last(inv(a)), conjugated(g)  # cofactors are det(a) * t

    def total(x: Any, y: Any) -> Any:
        return sum_(mul(x, y), dims=(rank - 2, rank - 1))

    def through(x: Any) -> Any:
        return matmul(matmul(t, swap_last(x)), t)

    by_factors, by_grad = total(factors, t), total(w, t)
    both = matmul(matmul(through(w), swap_last(factors)), t)
    swapped = matmul(matmul(through(factors), swap_last(w)), t)
    second = sub(mul(by_factors, by_grad), total(w, through(factors)))
    crossed = add(mul(by_grad, through(factors)), mul(by_factors, through(w)))
    slope = add(sub(mul(second, t), crossed), add(both, swapped))
    return conjugated(mul(_as_factor(det(a)), slope)), to_factors


cofactor_slopes = OpDef(
    "cofactor_slopes", _infer_slopes, _eval_slopes, _slopes_vjp, Trait.FALLIBLE, Saves.INPUTS
)
"""The sum of all cofactors' derivatives by each element, each cofactor times its factor."""


def _infer_slogdet(a: TensorType) -> TensorType:
    require_matrix("slogdet", a, square=True)
    return a.with_shape((*a.shape[:-2], 2))


def _eval_slogdet(a: Array) -> Array:
    found = np.stack(np.linalg.slogdet(np.ascontiguousarray(a)), axis=-1).astype(a.dtype)
    for place in _with_nan(a):
        factors = _pivots(a[place])
        found[place] = np.sign(factors).prod(), np.log(np.abs(factors)).sum()
    return found


def _slogdet_vjp(call: Call, g: Any) -> tuple[Any]:
    """A real sign is flat; a complex one turns with the imaginary part of a trace."""
    rank = len(g.type.shape)
    factor = real_part(narrow(g, rank - 1, 1, 2))
    if g.type.dtype.is_complex:
        to_sign, sign = narrow(g, rank - 1, 0, 1), narrow(call.output, rank - 1, 0, 1)
        turning = imag(mul(conj(to_sign), sign))
        factor = sub(factor, complex_(zeros_like(turning), turning))
    return (mul(as_columns(factor), adjoint(inv(call.inputs[0]))),)


slogdet = OpDef(
    "slogdet",
    _infer_slogdet,
    _eval_slogdet,
    _slogdet_vjp,
    Trait.FALLIBLE,
    Saves.INPUTS | Saves.OUTPUT,
)
"""The sign and the logarithm of the magnitude, along a new last dim."""
