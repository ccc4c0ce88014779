"""Determinants and what their gradients are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.opdef import Call, OpDef, Saves, Trait
from graphc.ops.elementwise import mul, sub
from graphc.ops.linalg import matmul, swap_last
from graphc.ops.matrices import as_columns, require_matrix
from graphc.ops.reduce import sum_
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
    return (mul(_as_factor(g), cofactors(call.inputs[0])),)


det = OpDef(
    "det", _infer_det,
    lambda a: np.asarray(np.linalg.det(np.ascontiguousarray(a)), a.dtype),
    _det_vjp, saves=Saves.INPUTS,
)  # fmt: skip


def _infer_cofactors(a: TensorType) -> TensorType:
    require_matrix("cofactors", a, square=True)
    return a


def _eval_cofactors(a: Array) -> Array:
    """By singular values, whose products without one need no division."""
    size = a.shape[-1]
    u, s, vh = np.linalg.svd(np.ascontiguousarray(a))
    others = np.repeat(s[..., None, :], size, axis=-2)
    others[..., np.arange(size), np.arange(size)] = 1
    sign = np.linalg.det(u) * np.linalg.det(vh)
    scaled = u * (np.round(sign)[..., None] * others.prod(-1))[..., None, :]
    return np.asarray(np.matmul(scaled, vh), a.dtype, order="C")


def _cofactors_vjp(call: Call, g: Any) -> tuple[Any]:
    """It needs the inverse, unlike the first derivative of a determinant."""
    turned = swap_last(inv(call.inputs[0]))
    rank = len(turned.type.shape)
    share = sum_(mul(g, turned), dims=(rank - 2, rank - 1))
    cross = matmul(matmul(call.output, swap_last(g)), turned)
    return (sub(mul(share, call.output), cross),)


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
    rank = len(g.type.shape)
    factor = as_columns(narrow(g, rank - 1, 1, 2))
    return (mul(factor, swap_last(inv(call.inputs[0]))),)


slogdet = OpDef(
    "slogdet", _infer_slogdet, _eval_slogdet, _slogdet_vjp, Trait.FALLIBLE, Saves.INPUTS
)
"""The sign and the logarithm of the magnitude, along a new last dim."""
