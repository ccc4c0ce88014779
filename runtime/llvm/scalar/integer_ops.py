"""Integer operations whose corner cases the processor does not define as numpy does."""

from __future__ import annotations

from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.values import BITS, Value

_COMMON_BITS = 6
"""Bits of an exponent that are always looked at; larger exponents are rare."""


def floor_divide(e: Emitter, a: Value, b: Value, signed: bool) -> Value:
    """floor(a / b); 0 where b is 0; the smallest number divided by -1 wraps around."""
    zero = e.cmp("eq", b, 0)
    if not signed:
        quotient = e.binary("udiv", a, e.select(zero, 1, b))
        return e.select(zero, 0, quotient)
    quotient, rest, divisor = _truncated(e, a, b)
    lower = _rounds_down(e, rest, divisor)
    floored = e.select(lower, e.sub(quotient, 1), quotient)
    floored = e.select(e.cmp("eq", b, -1), e.neg(a), floored)
    return e.select(zero, 0, floored)


def remainder(e: Emitter, a: Value, b: Value, signed: bool) -> Value:
    """a - floor(a / b) b, with the sign of b; 0 where b is 0."""
    zero = e.cmp("eq", b, 0)
    if not signed:
        return e.select(zero, 0, e.binary("urem", a, e.select(zero, 1, b)))
    _, rest, divisor = _truncated(e, a, b)
    lower = _rounds_down(e, rest, divisor)
    return e.select(lower, e.add(rest, divisor), rest)


def fmod(e: Emitter, a: Value, b: Value, signed: bool) -> Value:
    """a - trunc(a / b) b, with the sign of a; 0 where b is 0."""
    return _truncated(e, a, b)[1] if signed else remainder(e, a, b, signed)


def power(e: Emitter, a: Value, b: Value, signed: bool) -> Value:
    """a ** b by repeated squaring, wrapping around; negative powers round towards zero."""
    exponent = e.select(e.cmp("slt", b, 0), 0, b) if signed else b
    bits = BITS[a.elem] - signed
    few = min(_COMMON_BITS, bits)
    result, base = _squared(e, e.like(a, 1), a, exponent, range(few))
    if few < bits:
        large = e.cmp("ugt", exponent, (1 << few) - 1)
        rest = range(few, bits)
        result = e.rarely(large, result, lambda: _squared(e, result, base, exponent, rest)[0])
    if not signed:
        return result
    odd = e.cmp("ne", e.binary("and", b, 1), 0)
    sign = e.select(e.cmp("eq", a, -1), e.select(odd, a, 1), 0)
    inverse = e.select(e.cmp("eq", a, 1), a, sign)
    return e.select(e.cmp("slt", b, 0), inverse, result)


def _squared(
    e: Emitter, result: Value, base: Value, exponent: Value, bits: range
) -> tuple[Value, Value]:
    """The result times the base to these bits of the exponent, and the base squared so often."""
    for bit in bits:
        chosen = e.cmp("ne", e.binary("and", exponent, 1 << bit), 0)
        result = e.select(chosen, e.mul(result, base), result)
        base = e.mul(base, base)
    return result, base


def shift_left(e: Emitter, a: Value, b: Value, signed: bool) -> Value:
    """a << b; 0 where b is negative or as large as the number of bits."""
    inside = e.cmp("ult", b, BITS[a.elem])
    return e.select(inside, e.binary("shl", a, e.select(inside, b, 0)), 0)


def shift_right(e: Emitter, a: Value, b: Value, signed: bool) -> Value:
    """a >> b; only the sign is left where b is negative or as large as the number of bits."""
    inside = e.cmp("ult", b, BITS[a.elem])
    if signed:
        return e.binary("ashr", a, e.select(inside, b, BITS[a.elem] - 1))
    return e.select(inside, e.binary("lshr", a, e.select(inside, b, 0)), 0)


def sign(e: Emitter, a: Value, signed: bool) -> Value:
    """-1, 0 or 1."""
    positive = e.cast("zext", e.cmp("ugt", a, 0), a.elem)
    return e.select(e.cmp("slt", a, 0), -1, positive) if signed else positive


def _truncated(e: Emitter, a: Value, b: Value) -> tuple[Value, Value, Value]:
    """Quotient, remainder and the divisor that was used: 1 in place of 0 and -1."""
    special = e.binary("or", e.cmp("eq", b, 0), e.cmp("eq", b, -1))
    divisor = e.select(special, 1, b)
    quotient = e.binary("sdiv", a, divisor)
    return quotient, e.sub(a, e.mul(quotient, divisor)), divisor


def _rounds_down(e: Emitter, rest: Value, divisor: Value) -> Value:
    opposite = e.cmp("slt", e.binary("xor", rest, divisor), 0)
    return e.binary("and", e.cmp("ne", rest, 0), opposite)
