"""Windows for pieces of signals (``torch.signal.windows``), computed in float64.

Each has ``M`` elements. A symmetric one is the same from both ends; otherwise it is one period,
without the element that begins the next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from graphc.dtypes import DTypeLike, as_dtype
from graphc.errors import ArgumentError, DTypeError
from graphc.frontend.making import concrete
from graphc.frontend.settings.default_dtype import default_dtype
from graphc.frontend.settings.devices import DeviceLike, require_cpu
from graphc.provenance import user_location_text
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

Shape = Callable[[int], Array]
"""The values of a symmetric window of so many elements, two or more."""

BLACKMAN = (0.42, 0.5, 0.08)
NUTTALL = (0.3635819, 0.4891775, 0.1365995, 0.0106411)


def window(
    function: str, shape: Shape, length: int, sym: bool, dtype: DTypeLike | None,
    requires_grad: bool, device: DeviceLike,
) -> Tensor:  # fmt: skip
    """A window of this shape.

    Args:
        function: the name for errors.
        shape: makes the values.
        length: number of elements; of none or one, no shape is asked.
        sym: whether the last element is the first's mirror image.
        dtype: a floating point dtype; None is the default one.
        requires_grad: make it a leaf.
        device: the CPU.

    Raises:
        ArgumentError: for a negative length.
        DTypeError: for another dtype.
    """
    require_cpu(device)
    kind = default_dtype() if dtype is None else as_dtype(dtype)
    if not kind.is_floating_point:
        raise DTypeError(
            f"{function}: unsupported dtype", got=kind.name, expected="a floating point dtype",
            where=user_location_text(),
        )  # fmt: skip
    if length < 0:
        raise _wrong(function, "the length is negative", length)
    values = np.ones(length) if length <= 1 else shape(length + (not sym))[:length]
    return concrete(values.astype(kind.numpy), requires_grad)


def _wrong(function: str, what: str, got: object) -> ArgumentError:
    return ArgumentError(f"{function}: {what}", got=str(got), where=user_location_text())


def cosines(weights: Sequence[float]) -> Shape:
    """``w[0] - w[1] * cos(t) + w[2] * cos(2 t) - ...`` over one period."""

    def values(count: int) -> Array:
        angles = 2 * np.pi * np.arange(count) / (count - 1)
        terms = [(-1) ** k * w * np.cos(k * angles) for k, w in enumerate(weights)]
        return np.asarray(sum(terms))

    return values


def triangle(count: int) -> Array:
    """From 0 to 1 and back."""
    return np.asarray(1 - np.abs(2 * np.arange(count) / (count - 1) - 1))


def bessel(beta: float) -> Shape:
    """``i0(beta * sqrt(1 - t ** 2)) / i0(beta)`` for t from -1 to 1."""
    return lambda count: np.asarray(np.kaiser(count, beta), np.float64)


def bartlett(
    M: int,  # noqa: N803 - PyTorch's name
    *, sym: bool = True, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """A triangle.

    Args:
        M: number of elements.
        sym: symmetric, for filters; False for one period, for transforms.
        dtype: a floating point dtype; default float32.
        requires_grad: make it a leaf.
        device: the CPU.

    Source: ``torch.signal.windows.bartlett``.

    Example:
        >>> import graphc as gc
        >>> gc.signal.windows.bartlett(5)
        tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    return window("bartlett", triangle, M, sym, dtype, requires_grad, device)


