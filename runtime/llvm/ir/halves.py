"""The two 16-bit floating-point formats: stored in 16 bits, computed in float32.

bfloat16 is converted by integer arithmetic: the processor's instruction flushes denormals to zero.
"""

from __future__ import annotations

from graphc.dtypes import DType, bfloat16
from graphc.errors import CompileError
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.values import Value


def widen(e: Emitter, stored: Value, dtype: DType) -> Value:
    """The float32 value of stored 16 bits, exact."""
    if dtype is not bfloat16:
        _require_conversion(e)
        return e.cast("fpext", e.from_bits(stored, "half"), "float")
    return e.from_bits(e.binary("shl", e.cast("zext", stored, "i32"), 16), "float")


def narrow(e: Emitter, value: Value, dtype: DType) -> Value:
    """The stored 16 bits of a float32 value, rounded to nearest even."""
    if dtype is not bfloat16:
        _require_conversion(e)
        return e.bits(e.cast("fptrunc", value, "half"))
    bits = e.bits(value)
    last = e.binary("and", e.binary("lshr", bits, 16), 1)
    rounded = e.add(e.add(bits, 0x7FFF), last)
    quiet = e.binary("or", bits, 0x400000)
    chosen = e.select(e.cmp("uno", value, value), quiet, rounded)
    return e.cast("trunc", e.binary("lshr", chosen, 16), "i16")


def rounded(e: Emitter, value: Value, dtype: DType) -> Value:
    """A float32 value rounded to the format, still as float32."""
    return widen(e, narrow(e, value, dtype), dtype)


def _require_conversion(e: Emitter) -> None:
    if e.target.isa == "baseline":
        raise CompileError("float16: this processor cannot convert it in native code")


def odd_float32(e: Emitter, wide: Value) -> Value:
    """float64 to float32, rounded to odd: a second rounding, to 16 bits, is then correct."""
    near = e.cast("fptrunc", wide, "float")
    back = e.cast("fpext", near, "double")
    inexact = e.cmp("one", back, wide)
    too_large = e.cmp("ogt", e.abs(back), e.abs(wide))
    bits = e.bits(near)
    towards_zero = e.select(too_large, e.sub(bits, 1), bits)
    return e.from_bits(e.select(inexact, e.binary("or", towards_zero, 1), bits), "float")
