"""Padding as layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from graphc.errors import ArgumentError
from graphc.frontend.nn.functional.padding import pad
from graphc.frontend.nn.functional.shapes import require_channels
from graphc.frontend.nn.module import Module
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d",
    "ConstantPad3d", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d",
    "ReplicationPad2d", "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _Pad(Module):
    """A layer that pads the last dims."""

    dims: ClassVar[int]

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        wanted = 2 * self.dims
        self.padding = (padding,) * wanted if isinstance(padding, int) else tuple(padding)
        if len(self.padding) != wanted:
            raise ArgumentError(
                f"{type(self).__name__}: wrong padding", got=repr(padding),
                expected=f"one size or {wanted}, the last dim first", where=user_location_text(),
            )  # fmt: skip

    def extra_repr(self) -> str:
        return str(self.padding)


class _ConstantPad(_Pad):
    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad2d(_ConstantPad):
    """Surround the last two dims with a number (``torch.nn.ConstantPad2d``).

    Args:
        padding: how many elements; one size, or left, right, top, bottom. Negative sizes crop.
        value: the number.

    Raises:
        ArgumentError: for another number of sizes.
    """

    dims = 2


class ConstantPad1d(_ConstantPad):
    """``ConstantPad2d`` of the last dim (``torch.nn.ConstantPad1d``)."""

    dims = 1


class ConstantPad3d(_ConstantPad):
    """``ConstantPad2d`` of the last three dims (``torch.nn.ConstantPad3d``)."""

    dims = 3


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return str(self.padding)


class ZeroPad1d(_ZeroPad):
    """``ConstantPad1d`` with zeros (``torch.nn.ZeroPad1d``)."""

    dims = 1


class ZeroPad2d(_ZeroPad):
    """``ConstantPad2d`` with zeros (``torch.nn.ZeroPad2d``)."""

    dims = 2


class ZeroPad3d(_ZeroPad):
    """``ConstantPad3d`` with zeros (``torch.nn.ZeroPad3d``)."""

    dims = 3


class _PadByInput(_Pad):
    """A layer that pads with elements of the input."""

    mode: ClassVar[str]

    def forward(self, input: Tensor) -> Tensor:
        require_channels(type(self).__name__, input, self.dims)
        return pad(input, self.padding, self.mode)


class ReflectionPad2d(_PadByInput):
    """Surround images with their mirror image (``torch.nn.ReflectionPad2d``).

    Args:
        padding: how many elements; one size, or left, right, top, bottom.

    Raises:
        ArgumentError: for another number of sizes.
    """

    dims, mode = 2, "reflect"


class ReflectionPad1d(_PadByInput):
    """``ReflectionPad2d`` over one spatial dim (``torch.nn.ReflectionPad1d``)."""

    dims, mode = 1, "reflect"


class ReflectionPad3d(_PadByInput):
    """``ReflectionPad2d`` over three spatial dims (``torch.nn.ReflectionPad3d``)."""

    dims, mode = 3, "reflect"


class ReplicationPad2d(_PadByInput):
    """Surround images with their outermost elements (``torch.nn.ReplicationPad2d``).

    Args:
        padding: how many elements; one size, or left, right, top, bottom.

    Raises:
        ArgumentError: for another number of sizes.
    """

    dims, mode = 2, "replicate"


class ReplicationPad1d(_PadByInput):
    """``ReplicationPad2d`` over one spatial dim (``torch.nn.ReplicationPad1d``)."""

    dims, mode = 1, "replicate"


class ReplicationPad3d(_PadByInput):
    """``ReplicationPad2d`` over three spatial dims (``torch.nn.ReplicationPad3d``)."""

    dims, mode = 3, "replicate"


class CircularPad2d(_PadByInput):
    """Surround images with their opposite sides (``torch.nn.CircularPad2d``).

    Args:
        padding: how many elements; one size, or left, right, top, bottom.

    Raises:
        ArgumentError: for another number of sizes.
    """

    dims, mode = 2, "circular"


class CircularPad1d(_PadByInput):
    """``CircularPad2d`` over one spatial dim (``torch.nn.CircularPad1d``)."""

    dims, mode = 1, "circular"


class CircularPad3d(_PadByInput):
    """``CircularPad2d`` over three spatial dims (``torch.nn.CircularPad3d``)."""

    dims, mode = 3, "circular"
