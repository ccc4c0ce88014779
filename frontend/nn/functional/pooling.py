"""Pooling: the largest element or the mean of each window, one spatial dim after the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dims import Dim, Size
from graphc.dtypes import FLOATING, INTEGER
from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.frontend.functions.choosing import clamp, relu, where
from graphc.frontend.functions.convert import as_float, scalar_tensor
from graphc.frontend.functions.creation import arange
from graphc.frontend.functions.pointwise import abs as absolute
from graphc.frontend.functions.pointwise import pow, sign
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.nn.functional.windows import Ints, frame, per_dim, with_batch, without_batch
from graphc.ops import comparison, select
from graphc.ops import shape as ops
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
]


@dataclass(frozen=True)
class Axis:
    """The windows along one spatial dim.

    Attributes:
        size: of the input.
        kernel: elements of a window.
        stride: distance of windows.
        padding: elements before and after the input.
        dilation: distance of a window's elements.
        count: number of windows.
    """

    size: Size
    kernel: int
    stride: int
    padding: int
    dilation: int
    count: Size

    @property
    def beyond(self) -> Size:
        """Elements after the input that windows reach over; padding at least."""
        last = (self.count - 1) * self.stride + (self.kernel - 1) * self.dilation + 1
        need = last - self.size - self.padding
        return max(need, self.padding) if isinstance(need, int) else self.padding

    def element(self, x: Tensor, dim: int, at: int) -> Tensor:
        """The element number ``at`` of every window of a padded input."""
        start = at * self.dilation
        stop = start + (self.count - 1) * self.stride + 1
        return ops.slice_(
            x,
            starts=tuple(start if d == dim else 0 for d in range(x.ndim)),
            stops=tuple(stop if d == dim else size for d, size in enumerate(x.shape)),
            steps=tuple(self.stride if d == dim else 1 for d in range(x.ndim)),
        )

    def position(self, at: int, rank: int, dim: int) -> Tensor:
        """Where that element is in the input; the window's first one for elements of padding."""
        places = arange(self.count) * self.stride + (at * self.dilation - self.padding)
        if self.dilation > 1 and self.padding:
            places = where(places < 0, places % self.dilation, places)
        return _along(clamp(places, min=0, max=self.size - 1), rank, dim)

    def elements(self, rank: int, dim: int, padded: bool) -> Tensor | int:
        """How many elements of each window exist, counting the padding or not."""
        plain = self.beyond == self.padding and (padded or self.padding == 0)
        if plain:
            return self.kernel
        start = arange(self.count) * self.stride - self.padding
        stop = clamp(start + self.kernel, max=self.size + self.padding)
        if not padded:
            start, stop = clamp(start, min=0), clamp(stop, max=self.size)
        return _along(stop - start, rank, dim)


def _along(row: Tensor, rank: int, dim: int) -> Tensor:
    return reshape(row, (-1, *(1,) * (rank - dim - 1)))


def axes_of(
    function: str, x: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
    ceil_mode: bool,
) -> list[Axis]:  # fmt: skip
    """The windows along each spatial dim.

    Raises:
        ArgumentError: for amounts that make no sense.
        ShapeError: if there is no window.
    """
    dims = x.ndim - 2
    kernels = per_dim(function, "kernel_size", kernel_size, dims, 1)
    missing = stride is None or (isinstance(stride, Sequence) and len(stride) == 0)
    strides = kernels if missing else per_dim(function, "stride", stride, dims, 1)
    paddings = per_dim(function, "padding", padding, dims, 0)
    dilations = per_dim(function, "dilation", dilation, dims, 1)
    axes = []
    for size, kernel, step, pad, gap in zip(
        x.shape[2:], kernels, strides, paddings, dilations, strict=True
    ):
        span = (kernel - 1) * gap + 1
        if pad > span // 2:
            raise ArgumentError(
                f"{function}: padding must be at most half of the window", got=f"{pad} of {span}",
                where=user_location_text(),
            )  # fmt: skip
        count = _count(function, size + 2 * pad - span, step, ceil_mode)
        if ceil_mode and isinstance(count, int) and (count - 1) * step >= int(size) + pad:
            count -= 1  # a window must not begin behind the input
        if isinstance(count, int) and count < 1:
            raise ShapeError(
                f"{function}: no window fits into the padded input",
                got=f"{x.type}, windows of {kernels}", where=user_location_text(),
            )  # fmt: skip
        axes.append(Axis(size, kernel, step, pad, gap, count))
    return axes


