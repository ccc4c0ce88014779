"""Max pooling with windows at random distances (Graham, 2014)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from graphc.dims import Dim
from graphc.dtypes import int64
from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.choosing import where
from graphc.frontend.functions.convert import as_float, cast
from graphc.frontend.functions.creation import arange
from graphc.frontend.functions.picking import gather
from graphc.frontend.functions.rounding import floor
from graphc.frontend.functions.sampling import uniform_values
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.nn.functional.shapes import agree
from graphc.frontend.nn.functional.windows import Ints, per_dim, with_batch, without_batch
from graphc.ops import comparison, select
from graphc.ops.shape import narrow
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "fractional_max_pool2d",
    "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
]

Ratios = float | Sequence[float]


def _pool(
    function: str, dims: int, input: Tensor, kernel_size: Ints, output_size: Ints | None,
    output_ratio: Ratios | None, return_indices: bool, samples: Tensor | None,
) -> Any:  # fmt: skip
    given, batched = with_batch(function, input, dims)
    x = as_float(function, given)
    kernel = per_dim(function, "kernel_size", kernel_size, dims, 1)
    sizes = _output_sizes(function, x, output_size, output_ratio)
    _check_room(function, x, kernel, sizes)
    batch, channels, *old = x.shape
    if samples is None:
        samples = uniform_values((batch, channels, dims), x.dtype, None)
    elif not agree(samples.shape, (batch, channels, dims)):
        raise ShapeError(
            f"{function}: the random samples do not fit", got=str(samples.type),
            expected=f"({batch}, {channels}, {dims})", where=user_location_text(),
        )  # fmt: skip
    starts = []
    for number in range(dims):
        at = dims - 1 - number if dims == 2 else number  # for images PyTorch draws the width first
        drawn = narrow(samples, 2, at, at + 1)
        row = _starts(drawn, int(old[number]), sizes[number], kernel[number])
        around = (*(1,) * number, -1, *(1,) * (dims - number - 1))
        starts.append(reshape(row, (batch, channels, *_fill(around, sizes[number]))))
    flat = reshape(x, (batch, channels, math.prod(int(size) for size in old)))
    best: Any = None
    best_index: Any = None
    for offsets in itertools.product(*map(range, kernel)):
        index: Any = 0
        for start, offset, size in zip(starts, offsets, old, strict=True):
            index = start + offset + index * int(size)
        value = reshape(gather(flat, 2, reshape(index, (batch, channels, -1))), index.shape)
        if best is None:
            best, best_index = value, index
            continue
        better = comparison.gt(value, best) | comparison.ne(value, value)
        best = select.where(better, value, best)
        best_index = select.where(better, index, best_index)
    best = without_batch(best, batched)
    return (best, without_batch(best_index, batched)) if return_indices else best


def _fill(around: tuple[int, ...], size: int) -> tuple[int, ...]:
    return tuple(size if each == -1 else each for each in around)


def _starts(drawn: Tensor, size: int, count: int, kernel: int) -> Tensor:
    """Where windows begin: at distances that add up to the size, the last one at the end."""
    at = arange(count)
    last = size - kernel
    alpha = last / (count - 1) if count > 1 else 0.0
    steps = floor((cast(at, drawn.dtype) + drawn) * alpha) - floor(drawn * alpha)
    return where(at == count - 1, last, cast(steps, int64))


def _output_sizes(
    function: str, x: Tensor, output_size: Ints | None, output_ratio: Ratios | None
) -> tuple[int, ...]:
    dims = x.ndim - 2
    if any(isinstance(size, Dim) for size in x.shape[2:]):
        raise ShapeError(
            f"{function}: the spatial sizes must be known", got=str(x.type),
            where=user_location_text(),
        )  # fmt: skip
    if (output_size is None) == (output_ratio is None):
        raise ArgumentError(
            f"{function}: give either output_size or output_ratio", where=user_location_text()
        )
    if output_size is not None:
        return per_dim(function, "output_size", output_size, dims, 1)
    ratios = list(output_ratio) if isinstance(output_ratio, Sequence) else [output_ratio] * dims
    if len(ratios) != dims or not all(0 < float(each or 0) < 1 for each in ratios):
        raise ArgumentError(
            f"{function}: ratios must be between 0 and 1, one or {dims} of them",
            got=repr(output_ratio), where=user_location_text(),
        )  # fmt: skip
    return tuple(
        int(int(size) * float(each or 0)) for size, each in zip(x.shape[2:], ratios, strict=True)
    )


def _check_room(function: str, x: Tensor, kernel: Sequence[int], sizes: Sequence[int]) -> None:
    for size, k, count in zip(x.shape[2:], kernel, sizes, strict=True):
        if count < 1 or count + k - 1 > int(size):
            raise ShapeError(
                f"{function}: so many windows do not fit",
                got=f"{x.type}, {tuple(sizes)} windows of {tuple(kernel)}",
                where=user_location_text(),
            )  # fmt: skip


_DOC = """The largest element{note} of windows at random distances.

    Args:
        input: ``(batch, channels, {sizes})``, or without the batch; sizes must be known.
        kernel_size: size of windows.
        output_size: number of windows.
        output_ratio: or their number as a share of the size, between 0 and 1.
        return_indices: also give the place of each element in its flat image.
        _random_samples: ``(batch, channels, {dims})`` numbers from 0 to 1 in place of drawn ones.

    Raises:
        ShapeError: if the windows do not fit.
        ArgumentError: for sizes or ratios that make no sense.

    Source: ``torch.nn.functional.{name}``.
    """


def _make(dims: int, with_indices: bool) -> Callable[..., Any]:
    name = f"fractional_max_pool{dims}d" + ("_with_indices" if with_indices else "")

    def function(
        input: Tensor, kernel_size: Ints, output_size: Ints | None = None,
        output_ratio: Ratios | None = None, return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> Any:  # fmt: skip
        return _pool(
            name, dims, input, kernel_size, output_size, output_ratio,
            return_indices or with_indices, _random_samples,
        )  # fmt: skip

    function.__name__ = function.__qualname__ = name
    sizes = "height, width" if dims == 2 else "depth, height, width"
    note = ", and its place," if with_indices else ""
    function.__doc__ = _DOC.format(note=note, sizes=sizes, dims=dims, name=name)
    return function


fractional_max_pool2d, fractional_max_pool3d = (_make(dims, False) for dims in (2, 3))
fractional_max_pool2d_with_indices, fractional_max_pool3d_with_indices = (
    _make(dims, True) for dims in (2, 3)
)
