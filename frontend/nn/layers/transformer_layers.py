"""One layer of a transformer: attention and two linear maps, with residuals and norms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

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


class _Layer(Module):
    """Attentions and two linear maps, each with dropout, a residual and a norm."""

    attentions: ClassVar[tuple[str, ...]]
    activation: Activation

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: str | Activation = relu, layer_norm_eps: float = 1e-5,
        batch_first: bool = False, norm_first: bool = False, bias: bool = True,
        device: object = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        for name in self.attentions:
            attention = MultiheadAttention(
                d_model, nhead, dropout, bias, batch_first=batch_first, device=device, dtype=dtype
            )
            self.register_module(name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias, device, dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, device, dtype)
        self.norm_first = norm_first
        places = range(1, len(self.attentions) + 2)
        for place in places:
            norm = LayerNorm(d_model, layer_norm_eps, True, bias, device, dtype)
            self.register_module(f"norm{place}", norm)
        for place in places:
            self.register_module(f"dropout{place}", Dropout(dropout))
        self.activation = _named(activation)

    def _attend(
        self, attention: Any, x: Tensor, memory: Tensor, mask: Tensor | None,
        padding: Tensor | None, is_causal: bool,
    ) -> Tensor:  # fmt: skip
        attended: Tensor = attention(
            x, memory, memory, attn_mask=mask, key_padding_mask=padding, need_weights=False,
            is_causal=is_causal,
        )[0]  # fmt: skip
        return attended

    def _feed(self, x: Tensor) -> Tensor:
        out: Tensor = self.linear2(self.dropout(self.activation(self.linear1(x))))
        return out

    def _through(self, x: Tensor, *attend: Callable[[Tensor], Tensor]) -> Tensor:
        """Apply the attentions and the linear maps, each beside a residual."""
        for place, part in enumerate((*attend, self._feed), 1):
            norm, dropout = getattr(self, f"norm{place}"), getattr(self, f"dropout{place}")
            if self.norm_first:
                x = x + dropout(part(norm(x)))
            else:
                x = norm(x + dropout(part(x)))
        return x


class TransformerEncoderLayer(_Layer):
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

    attentions = ("self_attn",)

    def forward(
        self, src: Tensor, src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None, is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        return self._through(
            src,
            lambda x: self._attend(self.self_attn, x, x, src_mask, src_key_padding_mask, is_causal),
        )


class TransformerDecoderLayer(_Layer):
    """Attention to itself and to a memory, and two linear maps.

    The arguments are those of ``TransformerEncoderLayer``.

    Source: ``torch.nn.TransformerDecoderLayer``.
    """

    attentions = ("self_attn", "multihead_attn")

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None, tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None, tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        return self._through(
            tgt,
            lambda x: self._attend(
                self.self_attn, x, x, tgt_mask, tgt_key_padding_mask, tgt_is_causal
            ),
            lambda x: self._attend(
                self.multihead_attn, x, memory, memory_mask, memory_key_padding_mask,
                memory_is_causal,
            ),
        )  # fmt: skip
