"""Elementwise methods of ``Tensor``."""

from __future__ import annotations

from graphc.frontend.functions import (
    choosing,
    exponential,
    logic,
    numbers,
    pointwise,
    rounding,
    special,
    trigonometric,
)
from graphc.frontend.methods.mathematics import MathMethods


class PointwiseMethods(MathMethods):
    """Elementwise methods; see the functions of the same names."""

    __slots__ = ()

    add = pointwise.add
    sub = subtract = pointwise.sub
    mul = multiply = pointwise.mul
    div = divide = pointwise.div
    true_divide = pointwise.true_divide
    floor_divide = pointwise.floor_divide
    remainder = pointwise.remainder
    pow = pointwise.pow
    neg = negative = pointwise.neg
    abs = absolute = pointwise.abs
    sign = pointwise.sign
    exp = exponential.exp
    expm1 = exponential.expm1
    log = exponential.log
    log1p = exponential.log1p
    sqrt = pointwise.sqrt
    rsqrt = pointwise.rsqrt
    square = pointwise.square
    reciprocal = pointwise.reciprocal
    sin = trigonometric.sin
    cos = trigonometric.cos
    tan = trigonometric.tan
    tanh = trigonometric.tanh
    sigmoid = exponential.sigmoid
    erf = special.erf
    floor = rounding.floor
    ceil = rounding.ceil
    round = rounding.round
    trunc = fix = rounding.trunc
    frac = numbers.frac
    maximum = choosing.maximum
    minimum = choosing.minimum
    clamp = clip = choosing.clamp
    eq = pointwise.eq
    ne = not_equal = pointwise.ne
    lt = less = pointwise.lt
    le = less_equal = pointwise.le
    gt = greater = pointwise.gt
    ge = greater_equal = pointwise.ge
    logical_and = logic.logical_and
    logical_or = logic.logical_or
    logical_xor = logic.logical_xor
    logical_not = logic.logical_not
    bitwise_and = logic.bitwise_and
    bitwise_or = logic.bitwise_or
    bitwise_xor = logic.bitwise_xor
    bitwise_not = logic.bitwise_not
    bitwise_left_shift = logic.bitwise_left_shift
    bitwise_right_shift = logic.bitwise_right_shift
    isnan = choosing.isnan
    isinf = choosing.isinf
    isfinite = choosing.isfinite
    relu = choosing.relu
    masked_fill = choosing.masked_fill
