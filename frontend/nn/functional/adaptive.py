"""Pooling into a given number of windows, whose sizes may differ by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dims import Dim
from graphc.dtypes import int64
from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.convert import as_float, scalar_tensor
from graphc.frontend.functions.creation import zeros
from graphc.frontend.functions.picking import index_select
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.making import concrete
from graphc.frontend.nn.functional.windows import with_batch, without_batch
from graphc.ops import comparison, select
from graphc.ops.shape import narrow
from graphc.provenance import user_location_text
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices",
]

OutputSize = int | Sequence[int | None] | None


def output_sizes(function: str, x: Tensor, output_size: Any) -> list[int]:
    """The number of windows in each spatial dim; None keeps the size.

    Raises:
        ShapeError: if a size of the input is unknown.
        ArgumentError: for sizes that make no sense.
    """
    dims = x.ndim - 2
    given = list(output_size) if isinstance(output_size, Sequence) else [output_size] * dims
    sizes = x.shape[2:]
    if any(isinstance(size, Dim) or size == 0 for size in sizes):
        raise ShapeError(
            f"{function}: the spatial sizes must be known and not 0", got=str(x.type),
            where=user_location_text(),
        )  # fmt: skip
    wrong = any(not (each is None or (isinstance(each, int) and each >= 0)) for each in given)
    if len(given) != dims or wrong:
        raise ArgumentError(
            f"{function}: wrong output_size", got=repr(output_size),
            expected=f"a number from 0 on, or None, or {dims} of them", where=user_location_text(),
        )  # fmt: skip
    return [int(size) if each is None else each for each, size in zip(given, sizes, strict=True)]


def window_bounds(size: int, count: int) -> tuple[Array, Array]:
    """The first and the last element of each window."""
    at = np.arange(count)
    return at * size // count, -(-(at + 1) * size // count) - 1


def _pick(x: Tensor, dim: int, places: Array) -> Tensor:
    """Elements at constant places of a dim."""
    if places.size == x.shape[dim] and np.array_equal(places, np.arange(places.size)):
        return x
    return index_select(x, dim, concrete(places.astype(np.int64)))


def _constant(row: Array, x: Tensor, dim: int) -> Tensor:
    return reshape(concrete(row), (-1, *(1,) * (x.ndim - dim - 1)))


def _average(function: str, dims: int, input: Tensor, output_size: OutputSize) -> Tensor:
    x, batched = with_batch(function, as_float(function, input), dims)
    total, elements = x, 1
    divisor: Any = None
    for number, count in enumerate(output_sizes(function, x, output_size)):
        dim, size = number + 2, int(x.shape[number + 2])
        if count == 0:
            total = narrow(total, dim, 0, 0)
            continue
        first, last = window_bounds(size, count)
        length = last - first + 1
        terms: Tensor | None = None
        for at in range(int(length.max())):
            term = _pick(total, dim, np.minimum(first + at, last))
            if at >= length.min():
                zero = scalar_tensor(0, x.dtype)
                term = select.where(_constant(at < length, total, dim), term, zero)
            terms = term if terms is None else terms + term
        assert terms is not None
        total = terms
        if length.min() == length.max():
            elements *= int(length[0])
        else:
            counts = _constant(length.astype(x.dtype.numpy), total, dim)
            divisor = counts if divisor is None else divisor * counts
    divided = total / elements if divisor is None else total / (divisor * elements)
    return without_batch(divided, batched)


def _largest(
    function: str, dims: int, input: Tensor, output_size: OutputSize, return_indices: bool
) -> Any:
    x, batched = with_batch(function, input, dims)
    values, flat = x, 1
    indices: Tensor | None = None
    for number, count in reversed(list(enumerate(output_sizes(function, x, output_size)))):
        dim, size = number + 2, int(x.shape[number + 2])
        if count == 0:
            values, flat = narrow(values, dim, 0, 0), flat * size
            if return_indices:
                indices = zeros(values.shape, dtype=int64)
            continue
        first, last = window_bounds(size, count)
        best = best_index = None
        for at in range(int((last - first).max()) + 1):
            places = np.minimum(first + at, last)  # a window's last element again is no larger
            value, index = _pick(values, dim, places), None
            if return_indices:
                index = _constant(places * flat, values, dim).expand(value.shape)
                index = index if indices is None else index + _pick(indices, dim, places)
            if best is None:
                best, best_index = value, index
                continue
            better = comparison.gt(value, best) | comparison.ne(value, value)
            best = select.where(better, value, best)
            if index is not None and best_index is not None:
                best_index = select.where(better, index, best_index)
        assert best is not None
        values, indices, flat = best, best_index, flat * size
    values = without_batch(values, batched)
    return values if indices is None else (values, without_batch(indices, batched))


_DOC = """{what} of each of so many windows, which cover the input.

    Args:
        input: ``(batch, channels, {sizes})``, or without the batch; sizes must be known.
        output_size: number of windows, for all dims or each; None keeps a dim as it is.{indices}

    Raises:
        ShapeError: for another number of dims, or unknown sizes.
        ArgumentError: for sizes that make no sense.

    Source: ``torch.nn.functional.{name}``.
    """
_SIZES = {1: "length", 2: "height, width", 3: "depth, height, width"}


def _make_average(dims: int) -> Callable[..., Tensor]:
    name = f"adaptive_avg_pool{dims}d"

    def function(input: Tensor, output_size: OutputSize) -> Tensor:
        return _average(name, dims, input, output_size)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = _DOC.format(what="The mean", sizes=_SIZES[dims], indices="", name=name)
    return function


def _make_largest(dims: int, with_indices: bool) -> Callable[..., Any]:
    name = f"adaptive_max_pool{dims}d" + ("_with_indices" if with_indices else "")

    def function(input: Tensor, output_size: OutputSize, return_indices: bool = False) -> Any:
        return _largest(name, dims, input, output_size, return_indices or with_indices)

    function.__name__ = function.__qualname__ = name
    what = "The largest element, and its place," if with_indices else "The largest element"
    function.__doc__ = _DOC.format(
        what=what, sizes=_SIZES[dims], name=name,
        indices="\n        return_indices: also give the place of each in its flat image.",
    )  # fmt: skip
    return function


adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d = map(_make_average, (1, 2, 3))
adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d = (
    _make_largest(dims, False) for dims in (1, 2, 3)
)
(
    adaptive_max_pool1d_with_indices,
    adaptive_max_pool2d_with_indices,
    adaptive_max_pool3d_with_indices,
) = (_make_largest(dims, True) for dims in (1, 2, 3))
