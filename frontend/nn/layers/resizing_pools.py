"""Pooling into a given number of windows, and unpooling, as layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from graphc.errors import ArgumentError
from graphc.frontend.nn.functional import adaptive, fractional, unpooling
from graphc.frontend.nn.functional.windows import Ints, per_dim
from graphc.frontend.nn.module import Module
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d", "AdaptiveMaxPool3d", "FractionalMaxPool2d", "FractionalMaxPool3d",
    "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d",
]  # fmt: skip

OutputSize = int | Sequence[int | None] | None

_AVERAGE = {
    1: adaptive.adaptive_avg_pool1d,
    2: adaptive.adaptive_avg_pool2d,
    3: adaptive.adaptive_avg_pool3d,
}
_LARGEST = {
    1: adaptive.adaptive_max_pool1d,
    2: adaptive.adaptive_max_pool2d,
    3: adaptive.adaptive_max_pool3d,
}
_FRACTIONAL = {2: fractional.fractional_max_pool2d, 3: fractional.fractional_max_pool3d}
_UNPOOL = {1: unpooling.max_unpool1d, 2: unpooling.max_unpool2d, 3: unpooling.max_unpool3d}


class _AdaptiveAvgPool(Module):
    dims: ClassVar[int]

    def __init__(self, output_size: OutputSize) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return _AVERAGE[self.dims](input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The means of a given number of windows of images (``torch.nn.AdaptiveAvgPool2d``).

    Args:
        output_size: how many windows; one number for all dims or one for each, None for as many
            as there are elements.
    """

    dims = 2


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """``AdaptiveAvgPool2d`` over one spatial dim (``torch.nn.AdaptiveAvgPool1d``)."""

    dims = 1


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """``AdaptiveAvgPool2d`` over three spatial dims (``torch.nn.AdaptiveAvgPool3d``)."""

    dims = 3


class _AdaptiveMaxPool(Module):
    dims: ClassVar[int]

    def __init__(self, output_size: OutputSize, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size, self.return_indices = output_size, return_indices

    def forward(self, input: Tensor) -> Any:
        return _LARGEST[self.dims](input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest elements of a given number of windows (``torch.nn.AdaptiveMaxPool2d``).

    Args:
        output_size: how many windows; one number for all dims or one for each, None for as many
            as there are elements.
        return_indices: also give the place of each element in its flat image.
    """

    dims = 2


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """``AdaptiveMaxPool2d`` over one spatial dim (``torch.nn.AdaptiveMaxPool1d``)."""

    dims = 1


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """``AdaptiveMaxPool2d`` over three spatial dims (``torch.nn.AdaptiveMaxPool3d``)."""

    dims = 3


class _FractionalMaxPool(Module):
    dims: ClassVar[int]

    def __init__(
        self, kernel_size: Ints, output_size: Ints | None = None,
        output_ratio: float | Sequence[float] | None = None, return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        name = type(self).__name__
        self.kernel_size = per_dim(name, "kernel_size", kernel_size, self.dims, 1)
        if (output_size is None) == (output_ratio is None):
            raise ArgumentError(
                f"{name}: give either output_size or output_ratio", where=user_location_text()
            )
        self.output_size = (
            None if output_size is None else per_dim(name, "output_size", output_size, self.dims, 1)
        )
        self.output_ratio = (
            (output_ratio,) * self.dims if isinstance(output_ratio, float | int) else output_ratio
        )
        if self.output_ratio is not None and not all(0 < ratio < 1 for ratio in self.output_ratio):
            raise ArgumentError(
                f"{name}: ratios must be between 0 and 1", got=repr(output_ratio),
                where=user_location_text(),
            )  # fmt: skip
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)

    def forward(self, input: Tensor) -> Any:
        return _FRACTIONAL[self.dims](
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices,
            self._random_samples,
        )  # fmt: skip


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest elements of windows at random distances (``torch.nn.FractionalMaxPool2d``).

    Args:
        kernel_size: size of windows.
        output_size: number of windows.
        output_ratio: or their number as a share of the size, between 0 and 1.
        return_indices: also give the place of each element in its flat image.
        _random_samples: ``(batch, channels, dims)`` numbers from 0 to 1 in place of drawn ones.

    Raises:
        ArgumentError: without a size or ratio, or for both.
    """

    dims = 2


class FractionalMaxPool3d(_FractionalMaxPool):
    """``FractionalMaxPool2d`` over three spatial dims (``torch.nn.FractionalMaxPool3d``)."""

    dims = 3


class _MaxUnpool(Module):
    dims: ClassVar[int]

    def __init__(self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0) -> None:
        super().__init__()
        name = type(self).__name__
        self.kernel_size = per_dim(name, "kernel_size", kernel_size, self.dims, 1)
        step = kernel_size if stride is None else stride
        self.stride = per_dim(name, "stride", step, self.dims, 1)
        self.padding = per_dim(name, "padding", padding, self.dims, 0)

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        return _UNPOOL[self.dims](
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool2d(_MaxUnpool):
    """Elements back at the places that ``MaxPool2d`` had them from (``torch.nn.MaxUnpool2d``).

    Args:
        kernel_size: of the pooling.
        stride: of the pooling; default: the windows' size.
        padding: of the pooling.

    Called with the pooled tensor, its indices and, if it is not the least, the ``output_size``.
    """

    dims = 2


class MaxUnpool1d(_MaxUnpool):
    """``MaxUnpool2d`` over one spatial dim (``torch.nn.MaxUnpool1d``)."""

    dims = 1


class MaxUnpool3d(_MaxUnpool):
    """``MaxUnpool2d`` over three spatial dims (``torch.nn.MaxUnpool3d``)."""

    dims = 3
