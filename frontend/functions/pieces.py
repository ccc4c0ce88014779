"""Tensors of pieces, and pieces of tensors: cat, stack, narrow, split, chunk, unbind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphc.dims import Dim, Size
from graphc.errors import ArgumentError, IndexRangeError, ShapeError
from graphc.frontend.functions.aliases import also_called
from graphc.frontend.functions.convert import (
    cast,
    common_dtype,
    normalize_dim,
    require_rank,
    require_tensor,
    tensor_sequence,
)  # fmt: skip
from graphc.frontend.functions.shaping import drop_dims, unsqueeze
from graphc.frontend.memory.unwritten import unchanged
from graphc.ops import shape as ops
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "cat",
    "chunk",
    "narrow",
    "split",
    "stack",
    "unbind",
]


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors along a dim; dtypes are promoted (``torch.cat``).

    Raises:
        ShapeError: if other sizes differ.
        ArgumentError: if there are no tensors.
    """
    parts = tensor_sequence("cat", tensors)
    if not parts:
        raise ArgumentError("cat: expected one tensor or more", where=user_location_text())
    empty = [x for x in parts if x.shape == (0,)]
    parts = [x for x in parts if x.shape != (0,)] or [empty.pop(0)]
    if parts[0].ndim == 0:
        raise ShapeError(
            "cat: tensors without dims cannot be joined", fix="use stack",
            where=user_location_text(),
        )  # fmt: skip
    dtype = common_dtype("cat", tensors)
    axis = normalize_dim("cat", dim, parts[0].ndim)
    return unchanged(ops.concat(*(cast(x, dtype) for x in parts), dim=axis), empty)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors of one shape along a new dim (``torch.stack``).

    Raises:
        ArgumentError: if there are no tensors.
        ShapeError: if shapes differ.
    """
    parts = tensor_sequence("stack", tensors)
    if not parts:
        raise ArgumentError("stack: expected one tensor or more", where=user_location_text())
    axis = normalize_dim("stack", dim, parts[0].ndim + 1)
    for part in parts:
        if part.shape != parts[0].shape:
            raise ShapeError(
                "stack: tensors must have one shape", got=f"{parts[0].type} and {part.type}",
                where=user_location_text(),
            )  # fmt: skip
    return cat([unsqueeze(x, axis) for x in parts], axis)


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """``length`` elements from ``start`` along a dim (``torch.narrow``).

    Raises:
        IndexRangeError: for elements outside the dim.
    """
    x = require_tensor("narrow", input)
    axis = normalize_dim("narrow", dim, x.ndim)
    size = _size("narrow", x, axis)
    first = start + size if start < 0 else start
    outside = length < 0
    if isinstance(size, int) and isinstance(first, int):
        outside = outside or not 0 <= first <= first + length <= size
    if outside:
        raise IndexRangeError(
            "narrow: the elements lie outside the dim",
            got=f"{length} from {start}",
            expected=f"inside {size}",
            where=user_location_text(),
        )
    return ops.narrow(x, axis, first, first + length)


def _size(function: str, x: Tensor, axis: int) -> Size:
    size: Size = require_rank(function, x, 1).shape[axis]
    return size


@also_called(split_size="split_size_or_sections")
def split(
    tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Pieces of one size (the last may be smaller) or of given sizes (``torch.split``).

    Raises:
        ArgumentError: for a size that is not positive, and for sizes that do not add up.
        ShapeError: for tensors without dims, and for sizes that are not known while recording.
    """
    x = require_tensor("split", tensor)
    axis = normalize_dim("split", dim, x.ndim)
    size = known_size("split", x, axis)
    if isinstance(split_size_or_sections, int):
        step = split_size_or_sections
        if step < 0 or (step == 0 and size):
            raise ArgumentError(
                "split: the size must be positive", got=str(step), where=user_location_text()
            )
        sections = [min(step, size - at) for at in range(0, size, max(step, 1))] or [0]
    else:
        sections = list(split_size_or_sections)
        if sum(sections) != size:
            raise ArgumentError(
                "split: sizes do not add up", got=f"{sections}", expected=f"a sum of {size}",
                where=user_location_text(),
            )  # fmt: skip
    pieces, start = [], 0
    for length in sections:
        pieces.append(ops.narrow(x, axis, start, start + length))
        start += length
    return tuple(pieces)


def known_size(function: str, x: Tensor, axis: int) -> int:
    """The size of a dim; ShapeError if it is not known while recording."""
    size = _size(function, x, axis)
    if isinstance(size, Dim):
        raise ShapeError(
            f"{function}: the number of pieces must be known while recording", got=str(x.type),
            where=user_location_text(),
        )  # fmt: skip
    return size


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` pieces of one size, the last may be smaller (``torch.chunk``).

    Raises:
        ArgumentError: for fewer chunks than one.
        ShapeError: for tensors without dims, and for sizes that are not known while recording.
    """
    x = require_tensor("chunk", input)
    if chunks < 1:
        raise ArgumentError(
            "chunk: expected one chunk or more", got=str(chunks), where=user_location_text()
        )
    axis = normalize_dim("chunk", dim, x.ndim)
    size = known_size("chunk", x, axis)
    if size == 0:
        return (x,) * chunks
    return split(x, -(-size // chunks), axis)


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """All slices along a dim, without it (``torch.unbind``).

    Raises:
        ShapeError: for tensors without dims, and for sizes that are not known while recording.
    """
    x = require_tensor("unbind", input)
    axis = normalize_dim("unbind", dim, x.ndim)
    count = known_size("unbind", x, axis)
    return tuple(drop_dims(ops.narrow(x, axis, at, at + 1), (axis,)) for at in range(count))