def blackman(
    M: int,  # noqa: N803 - PyTorch's name
    *, sym: bool = True, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """A sum of two cosines; see ``bartlett`` (``torch.signal.windows.blackman``)."""
    return window("blackman", cosines(BLACKMAN), M, sym, dtype, requires_grad, device)


def cosine(
    M: int,  # noqa: N803 - PyTorch's name
    *, sym: bool = True, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """Half a wave; see ``bartlett`` (``torch.signal.windows.cosine``)."""
    shape: Shape = lambda count: np.sin((np.arange(count) + 0.5) * np.pi / count)  # noqa: E731
    return window("cosine", shape, M, sym, dtype, requires_grad, device)


def exponential(
    M: int,  # noqa: N803 - PyTorch's name
    *, center: float | None = None, tau: float = 1.0, sym: bool = True,
    dtype: DTypeLike | None = None, requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """``exp(-|n - center| / tau)``; see ``bartlett``.

    Args:
        M: number of elements.
        center: where it is 1; default: the middle. Symmetric windows take no other.
        tau: the distance over which it falls to 1 / e.
        sym: see ``bartlett``, and so are the others.
        dtype: see there.
        requires_grad: see there.
        device: see there.

    Raises:
        ArgumentError: for ``tau`` that is not positive, and for a center of a symmetric window.

    Source: ``torch.signal.windows.exponential``.
    """
    if tau <= 0:
        raise _wrong("exponential", "tau must be positive", tau)
    if sym and center is not None:
        raise _wrong("exponential", "a symmetric window has its center in the middle", center)

    def shape(count: int) -> Array:
        middle = (count - 1) / 2 if center is None else center
        return np.asarray(np.exp(-np.abs(np.arange(count) - middle) / tau))

    if center is not None and M == 1:  # the only window of one element that is not 1
        made = window("exponential", shape, 2, True, dtype, requires_grad, device)
        return made[:1]
    return window("exponential", shape, M, sym, dtype, requires_grad, device)


def gaussian(
    M: int,  # noqa: N803 - PyTorch's name
    *, std: float = 1.0, sym: bool = True, dtype: DTypeLike | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """The bell curve of this standard deviation; see ``bartlett``.

    Raises:
        ArgumentError: for ``std`` that is not positive.

    Source: ``torch.signal.windows.gaussian``.
    """
    if std <= 0:
        raise _wrong("gaussian", "the standard deviation must be positive", std)

    def shape(count: int) -> Array:
        distances = (np.arange(count) - (count - 1) / 2) / (std * math.sqrt(2))
        return np.asarray(np.exp(-(distances**2)))

    return window("gaussian", shape, M, sym, dtype, requires_grad, device)


def general_cosine(
    M: int,  # noqa: N803 - PyTorch's name
    *, a: Iterable[float], sym: bool = True, dtype: DTypeLike | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """``a[0] - a[1] * cos(t) + a[2] * cos(2 t) - ...``; see ``bartlett``.

    Raises:
        ArgumentError: without coefficients.

    Source: ``torch.signal.windows.general_cosine``.
    """
    weights = list(a)
    if not weights:
        raise _wrong("general_cosine", "expected one weight or more", "none")
    return window("general_cosine", cosines(weights), M, sym, dtype, requires_grad, device)


def general_hamming(
    M: int,  # noqa: N803 - PyTorch's name
    *, alpha: float = 0.54, sym: bool = True, dtype: DTypeLike | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """``alpha - (1 - alpha) * cos``; see ``bartlett``.

    Source: ``torch.signal.windows.general_hamming``.
    """
    shape = cosines([alpha, 1 - alpha])
    return window("general_hamming", shape, M, sym, dtype, requires_grad, device)


def hamming(
    M: int,  # noqa: N803 - PyTorch's name
    *, sym: bool = True, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """``0.54 - 0.46 * cos``; see ``bartlett`` (``torch.signal.windows.hamming``)."""
    return window("hamming", cosines([0.54, 0.46]), M, sym, dtype, requires_grad, device)


def hann(
    M: int,  # noqa: N803 - PyTorch's name
    *, sym: bool = True, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """``0.5 - 0.5 * cos``; see ``bartlett`` (``torch.signal.windows.hann``)."""
    return window("hann", cosines([0.5, 0.5]), M, sym, dtype, requires_grad, device)


def kaiser(
    M: int,  # noqa: N803 - PyTorch's name
    *, beta: float = 12.0, sym: bool = True, dtype: DTypeLike | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """Bessel functions, narrower for a larger beta; see ``bartlett``.

    Raises:
        ArgumentError: for a negative ``beta``.

    Source: ``torch.signal.windows.kaiser``.
    """
    if beta < 0:
        raise _wrong("kaiser", "beta must not be negative", beta)
    return window("kaiser", bessel(beta), M, sym, dtype, requires_grad, device)


def nuttall(
    M: int,  # noqa: N803 - PyTorch's name
    *, sym: bool = True, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """A sum of three cosines; see ``bartlett`` (``torch.signal.windows.nuttall``)."""
    return window("nuttall", cosines(NUTTALL), M, sym, dtype, requires_grad, device)