def _count(function: str, room: Size, step: int, ceil_mode: bool) -> Size:
    if ceil_mode and isinstance(room, Dim):
        raise ShapeError(f"{function}: ceil_mode needs known sizes", where=user_location_text())
    return (room + (step - 1 if ceil_mode else 0)) // step + 1


def padded(x: Tensor, axes: Sequence[Axis], value: float) -> Tensor:
    """The input with everything that windows reach over."""
    return frame(x, [axis.padding for axis in axes], [axis.beyond for axis in axes], value)


def lowest(x: Tensor) -> Any:
    """What no element is below.

    Raises:
        DTypeError: for bool and complex, which have no largest element here.
    """
    if x.dtype.category not in (INTEGER, FLOATING):
        raise DTypeError("max pooling: expected integers or floating point numbers",
                         got=str(x.type), where=user_location_text())  # fmt: skip
    return -math.inf if x.dtype.is_floating_point else int(np.iinfo(x.dtype.numpy).min)


def largest(values: Tensor, axes: Sequence[Axis], indexed: bool) -> tuple[Tensor, Tensor | None]:
    """The largest element of each window, and its place in the flat image.

    Of equal elements the first wins and has the gradient; the last NaN wins over all.
    """
    indices: Tensor | None = None
    flat: Size = 1
    for number in reversed(range(len(axes))):
        axis, dim = axes[number], number + 2
        best, best_index = axis.element(values, dim, 0), None
        if indexed:
            best_index = _index(axis, 0, values.ndim, dim, flat, indices)
        for at in range(1, axis.kernel):
            value = axis.element(values, dim, at)
            better = comparison.gt(value, best) | comparison.ne(value, value)
            best = select.where(better, value, best)
            if best_index is not None:
                index = _index(axis, at, values.ndim, dim, flat, indices)
                best_index = select.where(better, index, best_index)
        values, indices, flat = best, best_index, flat * axis.size
    if indices is not None and indices.shape != values.shape:
        indices = indices.expand(values.shape)
    return values, indices


def _index(axis: Axis, at: int, rank: int, dim: int, flat: Size, inner: Tensor | None) -> Tensor:
    index = axis.position(at, rank, dim) * flat
    if inner is None:
        return index
    within = inner if inner.ndim < rank - dim else axis.element(inner, dim, at)
    return index + within


def _max_pool(
    function: str, dims: int, input: Tensor, kernel_size: Ints, stride: Ints | None, padding: Ints,
    dilation: Ints, ceil_mode: bool, return_indices: bool,
) -> Any:  # fmt: skip
    x, batched = with_batch(function, input, dims)
    axes = axes_of(function, x, kernel_size, stride, padding, dilation, ceil_mode)
    values, indices = largest(padded(x, axes, lowest(x)), axes, return_indices)
    values = without_batch(values, batched)
    return values if indices is None else (values, without_batch(indices, batched))


_MAX_DOC = """The largest element of each window{note}.

    Args:
        input: ``(batch, channels, {sizes})``, or without the batch.
        kernel_size: size of windows.
        stride: distance of windows; default: their size.
        padding: elements before and after that no window chooses; at most half a window.
        dilation: distance of a window's elements.
        ceil_mode: keep windows that reach over the end.
        return_indices: also give the place of each element in its flat image.

    Raises:
        ShapeError: if no window fits.
        ArgumentError: for amounts that make no sense.

    Source: ``torch.nn.functional.{name}``. Of equal elements the first has the gradient.
    """
_SIZES = {1: "length", 2: "height, width", 3: "depth, height, width"}


def _make_max_pool(dims: int, with_indices: bool) -> Callable[..., Any]:
    name = f"max_pool{dims}d" + ("_with_indices" if with_indices else "")

    def function(
        input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
        dilation: Ints = 1, ceil_mode: bool = False, return_indices: bool = False,
    ) -> Any:  # fmt: skip
        return _max_pool(
            name, dims, input, kernel_size, stride, padding, dilation, ceil_mode,
            return_indices or with_indices,
        )  # fmt: skip

    function.__name__ = function.__qualname__ = name
    note = ", and where it is" if with_indices else ""
    function.__doc__ = _MAX_DOC.format(note=note, sizes=_SIZES[dims], name=name)
    return function


