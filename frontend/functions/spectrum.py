"""Sample frequencies and their order (``torch.fft``'s helpers)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from graphc.dims import Size
from graphc.dtypes import DTypeLike, as_dtype
from graphc.errors import ArgumentError
from graphc.frontend.functions.convert import normalize_dims, require_tensor
from graphc.frontend.functions.creation import tracked
from graphc.frontend.functions.pieces import cat
from graphc.frontend.making import concrete
from graphc.frontend.settings.default_dtype import default_dtype
from graphc.frontend.settings.devices import DeviceLike, require_cpu
from graphc.ops.shape import narrow
from graphc.provenance import user_location_text
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def fftfreq(
    n: int, d: float = 1.0, *, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """The frequencies of a discrete Fourier transform: 0, 1, ..., -2, -1 over ``n * d``.

    Args:
        n: length of the signal.
        d: time between samples, in seconds for frequencies in hertz.
        dtype: default float32.
        requires_grad: make it a leaf.
        device: the CPU.

    Source: ``torch.fft.fftfreq``.
    """
    _require_length("fftfreq", n)
    whole = np.fft.ifftshift(np.arange(-(n // 2), n - n // 2))
    return _frequencies(whole, n * d, dtype, requires_grad, device)


def rfftfreq(
    n: int, d: float = 1.0, *, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """The frequencies of a transform of real values, ``n // 2 + 1`` of them.

    Source: ``torch.fft.rfftfreq``.
    """
    _require_length("rfftfreq", n)
    return _frequencies(np.arange(n // 2 + 1), n * d, dtype, requires_grad, device)


def _require_length(function: str, n: int) -> None:
    if n < 0:
        raise ArgumentError(
            f"{function}: a length cannot be negative", got=str(n), where=user_location_text()
        )


def _frequencies(
    whole: Array, length: float, dtype: DTypeLike | None, requires_grad: bool, device: DeviceLike
) -> Tensor:
    """Whole numbers over the signal's length, which may be 0 as in PyTorch."""
    require_cpu(device)
    with np.errstate(all="ignore"):
        values = np.multiply(whole, np.divide(1.0, length))
    of = default_dtype() if dtype is None else as_dtype(dtype)
    return tracked(concrete(values.astype(of.numpy)), requires_grad)


def fftshift(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Move frequency 0 to the middle of each dim (``torch.fft.fftshift``).

    Example:
        >>> import graphc as gc
        >>> gc.fft.fftshift(gc.tensor([0.0, 1.0, 2.0, -2.0, -1.0]))
        tensor([-2., -1.,  0.,  1.,  2.])
    """
    return _rotate("fftshift", input, dim, lambda size: size - size // 2)


def ifftshift(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Undo ``fftshift`` (``torch.fft.ifftshift``)."""
    return _rotate("ifftshift", input, dim, lambda size: size // 2)


def _rotate(
    function: str, input: Tensor, dim: int | Sequence[int] | None, first: Callable[[Size], Size]
) -> Tensor:
    x = require_tensor(function, input)
    for axis in normalize_dims(function, dim, x.ndim):
        size = x.shape[axis]
        at = first(size)
        x = cat([narrow(x, axis, at, size), narrow(x, axis, 0, at)], axis)
    return x
