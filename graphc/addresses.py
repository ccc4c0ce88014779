"""Where in memory the bytes of an array lie."""

from __future__ import annotations

import numpy as np

from graphc.storage import Array

Range = tuple[int, int]


def address_range(array: Array) -> Range:
    """The addresses from the first to behind the last byte of an array."""
    if array.flags.c_contiguous:
        start: int = array.__array_interface__["data"][0]
        return start, start + array.nbytes
    return np.lib.array_utils.byte_bounds(array)
