"""Algebra that leaves less to compute."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from graphc.dims import Shape, Size
from graphc.dtypes import BOOLEAN
from graphc.node import Node, constant
from graphc.opdef import OpDef
from graphc.ops.comparison import eq, logical_and, logical_not, logical_or, ne
from graphc.ops.elementwise import (
    abs_,
    add,
    div,
    exp,
    log,
    maximum,
    minimum,
    mul,
    neg,
    power,
    rsqrt,
    sqrt,
)  # fmt: skip
from graphc.ops.index import gather
from graphc.ops.reduce import amax, amin, prod, sum_
from graphc.ops.shape import pad
from graphc.ops.sort import argsort, sort
from graphc.passes.layout import is_unit
from graphc.passes.pattern import Attr, Pattern, as_pattern, is_uniform, uniform_value, var
from graphc.passes.rewrite import Rewrite, rule
from graphc.passes.rules.canonicalize import CANONICAL_RULES
from graphc.passes.rules.operands import filled, is_floating, is_integral, is_real, is_signed
from graphc.passes.rules.tiles import sum_of_gaps, sum_of_tiles

Ints = tuple[int, ...]

x, a, b = var("x"), var("a"), var("b")
integral, floating, real = var("x", is_integral), var("x", is_floating), var("x", is_real)
signed = var("x", is_signed)
c, d = var("c", is_uniform), var("d", is_uniform)


@rule(x * -1)
def times_minus_one(x: Node) -> Node:
    """x * -1 = -x"""
    return neg(x)


@rule(x / -1)
def over_minus_one(x: Node) -> Node:
    """x / -1 = -x"""
    return neg(x)


@rule((-a) * (-b))
def negative_times_negative(a: Node, b: Node) -> Node:
    """(-a) * (-b) = a * b"""
    return mul(a, b)


@rule((-var("x", is_real)) / (-b))
def negative_over_negative(x: Node, b: Node) -> Node:
    """(-x) / (-b) = x / b"""
    return div(x, b)


@rule(floating / c)
def over_power_of_two(x: Node, c: Node) -> Node | None:
    """x / 2**k = x * 2**-k, both the exact quotient rounded once"""
    value = float(uniform_value(c))
    kind = c.type.dtype.numpy
    if value == 0 or not math.isfinite(value) or abs(math.frexp(value)[0]) != 0.5:
        return None
    with np.errstate(all="ignore"):
        inverse = np.asarray(1 / value).astype(kind)
    if float(inverse) != 1 / value or abs(value) == 1:
        return None
    return mul(x, constant(inverse))


@rule(1 / sqrt(x))
def one_over_root(x: Node) -> Node:
    """1 / sqrt(x) = rsqrt(x)"""
    return rsqrt(x)


@rule(abs_(-signed))
def absolute_of_negative(x: Node) -> Node:
    """abs(-x) = abs(x)"""
    return abs_(x)


@rule(abs_(abs_(x)))
def absolute_twice(x: Node) -> Node:
    """abs(abs(x)) = abs(x)"""
    return abs_(x)


@rule(maximum(x, x))
def maximum_of_same(x: Node) -> Node:
    """maximum(x, x) = x"""
    return x


@rule(minimum(x, x))
def minimum_of_same(x: Node) -> Node:
    """minimum(x, x) = x"""
    return x


@rule(logical_and(x, x))
def and_of_same(x: Node) -> Node:
    """x and x = x"""
    return x


@rule(logical_or(x, x))
def or_of_same(x: Node) -> Node:
    """x or x = x"""
    return x


@rule(logical_and(x, as_pattern(1)))
def and_true(x: Node) -> Node:
    """x and True = x"""
    return x


@rule(logical_or(x, as_pattern(0)))
def or_false(x: Node) -> Node:
    """x or False = x"""
    return x


@rule(logical_not(eq(a, b)))
def not_equal(a: Node, b: Node) -> Node:
    """not (a == b) = a != b, also for NaN"""
    return ne(a, b)


@rule(logical_not(ne(a, b)))
def not_unequal(a: Node, b: Node) -> Node:
    """not (a != b) = a == b, also for NaN"""
    return eq(a, b)


@rule(integral + 0)
def integer_plus_zero(x: Node) -> Node:
    """x + 0 = x for integers and bools"""
    return x


@rule(integral * 0)
def integer_times_zero(x: Node) -> Node:
    """x * 0 = 0 for integers and bools"""
    return filled(x, 0)


@rule(integral - integral)
def integer_minus_itself(x: Node) -> Node:
    """x - x = 0 for integers"""
    return filled(x, 0)


def _folds_nothing(x: Node, dims: Ints) -> Node | None:
    return x if all(is_unit(x.type.shape[dim]) for dim in dims) else None


@rule(sum_(integral, dims=Attr("dims")))
def sum_of_one(x: Node, dims: Ints) -> Node | None:
    """sum over dims of size 1 = x for integers and bools; a float -0.0 becomes 0.0"""
    return _folds_nothing(x, dims)


@rule(prod(x, dims=Attr("dims")))
def product_of_one(x: Node, dims: Ints) -> Node | None:
    """prod over dims of size 1 = x"""
    return _folds_nothing(x, dims)


@rule(amax(x, dims=Attr("dims")))
def maximum_of_one(x: Node, dims: Ints) -> Node | None:
    """amax over dims of size 1 = x"""
    return _folds_nothing(x, dims)


@rule(amin(x, dims=Attr("dims")))
def minimum_of_one(x: Node, dims: Ints) -> Node | None:
    """amin over dims of size 1 = x"""
    return _folds_nothing(x, dims)


def _continued(folds: OpDef) -> Pattern:
    """The pattern of a reduction of what is longer by padding."""
    amounts = {name: Attr(name) for name in ("low", "high", "interior", "value")}
    return folds(pad(x, **amounts), dims=Attr("dims"))


@rule(_continued(amax))
def maximum_beside_least(
    x: Node, low: Shape, high: Shape, interior: Ints, value: float, dims: Ints
) -> Node | None:
    """amax(pad(x, least value)) = amax(x) where there is an element"""
    return _without_padding(amax, x, (low, high, interior), value, dims)


@rule(_continued(amin))
def minimum_beside_greatest(
    x: Node, low: Shape, high: Shape, interior: Ints, value: float, dims: Ints
) -> Node | None:
    """amin(pad(x, greatest value)) = amin(x) where there is an element"""
    return _without_padding(amin, x, (low, high, interior), value, dims)


def _without_padding(
    folds: OpDef, x: Node, amounts: Sequence[Sequence[Size]], value: float, dims: Ints
) -> Node | None:
    """The extremum without padding along its dims that never decides."""
    decides = value != (math.inf if folds is amin else -math.inf)
    if x.type.dtype.category == BOOLEAN:
        decides = bool(value) is not (folds is amin)
    sizes = [x.type.shape[dim] for dim in dims]
    kept = [dim for dim in range(x.type.rank) if dim not in dims]
    if decides or not all(isinstance(size, int) and size > 0 for size in sizes):
        return None
    if any(each[dim] != 0 for each in amounts for dim in kept):
        return None
    return folds(x, dims=dims)


@rule(power(floating, as_pattern(1)), needs="stable")
def power_of_one(x: Node) -> Node:
    """x ** 1 = x"""
    return x


@rule(power(floating, as_pattern(2)), needs="stable")
def square(x: Node) -> Node:
    """x ** 2 = x * x, rounded once"""
    return mul(x, x)


@rule(power(floating, as_pattern(-1)), needs="stable")
def reciprocal(x: Node) -> Node:
    """x ** -1 = 1 / x, rounded once"""
    return div(constant(np.ones((), x.type.dtype.numpy)), x)


@rule(power(floating, as_pattern(0.5)), needs="fast")
def square_root(x: Node) -> Node:
    """x ** 0.5 = sqrt(x) but for -0.0 and -inf"""
    return sqrt(x)


@rule(x + 0.0, needs="fast")
def plus_zero(x: Node) -> Node:
    """x + 0 = x but for -0.0"""
    return x


@rule(x * 0.0, needs="fast")
def times_zero(x: Node) -> Node:
    """x * 0 = 0 but for NaN, infinity and negative x"""
    return filled(x, 0)


@rule(real / real, needs="fast")
def over_itself(x: Node) -> Node:
    """x / x = 1 but for 0, NaN and infinity"""
    return filled(x, 1)


@rule(floating - floating, needs="fast")
def minus_itself(x: Node) -> Node:
    """x - x = 0 but for NaN and infinity"""
    return filled(x, 0)


@rule(log(exp(x)), needs="fast")
def log_of_exp(x: Node) -> Node:
    """log(exp(x)) = x but for rounding and overflow"""
    return x


@rule(exp(log(x)), needs="fast")
def exp_of_log(x: Node) -> Node:
    """exp(log(x)) = x but for rounding and negative x"""
    return x


@rule(floating * c * d, needs="fast")
def merge_factors(x: Node, c: Node, d: Node) -> Node:
    """(x * c) * d = x * (c * d) but for rounding and overflow"""
    return mul(x, mul(c, d))


@rule(floating + c + d, needs="fast")
def merge_summands(x: Node, c: Node, d: Node) -> Node:
    """(x + c) + d = x + (c + d) but for rounding and overflow"""
    return add(x, add(c, d))


@rule(floating / c, needs="fast")
def over_constant(x: Node, c: Node) -> Node | None:
    """x / c = x * (1 / c) but for rounding"""
    value = float(uniform_value(c))
    with np.errstate(all="ignore"):
        inverse = np.divide(1, uniform_value(c), dtype=c.type.dtype.numpy)
    if value == 0 or not math.isfinite(float(inverse)) or float(inverse) == 0:
        return None
    return mul(x, constant(inverse))


@rule(gather(x, argsort(x, dim=Attr("dim"), descending=Attr("descending")), dim=Attr("dim")))
def ordered_elements(x: Node, dim: int, descending: bool) -> Node:
    """x[argsort(x)] = sort(x)"""
    return sort(x, dim=dim, descending=descending)


SIMPLE_RULES = (
    times_minus_one, over_minus_one, negative_times_negative, negative_over_negative,
    over_power_of_two, one_over_root, absolute_of_negative, absolute_twice,
    maximum_of_same, minimum_of_same, and_of_same, or_of_same, and_true, or_false,
    not_equal, not_unequal, integer_plus_zero, integer_times_zero, integer_minus_itself,
    sum_of_one, product_of_one, maximum_of_one, minimum_of_one,
    maximum_beside_least, minimum_beside_greatest,
    power_of_one, square, reciprocal, square_root, plus_zero, times_zero, over_itself,
    minus_itself, log_of_exp, exp_of_log, merge_factors, merge_summands, over_constant,
    ordered_elements, sum_of_tiles, sum_of_gaps,
)  # fmt: skip

SIMPLIFY = Rewrite("simplify", (*SIMPLE_RULES, *CANONICAL_RULES))
