"""Division of many numbers by one, correctly rounded, without the processor's slow division.

With ``r`` the rounded reciprocal of the divisor ``s``, ``x r`` corrected by its remainder is a
faithful quotient (its error is below one unit in the last place), and such a quotient corrected in
the same way once more is rounded as the exact one is (Markstein's theorem). That holds where
nothing overflows or is denormal on the way; for all other operands, zero included, the processor
divides.
"""

from __future__ import annotations

from dataclasses import dataclass

from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.values import BITS, Value

_FRACTION_BITS = {"float": 23, "double": 52}
_EXPONENT_BIAS = {"float": 127, "double": 1023}
_DIVISOR_EXPONENT = {"float": 40, "double": 300}
_NUMERATOR_EXPONENT = {"float": 60, "double": 500}


@dataclass(frozen=True, slots=True)
class Divisor:
    """A divisor and what is computed from it once.

    Args:
        value: the divisor.
        reciprocal: its correctly rounded reciprocal.
        range: how many bit patterns of numerators may take the fast way; 0 if the divisor is so
            large or so small that none may.
    """

    value: Value
    reciprocal: Value
    range: Value


def is_possible(e: Emitter, elem: str) -> bool:
    """Whether dividing in this way is faster."""
    return e.target.fma and elem in _FRACTION_BITS


def prepare(e: Emitter, value: Value) -> Divisor:
    """What a scalar divisor needs to have computed once."""
    low, high = _patterns(value.elem, _DIVISOR_EXPONENT[value.elem])
    inside = e.cmp("ult", e.sub(_magnitude(e, value), low), high - low)
    least, most = _patterns(value.elem, _NUMERATOR_EXPONENT[value.elem])
    bits = _magnitude(e, value)
    reciprocal = e.div(e.like(value, 1.0), value)
    return Divisor(value, reciprocal, e.select(inside, e.like(bits, most - least), 0))


def divide(e: Emitter, x: Value, divisor: Divisor) -> Value:
    """x / divisor for a vector ``x``, rounded as the processor's division rounds."""
    s, r = e.splat(divisor.value, x.lanes), e.splat(divisor.reciprocal, x.lanes)
    quotient = e.mul(x, r)
    for _ in range(2):
        rest = e.fma(e.neg(quotient), s, x)
        quotient = e.fma(rest, r, quotient)
    least, _ = _patterns(x.elem, _NUMERATOR_EXPONENT[x.elem])
    magnitude = e.sub(_magnitude(e, x), least)
    outside = e.cmp("uge", magnitude, e.splat(divisor.range, x.lanes))
    return e.rarely(outside, quotient, lambda: e.div(x, s))


def _magnitude(e: Emitter, x: Value) -> Value:
    """The bit pattern of |x|, which grows with it."""
    bits = e.bits(x)
    return e.binary("and", bits, (1 << (BITS[x.elem] - 1)) - 1)


def _patterns(elem: str, exponent: int) -> tuple[int, int]:
    """The bit patterns of 2**-exponent and of 2**exponent."""
    bias, shift = _EXPONENT_BIAS[elem], _FRACTION_BITS[elem]
    return (bias - exponent) << shift, (bias + exponent) << shift
