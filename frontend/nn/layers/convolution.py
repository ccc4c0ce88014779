"""Convolutions as layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from graphc.dtypes import DTypeLike
from graphc.errors import ArgumentError
from graphc.frontend.nn import init
from graphc.frontend.nn.functional import convolution
from graphc.frontend.nn.functional.padding import pad
from graphc.frontend.nn.functional.windows import Ints, per_dim
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.parameter import Parameter, element_type, zeros
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

__all__ = ["Conv1d", "Conv2d", "Conv3d"]

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")
_CONVOLVE = {1: convolution.conv1d, 2: convolution.conv2d, 3: convolution.conv3d}


class ConvolutionBase(Module):
    """What convolutions and transposed convolutions have: windows, a weight and a bias."""

    dims: ClassVar[int]
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Ints, stride: Ints,
        padding: str | Ints, dilation: Ints, output_padding: Ints, groups: int, bias: bool,
        padding_mode: str, transposed: bool, device: object, dtype: DTypeLike | None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.padding_mode, self.transposed = padding_mode, transposed
        self.kernel_size = self._per_dim("kernel_size", kernel_size, 1)
        self.stride = self._per_dim("stride", stride, 1)
        self.dilation = self._per_dim("dilation", dilation, 1)
        self.output_padding = self._per_dim("output_padding", output_padding, 0)
        self.padding = padding if isinstance(padding, str) else self._per_dim("padding", padding, 0)
        self._check()
        of = element_type(device, dtype)
        inner, outer = (in_channels, out_channels) if transposed else (out_channels, in_channels)
        self.weight = Parameter(zeros((inner, outer // groups, *self.kernel_size), of))
        self.register_parameter("bias", Parameter(zeros((out_channels,), of)) if bias else None)
        self.reset_parameters()

    def _per_dim(self, name: str, value: Ints, least: int) -> tuple[int, ...]:
        return per_dim(type(self).__name__, name, value, self.dims, least)

    def _check(self) -> None:
        if self.groups < 1 or self.in_channels % self.groups or self.out_channels % self.groups:
            raise self._wrong(
                "groups must divide both numbers of channels",
                f"{self.in_channels}, {self.out_channels}, groups={self.groups}",
            )
        if self.transposed and (self.padding_mode != "zeros" or isinstance(self.padding, str)):
            got = f"padding={self.padding!r}, padding_mode={self.padding_mode!r}"
            raise self._wrong("the padding must be a size, and its mode 'zeros'", got)
        if isinstance(self.padding, str) and self.padding not in ("same", "valid"):
            raise self._wrong("padding is a size, 'same' or 'valid'", repr(self.padding))
        if self.padding == "same" and any(step != 1 for step in self.stride):
            raise self._wrong("padding='same' needs stride 1", f"stride={self.stride}")
        if self.padding_mode not in _PADDING_MODES:
            modes = ", ".join(_PADDING_MODES)
            raise self._wrong(f"padding_mode is one of {modes}", repr(self.padding_mode))

    def _wrong(self, what: str, got: str) -> ArgumentError:
        return ArgumentError(f"{type(self).__name__}: {what}", got=got, where=user_location_text())

    def reset_parameters(self) -> None:
        """Draw new start values."""
        if self.weight.numel() == 0:
            return
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init.fan_in_and_out(self.weight)
            bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        nothing, ones = (0,) * self.dims, (1,) * self.dims
        if self.padding != nothing:
            text += f", padding={self.padding}"
        if self.dilation != ones:
            text += f", dilation={self.dilation}"
        if self.output_padding != nothing:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        return text + (
            "" if self.padding_mode == "zeros" else f", padding_mode={self.padding_mode}"
        )


class _Convolution(ConvolutionBase):
    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Ints, stride: Ints = 1,
        padding: str | Ints = 0, dilation: Ints = 1, groups: int = 1, bias: bool = True,
        padding_mode: str = "zeros", device: object = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias,
            padding_mode, False, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input = pad(input, self._around(), self.padding_mode)
            padding = (0,) * self.dims
        return _CONVOLVE[self.dims](
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )

    def _around(self) -> Sequence[int]:
        """How much to pad before and after each dim, the last dim first."""
        around: list[int] = []
        for dim in reversed(range(self.dims)):
            if self.padding == "valid":
                around += (0, 0)
            elif isinstance(self.padding, str):
                total = self.dilation[dim] * (self.kernel_size[dim] - 1)
                around += (total // 2, total - total // 2)
            else:
                around += (self.padding[dim], self.padding[dim])
        return around


class Conv2d(_Convolution):
    """Weighted sums over windows of images (``torch.nn.Conv2d``).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: size of windows.
        stride: distance of windows.
        padding: what surrounds the input on each side; or ``"same"`` or ``"valid"``.
        dilation: distance of a window's elements.
        groups: blocks of channels that do not see each other.
        bias: add a learned bias per channel.
        padding_mode: ``"zeros"``, ``"reflect"``, ``"replicate"`` or ``"circular"``.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.

    ``weight`` is ``(out_channels, in_channels / groups, height, width)``; it and ``bias`` start
    uniform within 1 over the root of the number of elements that make one output.

    Raises:
        ArgumentError: for arguments that make no sense.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> nn.Conv2d(3, 8, 3, padding=1)(gc.randn(2, 3, 5, 5)).shape
        (2, 8, 5, 5)
    """

    dims = 2


class Conv1d(_Convolution):
    """``Conv2d`` over one spatial dim (``torch.nn.Conv1d``)."""

    dims = 1


class Conv3d(_Convolution):
    """``Conv2d`` over three spatial dims (``torch.nn.Conv3d``)."""

    dims = 3
