"""Reading and adding at integer positions; indices must lie in ``0 .. size - 1``.

The attr ``what`` says in errors what the indices are, e.g. the target classes of a loss.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.dims import Shape, Size
from graphc.dtypes import float32
from graphc.errors import DTypeError, IndexRangeError, IndexShapeError, ShapeError
from graphc.opdef import Call, OpDef, Saves, Trait
from graphc.ops.infer import INT, require_category, require_dim, require_dims, require_same_dtype
from graphc.ops.select import cast, scalar
from graphc.ops.shape import expand
from graphc.shapes import broadcast_shapes, inverse_order, shape_text, unify
from graphc.storage import Array
from graphc.types import TensorType

Ints = tuple[int, ...]


def range_text(size: int, first: int = 0) -> str:
    """The indices that a dim of this size accepts, for error messages.

    Example:
        >>> range_text(3), range_text(3, first=-3)
        ('0..2', '-3..2')
        >>> range_text(0)
        'none, since the dim has no elements'
    """
    return f"{first}..{size - 1}" if size else "none, since the dim has no elements"


def check_range(what: str, index: Array, size: int) -> None:
    """Raise IndexRangeError for an index outside ``0 .. size - 1``."""
    if index.size and (int(index.min()) < 0 or int(index.max()) >= size):
        outside = int(index.min()) if index.min() < 0 else int(index.max())
        raise IndexRangeError(f"{what} out of range", got=str(outside), expected=range_text(size))


def _what(call: Call) -> dict[str, str]:
    """The gradient indexes with the same indices, so it calls them the same."""
    return {"what": call.attrs["what"]} if "what" in call.attrs else {}


def index_shape(op: str, indices: tuple[TensorType, ...]) -> Shape:
    """The shape that indices broadcast to."""
    require_category(op, indices, INT)
    shape = broadcast_shapes(*(index.shape for index in indices))
    if shape is None:
        raise IndexShapeError(f"{op}: indices do not broadcast", got=", ".join(map(str, indices)))
    return shape


def _kept(shape: Shape, dims: Ints) -> Shape:
    return tuple(size for dim, size in enumerate(shape) if dim not in dims)


def _infer_index(x: TensorType, *indices: TensorType, dims: Ints, what: str = "") -> TensorType:
    require_dims("index", dims, x.rank)
    if len(dims) != len(indices) or list(dims) != sorted(set(dims)):
        raise ShapeError("index: one index per dim, dims ascending", got=str(dims))
    return x.with_shape((*index_shape("index", indices), *_kept(x.shape, dims)))


def position(rank: int, dims: Ints, indices: tuple[Array, ...]) -> tuple[Any, ...]:
    """The order of dims that puts the indexed ones first, and numpy's index in that order."""
    order = (*dims, *(dim for dim in range(rank) if dim not in dims))
    return order, tuple(indices)


def _eval_index(x: Array, *indices: Array, dims: Ints, what: str = "index: index") -> Array:
    for dim, index in zip(dims, indices, strict=True):
        check_range(what, index, x.shape[dim])
    order, places = position(x.ndim, dims, indices)
    return np.ascontiguousarray(x.transpose(order)[places]).reshape(
        (*np.broadcast_shapes(*(i.shape for i in indices)), *_kept(x.shape, dims))
    )


def _index_vjp(call: Call, g: Any) -> tuple[Any, ...]:
    x, *indices = call.inputs
    grad = index_add(g, *indices, shape=x.type.shape, dims=call.attrs["dims"], **_what(call))
    return (grad, *(None for _ in indices))


index = OpDef("index", _infer_index, _eval_index, _index_vjp, Trait.FALLIBLE, Saves.POSITIONS)


def _infer_index_add(
    values: TensorType, *indices: TensorType, shape: Shape, dims: Ints, what: str = ""
) -> TensorType:
    require_dims("index_add", dims, len(shape))
    wanted = (*index_shape("index_add", indices), *_kept(shape, dims))
    fits = len(wanted) == values.rank and all(
        unify(own, want) is not None for own, want in zip(values.shape, wanted, strict=False)
    )
    if not fits:
        raise ShapeError(
            "index_add: values do not have the indexed shape",
            got=str(values),
            expected=shape_text(wanted),
        )
    return values.with_shape(shape)


def _eval_index_add(
    values: Array, *indices: Array, shape: Ints, dims: Ints, what: str = "index_add: index"
) -> Array:
    for dim, each in zip(dims, indices, strict=True):
        check_range(what, each, shape[dim])
    order, places = position(len(shape), dims, indices)
    wide = values.dtype if values.dtype.itemsize > 2 else np.dtype(np.float32)
    if values.dtype.kind in "iub":
        wide = values.dtype
    result = np.zeros(tuple(shape[dim] for dim in order), wide)
    np.add.at(result, places, values.astype(wide, copy=False))
    back = result.transpose(inverse_order(order))
    return np.ascontiguousarray(back, dtype=values.dtype).reshape(shape)


