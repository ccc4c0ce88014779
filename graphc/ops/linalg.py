"""Matrix products."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphc.errors import ShapeError
from graphc.opdef import Call, OpDef, Saves, V
from graphc.ops.elementwise_parts import conjugated
from graphc.ops.infer import ANY, require_category, require_same_dtype
from graphc.ops.shape import permute, reshape
from graphc.shapes import broadcast_shapes, unify
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
        None if 0 in call.unwanted else matmul(g, adjoint(b)),
        None if 1 in call.unwanted else matmul(adjoint(a), g),
    )


matmul = OpDef("matmul", _infer_matmul, _eval_matmul, _matmul_vjp, saves=Saves.INPUTS)


def swap_last(x: V) -> V:
    """Transpose the last two dims."""
    rank = len(x.type.shape)
    return permute(x, dims=(*range(rank - 2), rank - 1, rank - 2))


def adjoint(x: V) -> V:
    """Transpose the last two dims, and conjugate."""
    return swap_last(conjugated(x))


def _infer_linear(x: TensorType, weight: TensorType) -> TensorType:
    dtype = require_same_dtype("linear", (x, weight))
    require_category("linear", (x, weight), ANY)
    if x.rank < 1 or weight.rank != 2:
        raise ShapeError("linear: expected (..., in) and (out, in)", got=f"{x} and {weight}")
    if unify(x.shape[-1], weight.shape[1]) is None:
        raise ShapeError(
            f"linear: the last size of the input is {x.shape[-1]}, the weight is for "
            f"{weight.shape[1]}", got=f"{x} and {weight}",
        )  # fmt: skip
    return TensorType((*x.shape[:-1], weight.shape[0]), dtype)


def _eval_linear(x: Array, weight: Array) -> Array:
    if x.ndim == 2:
        return _eval_matmul(x, weight.T)
    product = _eval_matmul(x.reshape(math.prod(x.shape[:-1]), x.shape[-1]), weight.T)
    return product.reshape(*x.shape[:-1], weight.shape[0])


def _linear_vjp(call: Call, g: Any) -> tuple[Any | None, Any | None]:
    """One product each, whatever the rank; the weight's has the weight's own layout."""
    x, weight = call.inputs
    rows = as_rows(g)
    to_x = to_weight = None
    if 0 not in call.unwanted:
        to_x = reshape(matmul(rows, conjugated(weight)), shape=x.type.shape)
    if 1 not in call.unwanted:
        to_weight = matmul(swap_last(rows), as_rows(conjugated(x)))
    return to_x, to_weight


linear = OpDef("linear", _infer_linear, _eval_linear, _linear_vjp, saves=Saves.INPUTS)
"""``x @ weight.T`` for rows of any number of dims."""


def as_rows(x: V) -> V:
    """A matrix of the last dim's rows."""
    *lead, last = x.type.shape
    return reshape(x, shape=(math.prod(lead), last))
