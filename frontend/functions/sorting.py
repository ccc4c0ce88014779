"""Sorting, and elements by their rank (``torch.sort`` and the like).

Equal elements keep their order, and NaN counts as the largest, everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.dims import Size
from graphc.dtypes import int64
from graphc.errors import ArgumentError, IndexRangeError
from graphc.frontend.functions.convert import (
    normalize_dim,
    require_tensor,
    scalar_tensor,
)  # fmt: skip
from graphc.frontend.functions.creation import arange
from graphc.frontend.functions.reduction import ValuesAndIndices
from graphc.frontend.functions.shaping import drop_dims, reshape
from graphc.ops import comparison, elementwise, reduce, scan
from graphc.ops import sort as ops
from graphc.ops.index import gather
from graphc.ops.select import where
from graphc.ops.shape import narrow, pad
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["argsort", "kthvalue", "mode", "msort", "sort", "topk"]


def sort(
    input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False
) -> ValuesAndIndices:
    """The elements in order along a dim, and where they were.

    Args:
        input: tensor.
        dim: the dim.
        descending: from the largest to the smallest.
        stable: equal elements keep their order; they do so anyway.

    Returns:
        ``values`` and int64 ``indices``, both of the input's shape.

    Source: ``torch.sort``.

    Example:
        >>> import graphc as gc
        >>> gc.sort(gc.tensor([3.0, 1.0, 2.0])).indices
        tensor([1, 2, 0])
    """
    x = require_tensor("sort", input)
    axis = normalize_dim("sort", dim, x.ndim)
    if x.ndim == 0:
        return ValuesAndIndices(x, scalar_tensor(0, int64))
    indices = ops.argsort(x, dim=axis, descending=bool(descending))
    return ValuesAndIndices(gather(x, indices, dim=axis), indices)


def argsort(
    input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False
) -> Tensor:
    """The positions that sort along a dim (``torch.argsort``); see ``sort``."""
    x = require_tensor("argsort", input)
    axis = normalize_dim("argsort", dim, x.ndim)
    if x.ndim == 0:
        return scalar_tensor(0, int64)
    return ops.argsort(x, dim=axis, descending=bool(descending))


def msort(input: Tensor) -> Tensor:
    """The elements in order along the first dim (``torch.msort``)."""
    x = require_tensor("msort", input)
    axis = normalize_dim("msort", 0, x.ndim)
    return ops.sort(x, dim=axis, descending=False) if x.ndim else x


def topk(
    input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> ValuesAndIndices:
    """The ``k`` largest or smallest elements along a dim, and where they are.

    Args:
        input: tensor.
        k: how many.
        dim: the dim.
        largest: False for the smallest ones.
        sorted: from the most extreme one on; they are so anyway.

    Raises:
        IndexRangeError: for more elements than there are.

    Source: ``torch.topk``.

    Example:
        >>> import graphc as gc
        >>> gc.topk(gc.tensor([1.0, 4.0, 3.0]), 2).values
        tensor([4., 3.])
    """
    x = require_tensor("topk", input)
    axis = normalize_dim("topk", dim, x.ndim)
    _require_rank("topk", k, x.shape[axis] if x.ndim else 1, first=0)
    if x.ndim == 0:
        return ValuesAndIndices(x, scalar_tensor(0, int64))
    indices = ops.argsort_part(x, dim=axis, descending=bool(largest), start=0, stop=k)
    return ValuesAndIndices(gather(x, indices, dim=axis), indices)


def _require_rank(function: str, k: int, size: Size, *, first: int) -> None:
    if isinstance(k, bool) or not isinstance(k, int):
        raise ArgumentError(
            f"{function}: k must be a whole number", got=repr(k), where=user_location_text()
        )
    if k < first or (isinstance(size, int) and k > size):
        raise IndexRangeError(
            f"{function}: k out of range", got=str(k), expected=f"{first}..{size}",
            where=user_location_text(),
        )  # fmt: skip


def picked(x: Tensor, places: Tensor, axis: int, keepdim: bool) -> ValuesAndIndices:
    """The elements at one place of each lane, with these places."""
    values = gather(x, places, dim=axis)
    if keepdim:
        return ValuesAndIndices(values, places)
    return ValuesAndIndices(drop_dims(values, (axis,)), drop_dims(places, (axis,)))


def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> ValuesAndIndices:
    """The ``k``-th smallest element along a dim, counted from 1, and where it is.

    Raises:
        IndexRangeError: for ``k`` outside ``1 .. size``.

    Source: ``torch.kthvalue``.
    """
    x = require_tensor("kthvalue", input)
    axis = normalize_dim("kthvalue", dim, x.ndim)
    _require_rank("kthvalue", k, x.shape[axis] if x.ndim else 1, first=1)
    if x.ndim == 0:
        return ValuesAndIndices(x, scalar_tensor(0, int64))
    place = ops.argsort_part(x, dim=axis, descending=False, start=k - 1, stop=k)
    return picked(x, place, axis, keepdim)


def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> ValuesAndIndices:
    """The most common element along a dim, the smallest of such, and where it is last.

    Source: ``torch.mode``.
    """
    x = require_tensor("mode", input)
    axis = normalize_dim("mode", dim, x.ndim)
    if x.ndim == 0:
        return ValuesAndIndices(x, scalar_tensor(0, int64))
    size = require_elements("mode", x, axis)
    order = ops.argsort(x, dim=axis, descending=False)
    values = gather(x, order, dim=axis).detach()
    differs = comparison.ne(narrow(values, axis, 1, size), narrow(values, axis, 0, size - 1))
    places = reshape(arange(size), (-1, *(1,) * (x.ndim - axis - 1)))
    begins = where(differs, narrow(places, 0, 1, size), scalar_tensor(0, int64))
    one = tuple(int(dim == axis) for dim in range(x.ndim))
    starts = pad(begins, low=one, high=(0,) * x.ndim, interior=(0,) * x.ndim, value=0)
    latest = gather(starts, scan.cumargmax(starts, dim=axis), dim=axis)
    longest = reduce.argmax(elementwise.sub(places, latest), dims=(axis,))
    return picked(x, gather(order, longest, dim=axis), axis, keepdim)


def require_elements(function: str, x: Tensor, axis: int) -> Size:
    """The dim's size; IndexRangeError if it is 0."""
    size: Size = x.shape[axis]
    if size == 0:
        raise IndexRangeError(
            f"{function}: expected a dim with one element or more", got=str(x.type),
            where=user_location_text(),
        )  # fmt: skip
    return size
