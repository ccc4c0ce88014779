"""Transposed convolutions as layers."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.dims import Size
from graphc.dtypes import DTypeLike
from graphc.errors import ShapeError
from graphc.frontend.nn.functional import convolution
from graphc.frontend.nn.functional.windows import Ints
from graphc.frontend.nn.layers.convolution import ConvolutionBase
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

__all__ = ["ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

_CONVOLVE = {
    1: convolution.conv_transpose1d,
    2: convolution.conv_transpose2d,
    3: convolution.conv_transpose3d,
}


class _ConvTranspose(ConvolutionBase):
    padding: tuple[int, ...]

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Ints, stride: Ints = 1,
        padding: Ints = 0, output_padding: Ints = 0, groups: int = 1, bias: bool = True,
        dilation: Ints = 1, padding_mode: str = "zeros", device: object = None,
        dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding,
            groups, bias, padding_mode, True, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        output_padding = self.output_padding
        if output_size is not None:
            output_padding = self._padding_for(input, list(output_size))
        return _CONVOLVE[self.dims](
            input, self.weight, self.bias, self.stride, self.padding, output_padding, self.groups,
            self.dilation,
        )  # fmt: skip

    def _padding_for(self, input: Tensor, output_size: list[int]) -> tuple[int, ...]:
        """The ``output_padding`` that gives the output this size."""
        lead = input.ndim - self.dims
        wanted = output_size[lead:] if len(output_size) == input.ndim else output_size
        least: list[Size] = [
            (size - 1) * step - 2 * around + gap * (kernel - 1) + 1
            for size, step, around, gap, kernel in zip(
                input.shape[lead:], self.stride, self.padding, self.dilation, self.kernel_size,
                strict=True,
            )
        ]  # fmt: skip
        if len(wanted) != self.dims or not all(
            isinstance(low, int) and low <= size < low + step
            for size, low, step in zip(wanted, least, self.stride, strict=True)
        ):
            raise ShapeError(
                f"{type(self).__name__}: the input cannot have this output_size",
                got=f"{output_size} from {input.type}",
                expected=f"{least}, or less than stride={self.stride} more",
                where=user_location_text(),
            )
        return tuple(size - int(low) for size, low in zip(wanted, least, strict=True))


class ConvTranspose2d(_ConvTranspose):
    """The transposed map of ``Conv2d``, which enlarges images (``torch.nn.ConvTranspose2d``).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: size of windows.
        stride: distance of windows in the output.
        padding: what is cut off the output on each side.
        output_padding: what the output is larger by at its end.
        groups: blocks of channels that do not see each other.
        bias: add a learned bias per channel.
        dilation: distance of a window's elements.
        padding_mode: ``"zeros"``.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.

    ``weight`` is ``(in_channels, out_channels / groups, height, width)``. Called with
    ``output_size``, the layer chooses its output padding itself.

    Raises:
        ArgumentError: for arguments that make no sense.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> up = nn.ConvTranspose2d(4, 2, 3, stride=2, padding=1)
        >>> up(gc.randn(1, 4, 5, 5)).shape, up(gc.randn(1, 4, 5, 5), output_size=(10, 10)).shape
        ((1, 2, 9, 9), (1, 2, 10, 10))
    """

    dims = 2


class ConvTranspose1d(_ConvTranspose):
    """``ConvTranspose2d`` over one spatial dim (``torch.nn.ConvTranspose1d``)."""

    dims = 1


class ConvTranspose3d(_ConvTranspose):
    """``ConvTranspose2d`` over three spatial dims (``torch.nn.ConvTranspose3d``)."""

    dims = 3
