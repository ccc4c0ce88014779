"""Oracles for writing at positions, diagonals and searching: loops over Python numbers."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def diagonal(x: Array, *, offset: int, dim1: int, dim2: int) -> Array:
    """The elements whose column is ``offset`` more than their row, found one by one."""
    rest = [size for dim, size in enumerate(x.shape) if dim not in (dim1, dim2)]
    found: dict[tuple[int, ...], list[Any]] = {place: [] for place in np.ndindex(*rest)}
    for place in sorted(np.ndindex(x.shape), key=lambda place: place[dim1]):
        if place[dim2] - place[dim1] == offset:
            batch = tuple(at for dim, at in enumerate(place) if dim not in (dim1, dim2))
            found[batch].append(x[place])
    size = len([row for row in range(x.shape[dim1]) if 0 <= row + offset < x.shape[dim2]])
    flat = [value for values in found.values() for value in values]
    return np.array(flat, x.dtype).reshape(*rest, size)


def index_put(x: Array, values: Array, *indices: Array, dims: tuple[int, ...]) -> Array:
    """Write row after row of the values."""
    result = x.copy()
    grids = np.broadcast_arrays(*indices)
    for at in np.ndindex(grids[0].shape):
        place: list[Any] = [slice(None)] * x.ndim
        for dim, grid in zip(dims, grids, strict=True):
            place[dim] = int(grid[at])
        result[tuple(place)] = values[at]
    return result


def _combined(
    x: Array, index: Array, source: Array, dim: int, combine: Callable[[Any, Any], Any]
) -> Array:
    result = (
        x.astype(np.float32) if x.dtype.itemsize == 2 and x.dtype.kind not in "iu" else x.copy()
    )
    for place in np.ndindex(index.shape):
        target = (*place[:dim], int(index[place]), *place[dim + 1 :])
        result[target] = combine(result[target], source[place].astype(result.dtype))
    return np.asarray(result, x.dtype, order="C")


def scatter(x: Array, index: Array, source: Array, *, dim: int) -> Array:
    """Write element after element."""
    return _combined(x, index, source, dim, lambda old, new: new)


def scatter_reduce(x: Array, index: Array, source: Array, *, dim: int, reduce: str) -> Array:
    """Combine element after element."""
    combine: dict[str, Callable[[Any, Any], Any]] = {
        "prod": lambda old, new: old * new,
        "amax": lambda old, new: new if new > old else old,
        "amin": lambda old, new: new if new < old else old,
    }
    return _combined(x, index, source, dim, combine[reduce])


def searchsorted(sequence: Array, values: Array, *, right: bool) -> Array:
    """Count the elements below each value; NaN is above all."""
    result = np.zeros(values.shape, np.int64)
    for place in np.ndindex(values.shape):
        row = sequence if sequence.ndim == 1 else sequence[place[:-1]]
        value = float(values[place])
        numbers = [float(element) for element in row]
        if math.isnan(value):
            result[place] = len(numbers)
        else:
            result[place] = sum(n <= value if right else n < value for n in numbers)
    return result


PUT_ORACLES: dict[str, Callable[..., Any]] = {
    "diagonal": diagonal,
    "index_put": index_put,
    "scatter": scatter,
    "scatter_reduce": scatter_reduce,
    "searchsorted": searchsorted,
}
