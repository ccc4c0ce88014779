"""Tables of vectors that are read by index, as layers."""

from __future__ import annotations

from typing import Any, Self

from graphc.dtypes import DTypeLike
from graphc.errors import ShapeError
from graphc.frontend.nn import init
from graphc.frontend.nn.functional.embedding import check_padding, embedding, embedding_bag
from graphc.frontend.nn.functional.shapes import agree
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.parameter import Parameter, element_type, zeros
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

__all__ = ["Embedding", "EmbeddingBag"]


class _Table(Module):
    """A table of vectors."""

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None,
        max_norm: float | None, norm_type: float, scale_grad_by_freq: bool, sparse: bool,
        weight: Tensor | None, freeze: bool, device: object, dtype: DTypeLike | None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = (
            None if padding_idx is None else check_padding(padding_idx, num_embeddings)
        )
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        shape = (num_embeddings, embedding_dim)
        if weight is None:
            table = zeros(shape, element_type(device, dtype))
            self.weight = Parameter(table, requires_grad=not freeze)
            self.reset_parameters()
        elif agree(weight.shape, shape):
            self.weight = Parameter(weight, requires_grad=not freeze)
        else:
            raise ShapeError(
                f"{type(self).__name__}: the table has another shape", got=str(weight.type),
                expected=str(shape), where=user_location_text(),
            )  # fmt: skip

    def _options(self) -> str:
        """What the text of both tables says of norms and gradients, if they are no defaults."""
        text = "" if self.max_norm is None else f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        return text + (", scale_grad_by_freq=True" if self.scale_grad_by_freq else "")

    @classmethod
    def _over(cls, embeddings: Tensor, freeze: bool, **options: Any) -> Self:
        if embeddings.ndim != 2:
            raise ShapeError(
                f"{cls.__name__}.from_pretrained: expected (rows, size)", got=str(embeddings.type),
                where=user_location_text(),
            )  # fmt: skip
        rows, size = embeddings.shape
        made = cls(rows, size, _weight=embeddings, **options)  # type: ignore[call-arg]  # subclasses take it
        made.weight.requires_grad_(not freeze)
        return made

    def reset_parameters(self) -> None:
        """Draw new start values."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.storage.array[self.padding_idx] = 0


class Embedding(_Table):
    """A table of vectors that is read by index (``torch.nn.Embedding``).

    Args:
        num_embeddings: rows of the table.
        embedding_dim: size of each vector.
        padding_idx: a row that starts as zeros and gets no gradient.
        max_norm: rows that are read and have a larger norm are scaled to it, in place.
        norm_type: which norm.
        scale_grad_by_freq: divide a row's gradient by how often the row is read.
        sparse: no effect on values; gradients are dense.
        _weight: the table itself, whose memory is shared.
        _freeze: do not train the table.
        device: None or ``"cpu"``.
        dtype: of the table; default float32.

    ``weight`` is ``(num_embeddings, embedding_dim)`` and starts standard normal.
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None,
        max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
        sparse: bool = False, _weight: Tensor | None = None, _freeze: bool = False,
        device: object = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq,
            sparse, _weight, _freeze, device, dtype,
        )  # fmt: skip

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None,
        max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Self:  # fmt: skip
        """A layer over a given table.

        Args:
            embeddings: ``(rows, size)``; its memory is shared.
            freeze: do not train the table.
            padding_idx: a row that gets no gradient; it keeps its values.
            max_norm: as for the layer.
            norm_type: as for the layer.
            scale_grad_by_freq: as for the layer.
            sparse: as for the layer.
        """
        return cls._over(
            embeddings, freeze, padding_idx=padding_idx, max_norm=max_norm, norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq, sparse=sparse,
        )  # fmt: skip

    def forward(self, input: Tensor) -> Tensor:
        return embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type,
            self.scale_grad_by_freq, self.sparse,
        )  # fmt: skip

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        return text + self._options() + (", sparse=True" if self.sparse else "")


class EmbeddingBag(_Table):
    """The sum, mean or maximum of the rows of each bag of indices (``torch.nn.EmbeddingBag``).

    Args:
        num_embeddings: rows of the table.
        embedding_dim: size of each vector.
        max_norm: rows that are read and have a larger norm are scaled to it, in place.
        norm_type: which norm.
        scale_grad_by_freq: divide a row's gradient by how often the row is read.
        mode: ``"sum"``, ``"mean"`` or ``"max"``.
        sparse: no effect on values; gradients are dense.
        _weight: the table itself, whose memory is shared.
        include_last_offset: the last offset ends the last bag.
        padding_idx: an index that bags leave out.
        device: None or ``"cpu"``.
        dtype: of the table; default float32.

    Called with ``(bags, length)`` indices, or all bags in one row and their ``offsets``.
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, max_norm: float | None = None,
        norm_type: float = 2.0, scale_grad_by_freq: bool = False, mode: str = "mean",
        sparse: bool = False, _weight: Tensor | None = None, include_last_offset: bool = False,
        padding_idx: int | None = None, device: object = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq,
            sparse, _weight, False, device, dtype,
        )  # fmt: skip
        self.mode, self.include_last_offset = mode, include_last_offset

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, max_norm: float | None = None,
        norm_type: float = 2.0, scale_grad_by_freq: bool = False, mode: str = "mean",
        sparse: bool = False, include_last_offset: bool = False, padding_idx: int | None = None,
    ) -> Self:  # fmt: skip
        """A layer over a given table; see the layer for its arguments.

        Args:
            embeddings: ``(rows, size)``; its memory is shared.
            freeze: do not train the table.
            max_norm: as for the layer.
            norm_type: as for the layer.
            scale_grad_by_freq: as for the layer.
            mode: as for the layer.
            sparse: as for the layer.
            include_last_offset: as for the layer.
            padding_idx: as for the layer.
        """
        return cls._over(
            embeddings, freeze, max_norm=max_norm, norm_type=norm_type, mode=mode, sparse=sparse,
            scale_grad_by_freq=scale_grad_by_freq, include_last_offset=include_last_offset,
            padding_idx=padding_idx,
        )  # fmt: skip

    def forward(
        self, input: Tensor, offsets: Tensor | None = None,
        per_sample_weights: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        return embedding_bag(
            input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq,
            self.mode, self.sparse, per_sample_weights, self.include_last_offset, self.padding_idx,
        )  # fmt: skip

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}{self._options()}, mode={self.mode!r}"
        return text + ("" if self.padding_idx is None else f", padding_idx={self.padding_idx}")
