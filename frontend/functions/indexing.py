"""Reading by position: ``x[...]`` in all of Python's forms, gather, index_select, scatter_add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dims import Shape, Size
from graphc.dtypes import BOOLEAN, INTEGER, bool_, int8, int16, int64, uint8
from graphc.errors import (
    ArgumentError,
    DTypeError,
    IndexKindError,
    IndexRangeError,
    IndexShapeError,
    ShapeError,
    SymbolicValueError,
)
from graphc.frontend.base import TensorBase, concrete, is_tensor
from graphc.frontend.functions.bounds import symbolic_bounds
from graphc.frontend.functions.convert import (
    cast,
    normalize_dim,
    require_tensor,
    scalar_tensor,
)  # fmt: skip
from graphc.frontend.functions.shaping import drop_dims, expand, reshape, unsqueeze
from graphc.frontend.memory.view_chains import run_views
from graphc.frontend.memory.views import ViewStep, own
from graphc.frontend.modes import is_recording
from graphc.ops import comparison, elementwise
from graphc.ops import index as ops
from graphc.ops import select as choosing
from graphc.ops import shape as shape_ops
from graphc.provenance import user_location_text
from graphc.shapes import broadcast_shapes

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "gather",
    "index_select",
    "select",
    "take_along_dim",
]


_ALL = slice(None)


def getitem(x: Tensor, key: Any) -> Tensor:
    """``x[key]``: ints, slices with any step, ``...``, None, and integer or bool arrays.

    Args:
        x: tensor.
        key: what stands between the brackets.

    Raises:
        IndexRangeError: for too many indices or an index outside its dim.
        SymbolicValueError: for a bool mask while recording, since its result has no known shape.
    """
    if type(key) is int and x.ndim:
        items = [key, *[_ALL] * (x.ndim - 1)]
    else:
        items = expand_ellipsis(x, key if isinstance(key, tuple) else (key,))
    viewed, arrays = apply_views(x, items)
    return _apply_arrays(viewed, arrays) if arrays else viewed


def is_array(item: Any) -> bool:
    """True for an item that is an array of positions or a mask."""
    return isinstance(item, TensorBase | np.ndarray | list | range)


def expand_ellipsis(x: Tensor, items: tuple[Any, ...]) -> list[Any]:
    """Write ``...`` out as slices and add those missing at the end; a second one is nothing."""
    flat = [_as_index(item) if is_array(item) else item for item in items]
    used = sum(_dims_used(item) for item in flat)
    if used > x.ndim:
        raise IndexRangeError(
            "too many indices", got=f"{used} for {x.type}", where=user_location_text()
        )
    fill = [_ALL] * (x.ndim - used)
    dots = [place for place, item in enumerate(flat) if item is Ellipsis] or [len(flat)]
    if fill and len(dots) > 1 and any(_dims_used(item) for item in flat[dots[1] :]):
        raise IndexRangeError(
            "no dims are left behind a second ...", got=str(items), where=user_location_text()
        )
    behind = [item for item in flat[dots[0] :] if item is not Ellipsis]
    return [*flat[: dots[0]], *fill, *behind]


def _dims_used(item: Any) -> int:
    if item is None or item is Ellipsis or isinstance(item, bool):
        return 0
    if isinstance(item, TensorBase) and item.dtype.category == BOOLEAN:
        return item.ndim
    return 1


def _as_index(item: Any) -> Tensor:
    """The positions or the mask; bytes are a mask, as in PyTorch."""
    tensor = item if is_tensor(item) else concrete(np.asarray(item))
    if isinstance(item, list | range) and not item:
        tensor = cast(tensor, int64)
    if tensor.dtype.category not in (INTEGER, BOOLEAN):
        raise IndexKindError(
            "an index must be integer or bool", got=tensor.dtype.name, where=user_location_text()
        )
    if tensor is item and tensor.ndim and tensor.dtype in (int8, int16):
        raise IndexRangeError(
            "a tensor of this dtype is no index", got=str(tensor.type),
            expected="int64 or int32 positions, or a bool or uint8 mask",
            fix="cast it: index.long()", where=user_location_text(),
        )  # fmt: skip
    return cast(tensor, bool_) if tensor.dtype is uint8 else tensor


def apply_views(x: Tensor, items: list[Any]) -> tuple[Tensor, dict[int, Tensor]]:
    """Do what needs no integer arrays: slices, flips, ints and None.

    Returns:
        The result, and the index arrays by the result's dim that each one indexes.
    """
    starts: list[Size] = []
    stops: list[Size] = []
    steps: list[int] = []
    flips: list[int] = []
    shape: list[int | None] = []  # per dim of the result: the source dim, None for a new one
    arrays: dict[int, Tensor] = {}
    for item in items:
        axis = len(starts)
        if item is _ALL:
            _take(0, x.shape[axis], 1, starts, stops, steps)
            shape.append(axis)
        elif item is None:
            shape.append(None)
        elif is_single_mask(item):
            arrays[len(shape)] = _positions_of_one(item)
            shape.append(None)
        elif isinstance(item, slice):
            start, stop, step, flipped = slice_bounds(item, x.shape[axis])
            _take(start, stop, step, starts, stops, steps)
            flips.extend([axis] if flipped else [])
            shape.append(axis)
        elif not isinstance(item, TensorBase):
            at = int_position(item, x.shape[axis])
            _take(at, at + 1, 1, starts, stops, steps)
        elif is_tensor(item) and item.dtype.category != BOOLEAN:
            arrays[len(shape)] = non_negative(item, x.shape[axis])
            shape.append(axis)
            _take(0, x.shape[axis], 1, starts, stops, steps)
        else:
            for position in mask_positions(x, item, axis):
                arrays[len(shape)] = position
                shape.append(len(starts))
                _take(0, x.shape[len(starts)], 1, starts, stops, steps)
    views = _slicing(x.shape, tuple(starts), tuple(stops), tuple(steps))
    if flips:
        views.append((shape_ops.flip, {"dims": tuple(flips)}))
    sliced = tuple([
        (stop - start + step - 1) // step
        for start, stop, step in zip(starts, stops, steps, strict=True)
    ])  # fmt: skip
    sizes = tuple([1 if axis is None else sliced[axis] for axis in shape])
    if sizes != sliced:
        views.append((shape_ops.reshape, {"shape": sizes}))
    return run_views(x, views), arrays


def is_single_mask(item: Any) -> bool:
    """True for a bool without dims: it indexes a new dim of size 1, which it keeps or empties."""
    if isinstance(item, TensorBase):
        return item.ndim == 0 and item.dtype.category == BOOLEAN
    return isinstance(item, bool)


def _positions_of_one(mask: Any) -> Tensor:
    if isinstance(mask, TensorBase):
        _require_values(mask)
        mask = bool(mask.storage.array)
    return concrete(np.zeros(int(mask), np.int64))


def _slicing(
    sizes: Shape, starts: tuple[Size, ...], stops: tuple[Size, ...], steps: tuple[int, ...]
) -> list[ViewStep]:
    """The operation that takes these elements, if they are not all."""
    rank = len(sizes)
    if stops == sizes and starts == (0,) * rank and steps == (1,) * rank:
        return []
    return [(shape_ops.slice_, {"starts": starts, "stops": stops, "steps": steps})]


def _take(
    start: Size, stop: Size, step: int, starts: list[Size], stops: list[Size], steps: list[int]
) -> None:
    starts.append(start)
    stops.append(stop)
    steps.append(step)


def int_position(item: Any, size: Size) -> Size:
    """An int index counted from the front; IndexRangeError if it is outside."""
    if isinstance(item, bool) or not isinstance(item, int | np.integer):
        raise IndexKindError(
            "unsupported index", got=repr(item),
            expected="int, slice, ..., None, or an integer or bool tensor",
            where=user_location_text(),
        )  # fmt: skip
    at = int(item)
    if isinstance(size, int) and not -size <= at < size:
        raise IndexRangeError(
            "index out of range", got=str(at), expected=ops.range_text(size, -size),
            where=user_location_text(),
        )  # fmt: skip
    return at + size if at < 0 else at


def slice_bounds(item: slice, size: Size) -> tuple[Size, Size, int, bool]:
    """Start, stop and positive step of the elements, and whether their order is reversed."""
    step = 1 if item.step is None else int(item.step)
    if step == 0:
        raise ArgumentError("a slice's step must not be 0", where=user_location_text())
    if isinstance(size, int):
        positions = range(*item.indices(size))
        if len(positions) == 0:
            return 0, 0, 1, False
        low, high = min(positions[0], positions[-1]), max(positions[0], positions[-1])
        return low, high + 1, abs(step), step < 0
    return symbolic_bounds(item, size, step)


def mask_positions(x: Tensor, mask: TensorBase, axis: int) -> list[Tensor]:
    """Where a mask over the dims from ``axis`` is True, per dim; dynamic mode only."""
    _require_values(mask)
    if tuple(x.shape[axis : axis + mask.ndim]) != mask.shape:
        raise IndexRangeError(
            "the mask's shape differs from the indexed dims",
            got=f"{mask.type} for {x.type} at dim {axis}", where=user_location_text(),
        )  # fmt: skip
    return [concrete(position) for position in np.nonzero(mask.storage.array)]


def _require_values(mask: TensorBase) -> None:
    if is_recording() or mask.is_symbolic:
        raise SymbolicValueError(
            "a bool mask as an index gives a shape that depends on values", got=f"{mask.type}",
            fix="gc.where(mask, x, 0) keeps the shape", where=user_location_text(),
        )  # fmt: skip


def non_negative(index: Tensor, size: Size) -> Tensor:
    """Count negative positions from the end."""
    if not index.is_symbolic and not is_recording() and index.type.numel:
        values = index.storage.array
        low, high = int(values.min()), int(values.max())
        if low < -int(size) or high >= int(size):
            raise IndexRangeError(
                "index out of range", got=str(low if low < 0 else high),
                expected=ops.range_text(int(size), -int(size)), where=user_location_text(),
            )  # fmt: skip
        if low >= 0:
            return cast(index, int64)
    wide = cast(index, int64)
    below = comparison.lt(wide, scalar_tensor(0, int64))
    return choosing.where(below, elementwise.add(wide, scalar_tensor(size, int64)), wide)


def _apply_arrays(x: Tensor, arrays: dict[int, Tensor]) -> Tensor:
    """Index with integer arrays; neighbouring ones keep their place, else they come first."""
    dims = tuple(sorted(arrays))
    result = ops.index(x, *(arrays[dim] for dim in dims), dims=dims)
    rank = max(array.ndim for array in arrays.values())
    if not is_adjacent(dims) or dims[0] == 0:
        return result
    front = dims[0]
    order = (
        *range(rank, rank + front),
        *range(rank),
        *range(rank + front, result.ndim),
    )
    return own(shape_ops.permute(result, dims=order))


def is_adjacent(dims: tuple[int, ...]) -> bool:
    """True for ascending dims without a gap."""
    return dims == tuple(range(dims[0], dims[0] + len(dims)))


def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """``out[i][j] = input[index[i][j]][j]`` for ``dim=0``, and so on (``torch.gather``).

    Raises:
        ArgumentError: for ``sparse_grad=True``: gradients are dense.
        IndexRangeError: for an index outside ``0 .. size - 1``, when it runs.
    """
    if sparse_grad:
        raise ArgumentError("gather: gradients are dense", got="sparse_grad=True",
                            expected="False", where=user_location_text())  # fmt: skip
    x = require_tensor("gather", input)
    axis, picked = normalize_dim("gather", dim, x.ndim), int_index("gather", index)
    if 0 in picked.shape:
        return ops.gather(reshape(x, (-1,)), reshape(picked, (-1,)), dim=0).reshape(picked.shape)
    if x.ndim == 0 or picked.ndim == 0:
        line, places = (reshape(each, (1,)) if each.ndim == 0 else each for each in (x, picked))
        return reshape(ops.gather(line, places, dim=0), tuple(picked.shape))
    return ops.gather(x, picked, dim=axis)


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices at these positions along a dim (``torch.index_select``)."""
    x = require_tensor("index_select", input)
    axis = normalize_dim("index_select", dim, x.ndim)
    positions = int_index("index_select", index)
    if positions.ndim > 1:
        raise IndexShapeError(
            "index_select: the index must be a vector",
            got=str(positions.type),
            where=user_location_text(),
        )
    if positions.ndim == 0:
        positions = unsqueeze(positions, 0)
    if x.ndim == 0:
        return reshape(ops.index(reshape(x, (1,)), positions, dims=(0,)), ())
    picked = ops.index(x, positions, dims=(axis,), what="index_select: index")
    order = (*range(1, axis + 1), 0, *range(axis + 1, x.ndim))
    return picked if axis == 0 else own(shape_ops.permute(picked, dims=order))


