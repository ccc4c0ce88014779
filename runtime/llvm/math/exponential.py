"""exp, expm1, sigmoid and tanh.

All start from x = n ln2 + r with an integer n and |r| <= ln2 / 2, and from
exp(r) = 1 + r + r^2 P(r). The product n ln2 is subtracted in two fused steps, so r is exact to
about twice the format's precision.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.values import BITS, Value
from graphc.runtime.llvm.math import coefficients
from graphc.runtime.llvm.math.formats import Format, format_of


@dataclass(frozen=True, slots=True)
class _Reduced:
    """x = n ln2 + r: n as a number and as an integer, r, and exp(r) - 1."""

    number: Value
    integer: Value
    remainder: Value
    growth: Value


def exp(e: Emitter, x: Value) -> Value:
    """e^x; where it rounds to 0, e^0 is computed and left out: underflow takes 150 cycles."""
    form = format_of(x)
    positive = e.cmp("ugt", x, form.exp_low)  # or NaN
    clamped = e.at_most(e.select(positive, x, 0.0), form.exp_high)
    reduced = _reduce(e, clamped, form)
    return e.select(positive, _scale(e, e.add(reduced.growth, 1.0), reduced, form), 0.0)


def expm1(e: Emitter, x: Value) -> Value:
    """e^x - 1, accurate near 0: 2^n (exp(r) - 1) + (2^n - 1), with 2^(n-1) to avoid overflow."""
    form = format_of(x)
    clamped = e.at_most(e.at_least(x, form.expm1_low), form.exp_high)
    reduced = _reduce(e, clamped, form)
    half = _power_of_two(e, e.add(reduced.integer, -1), x.elem, form)
    halved = e.fma(half, reduced.growth, e.sub(half, 0.5))
    result = e.mul(halved, 2.0)
    return e.select(e.cmp("olt", e.abs(x), form.tiny), x, result)


def sigmoid(e: Emitter, x: Value) -> Value:
    """1 / (1 + e^-x), from e^-|x|, which cannot overflow."""
    z = exp(e, e.neg(e.abs(x)))
    numerator = e.select(e.cmp("olt", x, 0.0), z, 1.0)
    return e.div(numerator, e.add(z, 1.0))


def tanh(e: Emitter, x: Value) -> Value:
    """The hyperbolic tangent."""
    magnitude = e.abs(x)
    result = _tanh_f64(e, magnitude) if x.elem == "double" else _tanh_f32(e, magnitude)
    return e.copysign(result, x)


def _tanh_f32(e: Emitter, a: Value) -> Value:
    """a + a^3 P(a^2) below 0.625, above it 1 - 2 / (e^2a + 1)."""
    square = e.mul(a, a)
    near = e.fma(e.mul(a, square), e.polynomial(square, coefficients.TANH_F32), a)
    form = format_of(a)
    clamped = e.at_most(a, 10.0)  # tanh(10) rounds to 1
    reduced = _reduce(e, e.add(clamped, clamped), form)
    power = _power_of_two(e, reduced.integer, a.elem, form)
    growth = e.fma(power, e.add(reduced.growth, 1.0), 1.0)
    far = e.rsub(e.div(e.like(a, 2.0), growth), 1.0)
    return e.select(e.cmp("olt", a, 0.625), near, far)


def _tanh_f64(e: Emitter, a: Value) -> Value:
    """t / (t + 2) with t = e^2a - 1."""
    clamped = e.at_most(a, 22.0)  # tanh(22) rounds to 1
    growth = expm1(e, e.add(clamped, clamped))
    return e.div(growth, e.add(growth, 2.0))


def _reduce(e: Emitter, x: Value, form: Format) -> _Reduced:
    """Needs an x whose n fits the mantissa, or NaN, for which n is arbitrary and r is NaN."""
    shifted = e.fma(x, 1.0 / math.log(2.0), form.shifter)
    number = e.sub(shifted, form.shifter)
    zero = ((form.bias + form.mantissa) << form.mantissa) + (1 << (form.mantissa - 1))
    integer = e.sub(e.bits(shifted), zero)
    r = e.fma(number, -form.ln2_high, x)
    r = e.fma(number, -form.ln2_low, r)
    growth = e.fma(e.mul(r, r), e.polynomial(r, form.exp), r)
    return _Reduced(number, integer, r, growth)


def _power_of_two(e: Emitter, n: Value, elem: str, form: Format) -> Value:
    """2^n for an n within the range of normal numbers."""
    return e.from_bits(e.binary("shl", e.add(n, form.bias), form.mantissa), elem)


def _scale(e: Emitter, y: Value, reduced: _Reduced, form: Format) -> Value:
    """y 2^n, rounded once, also where the result is denormal or overflows."""
    if e.target.isa == "avx512" and y.lanes * BITS[y.elem] >= 128:
        return _scale_instruction(e, y, reduced.number)
    offset = 4 * form.bias  # keeps the shifted number positive: AVX2 has no signed 64-bit shift
    half = e.binary("lshr", e.add(reduced.integer, offset), 1)
    first = e.add(half, -offset // 2)
    second = e.sub(reduced.integer, first)
    grown = e.mul(y, _power_of_two(e, first, y.elem, form))
    return e.mul(grown, _power_of_two(e, second, y.elem, form))


def _scale_instruction(e: Emitter, y: Value, number: Value) -> Value:
    """AVX-512 scales by a power of two in one instruction, with the same rounding."""
    bits = y.lanes * BITS[y.elem]
    if bits > 512:
        parts = zip(e.halves(y), e.halves(number), strict=True)
        return e.join(*(_scale_instruction(e, part, n) for part, n in parts))
    kind = "pd" if y.elem == "double" else "ps"
    all_lanes = Value("-1", "i16" if y.lanes == 16 else "i8", 1)
    rounding = [Value("4", "i32", 1)] if bits == 512 else []  # 4: as the control register says
    name = f"llvm.x86.avx512.mask.scalef.{kind}.{bits}"
    return e.call(name, y.elem, y.lanes, y, number, y, all_lanes, *rounding)
