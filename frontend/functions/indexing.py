"""Reading by position: ``x[...]`` in all of Python's forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dims import Shape, Size
from graphc.dtypes import BOOLEAN, INTEGER, bool_, int8, int16, int64, uint8
from graphc.errors import ArgumentError, IndexKindError, IndexRangeError, SymbolicValueError
from graphc.frontend.base import TensorBase, is_tensor
from graphc.frontend.functions.bounds import symbolic_bounds
from graphc.frontend.functions.convert import cast, scalar_tensor
from graphc.frontend.making import concrete
from graphc.frontend.memory.view_chains import run_views
from graphc.frontend.memory.views import ViewStep, own
from graphc.frontend.modes import is_recording
from graphc.ops import comparison, elementwise
from graphc.ops import index as ops
from graphc.ops import select as choosing
from graphc.ops import shape as shape_ops
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


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
    if len(dims) == 1 and arrays[dims[0]].ndim == 1:
        return slices_at(x, arrays[dims[0]], dims[0])
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


def slices_at(x: Tensor, positions: Tensor, axis: int, what: str = "") -> Tensor:
    """The slices at a vector of positions along a dim.

    Along the last of several dims it is a gather, which reads and writes row by row; an index
    takes one position of all rows after the other, and its result must be permuted.

    Args:
        x: tensor with dims.
        positions: not negative.
        axis: the dim.
        what: what errors call the positions, if not "index: index".
    """
    rows = x.shape[:-1]
    if 0 < axis == len(rows) and 0 not in rows:  # without rows, gather checks no position
        count = positions.shape[0]
        line = shape_ops.reshape(positions, shape=(*(1,) * axis, count))
        wide = shape_ops.expand(line, shape=(*rows, count))
        return ops.gather(x, wide, dim=axis, what=what or "index: index")
    picked = ops.index(x, positions, dims=(axis,), **({"what": what} if what else {}))
    order = (*range(1, axis + 1), 0, *range(axis + 1, x.ndim))
    return picked if axis == 0 else own(shape_ops.permute(picked, dims=order))


def is_adjacent(dims: tuple[int, ...]) -> bool:
    """True for ascending dims without a gap."""
    return dims == tuple(range(dims[0], dims[0] + len(dims)))
