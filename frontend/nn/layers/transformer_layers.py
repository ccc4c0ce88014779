"""One layer of a transformer: attention and two linear maps, with residuals and norms."""

from __future__ import annotations

from collections.abc import Callable

from graphc.dtypes import DTypeLike
from graphc.errors import ArgumentError
from graphc.frontend.nn.functional.activation import gelu, relu
from graphc.frontend.nn.layers.attention import MultiheadAttention
from graphc.frontend.nn.layers.dropout import Dropout
from graphc.frontend.nn.layers.linear import Linear
from graphc.frontend.nn.layers.normalization import LayerNorm
from graphc.frontend.nn.module import Module
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

__all__ = ["TransformerDecoderLayer", "TransformerEncoderLayer"]

Activation = Callable[[Tensor], Tensor]


def _named(activation: str | Activation) -> Activation:
    if not isinstance(activation, str):
        return activation
    if activation not in ("relu", "gelu"):
        raise ArgumentError(
            "transformers: unknown activation", got=repr(activation),
            expected="'relu', 'gelu' or a function", where=user_location_text(),
        )  # fmt: skip
    return relu if activation == "relu" else gelu


class TransformerEncoderLayer(Module):
    """Attention to itself and two linear maps (``torch.nn.TransformerEncoderLayer``).

    Args:
        d_model: size of vectors.
        nhead: number of heads.
        dim_feedforward: size between the linear maps.
        dropout: probability of dropping while training.
        activation: ``"relu"``, ``"gelu"``, a function or a module.
        layer_norm_eps: of the norms.
        batch_first: tensors are ``(batch, length, size)``, not ``(length, batch, size)``.
        norm_first: normalize before each part, not after it.
        bias: learn biases.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.

    Raises:
        ArgumentError: for another name of an activation.
    """

    activation: Activation

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: str | Activation = relu, layer_norm_eps: float = 1e-5,
        batch_first: bool = False, norm_first: bool = False, bias: bool = True,
        device: object = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, device=device, dtype=dtype
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, device, dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, device, dtype)
        self.norm_first = norm_first
        self.norm1, self.norm2 = (
            LayerNorm(d_model, layer_norm_eps, True, bias, device, dtype) for _ in range(2)
        )
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.activation = _named(activation)

    def forward(
        self, src: Tensor, src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None, is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        x = src
        if self.norm_first:
            x = x + self._attend(self.norm1(x), src_mask, src_key_padding_mask, is_causal)
            return x + self._feed(self.norm2(x))
        x = self.norm1(x + self._attend(x, src_mask, src_key_padding_mask, is_causal))
        out: Tensor = self.norm2(x + self._feed(x))
        return out

    def _attend(
        self, x: Tensor, mask: Tensor | None, padding: Tensor | None, is_causal: bool
    ) -> Tensor:
        attended, _ = self.self_attn(
            x, x, x, attn_mask=mask, key_padding_mask=padding, need_weights=False,
            is_causal=is_causal,
        )  # fmt: skip
        out: Tensor = self.dropout1(attended)
        return out

    def _feed(self, x: Tensor) -> Tensor:
        out: Tensor = self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))
        return out


class TransformerDecoderLayer(Module):
    """Attention to itself and to a memory, and two linear maps.

    Args:
        d_model: size of vectors.
        nhead: number of heads.
        dim_feedforward: size between the linear maps.
        dropout: probability of dropping while training.
        activation: ``"relu"``, ``"gelu"``, a function or a module.
        layer_norm_eps: of the norms.
        batch_first: tensors are ``(batch, length, size)``, not ``(length, batch, size)``.
        norm_first: normalize before each part, not after it.
        bias: learn biases.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.

    Raises:
        ArgumentError: for another name of an activation.

    Source: ``torch.nn.TransformerDecoderLayer``.
    """

    activation: Activation

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: str | Activation = relu, layer_norm_eps: float = 1e-5,
        batch_first: bool = False, norm_first: bool = False, bias: bool = True,
        device: object = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.self_attn, self.multihead_attn = (
            MultiheadAttention(
                d_model, nhead, dropout, bias, batch_first=batch_first, device=device, dtype=dtype
            )
            for _ in range(2)
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, device, dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, device, dtype)
        self.norm_first = norm_first
        self.norm1, self.norm2, self.norm3 = (
            LayerNorm(d_model, layer_norm_eps, True, bias, device, dtype) for _ in range(3)
        )
        self.dropout1, self.dropout2, self.dropout3 = (Dropout(dropout) for _ in range(3))
        self.activation = _named(activation)

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None, tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None, tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        def attend(x: Tensor) -> Tensor:
            attended, _ = self.self_attn(
                x, x, x, attn_mask=tgt_mask, key_padding_mask=tgt_key_padding_mask,
                need_weights=False, is_causal=tgt_is_causal,
            )  # fmt: skip
            out: Tensor = self.dropout1(attended)
            return out

        def remember(x: Tensor) -> Tensor:
            attended, _ = self.multihead_attn(
                x, memory, memory, attn_mask=memory_mask,
                key_padding_mask=memory_key_padding_mask, need_weights=False,
                is_causal=memory_is_causal,
            )  # fmt: skip
            out: Tensor = self.dropout2(attended)
            return out

        x = tgt
        if self.norm_first:
            x = x + attend(self.norm1(x))
            x = x + remember(self.norm2(x))
            return x + self._feed(self.norm3(x))
        x = self.norm1(x + attend(x))
        x = self.norm2(x + remember(x))
        result: Tensor = self.norm3(x + self._feed(x))
        return result

    def _feed(self, x: Tensor) -> Tensor:
        out: Tensor = self.dropout3(self.linear2(self.dropout(self.activation(self.linear1(x)))))
        return out
