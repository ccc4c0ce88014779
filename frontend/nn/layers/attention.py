"""Attention of several heads as a layer."""

from __future__ import annotations

from graphc.dtypes import DTypeLike
from graphc.errors import ArgumentError
from graphc.frontend.functions.shaping import transpose
from graphc.frontend.nn import init
from graphc.frontend.nn.functional.multi_head import multi_head_attention_forward
from graphc.frontend.nn.layers.linear import NonDynamicallyQuantizableLinear
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.parameter import Parameter, element_type, zeros
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Attention of several heads between projected tensors (``torch.nn.MultiheadAttention``).

    Args:
        embed_dim: size of queries and of the output.
        num_heads: number of heads; divides ``embed_dim``.
        dropout: probability of dropping a weight while training.
        bias: add learned biases to the projections.
        add_bias_kv: one more learned key and value.
        add_zero_attn: one more key and value of zeros.
        kdim: size of keys; default ``embed_dim``.
        vdim: size of values; default ``embed_dim``.
        batch_first: tensors are ``(batch, length, size)``, not ``(length, batch, size)``.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.

    Called with ``query``, ``key`` and ``value``, with or without a batch, it returns the output
    and the weights ``(batch, queries, keys)``, None unless ``need_weights``. In masks True hides a
    key; numbers are added to scores.

    Raises:
        ArgumentError: if the heads do not divide the size.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> x = gc.randn(2, 5, 8)
        >>> out, weights = nn.MultiheadAttention(8, 2, batch_first=True)(x, x, x)
        >>> out.shape, weights.shape
        ((2, 5, 8), (2, 5, 5))
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True,
        add_bias_kv: bool = False, add_zero_attn: bool = False, kdim: int | None = None,
        vdim: int | None = None, batch_first: bool = False, device: object = None,
        dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if embed_dim < 1 or num_heads < 1 or embed_dim % num_heads:
            raise ArgumentError(
                "MultiheadAttention: num_heads must divide embed_dim",
                got=f"{num_heads} heads, size {embed_dim}", where=user_location_text(),
            )  # fmt: skip
        self.embed_dim, self.num_heads = embed_dim, num_heads
        self.head_dim = embed_dim // num_heads
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.dropout, self.batch_first, self.add_zero_attn = dropout, batch_first, add_zero_attn
        of = element_type(device, dtype)
        same = self.kdim == embed_dim and self.vdim == embed_dim
        shapes: dict[str, tuple[int, ...] | None] = {
            "in_proj_weight": (3 * embed_dim, embed_dim) if same else None,
            "q_proj_weight": None if same else (embed_dim, embed_dim),
            "k_proj_weight": None if same else (embed_dim, self.kdim),
            "v_proj_weight": None if same else (embed_dim, self.vdim),
            "in_proj_bias": (3 * embed_dim,) if bias else None,
            "bias_k": (1, 1, embed_dim) if add_bias_kv else None,
            "bias_v": (1, 1, embed_dim) if add_bias_kv else None,
        }
        for name, shape in shapes.items():
            made = None if shape is None else Parameter(zeros(shape, of))
            self.register_parameter(name, made)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, device, dtype)
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for weight in (
            self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight,
        ):  # fmt: skip
            if weight is not None:
                init.xavier_uniform_(weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for more in (self.bias_k, self.bias_v):
            if more is not None:
                init.xavier_normal_(more)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None,
        need_weights: bool = True, attn_mask: Tensor | None = None,
        average_attn_weights: bool = True, is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:  # fmt: skip
        turned = self.batch_first and query.ndim == 3
        if turned:
            query, key, value = (transpose(x, 0, 1) for x in (query, key, value))
        out, weights = multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight,
            self.in_proj_bias, self.bias_k, self.bias_v, self.add_zero_attn, self.dropout,
            self.out_proj.weight, self.out_proj.bias, self.training, key_padding_mask,
            need_weights, attn_mask, self.in_proj_weight is None, self.q_proj_weight,
            self.k_proj_weight, self.v_proj_weight, average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )  # fmt: skip
        return transpose(out, 0, 1) if turned else out, weights
