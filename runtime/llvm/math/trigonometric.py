"""sin, cos and tan.

float32 is computed in float64: x = n pi/2 + r in two fused steps, then two polynomials in r. Beyond
2^30, where n pi/2 would lose digits, and for float64, the C library computes lane by lane.
"""

from __future__ import annotations

import math

from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.values import Value
from graphc.runtime.llvm.math import coefficients
from graphc.runtime.llvm.math.formats import FLOAT64
from graphc.runtime.llvm.math.lanewise import lanewise

_LARGE = 2.0**30
_HALF_PI_HIGH = 1.5707963267948966192
_HALF_PI_LOW = 6.1232339957367658859e-17


def sin(e: Emitter, x: Value) -> Value:
    """The sine."""
    if x.elem == "double":
        return lanewise(e, "sin", x)
    wide = e.cast("fpext", x, "double")
    quadrant, sine, cosine = _quadrant(e, wide)
    chosen = e.select(_odd(e, quadrant), cosine, sine)
    return _finish(e, wide, "sin", _signed(e, chosen, quadrant), x.elem)


def cos(e: Emitter, x: Value) -> Value:
    """The cosine."""
    if x.elem == "double":
        return lanewise(e, "cos", x)
    wide = e.cast("fpext", x, "double")
    quadrant, sine, cosine = _quadrant(e, wide)
    chosen = e.select(_odd(e, quadrant), sine, cosine)
    return _finish(e, wide, "cos", _signed(e, chosen, e.add(quadrant, 1)), x.elem)


def tan(e: Emitter, x: Value) -> Value:
    """The tangent."""
    if x.elem == "double":
        return lanewise(e, "tan", x)
    wide = e.cast("fpext", x, "double")
    quadrant, sine, cosine = _quadrant(e, wide)
    odd = _odd(e, quadrant)
    numerator = e.select(odd, e.neg(cosine), sine)
    result = e.div(numerator, e.select(odd, sine, cosine))
    return _finish(e, wide, "tan", result, x.elem)


def _quadrant(e: Emitter, x: Value) -> tuple[Value, Value, Value]:
    """n, of which the two lowest bits count, and sin r and cos r."""
    shifted = e.fma(x, 2.0 / math.pi, FLOAT64.shifter)
    number = e.sub(shifted, FLOAT64.shifter)
    r = e.fma(number, -_HALF_PI_HIGH, x)
    r = e.fma(number, -_HALF_PI_LOW, r)
    z = e.mul(r, r)
    sine = e.mul(r, e.fma(z, e.polynomial(z, coefficients.SIN_F64), 1.0))
    cosine = e.fma(e.mul(z, z), e.polynomial(z, coefficients.COS_F64), e.fma(z, -0.5, 1.0))
    return e.bits(shifted), sine, cosine


def _odd(e: Emitter, quadrant: Value) -> Value:
    return e.cmp("ne", e.binary("and", quadrant, 1), 0)


def _signed(e: Emitter, value: Value, quadrant: Value) -> Value:
    """Flip the sign in quadrants 2 and 3."""
    sign = e.binary("shl", e.binary("and", quadrant, 2), 62)
    return e.from_bits(e.binary("xor", e.bits(value), sign), value.elem)


def _finish(e: Emitter, wide: Value, function: str, common: Value, elem: str) -> Value:
    """Round to float32; recompute all lanes when one is too large (infinite ones are, too)."""
    large = e.cmp("oge", e.abs(wide), _LARGE)
    result = e.rarely(large, common, lambda: lanewise(e, function, wide))
    return e.cast("fptrunc", result, elem)
