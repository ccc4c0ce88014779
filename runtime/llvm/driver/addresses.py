"""Addresses of numpy arrays, quickly."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable

import numpy as np

from graphc.storage import Array

_DATA_OFFSET = 16
"""Where a numpy array object keeps the address of its data, behind the object's header."""


def address_of(array: Array) -> int:
    """The address of element 0."""
    return _reader()(array)


@functools.cache
def _reader() -> Callable[[Array], int]:
    """Read the array object itself (0.2 us instead of 2 us) where its layout is as expected."""
    probes: list[Array] = [np.empty(3), np.empty((2, 2), np.int8)[1:], np.empty(0)]
    try:
        trusted = all(_read(probe) == _ask(probe) for probe in probes)
    except (ValueError, TypeError):
        trusted = False
    return _read if trusted else _ask


def _read(array: Array) -> int:
    return ctypes.c_void_p.from_address(id(array) + _DATA_OFFSET).value or 0


def _ask(array: Array) -> int:
    return int(array.ctypes.data)
