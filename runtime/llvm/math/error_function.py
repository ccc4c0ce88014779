"""The error function: x (1 + P(x^2)) up to 1, above it a polynomial in |x| on [1, 3.93]."""

from __future__ import annotations

from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.values import Value
from graphc.runtime.llvm.math import coefficients
from graphc.runtime.llvm.math.lanewise import lanewise

_CENTER = 2.46875  # of the far polynomial
_SATURATED = 3.92  # from here on float32 rounds erf to 1


def erf(e: Emitter, x: Value) -> Value:
    """The error function; float64 calls the C library lane by lane."""
    if x.elem == "double":
        return lanewise(e, "erf", x)
    a = e.abs(x)
    near = e.fma(a, e.polynomial(e.mul(a, a), coefficients.ERF_NEAR_F32), a)
    far = e.polynomial(e.sub(a, _CENTER), coefficients.ERF_FAR_F32)
    far = e.select(e.cmp("ogt", a, _SATURATED), 1.0, far)
    result = e.select(e.cmp("olt", a, 1.0), near, far)
    return e.copysign(result, x)
