"""Which elements: masks, positions that are not zero, and places in sorted values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from graphc.dtypes import BOOLEAN, int32
from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.frontend.base import is_tensor
from graphc.frontend.functions.convert import (
    Number,
    cast,
    normalize_dim,
    promote,
    require_tensor,
)  # fmt: skip
from graphc.frontend.functions.indexing import getitem, non_negative
from graphc.frontend.functions.picking import gather, int_index
from graphc.frontend.functions.shaping import expand, reshape
from graphc.frontend.making import concrete
from graphc.ops import index as ops
from graphc.ops import search
from graphc.provenance import user_location_text
from graphc.shapes import broadcast_shapes

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "argwhere",
    "bucketize",
    "masked_select",
    "nonzero",
    "searchsorted",
    "take",
]


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Tensor | tuple[Tensor, ...]:
    """The positions of elements that are not zero; dynamic mode only (``torch.nonzero``).

    Args:
        input: tensor.
        as_tuple: one vector per dim, as an index takes them, in place of one row per element.

    Raises:
        SymbolicValueError: while recording, since the number of elements is not known.

    Example:
        >>> import graphc as gc
        >>> gc.nonzero(gc.tensor([[0, 3], [4, 0]]))
        tensor([[0, 1],
                [1, 0]])
    """
    values = require_tensor("nonzero", input).array("the number of non-zero elements")
    if as_tuple:
        return tuple(concrete(each.astype(np.int64)) for each in np.nonzero(np.atleast_1d(values)))
    return concrete(np.argwhere(values).astype(np.int64))


def argwhere(input: Tensor) -> Tensor:
    """The positions of elements that are not zero, a row each (``torch.argwhere``)."""
    values = require_tensor("argwhere", input).array("the number of non-zero elements")
    return concrete(np.argwhere(values).astype(np.int64))


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """A vector of the elements where the mask is True; dynamic mode only.

    Args:
        input: tensor; broadcast with the mask.
        mask: bool.

    Raises:
        SymbolicValueError: while recording, since the number of elements is not known.

    Source: ``torch.masked_select``.
    """
    x, chosen = require_tensor("masked_select", input), require_tensor("masked_select", mask)
    if chosen.dtype.category != BOOLEAN:
        raise DTypeError(
            "masked_select: the mask must be bool", got=chosen.dtype.name,
            where=user_location_text(),
        )  # fmt: skip
    shape = broadcast_shapes(x.shape, chosen.shape)
    if shape is None:
        raise ShapeError(
            "masked_select: shapes do not broadcast", got=f"{x.type} and {chosen.type}",
            where=user_location_text(),
        )  # fmt: skip
    wide = shape or (1,)
    return getitem(expand(x, wide), expand(chosen, wide))


def take(input: Tensor, index: Tensor) -> Tensor:
    """Elements by their position in index order; negative ones count from the end.

    Source: ``torch.take``.
    """
    x = reshape(require_tensor("take", input), (-1,))
    places = non_negative(int_index("take", index), x.shape[0])
    return ops.index(x, places, dims=(0,), what="take: index")


def searchsorted(
    sorted_sequence: Tensor, input: Tensor | Number, *, out_int32: bool = False,
    right: bool = False, side: Literal["left", "right"] | None = None,
    sorter: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Where values would be inserted so that the last dim stays sorted.

    Args:
        sorted_sequence: sorted along its last dim; a vector serves values of any shape.
        input: values of the same dtype, or a number.
        out_int32: int32 places in place of int64.
        right: after equal elements instead of before them.
        side: ``"left"`` or ``"right"``, another name for ``right``.
        sorter: the order that sorts ``sorted_sequence``, if it is not sorted.

    Raises:
        ArgumentError: if ``side`` contradicts ``right`` or is something else.

    Source: ``torch.searchsorted``.

    Example:
        >>> import graphc as gc
        >>> gc.searchsorted(gc.tensor([1, 3, 5]), gc.tensor([3, 6]), right=True)
        tensor([2, 3])
    """
    sequence = require_tensor("searchsorted", sorted_sequence)
    if side not in (None, "left", "right") or (side == "left" and right):
        raise ArgumentError(
            "searchsorted: side must be left or right, and agree with right",
            got=f"side={side!r}, right={right}", where=user_location_text(),
        )  # fmt: skip
    if sorter is not None:
        order = int_index("searchsorted", sorter)
        if order.shape != sequence.shape:
            raise ShapeError(
                "searchsorted: the sorter must have the sequence's shape", got=str(order.type),
                expected=str(sequence.type), where=user_location_text(),
            )  # fmt: skip
        sequence = gather(sequence, normalize_dim("searchsorted", -1, sequence.ndim), order)
    if is_tensor(input):
        values = input
    else:
        sequence, values = promote("searchsorted", sequence, input)
    found = search.searchsorted(sequence, values, right=right or side == "right")
    return cast(found, int32) if out_int32 else found


def bucketize(
    input: Tensor | Number, boundaries: Tensor, *, out_int32: bool = False, right: bool = False
) -> Tensor:
    """The bucket that each value falls into (``torch.bucketize``).

    Args:
        input: values.
        boundaries: sorted vector.
        out_int32: int32 in place of int64.
        right: a boundary belongs to the bucket above it.

    Raises:
        ShapeError: for boundaries that are no vector.
    """
    if require_tensor("bucketize", boundaries).ndim != 1:
        raise ShapeError(
            "bucketize: the boundaries must be a vector", got=str(boundaries.type),
            where=user_location_text(),
        )  # fmt: skip
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