max_pool1d, max_pool2d, max_pool3d = (_make_max_pool(dims, False) for dims in (1, 2, 3))
max_pool1d_with_indices, max_pool2d_with_indices, max_pool3d_with_indices = (
    _make_max_pool(dims, True) for dims in (1, 2, 3)
)


def avg_pool1d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    ceil_mode: bool = False, count_include_pad: bool = True,
) -> Tensor:  # fmt: skip
    """``avg_pool2d`` over one spatial dim (``torch.nn.functional.avg_pool1d``)."""
    return _avg_pool(
        "avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None
    )


def avg_pool2d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """The mean of each window.

    Args:
        input: ``(batch, channels, height, width)`` or ``(channels, height, width)``.
        kernel_size: size of windows.
        stride: distance of windows; default: their size.
        padding: zeros before and after; at most half a window.
        ceil_mode: keep windows that reach over the end.
        count_include_pad: zeros of the padding count as elements.
        divisor_override: divide the sum by this instead of the number of elements.

    Raises:
        ShapeError: if no window fits.
        ArgumentError: for amounts that make no sense.

    Source: ``torch.nn.functional.avg_pool2d``.

    Example:
        >>> import graphc as gc
        >>> import graphc.nn.functional as F
        >>> F.avg_pool2d(gc.tensor([[[1.0, 2.0], [3.0, 6.0]]]), 2)
        tensor([[[3.]]])
    """
    return _avg_pool(
        "avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad,
        divisor_override,
    )  # fmt: skip


def avg_pool3d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """``avg_pool2d`` over three spatial dims (``torch.nn.functional.avg_pool3d``)."""
    return _avg_pool(
        "avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad,
        divisor_override,
    )  # fmt: skip


def _avg_pool(
    function: str, dims: int, input: Tensor, kernel_size: Ints, stride: Ints | None, padding: Ints,
    ceil_mode: bool, count_include_pad: bool, divisor_override: int | None,
) -> Tensor:  # fmt: skip
    x, batched = with_batch(function, as_float(function, input), dims)
    if divisor_override == 0:
        raise ArgumentError(
            f"{function}: divisor_override must not be 0", where=user_location_text()
        )
    axes = axes_of(function, x, kernel_size, stride, padding, 1, ceil_mode)
    total = padded(x, axes, 0.0)
    for number in reversed(range(dims)):
        dim = number + 2
        terms = [axes[number].element(total, dim, at) for at in range(axes[number].kernel)]
        total = terms[0]
        for term in terms[1:]:
            total = total + term
    divisor: Any = divisor_override
    if divisor is None:
        divisor = 1
        for number, axis in enumerate(axes):
            divisor = axis.elements(x.ndim, number + 2, count_include_pad) * divisor
    if isinstance(divisor, int):
        divisor = scalar_tensor(divisor, x.dtype)
    return without_batch(total / divisor.to(x.dtype), batched)


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: int, stride: int | None = None,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """``lp_pool2d`` over one spatial dim (``torch.nn.functional.lp_pool1d``)."""
    return _lp_pool(avg_pool1d, 1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """``sum(x ** p) ** (1 / p)`` over each window.

    Args:
        input: ``(batch, channels, height, width)`` or ``(channels, height, width)``.
        norm_type: ``p``.
        kernel_size: size of windows.
        stride: distance of windows; default: their size.
        ceil_mode: keep windows that reach over the end.

    Raises:
        ShapeError: if no window fits.
        ArgumentError: for amounts that make no sense.

    Source: ``torch.nn.functional.lp_pool2d``.
    """
    return _lp_pool(avg_pool2d, 2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """``lp_pool2d`` over three spatial dims (``torch.nn.functional.lp_pool3d``)."""
    return _lp_pool(avg_pool3d, 3, input, norm_type, kernel_size, stride, ceil_mode)


def _lp_pool(
    average: Callable[..., Tensor], dims: int, input: Tensor, norm_type: float, kernel_size: Ints,
    stride: Ints | None, ceil_mode: bool,
) -> Tensor:  # fmt: skip
    mean = average(pow(input, norm_type), kernel_size, stride, 0, ceil_mode)
    elements = math.prod(per_dim(f"lp_pool{dims}d", "kernel_size", kernel_size, dims, 1))
    return pow(sign(mean) * relu(absolute(mean)) * elements, 1.0 / norm_type)
