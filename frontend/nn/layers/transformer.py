"""Transformers: stacks of encoder and decoder layers."""

from __future__ import annotations

import copy

import numpy as np

from graphc.dtypes import DTypeLike
from graphc.errors import ShapeError
from graphc.frontend.making import concrete
from graphc.frontend.nn import init
from graphc.frontend.nn.containers import ModuleList
from graphc.frontend.nn.functional.activation import relu
from graphc.frontend.nn.functional.shapes import agree
from graphc.frontend.nn.layers.normalization import LayerNorm
from graphc.frontend.nn.layers.transformer_layers import (
    Activation,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
)  # fmt: skip
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.parameter import element_type
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

__all__ = ["Transformer", "TransformerDecoder", "TransformerEncoder"]


def _copies(layer: Module, count: int) -> ModuleList:
    return ModuleList(copy.deepcopy(layer) for _ in range(count))


class TransformerEncoder(Module):
    """Encoder layers one after the other (``torch.nn.TransformerEncoder``).

    Args:
        encoder_layer: the layer that is copied; the copies start with the same values.
        num_layers: how many copies.
        norm: what normalizes the output.
        enable_nested_tensor: accepted; padded places are computed like all others.
        mask_check: accepted, as above.
    """

    norm: Module | None

    def __init__(
        self, encoder_layer: Module, num_layers: int, norm: Module | None = None,
        enable_nested_tensor: bool = True, mask_check: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check

    def forward(
        self, src: Tensor, mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:  # fmt: skip
        for layer in self.layers:
            src = layer(
                src, src_mask=mask, src_key_padding_mask=src_key_padding_mask,
                is_causal=bool(is_causal),
            )  # fmt: skip
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """Decoder layers one after the other (``torch.nn.TransformerDecoder``).

    Args:
        decoder_layer: the layer that is copied; the copies start with the same values.
        num_layers: how many copies.
        norm: what normalizes the output.
    """

    norm: Module | None

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None, tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None, tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        for layer in self.layers:
            tgt = layer(
                tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=bool(tgt_is_causal), memory_is_causal=memory_is_causal,
            )  # fmt: skip
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder, and a decoder that reads its output (``torch.nn.Transformer``).

    Args:
        d_model: size of vectors.
        nhead: number of heads.
        num_encoder_layers: layers of the encoder.
        num_decoder_layers: layers of the decoder.
        dim_feedforward: size between the linear maps.
        dropout: probability of dropping while training.
        activation: ``"relu"``, ``"gelu"``, a function or a module.
        custom_encoder: another encoder.
        custom_decoder: another decoder.
        layer_norm_eps: of the norms.
        batch_first: tensors are ``(batch, length, size)``, not ``(length, batch, size)``.
        norm_first: normalize before each part, not after it.
        bias: learn biases.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> model = nn.Transformer(8, 2, 1, 1, 16, batch_first=True).eval()
        >>> model(gc.randn(2, 5, 8), gc.randn(2, 3, 8)).shape
        (2, 3, 8)
    """

    def __init__(
        self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6,
        num_decoder_layers: int = 6, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: str | Activation = relu, custom_encoder: Module | None = None,
        custom_decoder: Module | None = None, layer_norm_eps: float = 1e-5,
        batch_first: bool = False, norm_first: bool = False, bias: bool = True,
        device: object = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        form = (
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
            norm_first, bias, device, dtype,
        )  # fmt: skip
        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*form), num_encoder_layers,
            LayerNorm(d_model, layer_norm_eps, True, bias, device, dtype),
        )  # fmt: skip
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*form), num_decoder_layers,
            LayerNorm(d_model, layer_norm_eps, True, bias, device, dtype),
        )  # fmt: skip
        self._reset_parameters()
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def _reset_parameters(self) -> None:
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self, src: Tensor, tgt: Tensor, src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None, memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None, tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None, src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        self._check(src, tgt)
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        out: Tensor = self.decoder(
            tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )  # fmt: skip
        return out

    def _check(self, src: Tensor, tgt: Tensor) -> None:
        at = 0 if self.batch_first else 1
        batches = [x.shape[at : at + 1] if x.ndim == 3 else () for x in (src, tgt)]
        fits = all(agree(x.shape[-1:], (self.d_model,)) for x in (src, tgt))
        if not fits or not agree(*batches):
            raise ShapeError(
                "Transformer: source and target must have the same batch and vectors of d_model",
                got=f"{src.type}, {tgt.type}", expected=f"vectors of size {self.d_model}",
                where=user_location_text(),
            )  # fmt: skip

    @staticmethod
    def generate_square_subsequent_mask(
        sz: int, device: object = None, dtype: DTypeLike | None = None
    ) -> Tensor:
        """``(sz, sz)``: -inf above the diagonal, which hides what comes later, and 0 elsewhere.

        Args:
            sz: number of elements of the sequence.
            device: None or ``"cpu"``.
            dtype: default float32.
        """
        of = element_type(device, dtype)
        return concrete(np.triu(np.full((sz, sz), -np.inf), k=1).astype(of.numpy))
