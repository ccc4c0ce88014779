"""Pooling over windows of a given size, as layers."""

from __future__ import annotations

from typing import Any, ClassVar

from graphc.frontend.nn.functional import pooling
from graphc.frontend.nn.functional.windows import Ints, per_dim
from graphc.frontend.nn.module import Module
from graphc.frontend.tensor import Tensor

__all__ = [
    "AvgPool1d", "AvgPool2d", "AvgPool3d", "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d",
    "MaxPool2d", "MaxPool3d",
]  # fmt: skip

_LARGEST = {1: pooling.max_pool1d, 2: pooling.max_pool2d, 3: pooling.max_pool3d}
_NORMS: dict[int, Any] = {1: pooling.lp_pool1d, 2: pooling.lp_pool2d, 3: pooling.lp_pool3d}


class _MaxPool(Module):
    dims: ClassVar[int]

    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1,
        return_indices: bool = False, ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: Tensor) -> Any:
        return _LARGEST[self.dims](
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            self.return_indices,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool2d(_MaxPool):
    """The largest element of each window of images (``torch.nn.MaxPool2d``).

    Args:
        kernel_size: size of windows.
        stride: distance of windows; default: their size.
        padding: elements on each side that no window chooses; at most half a window.
        dilation: distance of a window's elements.
        return_indices: also give the place of each element, for ``MaxUnpool2d``.
        ceil_mode: keep windows that reach over the end.
    """

    dims = 2


class MaxPool1d(_MaxPool):
    """``MaxPool2d`` over one spatial dim (``torch.nn.MaxPool1d``)."""

    dims = 1


class MaxPool3d(_MaxPool):
    """``MaxPool2d`` over three spatial dims (``torch.nn.MaxPool3d``)."""

    dims = 3


class _AvgPool(Module):
    kernel_size: Ints
    stride: Ints
    padding: Ints

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPool):
    """The mean of each window of ``(batch, channels, length)`` (``torch.nn.AvgPool1d``).

    Args:
        kernel_size: size of windows.
        stride: distance of windows; default: their size.
        padding: zeros on each side; at most half a window.
        ceil_mode: keep windows that reach over the end.
        count_include_pad: zeros of the padding count as elements.
    """

    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
        ceil_mode: bool = False, count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = per_dim("AvgPool1d", "kernel_size", kernel_size, 1, 1)
        step = kernel_size if stride is None else stride
        self.stride = per_dim("AvgPool1d", "stride", step, 1, 1)
        self.padding = per_dim("AvgPool1d", "padding", padding, 1, 0)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        return pooling.avg_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad,
        )  # fmt: skip


class AvgPool2d(_AvgPool):
    """The mean of each window of images (``torch.nn.AvgPool2d``).

    Args:
        kernel_size: size of windows.
        stride: distance of windows; default: their size.
        padding: zeros on each side; at most half a window.
        ceil_mode: keep windows that reach over the end.
        count_include_pad: zeros of the padding count as elements.
        divisor_override: divide sums by this instead of the number of elements.
    """

    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
        ceil_mode: bool = False, count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return pooling.avg_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad, self.divisor_override,
        )  # fmt: skip


class AvgPool3d(AvgPool2d):
    """``AvgPool2d`` over three spatial dims (``torch.nn.AvgPool3d``)."""

    def forward(self, input: Tensor) -> Tensor:
        return pooling.avg_pool3d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad, self.divisor_override,
        )  # fmt: skip


class _LPPool(Module):
    dims: ClassVar[int]

    def __init__(
        self, norm_type: float, kernel_size: Ints, stride: Ints | None = None,
        ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.norm_type, self.kernel_size = norm_type, kernel_size
        self.stride, self.ceil_mode = stride, ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        made: Tensor = _NORMS[self.dims](
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )
        return made

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool2d(_LPPool):
    """``sum(x ** p) ** (1 / p)`` over each window of images (``torch.nn.LPPool2d``).

    Args:
        norm_type: ``p``.
        kernel_size: size of windows.
        stride: distance of windows; default: their size.
        ceil_mode: keep windows that reach over the end.
    """

    dims = 2


class LPPool1d(_LPPool):
    """``LPPool2d`` over one spatial dim (``torch.nn.LPPool1d``)."""

    dims = 1


class LPPool3d(_LPPool):
    """``LPPool2d`` over three spatial dims (``torch.nn.LPPool3d``)."""

    dims = 3
