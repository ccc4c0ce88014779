"""Numbers as text and back, bit for bit: signed zeros, infinities and the payloads of NaNs."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.dtypes import BOOLEAN, COMPLEX, INTEGER, DType
from graphc.storage import Array

INLINE_LIMIT = 16
"""Literals with up to this many elements are written out in the text of a graph."""


def array_text(array: Array, dtype: DType) -> str:
    """The elements of a small array in C order, separated by commas.

    Args:
        array: the values.
        dtype: their type.

    Example:
        >>> from graphc.dtypes import float32
        >>> array_text(np.float32([0.1, -0.0, np.inf]), float32)
        '0.1, -0.0, inf'
    """
    with np.errstate(all="ignore"):  # signalling NaNs
        return ", ".join(_element_text(element, dtype) for element in array.reshape(-1))


def _element_text(element: Any, dtype: DType) -> str:
    if dtype.category == BOOLEAN:
        return "true" if element else "false"
    if dtype.category == INTEGER:
        return str(int(element))
    if dtype.category == COMPLEX:
        return f"({_float_text(element.real)}, {_float_text(element.imag)})"
    return _float_text(element)


def _float_text(element: Any) -> str:
    """The shortest text that reads back as the same bits."""
    own = np.asarray(element)
    if np.isnan(own):
        plain = np.asarray(np.nan, own.dtype)
        bits = int.from_bytes(own.tobytes(), "little")
        return "nan" if own.tobytes() == plain.tobytes() else f"nan(0x{bits:x})"
    for text in (str(element), repr(float(element))):
        if np.asarray(float(text)).astype(own.dtype).tobytes() == own.tobytes():
            break
    return text


def nan_of(bits: int, dtype: np.dtype[Any]) -> Array:
    """The 0-d floating-point array with these bits.

    Args:
        bits: the bit pattern.
        dtype: a floating-point dtype.

    Raises:
        OverflowError: if the pattern has more bits than the dtype.
    """
    return np.frombuffer(bits.to_bytes(dtype.itemsize, "little"), dtype).reshape(())
