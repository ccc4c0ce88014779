"""Attention with several heads and projections, as one function."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphc.dims import Size
from graphc.dtypes import BOOLEAN
from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.convert import require_tensor, scalar_tensor
from graphc.frontend.functions.creation import zeros
from graphc.frontend.functions.padding import pad
from graphc.frontend.functions.pieces import cat
from graphc.frontend.functions.products import matmul
from graphc.frontend.functions.reduction import mean
from graphc.frontend.functions.shaping import drop_dims, expand, reshape, transpose, unsqueeze
from graphc.frontend.functions.softmaxes import softmax
from graphc.frontend.nn.functional.dropout import dropout
from graphc.frontend.nn.functional.linear import linear
from graphc.frontend.nn.functional.shapes import agree
from graphc.ops import select
from graphc.ops.shape import narrow
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["multi_head_attention_forward"]


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Attention of several heads between projected queries, keys and values.

    Args:
        query: ``(queries, batch, size)`` or ``(queries, size)``.
        key: ``(keys, batch, key size)`` or ``(keys, key size)``.
        value: ``(keys, batch, value size)`` or ``(keys, value size)``.
        embed_dim_to_check: the size of queries.
        num_heads: number of heads; divides the size.
        in_proj_weight: ``(3 * size, size)``, unless ``use_separate_proj_weight``.
        in_proj_bias: ``(3 * size,)``.
        bias_k: ``(1, 1, size)``, one more key; goes with ``bias_v``.
        bias_v: ``(1, 1, size)``, its value.
        add_zero_attn: one more key and value of zeros.
        dropout_p: probability of dropping a weight while training.
        out_proj_weight: ``(size, size)``.
        out_proj_bias: ``(size,)``.
        training: drop weights.
        key_padding_mask: ``(batch, keys)`` or ``(keys,)``: True hides a key, numbers are added.
        need_weights: also return the weights.
        attn_mask: ``(queries, keys)`` or ``(batch * heads, queries, keys)``: likewise.
        use_separate_proj_weight: project by the three weights that follow.
        q_proj_weight: ``(size, size)``.
        k_proj_weight: ``(size, key size)``.
        v_proj_weight: ``(size, value size)``.
        static_k: ``(batch * heads, keys, size / heads)`` instead of projected keys.
        static_v: likewise, instead of projected values.
        average_attn_weights: return the mean of the heads' weights.
        is_causal: says that ``attn_mask``, which must be given, is causal.

    Returns:
        The output, shaped as the query, and the weights ``(batch, queries, keys)``, or with heads
        ``(batch, heads, queries, keys)``; None unless ``need_weights``.

    Raises:
        ShapeError: if the shapes do not fit.
        ArgumentError: for arguments that contradict each other.

    Source: ``torch.nn.functional.multi_head_attention_forward``.
    """
    q, k, v = (require_tensor("multi_head_attention_forward", x) for x in (query, key, value))
    _check(q, k, v, embed_dim_to_check, num_heads)
    if is_causal and attn_mask is None:
        raise _wrong("is_causal says what attn_mask is, so attn_mask must be given")
    if (bias_k is None) != (bias_v is None):
        raise _wrong("bias_k and bias_v must be given together")
    batched = q.ndim == 3
    if not batched:
        q, k, v = (unsqueeze(x, 1) for x in (q, k, v))
        key_padding_mask = None if key_padding_mask is None else unsqueeze(key_padding_mask, 0)
    separate = (q_proj_weight, k_proj_weight, v_proj_weight)
    weights = separate if use_separate_proj_weight else _thirds(in_proj_weight)
    queries, keys, values = _project((q, k, v), weights, _thirds(in_proj_bias))
    mask = _Mask(attn_mask, key_padding_mask)
    if bias_k is not None and bias_v is not None:
        if static_k is not None or static_v is not None:
            raise _wrong("static keys and values cannot have a bias")
        keys, values = _one_more(keys, bias_k), _one_more(values, bias_v)
        mask = mask.wider()
    batch = q.shape[1]
    heads = _Heads(batch, num_heads, embed_dim_to_check // num_heads)
    split_k = heads.split(keys) if static_k is None else heads.static(static_k)
    split_v = heads.split(values) if static_v is None else heads.static(static_v)
    if add_zero_attn:
        nothing = zeros(batch, num_heads, 1, heads.size, dtype=q.dtype)
        split_k, split_v = cat([split_k, nothing], 2), cat([split_v, nothing], 2)
        mask = mask.wider()
    scaled = heads.split(queries) * (1 / math.sqrt(heads.size))
    scores = mask.added_to(matmul(scaled, transpose(split_k, -2, -1)), heads)
    attention = dropout(softmax(scores, -1), dropout_p, training)
    joined = heads.join(matmul(attention, split_v))
    out = linear(joined, out_proj_weight, out_proj_bias)
    if average_attn_weights:
        attention = mean(attention, 1)
    if batched:
        return out, attention if need_weights else None
    return drop_dims(out, (1,)), drop_dims(attention, (0,)) if need_weights else None


def _wrong(what: str) -> ArgumentError:
    return ArgumentError(f"multi_head_attention_forward: {what}", where=user_location_text())


def _check(q: Tensor, k: Tensor, v: Tensor, size: int, heads: int) -> None:
    same_batch = q.ndim == 2 or (agree(q.shape[1:2], k.shape[1:2]))
    fits = (
        q.ndim in (2, 3)
        and k.ndim == v.ndim == q.ndim
        and agree(k.shape[:-1], v.shape[:-1])
        and same_batch
        and q.shape[-1] == size
    )
    if not fits or size % heads:
        raise ShapeError(
            "multi_head_attention_forward: expected (length, batch, size) or (length, size) each, "
            "and a size that the heads divide", where=user_location_text(),
            got=f"{q.type}, {k.type}, {v.type}, {heads} heads", expected=f"queries of size {size}",
        )  # fmt: skip


_Three = tuple["Tensor | None", "Tensor | None", "Tensor | None"]


def _thirds(packed: Tensor | None) -> _Three:
    """What projects queries, keys and values, one below the other."""
    if packed is None:
        return None, None, None
    size = int(packed.shape[0]) // 3
    first, second, third = (narrow(packed, 0, at * size, (at + 1) * size) for at in range(3))
    return first, second, third


def _project(
    operands: tuple[Tensor, Tensor, Tensor], weights: _Three, biases: _Three
) -> tuple[Tensor, Tensor, Tensor]:
    projected = []
    for x, weight, bias in zip(operands, weights, biases, strict=True):
        if weight is None:
            raise _wrong("a projection's weight is missing")
        projected.append(linear(x, weight, bias))
    first, second, third = projected
    return first, second, third


def _one_more(x: Tensor, bias: Tensor) -> Tensor:
    """Another key for each element of the batch."""
    return cat([x, expand(reshape(bias, (1, 1, -1)), (1, x.shape[1], x.shape[2]))], 0)


@dataclass(frozen=True)
class _Heads:
    """How a batch of vectors divides into heads.

    Attributes:
        batch: size of the batch.
        count: number of heads.
        size: of each head's vectors.
    """

    batch: Size
    count: int
    size: int

    def split(self, x: Tensor) -> Tensor:
        """``(length, batch, size)`` as ``(batch, heads, length, head size)``."""
        return reshape(x, (x.shape[0], self.batch, self.count, self.size)).permute(1, 2, 0, 3)

    def static(self, x: Tensor) -> Tensor:
        """``(batch * heads, length, head size)`` likewise."""
        if x.ndim != 3 or x.shape[-1] != self.size:
            raise ShapeError(
                "multi_head_attention_forward: static keys and values must be "
                "(batch * heads, keys, size / heads)", got=str(x.type), where=user_location_text(),
            )  # fmt: skip
        return reshape(x, (self.batch, self.count, *x.shape[1:]))

    def join(self, x: Tensor) -> Tensor:
        """The inverse of ``split``."""
        length = x.shape[2]
        return reshape(x.permute(2, 0, 1, 3), (length, self.batch, self.count * self.size))


@dataclass(frozen=True)
class _Mask:
    """What hides keys, from each query or from all.

    Attributes:
        attention: ``(queries, keys)`` or ``(batch * heads, queries, keys)``.
        padding: ``(batch, keys)``.
    """

    attention: Tensor | None
    padding: Tensor | None

    def wider(self) -> _Mask:
        """For one more key, which is not hidden."""
        return _Mask(*(None if x is None else _wider(x) for x in (self.attention, self.padding)))

    def added_to(self, scores: Tensor, heads: _Heads) -> Tensor:
        """The scores ``(batch, heads, queries, keys)``, -inf for hidden keys."""
        queries, keys = scores.shape[2:]
        if self.attention is not None:
            mask = self.attention
            expected: tuple[Size, ...] = (queries, keys)
            if mask.ndim == 3:
                expected = (heads.batch * heads.count, queries, keys)
            _check_mask("attn_mask", mask, expected)
            if mask.ndim == 3:
                mask = reshape(mask, (heads.batch, heads.count, queries, keys))
            scores = _hide(scores, mask)
        if self.padding is not None:
            _check_mask("key_padding_mask", self.padding, (heads.batch, keys))
            scores = _hide(scores, reshape(self.padding, (heads.batch, 1, 1, keys)))
        return scores


def _wider(mask: Tensor) -> Tensor:
    return pad(mask, (0, 1))


def _check_mask(name: str, mask: Tensor, expected: tuple[Size, ...]) -> None:
    if not agree(mask.shape, expected):
        raise ShapeError(
            f"multi_head_attention_forward: {name} does not fit", got=str(mask.type),
            expected=str(expected), where=user_location_text(),
        )  # fmt: skip


def _hide(scores: Tensor, mask: Tensor) -> Tensor:
    if mask.dtype.category == BOOLEAN:
        return select.where(mask, scalar_tensor(-math.inf, scores.dtype), scores)
    return scores + mask