def _index_add_vjp(call: Call, g: Any) -> tuple[Any, ...]:
    _, *indices = call.inputs
    grad = index(g, *indices, dims=call.attrs["dims"], **_what(call))
    return (grad, *(None for _ in indices))


index_add = OpDef(
    "index_add", _infer_index_add, _eval_index_add, _index_add_vjp, Trait.FALLIBLE, Saves.POSITIONS
)


def _infer_gather(x: TensorType, index: TensorType, *, dim: int, what: str = "") -> TensorType:
    require_dim("gather", dim, x.rank)
    require_category("gather", (index,), INT)
    fits = index.rank == x.rank and all(
        axis == dim or not isinstance(own, int) or not isinstance(size, int) or own <= size
        for axis, (own, size) in enumerate(zip(index.shape, x.shape, strict=False))
    )
    if not fits:
        raise ShapeError(
            "gather: the index must have the input's rank and be no larger but in dim",
            got=f"{x} with index {index}, dim {dim}",
        )
    return x.with_shape(index.shape)


def along(index: Array, dim: int) -> tuple[Array, ...]:
    """numpy's index that takes positions in one dim and stays in place in the others."""
    grid = list(np.ogrid[tuple(map(slice, index.shape))])
    grid[dim] = index
    return tuple(grid)


def _eval_gather(x: Array, index: Array, *, dim: int, what: str = "gather: index") -> Array:
    line = _line_of_all_rows(index, dim)
    check_range(what, line, x.shape[dim])
    if line is index:
        return np.ascontiguousarray(x[along(index, dim)]).reshape(index.shape)
    places: list[slice | Array] = [slice(size) for size in index.shape]
    places[dim] = slice(None)
    rows = x[tuple(places)]
    if rows.flags.c_contiguous or 2 * line.size > x.shape[dim]:
        return np.take(rows, line, axis=dim)
    places[dim] = line  # few of elements that do not lie side by side: take would copy all first
    return np.ascontiguousarray(x[tuple(places)])


def _line_of_all_rows(index: Array, dim: int) -> Array:
    """The vector of positions that an index repeats in memory for all rows, else the index."""
    if index.ndim > 1 and 0 not in index.strides:
        return index
    sizes = enumerate(zip(index.shape, index.strides, strict=True))
    if any(axis != dim and (size == 0 or (size > 1 and stride)) for axis, (size, stride) in sizes):
        return index
    return index[tuple(slice(None) if axis == dim else 0 for axis in range(index.ndim))]


def _gather_vjp(call: Call, g: Any) -> tuple[Any, None]:
    x, index = call.inputs
    dim, dtype, wide = call.attrs["dim"], g.type.dtype, g
    if dtype.itemsize == 2 and index.type.shape[dim] != 1:  # positions may repeat: round sums once
        wide = cast(g, dtype=float32)
    zeros = expand(scalar(wide, 0), shape=x.type.shape)
    total = scatter_add(zeros, index, wide, dim=dim, **_what(call))
    return (total if wide is g else cast(total, dtype=dtype)), None


gather = OpDef("gather", _infer_gather, _eval_gather, _gather_vjp, Trait.FALLIBLE, Saves.POSITIONS)


def _infer_scatter_add(
    x: TensorType, index: TensorType, source: TensorType, *, dim: int, what: str = ""
) -> TensorType:
    require_same_dtype("scatter_add", (x, source))
    _infer_gather(x, index, dim=dim)
    sizes: list[tuple[Size, Size]] = list(zip(index.shape, source.shape, strict=False))
    smaller = all(not isinstance(i, int) or not isinstance(s, int) or i <= s for i, s in sizes)
    if source.rank != index.rank or not smaller:
        raise ShapeError(
            "scatter_add: the index must fit inside the source",
            got=f"index {index}, source {source}",
        )
    return x


def _eval_scatter_add(
    x: Array, index: Array, source: Array, *, dim: int, what: str = "scatter_add: index"
) -> Array:
    check_range(what, _line_of_all_rows(index, dim), x.shape[dim])
    result = np.array(x, order="C")
    if index.size:  # numpy adds several times as fast at places in a line, in the same order
        places = np.ravel_multi_index(along(index, dim), result.shape).reshape(-1)
        added = source[tuple(map(slice, index.shape))].reshape(-1)
        np.add.at(result.reshape(-1), places, added)
    return result


def _scatter_add_vjp(call: Call, g: Any) -> tuple[Any, None, Any]:
    _, index, source = call.inputs
    if source.type.shape != index.type.shape:
        raise DTypeError(
            "scatter_add: the gradient needs a source with the index's shape",
            got=f"{source.type} and {index.type}",
            fix="slice the source to the index's shape",
        )
    return g, None, gather(g, index, dim=call.attrs["dim"], **_what(call))


scatter_add = OpDef(
    "scatter_add", _infer_scatter_add, _eval_scatter_add, _scatter_add_vjp,
    Trait.FALLIBLE, Saves.POSITIONS,
)  # fmt: skip
