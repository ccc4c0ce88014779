"""Choosing and converting elements: ``where``, ``cast``, ``detach``; constants for rules."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.dtypes import BOOLEAN, FLOATING, INTEGER, DType
from graphc.opdef import Call, OpDef, Saves, Trait, V
from graphc.ops.infer import BOOL, broadcast_types, require_category, require_same_dtype
from graphc.ops.scalar_eval import saturating_cast
from graphc.ops.shape import expand
from graphc.storage import Array
from graphc.types import TensorType


def scalar(like: V, value: float) -> V:
    """A 0-d constant with the dtype of ``like``, in its world."""
    made: V = like.__literal__(np.asarray(value, like.type.dtype.numpy))
    return made


def zeros_like(like: V) -> V:
    """Zeros of the type of ``like``, in its world."""
    return expand(scalar(like, 0), shape=like.type.shape)


def _infer_where(condition: TensorType, a: TensorType, b: TensorType) -> TensorType:
    require_category("where", (condition,), BOOL)
    dtype = require_same_dtype("where", (a, b))
    return broadcast_types("where", (condition, a, b), dtype)


_BITS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}

_MANY = 4096
"""``numpy.where`` branches for each element; for so many, bits are chosen without."""


def _eval_where(condition: Array, a: Array, b: Array) -> Array:
    bits = _BITS.get(a.dtype.itemsize)
    if bits is None or max(condition.size, a.size, b.size) < _MANY:
        result = np.where(condition, a, b)
        return result if result.flags.c_contiguous else np.ascontiguousarray(result)
    shape = np.broadcast_shapes(condition.shape, a.shape, b.shape)
    chosen = np.negative(condition.view(np.uint8).astype(bits))  # all bits, or none
    mine, other = a.view(bits), b.view(bits)
    result = np.empty(shape, bits)
    np.bitwise_xor(mine, other, out=result)
    result &= chosen
    result ^= other
    return result.view(a.dtype)


def _where_vjp(call: Call, g: Any) -> tuple[None, Any | None, Any | None]:
    condition = call.inputs[0]
    zero = scalar(g, 0)
    return (
        None,
        None if 1 in call.unwanted else where(condition, g, zero),
        None if 2 in call.unwanted else where(condition, zero, g),
    )


where = OpDef("where", _infer_where, _eval_where, _where_vjp, Trait.ELEMENTWISE, saves=Saves.INPUTS)


def _infer_cast(x: TensorType, *, dtype: DType) -> TensorType:
    return x.with_dtype(dtype)


def _eval_cast(x: Array, *, dtype: DType) -> Array:
    if dtype.category == INTEGER and x.dtype.kind not in "iubc":
        return saturating_cast(x, dtype.numpy)
    if x.dtype.kind == "c" and dtype.category <= FLOATING and dtype.category != BOOLEAN:
        return _eval_cast(np.asarray(x.real, order="C"), dtype=dtype)
    return np.asarray(x.astype(dtype.numpy, order="C"))


def _cast_vjp(call: Call, g: Any) -> tuple[Any]:
    source = call.inputs[0].type.dtype
    return (cast(g, dtype=source) if source.is_differentiable else None,)


cast = OpDef("cast", _infer_cast, _eval_cast, _cast_vjp, Trait.ELEMENTWISE)


def _infer_same(x: TensorType) -> TensorType:
    return x


def _eval_same(x: Array) -> Array:
    return x


detach = OpDef("detach", _infer_same, _eval_same, traits=Trait.VIEW)


def _eval_copy(x: Array) -> Array:
    return np.array(x, order="C")


copy = OpDef("copy", _infer_same, _eval_copy, lambda call, g: (g,), Trait.ELEMENTWISE)
"""The same values in memory of their own, in index order."""