def int_index(function: str, index: Any) -> Tensor:
    """Raise DTypeError unless these are integers; return them as int64."""
    tensor = require_tensor(function, index)
    if tensor.dtype.category != INTEGER:
        raise DTypeError(
            f"{function}: the index must be integer", got=tensor.dtype.name,
            where=user_location_text(),
        )  # fmt: skip
    return cast(tensor, int64)


def embedding(weight: Tensor, indices: Tensor) -> Tensor:
    """The rows of ``weight`` at these indices, with their shape in front."""
    return ops.index(weight, int_index("embedding", indices), dims=(0,), what="embedding: index")


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """1 at the index, 0 elsewhere, along a new last dim (``torch.nn.functional.one_hot``).

    Args:
        tensor: int64 classes, any shape.
        num_classes: the new size; -1 means the largest class plus one (dynamic mode only).

    Raises:
        ArgumentError: for no classes, and for -1 if the tensor is empty.
        IndexRangeError: for a class outside ``0 .. num_classes - 1``, when it runs.
    """
    classes = require_tensor("one_hot", tensor)
    if classes.dtype is not int64:
        raise DTypeError(
            "one_hot: expected int64", got=classes.dtype.name, where=user_location_text()
        )
    if num_classes < -1 or (num_classes < 1 and classes.type.numel == 0):
        raise ArgumentError(
            "one_hot: there is no number of classes",
            got=f"num_classes={num_classes}, {classes.type}", where=user_location_text(),
        )  # fmt: skip
    if num_classes == -1:
        num_classes = int(classes.array("the largest class").max(initial=-1)) + 1
    rows = concrete(np.eye(num_classes, dtype=np.int64))
    return ops.index(rows, classes, dims=(0,), what="one_hot: class")


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """Gather with broadcasting of the other dims (``torch.take_along_dim``)."""
    x, picked = require_tensor("take_along_dim", input), int_index("take_along_dim", indices)
    if dim is None:
        return gather(reshape(x, (-1,)), 0, reshape(picked, (-1,)))
    axis = normalize_dim("take_along_dim", dim, x.ndim)
    common = None if picked.ndim != x.ndim else broadcast_shapes(
        without(x.shape, axis), without(picked.shape, axis)
    )  # fmt: skip
    if common is None:
        raise ShapeError(
            "take_along_dim: the sizes besides dim must broadcast",
            got=f"{x.type} and {picked.type}",
            where=user_location_text(),
        )
    size = x.shape[axis]
    picked = choosing.where(
        comparison.lt(picked, scalar_tensor(0, int64)),
        elementwise.add(picked, scalar_tensor(size, int64)),
        picked,
    )
    source = expand(x, (*common[:axis], size, *common[axis:]))
    return gather(
        source, axis, expand(picked, (*common[:axis], picked.shape[axis], *common[axis:]))
    )


def without(shape: Shape, axis: int) -> Shape:
    """The sizes besides one dim."""
    return (*shape[:axis], *shape[axis + 1 :])


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """One slice along a dim, without it (``torch.select``)."""
    x = require_tensor("select", input)
    axis = normalize_dim("select", dim, x.ndim)
    at = int_position(index, x.shape[axis])
    return drop_dims(shape_ops.narrow(x, axis, at, at + 1), (axis,))
