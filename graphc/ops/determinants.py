"""Determinants and what their gradients are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.opdef import Call, OpDef, Saves, Trait
from graphc.ops.elementwise import mul, sub
from graphc.ops.elementwise_parts import complex_, conj, conjugated, imag
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


def _det_vjp(call: Call, g: Any) -> tuple[Any]:
    return (mul(_as_factor(g), conjugated(cofactors(call.inputs[0]))),)


det = OpDef(
    "det", _infer_det,
    lambda a: np.asarray(np.linalg.det(np.ascontiguousarray(a)), a.dtype),
    _det_vjp, saves=Saves.INPUTS,
)  # fmt: skip


def _infer_cofactors(a: TensorType) -> TensorType:
    require_matrix("cofactors", a, square=True)
    return a


def _eval_cofactors(a: Array) -> Array:
    """By singular values, whose products without one need no division; NaN if not finite."""
    size = a.shape[-1]
    finite = np.isfinite(a).all(axis=(-2, -1), keepdims=True)
    u, s, vh = np.linalg.svd(np.where(finite, a, 0))  # its iteration may never end otherwise
    others = np.repeat(s[..., None, :], size, axis=-2)
    others[..., np.arange(size), np.arange(size)] = 1
    sign = np.linalg.det(u) * np.linalg.det(vh)
    sign = sign / np.abs(sign) if a.dtype.kind == "c" else np.round(sign)
    scaled = np.conj(u) * (sign[..., None] * others.prod(-1))[..., None, :]
    found = np.where(finite, np.matmul(scaled, np.conj(vh)), np.nan)
    return np.asarray(found, a.dtype, order="C")


def _cofactors_vjp(call: Call, g: Any) -> tuple[Any]:
    """It needs the inverse, unlike the first derivative of a determinant."""
    turned = adjoint(inv(call.inputs[0]))
    rank = len(turned.type.shape)
    share = sum_(mul(g, turned), dims=(rank - 2, rank - 1))
    output = conjugated(call.output)
    cross = matmul(matmul(output, swap_last(g)), turned)
    return (sub(mul(share, output), cross),)


cofactors = OpDef(
    "cofactors", _infer_cofactors, _eval_cofactors, _cofactors_vjp,
    Trait.FALLIBLE, saves=Saves.INPUTS | Saves.OUTPUT,
)  # fmt: skip
"""The derivative of the determinant by each element, of singular matrices, too."""


def _infer_slogdet(a: TensorType) -> TensorType:
    require_matrix("slogdet", a, square=True)
    return a.with_shape((*a.shape[:-2], 2))


def _eval_slogdet(a: Array) -> Array:
    return np.stack(np.linalg.slogdet(np.ascontiguousarray(a)), axis=-1).astype(a.dtype)


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
