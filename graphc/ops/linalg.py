"""Matrix products."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.dims import broadcast_shapes, unify
from graphc.errors import ShapeError
from graphc.opdef import Call, OpDef, Saves, V
from graphc.ops.infer import ANY, require_category, require_same_dtype
from graphc.ops.shape import permute
from graphc.storage import Array
from graphc.types import TensorType


def _infer_matmul(a: TensorType, b: TensorType) -> TensorType:
    dtype = require_same_dtype("matmul", (a, b))
    require_category("matmul", (a, b), ANY)
    if a.rank < 2 or b.rank < 2:
        raise ShapeError("matmul: operands need two dims or more", got=f"{a} and {b}")
    if unify(a.shape[-1], b.shape[-2]) is None:
        raise ShapeError(
            f"matmul: inner sizes differ, {a.shape[-1]} and {b.shape[-2]}", got=f"{a} @ {b}"
        )
    batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    if batch is None:
        raise ShapeError("matmul: batch dims do not broadcast", got=f"{a} @ {b}")
    return TensorType((*batch, a.shape[-2], b.shape[-1]), dtype)


def _eval_matmul(a: Array, b: Array) -> Array:
    if a.dtype.itemsize == 2 and a.dtype.kind not in "iu":
        return np.asarray(np.matmul(a.astype(np.float32), b.astype(np.float32)), a.dtype)
    return np.ascontiguousarray(np.matmul(a, b))


def _matmul_vjp(call: Call, g: Any) -> tuple[Any | None, Any | None]:
    a, b = call.inputs
    return (
        None if 0 in call.unwanted else matmul(g, swap_last(b)),
        None if 1 in call.unwanted else matmul(swap_last(a), g),
    )


matmul = OpDef("matmul", _infer_matmul, _eval_matmul, _matmul_vjp, saves=Saves.INPUTS)


def swap_last(x: V) -> V:
    """Transpose the last two dims."""
    rank = len(x.type.shape)
    return permute(x, dims=(*range(rank - 2), rank - 1, rank - 2))
