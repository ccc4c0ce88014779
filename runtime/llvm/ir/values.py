"""SSA values of the generated code, and constants in LLVM's exact notation."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import ml_dtypes
import numpy as np

FLOATS = ("half", "bfloat", "float", "double")

BITS = {
    "i1": 1,
    "i8": 8,
    "i16": 16,
    "i32": 32,
    "i64": 64,
    "half": 16,
    "bfloat": 16,
    "float": 32,
    "double": 64,
}

# As LLVM spells an element type inside the name of an intrinsic.
_SUFFIX = {"half": "f16", "bfloat": "bf16", "float": "f32", "double": "f64"}

# The integer type with the same bits.
INTEGER_OF = {"half": "i16", "bfloat": "i16", "float": "i32", "double": "i64"}


@dataclass(frozen=True, slots=True)
class Value:
    """One SSA value: a scalar, or a vector when ``lanes`` is more than 1.

    Args:
        text: how the code refers to it: ``%7`` or a constant.
        elem: LLVM type of one element, e.g. ``"float"``.
        lanes: number of elements.
    """

    text: str
    elem: str
    lanes: int

    @property
    def type(self) -> str:
        """The LLVM type."""
        return type_name(self.elem, self.lanes)

    @property
    def typed(self) -> str:
        """Type and text, as most instructions want an operand."""
        return f"{self.type} {self.text}"

    @property
    def is_float(self) -> bool:
        """Whether the elements are floating-point numbers."""
        return self.elem in FLOATS


def type_name(elem: str, lanes: int) -> str:
    """The LLVM type of ``lanes`` elements; one lane is a plain scalar."""
    return elem if lanes == 1 else f"<{lanes} x {elem}>"


def suffix(elem: str, lanes: int) -> str:
    """How an intrinsic's name mentions the type: ``f32`` or ``v16f32``."""
    scalar = _SUFFIX.get(elem, elem)
    return scalar if lanes == 1 else f"v{lanes}{scalar}"


def constant(elem: str, number: float, lanes: int = 1) -> Value:
    """The same constant in every lane, rounded to ``elem`` once and then exact.

    Args:
        elem: LLVM type of one element.
        number: any Python number; for ``i1`` its truth value.
        lanes: number of elements.
    """
    literal = _literal(elem, number)
    text = literal if lanes == 1 else f"splat ({elem} {literal})"
    return Value(text, elem, lanes)


def _literal(elem: str, number: float) -> str:
    if elem == "i1":
        return "true" if number else "false"
    if elem not in FLOATS:
        half = 1 << (BITS[elem] - 1)
        return str((int(number) + half) % (2 * half) - half)
    if elem == "half":
        return f"0xH{np.float16(number).view(np.uint16):04X}"
    if elem == "bfloat":
        return f"0xR{np.asarray(number, ml_dtypes.bfloat16).view(np.uint16):04X}"
    with np.errstate(over="ignore"):
        exact = float(np.float32(number)) if elem == "float" else float(number)
    return f"0x{struct.unpack('<Q', struct.pack('<d', exact))[0]:016X}"
