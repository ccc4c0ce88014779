"""Where Python and numpy keep things inside their objects, as far as native calls read them.

The offsets are those of a 64-bit CPython with the GIL and of every numpy since 1.7. They are not
promised, so they are compared with the objects themselves, once; where anything differs there are
no native calls, and every run takes the checked way through Python.
"""

from __future__ import annotations

import ctypes
import functools
import sys
import sysconfig
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.errors import SessionError
from graphc.storage import Array, Storage, Version

TYPE = 8
"""Of every object: its type."""
DATA, NDIM, DIMS, DESCR, FLAGS = 16, 24, 32, 56, 64
"""Of an array: address of element 0, number of dims (i32), sizes, dtype, flags (i32)."""
FIT_FLAGS = 0x0001 | 0x0100
"""An array's flags: C-contiguous and aligned."""
WRITEABLE = 0x0400
"""An array's flag for memory that may be written."""
ITEMS = tuple.__basicsize__
"""Of a tuple: its first item."""

_ARRAY_TYPE, _NEW_FROM_DESCR, _SET_BASE = 2, 94, 282
"""Positions in numpy's table of C functions, part of its stable binary interface."""

_TP_NEW = 65
"""Python's number of a type's ``__new__`` function, part of its stable binary interface."""


def are_as_expected() -> bool:
    """Whether native calls may read objects on this interpreter; found out once."""
    return _expected()


@functools.cache
def _expected() -> bool:
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return False
    if ctypes.sizeof(ctypes.c_void_p) != 8 or sys.byteorder != "little":
        return False
    probes: list[Array] = [
        np.empty((3, 5), np.float32),
        np.empty((2, 2), np.int8)[1:],
        np.empty((4, 4), np.complex128)[:, ::2],
        np.empty(0),
        np.empty(()),
    ]
    return all(map(_array_is_expected, probes)) and _tuple_is_expected() and _slots_are_expected()


def slot(owner: object, name: str) -> int:
    """The address of the cell in which an object with ``__slots__`` keeps an attribute.

    Raises:
        SessionError: if that cannot be found.
    """
    return id(owner) + slot_offset(type(owner), name)


def slot_offset(kind: type[Any], name: str) -> int:
    """Bytes from the start of an instance to the cell of an attribute.

    Raises:
        SessionError: if that cannot be found.
    """
    key = (kind, name)
    if key not in _slot_offsets:
        _slot_offsets[key] = _found_offset(kind, name)
    offset = _slot_offsets[key]
    if offset is None:
        raise SessionError(f"{kind.__name__}.{name} is in no slot")
    return offset


_slot_offsets: dict[tuple[type[Any], str], int | None] = {}


@functools.cache
def make_object() -> int:
    """The address of the C function behind ``object.__new__``."""
    get = ctypes.pythonapi.PyType_GetSlot
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_int]
    address: int = get(object, _TP_NEW)
    return address


@functools.cache
def array_functions() -> dict[str, int]:
    """Addresses from numpy's table: the array type, and functions that make and tie arrays."""
    module = sys.modules["numpy._core._multiarray_umath"]
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    table = pointer(module._ARRAY_API, None)
    places = {"type": _ARRAY_TYPE, "new": _NEW_FROM_DESCR, "set_base": _SET_BASE}
    return {name: _word(table, 8 * place) for name, place in places.items()}


def _array_is_expected(array: Array) -> bool:
    at = id(array)
    flags = array.flags
    known = (flags.c_contiguous * 0x0001) | (flags.aligned * 0x0100) | (flags.writeable * 0x0400)
    return (
        _word(at, TYPE) == id(np.ndarray)
        and _word(at, DATA) == array.ctypes.data
        and _half(at, NDIM) == array.ndim
        and _word(at, DESCR) == id(array.dtype)
        and _half(at, FLAGS) & 0x0501 == known
        and array_functions()["type"] == id(np.ndarray)
        and _words(_word(at, DIMS), array.ndim) == array.shape  # last: it follows an address
    )


def _tuple_is_expected() -> bool:
    first, second = object(), object()
    pair = (first, second)
    return _words(id(pair) + ITEMS, 2) == (id(first), id(second))


def _slots_are_expected() -> bool:
    return None not in (_found_offset(Storage, "array"), _found_offset(Version, "count"))


def _found_offset(kind: type[Any], name: str) -> int | None:
    """Found by looking for a known object in an instance."""
    instance, marker = object.__new__(kind), object()
    object.__setattr__(instance, name, marker)
    places = range(0, kind.__basicsize__, 8)
    found = [place for place in places if _word(id(instance), place) == id(marker)]
    return found[0] if len(found) == 1 else None


def _word(base: int, offset: int) -> int:
    return ctypes.c_uint64.from_address(base + offset).value


def _half(base: int, offset: int) -> int:
    return ctypes.c_int32.from_address(base + offset).value


def _words(base: int, count: int) -> Sequence[int]:
    return tuple(_word(base, 8 * position) for position in range(count))
