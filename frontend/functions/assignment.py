"""``x[...] = value``, and the same into a copy: index_put and the ``*_scatter`` functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphc.dtypes import BOOLEAN
from graphc.errors import IndexShapeError, ShapeError
from graphc.frontend.base import TensorBase, is_tensor
from graphc.frontend.functions.convert import (
    TensorLike,
    is_operand,
    normalize_dim,
    require_tensor,
    to_operand,
)
from graphc.frontend.functions.diagonals import diagonal
from graphc.frontend.functions.indexing import (
    apply_views,
    expand_ellipsis,
    int_position,
    is_adjacent,
    slice_bounds,
)
from graphc.frontend.functions.picking import without
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.memory.write_back import diagonal_back, slice_back
from graphc.frontend.memory.writing import assign, before_write, spread
from graphc.ops import elementwise, put, select
from graphc.ops import index as ops
from graphc.ops.shape import permute
from graphc.provenance import user_location_text
from graphc.shapes import broadcast_shapes

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["diagonal_scatter", "index_put", "select_scatter", "slice_scatter"]


def setitem(x: Tensor, key: Any, value: TensorLike) -> None:
    """``x[key] = value``: in place; while recording, x is another value from here on.

    Args:
        x: tensor; what it views and what views it see the write.
        key: as for ``x[key]``.
        value: number or tensor; broadcast and cast.

    Raises:
        AutogradError: for a leaf that requires a gradient, outside ``no_grad``.
        ShapeError: if the value does not fit.
    """
    new = to_operand(value if is_operand(value) else require_tensor("x[...] = ", value), x.dtype)
    items = expand_ellipsis(x, key if isinstance(key, tuple) else (key,))
    mask = _only_mask(items)
    if mask is not None and new.type.numel == 1:
        assign(x, _filled_where(before_write(x), items, mask, new))
        return
    viewed, arrays = apply_views(x, items)
    if arrays:
        assign(viewed, put_at(before_write(viewed), arrays, new))
    else:
        assign(viewed, _without_leading_ones(new, viewed.ndim))


def _only_mask(items: Sequence[Any]) -> Tensor | None:
    """The mask, if the other items are whole dims."""
    masks = [x for x in items if isinstance(x, TensorBase) and x.dtype.category == BOOLEAN]
    others = [x for x in items if not isinstance(x, TensorBase)]
    if len(masks) == 1 and len(others) == len(items) - 1 and is_tensor(masks[0]):
        return masks[0] if all(x == slice(None) for x in others) else None
    return None


def _filled_where(x: Tensor, items: Sequence[Any], mask: Tensor, value: Tensor) -> Tensor:
    axis = next(place for place, item in enumerate(items) if item is mask)
    if tuple(x.shape[axis : axis + mask.ndim]) != mask.shape:
        raise ShapeError(
            "the mask's shape differs from the indexed dims",
            got=f"{mask.type} for {x.type} at dim {axis}",
            where=user_location_text(),
        )
    aligned = reshape(mask, (*mask.shape, *[1] * (x.ndim - axis - mask.ndim)))
    return select.where(aligned, reshape(value, ()), x)


def _without_leading_ones(value: Tensor, rank: int) -> Tensor:
    """PyTorch lets a value have more dims than its place if they have size 1."""
    extra = value.ndim - rank
    if extra > 0 and all(size == 1 for size in value.shape[:extra]):
        return reshape(value, value.shape[extra:])
    return value


def put_at(x: Tensor, arrays: dict[int, Tensor], value: Tensor, accumulate: bool = False) -> Tensor:
    """The tensor with values at positions.

    Args:
        x: tensor.
        arrays: not negative positions by dim.
        value: broadcast to what ``x[...]`` gives for these positions.
        accumulate: add to what is there; repeated positions add up.

    Raises:
        ShapeError: if the value does not fit.
    """
    dims = tuple(sorted(arrays))
    indices = [arrays[dim] for dim in dims]
    chosen = broadcast_shapes(*(each.shape for each in indices))
    if chosen is None:
        raise IndexShapeError(
            "indices do not broadcast", got=", ".join(str(each.type) for each in indices),
            where=user_location_text(),
        )  # fmt: skip
    kept = tuple(size for dim, size in enumerate(x.shape) if dim not in arrays)
    front = dims[0] if is_adjacent(dims) else 0
    wanted = (*kept[:front], *chosen, *kept[front:])
    value = _without_leading_ones(value, len(wanted))
    values = spread(value, wanted, "the indexed place")
    if front:
        rank = len(chosen)
        behind = range(front + rank, len(wanted))
        values = permute(values, dims=(*range(front, front + rank), *range(front), *behind))
    if accumulate:
        return elementwise.add(x, ops.index_add(values, *indices, shape=x.shape, dims=dims))
    return put.index_put(x, values, *indices, dims=dims)


def index_put(
    input: Tensor, indices: Sequence[Tensor | None], values: Tensor, accumulate: bool = False
) -> Tensor:
    """A copy with values at positions, as ``x[indices] = values`` writes them.

    Args:
        input: tensor.
        indices: integer or bool tensors, one per dim from the first; None for a whole dim.
        values: broadcast to the indexed shape, of the input's dtype.
        accumulate: add to what is there; repeated positions add up.

    Raises:
        ShapeError: without indices.

    Source: ``torch.index_put``.

    Example:
        >>> import graphc as gc
        >>> gc.index_put(gc.zeros(3), (gc.tensor([0, 0]),), gc.tensor([1.0, 2.0]), accumulate=True)
        tensor([3., 0., 0.])
    """
    x = require_tensor("index_put", input)
    key = [slice(None) if item is None else item for item in indices]
    viewed, arrays = apply_views(x, expand_ellipsis(x, tuple(key)))
    if not arrays:
        raise ShapeError("index_put: no indices were given", where=user_location_text())
    return put_at(viewed, arrays, require_tensor("index_put", values), accumulate)


def _require_shape(function: str, src: Tensor, shape: Sequence[Any], like: Tensor) -> Tensor:
    value = require_tensor(function, src)
    if value.shape != tuple(shape):
        raise ShapeError(
            f"{function}: the source must have the shape of the place that it replaces",
            got=str(value.type), expected=str(like.type.with_shape(tuple(shape))),
            where=user_location_text(),
        )  # fmt: skip
    return to_operand(value, like.dtype)


def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None,
    step: int = 1,
) -> Tensor:  # fmt: skip
    """A copy with ``src`` in place of the slice ``start:end:step`` (``torch.slice_scatter``)."""
    x = require_tensor("slice_scatter", input)
    axis = normalize_dim("slice_scatter", dim, x.ndim)
    first, last, stride, _ = slice_bounds(slice(start, end, step), x.shape[axis])
    count = (last - first + stride - 1) // stride
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    value = _require_shape("slice_scatter", src, shape, x)
    return slice_back(
        x, value,
        starts=tuple(first if d == axis else 0 for d in range(x.ndim)),
        stops=tuple(last if d == axis else size for d, size in enumerate(x.shape)),
        steps=tuple(stride if d == axis else 1 for d in range(x.ndim)),
    )  # fmt: skip


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy with ``src`` in place of one slice along a dim (``torch.select_scatter``)."""
    x = require_tensor("select_scatter", input)
    axis = normalize_dim("select_scatter", dim, x.ndim)
    at = int_position(index, x.shape[axis])
    value = _require_shape("select_scatter", src, without(x.shape, axis), x)
    row = reshape(value, (*x.shape[:axis], 1, *x.shape[axis + 1 :]))
    return slice_back(
        x, row,
        starts=tuple(at if d == axis else 0 for d in range(x.ndim)),
        stops=tuple(at + 1 if d == axis else size for d, size in enumerate(x.shape)),
        steps=(1,) * x.ndim,
    )  # fmt: skip


def diagonal_scatter(
    input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Tensor:
    """A copy with ``src`` on a diagonal (``torch.diagonal_scatter``)."""
    x = require_tensor("diagonal_scatter", input)
    place = diagonal(x, offset, dim1, dim2)
    value = _require_shape("diagonal_scatter", src, place.shape, x)
    first, second = (normalize_dim("diagonal_scatter", dim, x.ndim) for dim in (dim1, dim2))
    return diagonal_back(x, value, offset, first, second)
