"""Hyperbolic functions and their inverses: float32 in float64 arithmetic, float64 by the C library.

float64 has 29 digits more than float32 shows, so the textbook's formulas suffice where nothing
cancels.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.values import Value
from graphc.runtime.llvm.math.exponential import exp, expm1
from graphc.runtime.llvm.math.lanewise import lanewise
from graphc.runtime.llvm.math.logarithm import log, log1p

_OVERFLOWS = 100.0
"""Both functions of this and more are infinite in float32, and not yet in float64."""


def _widened(name: str, formula: Callable[[Emitter, Value], Value]) -> Callable[..., Value]:
    def function(e: Emitter, x: Value) -> Value:
        if x.elem == "double":
            return lanewise(e, name, x)
        return e.cast("fptrunc", formula(e, e.cast("fpext", x, "double")), x.elem)

    return function


def _sinh(e: Emitter, x: Value) -> Value:
    """(t + t / (t + 1)) / 2 with t = e^|x| - 1."""
    growth = expm1(e, e.at_most(e.abs(x), _OVERFLOWS))
    twice = e.add(growth, e.div(growth, e.add(growth, 1.0)))
    return e.copysign(e.mul(twice, 0.5), x)


def _cosh(e: Emitter, x: Value) -> Value:
    power = exp(e, e.at_most(e.abs(x), _OVERFLOWS))
    return e.mul(e.add(power, e.div(e.like(power, 1.0), power)), 0.5)


def _asinh(e: Emitter, x: Value) -> Value:
    """log1p(a + a^2 / (1 + sqrt(a^2 + 1))) with a = |x|."""
    a = e.abs(x)
    square = e.mul(a, a)
    root = e.intrinsic("sqrt", e.add(square, 1.0))
    result = log1p(e, e.add(a, e.div(square, e.add(root, 1.0))))
    return e.copysign(e.select(e.cmp("oeq", a, math.inf), a, result), x)


def _acosh(e: Emitter, x: Value) -> Value:
    root = e.intrinsic("sqrt", e.sub(e.mul(x, x), 1.0))
    return e.select(e.cmp("olt", x, 1.0), math.nan, log(e, e.add(x, root)))


def _atanh(e: Emitter, x: Value) -> Value:
    """log1p(2 a / (1 - a)) / 2 with a = |x|."""
    a = e.abs(x)
    ratio = e.div(e.add(a, a), e.rsub(a, 1.0))
    return e.copysign(e.mul(log1p(e, ratio), 0.5), x)


sinh = _widened("sinh", _sinh)
cosh = _widened("cosh", _cosh)
asinh = _widened("asinh", _asinh)
acosh = _widened("acosh", _acosh)
atanh = _widened("atanh", _atanh)
