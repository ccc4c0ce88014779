"""Layers with a table of weights: linear maps and embeddings."""

from __future__ import annotations

import math

from graphc.dtypes import DTypeLike
from graphc.frontend.nn import init
from graphc.frontend.nn.functional.embedding import check_padding, embedding
from graphc.frontend.nn.functional.linear import linear
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.parameter import Parameter, element_type, zeros
from graphc.frontend.tensor import Tensor


class Linear(Module):
    """``x @ weight.T + bias`` (``torch.nn.Linear``).

    Args:
        in_features: last size of the input.
        out_features: last size of the output.
        bias: add a learned bias.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.

    ``weight`` is ``(out_features, in_features)``; it and ``bias`` start uniform within
    ``1 / sqrt(in_features)``.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> nn.Linear(20, 30)(gc.randn(128, 20)).shape
        (128, 30)
    """

    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: object = None,
        dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        of = element_type(device, dtype)
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(zeros((out_features, in_features), of))
        self.register_parameter("bias", Parameter(zeros((out_features,), of)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new start values."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Embedding(Module):
    """A table of vectors that is read by index (``torch.nn.Embedding``).

    Args:
        num_embeddings: rows of the table.
        embedding_dim: size of each vector.
        padding_idx: a row that starts as zeros and gets no gradient.
        max_norm: rows that are read and have a larger norm are scaled to it, in place.
        norm_type: which norm.
        scale_grad_by_freq: divide a row's gradient by how often the row is read.
        sparse: no effect on values; gradients are dense.
        device: None or ``"cpu"``.
        dtype: of the table; default float32.

    ``weight`` is ``(num_embeddings, embedding_dim)`` and starts standard normal.
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None,
        max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
        sparse: bool = False, device: object = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = (
            None if padding_idx is None else check_padding(padding_idx, num_embeddings)
        )
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        table = zeros((num_embeddings, embedding_dim), element_type(device, dtype))
        self.weight = Parameter(table)
        self.reset_parameters()

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None
    ) -> Embedding:
        """A layer over a given table.

        Args:
            embeddings: ``(rows, size)``; its memory is shared.
            freeze: do not train the table.
            padding_idx: a row that gets no gradient; it keeps its values.
        """
        rows, size = embeddings.shape
        made = cls(rows, size, padding_idx, dtype=embeddings.dtype)
        made.weight = Parameter(embeddings, requires_grad=not freeze)
        return made

    def reset_parameters(self) -> None:
        """Draw new start values."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.storage.array[self.padding_idx] = 0

    def forward(self, input: Tensor) -> Tensor:
        return embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type,
            self.scale_grad_by_freq, self.sparse,
        )  # fmt: skip

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            text += ", scale_grad_by_freq=True"
        return text + (", sparse=True" if self.sparse else "")
