"""Elementwise methods of ``Tensor``."""

from __future__ import annotations

from graphc.frontend.functions import numbers, pointwise
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
    exp = pointwise.exp
    expm1 = pointwise.expm1
    log = pointwise.log
    log1p = pointwise.log1p
    sqrt = pointwise.sqrt
    rsqrt = pointwise.rsqrt
    square = pointwise.square
    reciprocal = pointwise.reciprocal
    sin = pointwise.sin
    cos = pointwise.cos
    tan = pointwise.tan
    tanh = pointwise.tanh
    sigmoid = pointwise.sigmoid
    erf = pointwise.erf
    floor = pointwise.floor
    ceil = pointwise.ceil
    round = pointwise.round
    trunc = fix = pointwise.trunc
    frac = numbers.frac
    maximum = pointwise.maximum
    minimum = pointwise.minimum
    clamp = clip = pointwise.clamp
    eq = pointwise.eq
    ne = not_equal = pointwise.ne
    lt = less = pointwise.lt
    le = less_equal = pointwise.le
    gt = greater = pointwise.gt
    ge = greater_equal = pointwise.ge
    logical_and = pointwise.logical_and
    logical_or = pointwise.logical_or
    logical_xor = pointwise.logical_xor
    logical_not = pointwise.logical_not
    bitwise_and = pointwise.bitwise_and
    bitwise_or = pointwise.bitwise_or
    bitwise_xor = pointwise.bitwise_xor
    bitwise_not = pointwise.bitwise_not
    bitwise_left_shift = pointwise.bitwise_left_shift
    bitwise_right_shift = pointwise.bitwise_right_shift
    isnan = pointwise.isnan
    isinf = pointwise.isinf
    isfinite = pointwise.isfinite
    relu = pointwise.relu
    masked_fill = pointwise.masked_fill
