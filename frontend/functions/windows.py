"""Windows for pieces of signals: they rise from the ends to 1 in the middle."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dtypes import DTypeLike, as_dtype
from graphc.errors import ArgumentError, DTypeError
from graphc.frontend.base import concrete
from graphc.frontend.defaults import default_dtype
from graphc.provenance import user_location_text
from graphc.storage import Array

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
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``0.5 - 0.5 * cos``: from 0 to 0.

    Args:
        window_length: number of elements.
        periodic: one period, for transforms: the 0 at the end is left out; else symmetric.
        dtype: a floating point dtype; default float32.
        requires_grad: make it a leaf.

    Source: ``torch.hann_window``.

    Example:
        >>> import graphc as gc
        >>> gc.hann_window(4)
        tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _window("hann_window", _cosine(0.5, 0.5), window_length, periodic, dtype, requires_grad)


def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *,
    dtype: DTypeLike | None = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``alpha - beta * cos``; see ``hann_window`` (``torch.hamming_window``)."""
    make = _cosine(alpha, beta)
    return _window("hamming_window", make, window_length, periodic, dtype, requires_grad)


def blackman_window(
    window_length: int, periodic: bool = True, *, dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A sum of two cosines; see ``hann_window`` (``torch.blackman_window``)."""
    return _window("blackman_window", np.blackman, window_length, periodic, dtype, requires_grad)


def bartlett_window(
    window_length: int, periodic: bool = True, *, dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A triangle; see ``hann_window`` (``torch.bartlett_window``)."""
    return _window("bartlett_window", np.bartlett, window_length, periodic, dtype, requires_grad)


def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, *,
    dtype: DTypeLike | None = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Bessel functions, narrower for a larger beta; see ``hann_window``.

    Source: ``torch.kaiser_window``.
    """
    return _window(
        "kaiser_window", lambda count: np.kaiser(count, beta), window_length, periodic, dtype,
        requires_grad,
    )  # fmt: skip


def _cosine(alpha: float, beta: float) -> Callable[[int], Array]:
    return lambda count: alpha - beta * np.cos(2 * np.pi * np.arange(count) / (count - 1))


def _window(
    function: str, make: Callable[[int], Any], length: int, periodic: bool,
    dtype: DTypeLike | None, requires_grad: bool,
) -> Tensor:  # fmt: skip
    kind = as_dtype(dtype or default_dtype())
    if not kind.is_floating_point:
        raise DTypeError(
            f"{function}: unsupported dtype", got=kind.name, expected="a floating point dtype",
            where=user_location_text(),
        )  # fmt: skip
    if length < 0:
        raise ArgumentError(
            f"{function}: the length is negative", got=str(length), where=user_location_text()
        )
    values = np.ones(length) if length <= 1 else make(length + bool(periodic))[:length]
    return concrete(np.asarray(values, np.float64).astype(kind.numpy), requires_grad)
