"""The C math library as a source of correct slow paths."""

from __future__ import annotations

import ctypes
import functools
import sys

_DOUBLE = (
    "sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh exp exp2 expm1 log log2 "
    "log10 log1p pow erf erfc cbrt hypot fmod fma floor ceil trunc rint nearbyint round roundeven "
    "ldexp"
).split()

NAMES = tuple(sorted([*_DOUBLE, *(f"{name}f" for name in _DOUBLE)]))


@functools.cache
def addresses() -> dict[str, int]:
    """Addresses of the C math functions that this machine's library has.

    Whether the interpreter itself was linked with the library differs between builds of Python, so
    the addresses are looked up here instead of being left to the linker.
    """
    found: dict[str, int] = {}
    for library in _libraries():
        for name in NAMES:
            if name not in found and hasattr(library, name):
                address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
                if address is not None:
                    found[name] = address
    return found


def _libraries() -> list[ctypes.CDLL]:
    names = ["libSystem.B.dylib"] if sys.platform == "darwin" else ["libm.so.6", "libm.so"]
    loaded = []
    for name in names:
        try:
            loaded.append(ctypes.CDLL(name))
        except OSError:
            continue
    return [*loaded, ctypes.CDLL(None)]
