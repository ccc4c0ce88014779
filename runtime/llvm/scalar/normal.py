"""Standard normal numbers from random bits, bit for bit as defined: nothing is fused."""

from __future__ import annotations

import math

from graphc.ops.random import COS_TERMS, LOG_TERMS
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.values import Value


def normal_from_bits(e: Emitter, a: Value, b: Value) -> Value:
    """Box-Muller in float64, operation by operation as ``graphc.ops.random`` defines it."""
    first = e.mul(e.add(e.cast("uitofp", a, "double"), 0.5), 2.0**-32)
    second = e.mul(e.cast("uitofp", b, "double"), 2.0**-32)
    bits = e.bits(first)
    biased = e.resize(e.binary("lshr", bits, 52), "i32")
    exponent = e.cast("sitofp", e.sub(biased, 1023), "double")
    fraction = e.binary("and", bits, 0x000FFFFFFFFFFFFF)
    mantissa = e.from_bits(e.binary("or", fraction, 0x3FF0000000000000), "double")
    s = e.div(e.sub(mantissa, 1.0), e.add(mantissa, 1.0))
    scaled = e.mul(exponent, math.log(2.0))
    log_first = e.add(scaled, e.mul(s, _horner(e, LOG_TERMS, e.mul(s, s))))
    radius = e.intrinsic("sqrt", e.mul(log_first, -2.0))
    away = e.abs(e.sub(second, 0.5))
    far = e.cmp("ogt", away, 0.25)
    folded = e.select(far, e.rsub(away, 0.5), away)
    cosine = _horner(e, COS_TERMS, e.mul(folded, folded))
    return e.mul(radius, e.select(far, cosine, e.neg(cosine)))


def _horner(e: Emitter, terms: tuple[float, ...], z: Value) -> Value:
    total = e.like(z, terms[-1])
    for term in reversed(terms[:-1]):
        total = e.add(e.mul(total, z), term)
    return total
