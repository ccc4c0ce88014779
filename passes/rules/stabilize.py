"""Formulas that lose digits or overflow, replaced by ones that do not; at least as accurate."""

from __future__ import annotations

import math

from graphc.node import Node
from graphc.ops.comparison import lt
from graphc.ops.elementwise import (
    abs_,
    add,
    div,
    exp,
    expm1,
    log,
    log1p,
    minimum,
    neg,
    sigmoid,
    sub,
)
from graphc.ops.reduce import amax, sum_
from graphc.ops.select import scalar, where
from graphc.passes.pattern import Attr, var
from graphc.passes.rewrite import Rewrite, rule
from graphc.passes.rules.operands import is_floating

Ints = tuple[int, ...]

x = var("x", is_floating)


@rule(log(1 + x), needs="stable")
def log_one_plus(x: Node) -> Node:
    """log(1 + x) = log1p(x), accurate near 0"""
    return log1p(x)


@rule(log(1 - x), needs="stable")
def log_one_minus(x: Node) -> Node:
    """log(1 - x) = log1p(-x), accurate near 0"""
    return log1p(neg(x))


@rule(exp(x) - 1, needs="stable")
def exp_minus_one(x: Node) -> Node:
    """exp(x) - 1 = expm1(x), accurate near 0"""
    return expm1(x)


@rule(exp(x) + -1, needs="stable")
def exp_plus_minus_one(x: Node) -> Node:
    """exp(x) + -1 = expm1(x), accurate near 0"""
    return expm1(x)


@rule(1 / (1 + exp(-x)), needs="stable")
def logistic(x: Node) -> Node:
    """1 / (1 + exp(-x)) = sigmoid(x)"""
    return sigmoid(x)


@rule(1 - sigmoid(x), needs="stable")
def one_minus_sigmoid(x: Node) -> Node:
    """1 - sigmoid(x) = sigmoid(-x), accurate where sigmoid(x) is near 1"""
    return sigmoid(neg(x))


@rule(log(sigmoid(x)), needs="stable")
def log_sigmoid(x: Node) -> Node:
    """log(sigmoid(x)) = min(x, 0) - log1p(exp(-abs(x))), finite for large negative x"""
    return sub(minimum(x, scalar(x, 0)), log1p(exp(neg(abs_(x)))))


@rule(log(sum_(exp(x), dims=Attr("dims"))), needs="stable")
def log_sum_exp(x: Node, dims: Ints) -> Node | None:
    """log(sum(exp(x))) = m + log(sum(exp(x - m))) with m = max(x), which cannot overflow"""
    if _is_shifted(x) or any(x.type.shape[dim] == 0 for dim in dims):
        return None
    shift = _finite_maximum(x, dims)
    return add(shift, log(sum_(exp(sub(x, shift)), dims=dims)))


@rule(log(div(exp(x), sum_(exp(x), dims=Attr("dims")))), needs="stable")
def log_softmax(x: Node, dims: Ints) -> Node | None:
    """log(exp(x) / sum(exp(x))) = z - log(sum(exp(z))) with z = x - max(x), finite where the
    quotient underflows
    """
    if any(x.type.shape[dim] == 0 for dim in dims):
        return None
    shifted = x if _is_shifted(x) else sub(x, _finite_maximum(x, dims))
    return sub(shifted, log(sum_(exp(shifted), dims=dims)))


def _finite_maximum(x: Node, dims: Ints) -> Node:
    """The maximum, or 0 where it is infinite or NaN and a difference with it would be NaN."""
    highest = amax(x, dims=dims)
    return where(lt(abs_(highest), scalar(x, math.inf)), highest, scalar(x, 0))


def _is_shifted(x: Node) -> bool:
    """True for ``y - max(y)`` and for ``y - _finite_maximum(y)``."""
    if x.op is not sub:
        return False
    shift = x.inputs[1]
    if shift.op is where:
        shift = shift.inputs[1]
    return shift.op is amax and shift.inputs[0] is x.inputs[0]


STABILIZE = Rewrite(
    "stabilize",
    (
        log_one_plus, log_one_minus, exp_minus_one, exp_plus_minus_one, logistic,
        one_minus_sigmoid, log_sigmoid, log_softmax, log_sum_exp,
    ),
)  # fmt: skip
