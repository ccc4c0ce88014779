"""pow, the square root's inverse, and hypot."""

from __future__ import annotations

import math

from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.values import Value
from graphc.runtime.llvm.math.exponential import exp
from graphc.runtime.llvm.math.lanewise import lanewise
from graphc.runtime.llvm.math.logarithm import log


def rsqrt(e: Emitter, x: Value) -> Value:
    """1 / sqrt(x), two roundings, as the definition says."""
    return e.div(e.like(x, 1.0), e.intrinsic("sqrt", x))


def hypot(e: Emitter, x: Value, y: Value) -> Value:
    """sqrt(x^2 + y^2), in float64 or by the C library; an infinite operand wins over NaN."""
    if x.elem == "double":
        return lanewise(e, "hypot", x, y)
    wide = [e.cast("fpext", each, "double") for each in (x, y)]
    root = e.intrinsic("sqrt", e.fma(wide[0], wide[0], e.mul(wide[1], wide[1])))
    infinite = e.binary("or", e.cmp("oeq", e.abs(x), math.inf), e.cmp("oeq", e.abs(y), math.inf))
    return e.select(infinite, math.inf, e.cast("fptrunc", root, x.elem))


def power(e: Emitter, x: Value, y: Value) -> Value:
    """x^y with the special cases of C's pow.

    float32 is e^(y log|x|) in float64; float64 calls the C library lane by lane.
    """
    if x.elem == "double":
        return lanewise(e, "pow", x, y)
    magnitude = e.abs(x)
    logarithm = log(e, e.cast("fpext", magnitude, "double"))
    wide = exp(e, e.mul(e.cast("fpext", y, "double"), logarithm))
    result = e.cast("fptrunc", wide, x.elem)
    result = _ones(e, x, magnitude, y, result)
    return _negative_base(e, x, y, result)


def _ones(e: Emitter, x: Value, magnitude: Value, y: Value, result: Value) -> Value:
    """x^0 and 1^y are 1, even for NaN; (-1)^y is 1 in magnitude, even for infinite y."""
    unit = e.binary("and", e.cmp("oeq", magnitude, 1.0), e.cmp("ord", y, 0.0))
    one = e.binary("or", e.cmp("oeq", y, 0.0), e.cmp("oeq", x, 1.0))
    return e.select(e.binary("or", unit, one), 1.0, result)


def _negative_base(e: Emitter, x: Value, y: Value, result: Value) -> Value:
    """Odd y takes the sign of x, zero and infinity included; broken y of a finite x < 0 is NaN."""
    half = e.mul(y, 0.5)
    whole = e.cmp("oeq", e.intrinsic("floor", y), y)
    odd = e.binary("and", whole, e.cmp("one", e.intrinsic("floor", half), half))
    finite = e.binary("and", e.cmp("olt", x, 0.0), e.cmp("ogt", x, -math.inf))
    broken = e.binary("and", finite, e.cmp("one", e.intrinsic("floor", y), y))
    signed = e.select(odd, e.copysign(result, x), result)
    return e.select(broken, math.nan, signed)
