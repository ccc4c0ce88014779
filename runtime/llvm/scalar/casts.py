"""Conversions between dtypes, as ``cast`` defines them."""

from __future__ import annotations

from graphc.dtypes import BOOLEAN, FLOATING, INTEGER, DType, bfloat16
from graphc.runtime.llvm.ir import halves
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.memory import computed_elem, is_half
from graphc.runtime.llvm.ir.values import BITS, Value


def is_signed(dtype: DType) -> bool:
    """Whether a dtype's integers have a sign."""
    return dtype.numpy.kind == "i"


def convert(e: Emitter, x: Value, source: DType, target: DType) -> Value:
    """A value of ``source`` as a value of ``target``, both in computed form.

    Floating point to integer truncates, saturates, and makes 0 of NaN.
    """
    if source is target:
        return x
    elem = computed_elem(target)
    if target.category == BOOLEAN:
        return e.cmp("une" if source.category == FLOATING else "ne", x, 0)
    if source.category == FLOATING:
        if target.category == INTEGER:
            return _integer(e, x, elem, is_signed(target))
        return _between_floats(e, x, target)
    if target.category == INTEGER:
        return e.resize(x, elem, is_signed(source))
    converted = e.cast("sitofp" if is_signed(source) else "uitofp", x, elem)
    return halves.rounded(e, converted, target) if is_half(target) else converted


def _integer(e: Emitter, x: Value, elem: str, signed: bool) -> Value:
    """Truncated and saturated; NaN gives 0.

    LLVM takes its own saturating conversion of vectors apart. This one only converts what fits.
    """
    bits = BITS[elem]
    lowest, behind = (-(1 << (bits - 1)), 1 << (bits - 1)) if signed else (0, 1 << bits)
    fits = e.select(e.cmp("olt", x, behind), e.at_least(x, lowest), 0.0)
    wide = e.cast("fptosi", fits, elem if bits > 32 else "i32")
    return e.select(e.cmp("oge", x, behind), behind - 1, e.resize(wide, elem))


def _between_floats(e: Emitter, x: Value, target: DType) -> Value:
    if is_half(target):
        return halves.rounded(e, _single(e, x, target), target)
    elem = computed_elem(target)
    if x.elem == elem:
        return x
    return e.cast("fpext" if elem == "double" else "fptrunc", x, elem)


def _single(e: Emitter, x: Value, target: DType) -> Value:
    """As float32 on the way to 16 bits; numpy's and PyTorch's bfloat16 are rounded twice."""
    if x.elem != "double":
        return x
    return e.cast("fptrunc", x, "float") if target is bfloat16 else halves.odd_float32(e, x)
