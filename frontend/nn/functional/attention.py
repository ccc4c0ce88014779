"""Attention: queries look values up by the similarity of their keys."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from graphc.dtypes import BOOLEAN
from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.frontend.functions.convert import require_tensor, scalar_tensor
from graphc.frontend.functions.creation import arange
from graphc.frontend.functions.products import matmul
from graphc.frontend.functions.reduction import any as any_true
from graphc.frontend.functions.shaping import expand, reshape, transpose, unsqueeze
from graphc.frontend.functions.softmaxes import softmax
from graphc.frontend.nn.functional.dropout import dropout
from graphc.frontend.nn.functional.shapes import agree
from graphc.ops import select
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """``softmax(query @ key.T * scale + mask) @ value``.

    Args:
        query: ``(..., heads, queries, size)``.
        key: ``(..., heads, keys, size)``.
        value: ``(..., heads, keys, size of values)``.
        attn_mask: broadcasts to ``(..., queries, keys)``: bools, True where a query may look, or
            numbers that are added to the scores.
        dropout_p: probability of dropping a weight; also outside training.
        is_causal: query ``i`` sees the keys up to ``i`` only; then there must be no mask.
        scale: default ``1 / sqrt(size)``.
        enable_gqa: several heads of queries share one head of keys and values.

    Returns:
        ``(..., heads, queries, size of values)``; 0 for a query that sees no key.

    Raises:
        ArgumentError: for a mask beside ``is_causal``.
        ShapeError: if the shapes do not fit.
        DTypeError: for a mask that is neither bool nor of the query's dtype.

    Source: ``torch.nn.functional.scaled_dot_product_attention``.

    Example:
        >>> import graphc as gc
        >>> import graphc.nn.functional as F
        >>> q = k = gc.zeros(1, 2, 4)
        >>> F.scaled_dot_product_attention(q, k, gc.tensor([[[1.0], [3.0]]]), is_causal=True)
        tensor([[[1.],
                 [2.]]])
    """
    q, k, v = (require_tensor("scaled_dot_product_attention", x) for x in (query, key, value))
    _check_operands(q, k, v)
    if is_causal and attn_mask is not None:
        raise ArgumentError(
            "scaled_dot_product_attention: give a mask or is_causal, not both",
            where=user_location_text(),
        )
    if enable_gqa:
        k, v = _repeat_heads(k, q), _repeat_heads(v, q)
    factor = 1 / math.sqrt(int(q.shape[-1])) if scale is None else scale
    scores = matmul(q * factor, transpose(k, -2, -1))
    if is_causal:
        attn_mask = causal_mask(scores)
    weights = masked_softmax(scores, attn_mask)
    return matmul(dropout(weights, dropout_p), v)


def _check_operands(q: Tensor, k: Tensor, v: Tensor) -> None:
    fits = (
        min(q.ndim, k.ndim, v.ndim) >= 2
        and agree(q.shape[-1:], k.shape[-1:])
        and agree(k.shape[-2:-1], v.shape[-2:-1])
    )
    if not fits:
        raise ShapeError(
            "scaled_dot_product_attention: expected queries (..., queries, size), keys "
            "(..., keys, size) and values (..., keys, size of values)",
            got=f"{q.type}, {k.type} and {v.type}", where=user_location_text(),
        )  # fmt: skip


def _repeat_heads(x: Tensor, q: Tensor) -> Tensor:
    """Each head as many times in a row as there are heads of queries for it."""
    heads = x.shape[-3] if x.ndim > 2 and q.ndim > 2 else 0
    if not isinstance(heads, int) or heads == 0 or int(q.shape[-3]) % heads:
        raise ShapeError(
            "scaled_dot_product_attention: the heads of queries must be a multiple of the heads "
            "of keys and of values", got=f"{q.type} and {x.type}", where=user_location_text(),
        )  # fmt: skip
    times = int(q.shape[-3]) // heads
    wide = expand(unsqueeze(x, -3), (*x.shape[:-2], times, *x.shape[-2:]))
    return reshape(wide, (*x.shape[:-3], heads * times, *x.shape[-2:]))


def causal_mask(scores: Tensor) -> Tensor:
    """True for keys at or before the query's position."""
    queries, keys = scores.shape[-2:]
    return unsqueeze(arange(queries), 1) >= unsqueeze(arange(keys), 0)


def masked_softmax(scores: Tensor, mask: Tensor | None) -> Tensor:
    """The softmax over keys that a mask lets through; 0 where it lets none through."""
    if mask is None:
        return softmax(scores, -1)
    if mask.dtype.category == BOOLEAN:
        masked = select.where(mask, scores, scalar_tensor(-math.inf, scores.dtype))
    elif mask.dtype is scores.dtype:
        masked = scores + mask
    else:
        raise DTypeError(
            "scaled_dot_product_attention: the mask must be bool or of the query's dtype",
            got=mask.dtype.name, expected=f"bool or {scores.dtype.name}",
            where=user_location_text(),
        )  # fmt: skip
    if not agree(masked.shape, scores.shape):
        raise ShapeError(
            "scaled_dot_product_attention: the mask does not broadcast to the scores",
            got=str(mask.type), expected=str(scores.type), where=user_location_text(),
        )  # fmt: skip
    visible = any_true(masked != -math.inf, -1, keepdim=True)
    zero = scalar_tensor(0, scores.dtype)
    safe = select.where(visible, masked, zero)  # a row of -inf only has no softmax
    return select.where(visible, softmax(safe, -1), zero)
