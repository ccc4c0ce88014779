"""Windows for pieces of signals, under the older names: they rise from the ends to the middle.

``graphc.signal.windows`` has them all; here they are periodic unless one asks otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.dtypes import DTypeLike
from graphc.frontend.functions import signal_windows as shapes
from graphc.frontend.settings.devices import DeviceLike

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "bartlett_window",
    "blackman_window",
    "hamming_window",
    "hann_window",
    "kaiser_window",
]


def hann_window(
    window_length: int, periodic: bool = True, *, dtype: DTypeLike | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """``0.5 - 0.5 * cos``: from 0 to 0.

    Args:
        window_length: number of elements.
        periodic: one period, for transforms: the 0 at the end is left out; else symmetric.
        dtype: a floating point dtype; default float32.
        requires_grad: make it a leaf.
        device: the CPU.

    Source: ``torch.hann_window``.

    Example:
        >>> import graphc as gc
        >>> gc.hann_window(4)
        tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    make = shapes.cosines([0.5, 0.5])
    return shapes.window(
        "hann_window", make, window_length, not periodic, dtype, requires_grad, device
    )


def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *,
    dtype: DTypeLike | None = None, requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """``alpha - beta * cos``; see ``hann_window`` (``torch.hamming_window``)."""
    make = shapes.cosines([alpha, beta])
    return shapes.window(
        "hamming_window", make, window_length, not periodic, dtype, requires_grad, device
    )


def blackman_window(
    window_length: int, periodic: bool = True, *, dtype: DTypeLike | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """A sum of two cosines; see ``hann_window`` (``torch.blackman_window``)."""
    make = shapes.cosines(shapes.BLACKMAN)
    return shapes.window(
        "blackman_window", make, window_length, not periodic, dtype, requires_grad, device
    )


def bartlett_window(
    window_length: int, periodic: bool = True, *, dtype: DTypeLike | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """A triangle; see ``hann_window`` (``torch.bartlett_window``)."""
    return shapes.window(
        "bartlett_window", shapes.triangle, window_length, not periodic, dtype, requires_grad,
        device,
    )  # fmt: skip


def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, *,
    dtype: DTypeLike | None = None, requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """Bessel functions, narrower for a larger beta; see ``hann_window``.

    Source: ``torch.kaiser_window``.
    """
    make = shapes.bessel(beta)
    return shapes.window(
        "kaiser_window", make, window_length, not periodic, dtype, requires_grad, device
    )
