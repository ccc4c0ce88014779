"""Memory for arrays that starts where vectors do."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from graphc.storage import Array

LINE = 64
"""Bytes of a cache line, and of the widest vector: one that crosses lines costs twice."""

LARGE = 4096
"""Bytes from which on the start of an array matters more than how fast it is made."""


def empty_array(shape: Sequence[int], dtype: np.dtype | type) -> Array:
    """An uninitialized C-contiguous array; a large one starts a cache line.

    Args:
        shape: sizes.
        dtype: numpy's element type.

    Example:
        >>> empty_array((3, 1000), np.float32).ctypes.data % LINE
        0
    """
    kind = np.dtype(dtype)
    nbytes = math.prod(shape) * kind.itemsize
    if nbytes < LARGE:
        return np.empty(shape, kind)
    return at_line(np.empty(nbytes + LINE, np.uint8)).view(kind).reshape(shape)


def zero_array(shape: Sequence[int], dtype: np.dtype | type) -> Array:
    """Like ``empty_array``, filled with zeros."""
    kind = np.dtype(dtype)
    nbytes = math.prod(shape) * kind.itemsize
    if nbytes < LARGE:
        return np.zeros(shape, kind)
    return at_line(np.zeros(nbytes + LINE, np.uint8)).view(kind).reshape(shape)


def at_line(memory: Array) -> Array:
    """The part of some bytes that starts a cache line; it is shorter by ``LINE``."""
    start = -memory.__array_interface__["data"][0] % LINE
    return memory[start : start + memory.size - LINE]
