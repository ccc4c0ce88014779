"""log and log1p, and their products with another number.

Both logarithms write their argument as 2^k (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2) and use
log(1 + f) = f - (h - s (h + s^2 P(s^2))) with h = f^2 / 2 and s = f / (2 + f).
"""

from __future__ import annotations

import math

from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.values import Value
from graphc.runtime.llvm.math.formats import Format, format_of

_SQRT_HALF = math.sqrt(0.5)


def log(e: Emitter, x: Value) -> Value:
    """The natural logarithm."""
    form = format_of(x)
    denormal = e.cmp("olt", x, form.smallest_normal)
    scaled = e.select(denormal, e.mul(x, 2.0 ** (form.mantissa + 1)), x)
    exponent, mantissa = _split(e, scaled, form)
    number = e.cast("sitofp", exponent, x.elem)
    number = e.sub(number, e.select(denormal, e.like(x, form.mantissa + 1.0), 0.0))
    result = _combine(e, e.sub(mantissa, 1.0), number, form)
    return _specials(e, x, 0.0, result)


def log1p(e: Emitter, x: Value) -> Value:
    """log(1 + x), accurate near 0: the error of rounding 1 + x is known exactly and added to f."""
    form = format_of(x)
    total = e.add(x, 1.0)
    kept = e.sub(total, 1.0)
    lost = e.add(e.rsub(e.sub(total, kept), 1.0), e.sub(x, kept))
    exponent, mantissa = _split(e, total, form)
    negated = e.intrinsic("smax", e.rsub(exponent, form.bias), e.like(exponent, 1))
    scale = e.resize(negated, form.integer)
    power = e.from_bits(e.binary("shl", scale, form.mantissa), x.elem)
    f = e.fma(lost, power, e.sub(mantissa, 1.0))
    result = _combine(e, f, e.cast("sitofp", exponent, x.elem), form)
    result = _specials(e, x, -1.0, result)
    return e.select(e.cmp("olt", e.abs(x), form.tiny), x, result)


def xlogy(e: Emitter, x: Value, y: Value) -> Value:
    """x log(y), and 0 for x = 0 unless y is NaN."""
    return _or_zero(e, x, y, e.mul(x, log(e, y)))


def xlog1py(e: Emitter, x: Value, y: Value) -> Value:
    """x log(1 + y), and 0 for x = 0 unless y is NaN."""
    return _or_zero(e, x, y, e.mul(x, log1p(e, y)))


def _or_zero(e: Emitter, x: Value, y: Value, product: Value) -> Value:
    cut = e.binary("and", e.cmp("oeq", x, 0.0), e.cmp("ord", y, y))
    return e.select(cut, 0.0, product)


def _split(e: Emitter, x: Value, form: Format) -> tuple[Value, Value]:
    """k as a 32-bit integer and 1 + f, for a normal positive x; arbitrary for others."""
    one, middle = form.bias << form.mantissa, _bits_of_sqrt_half(form)
    shifted = e.add(e.bits(x), one - middle)
    exponent = e.sub(e.binary("lshr", shifted, form.mantissa), form.bias)
    fraction = e.binary("and", shifted, (1 << form.mantissa) - 1)
    mantissa = e.from_bits(e.add(fraction, middle), x.elem)
    return e.resize(exponent, "i32"), mantissa


def _bits_of_sqrt_half(form: Format) -> int:
    fraction = int((2 * _SQRT_HALF - 1) * 2.0**form.mantissa)
    return ((form.bias - 1) << form.mantissa) + fraction


def _combine(e: Emitter, f: Value, k: Value, form: Format) -> Value:
    """k ln2 + log(1 + f)."""
    s = e.div(f, e.add(f, 2.0))
    z = e.mul(s, s)
    h = e.mul(e.mul(f, f), 0.5)
    tail = e.mul(z, e.polynomial(z, form.log))
    low = e.fma(k, form.ln2_low, e.mul(s, e.add(h, tail)))
    return e.fma(k, form.ln2_high, e.sub(f, e.sub(h, low)))


def _specials(e: Emitter, x: Value, pole: float, result: Value) -> Value:
    """-inf at the pole, NaN below it, +inf at +inf; NaN stays NaN."""
    result = e.select(e.cmp("ogt", x, pole), result, math.nan)
    result = e.select(e.cmp("oeq", x, pole), -math.inf, result)
    return e.select(e.cmp("oeq", x, math.inf), math.inf, result)
