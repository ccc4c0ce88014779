"""Remainders of floating-point numbers, and division that rounds down, as numpy defines them."""

from __future__ import annotations

from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.values import Value
from graphc.runtime.llvm.math.lanewise import lanewise


def remainder(e: Emitter, a: Value, b: Value) -> Value:
    """a - floor(a / b) b with the sign of b; NaN where b is 0."""
    modulus, nonzero, crossed = _modulus(e, a, b)
    shifted = e.select(crossed, e.add(modulus, b), modulus)
    return e.select(nonzero, shifted, e.copysign(modulus, b))


def floor_divide(e: Emitter, a: Value, b: Value) -> Value:
    """floor(a / b), from the exact remainder; a / b where b is 0."""
    modulus, _, crossed = _modulus(e, a, b)
    quotient = e.div(e.sub(a, modulus), b)
    quotient = e.select(crossed, e.sub(quotient, 1.0), quotient)
    floored = e.intrinsic("floor", quotient)
    low = e.cmp("ogt", e.sub(quotient, floored), 0.5)
    floored = e.select(low, e.add(floored, 1.0), floored)
    plain = e.div(a, b)
    zero = e.copysign(e.like(a, 0.0), plain)
    result = e.select(e.cmp("une", quotient, 0.0), floored, zero)
    return e.select(e.cmp("oeq", b, 0.0), plain, result)


def fmod(e: Emitter, a: Value, b: Value) -> Value:
    """a - trunc(a / b) b, exact; NaN where b is 0."""
    return lanewise(e, "fmod" if a.elem == "double" else "fmodf", a, b)


def _modulus(e: Emitter, a: Value, b: Value) -> tuple[Value, Value, Value]:
    """C's fmod, whether it is not zero, and whether its sign then differs from the divisor's."""
    modulus = fmod(e, a, b)
    nonzero = e.cmp("une", modulus, 0.0)
    opposite = e.binary("xor", e.cmp("olt", b, 0.0), e.cmp("olt", modulus, 0.0))
    return modulus, nonzero, e.binary("and", nonzero, opposite)
