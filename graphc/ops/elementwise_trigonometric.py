"""Inverse and hyperbolic functions, and angles and lengths of pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.opdef import Call, OpDef, Rule, Saves, Trait
from graphc.ops.comparison import eq
from graphc.ops.elementwise import INPUTS, OUTPUT, add, div, elementwise, mul, neg, rsqrt, sub
from graphc.ops.elementwise_parts import conjugated
from graphc.ops.infer import FLOAT, FLOAT_OR_COMPLEX
from graphc.ops.scalar_eval import ufunc
from graphc.ops.select import scalar, where

TRAITS = Trait.COSTLY


def _unary(name: str, function: Callable[..., Any], factor: Callable[[Any, Any], Any]) -> OpDef:
    """``factor(x, g)`` is the derivative at x; ``g`` gives constants their dtype."""
    rule: Rule = lambda call, g: (mul(g, conjugated(factor(call.inputs[0], g))),)  # noqa: E731
    return elementwise(
        name, ufunc(function), rule, accepts=FLOAT_OR_COMPLEX, saves=INPUTS, traits=TRAITS
    )


def _unary_by(name: str, function: Callable[..., Any], divisor: Callable[[Any, Any], Any]) -> OpDef:
    """One by ``divisor(x, g)`` is the derivative at x, which is infinite where that is 0."""
    rule: Rule = lambda call, g: (div(g, conjugated(divisor(call.inputs[0], g))),)  # noqa: E731
    return elementwise(
        name, ufunc(function), rule, accepts=FLOAT_OR_COMPLEX, saves=INPUTS, traits=TRAITS
    )


def _one_minus_square(x: Any, g: Any) -> Any:
    return sub(scalar(g, 1), mul(x, x))


asin = _unary("asin", np.arcsin, lambda x, g: rsqrt(_one_minus_square(x, g)))
acos = _unary("acos", np.arccos, lambda x, g: neg(rsqrt(_one_minus_square(x, g))))
atan = _unary_by("atan", np.arctan, lambda x, g: add(mul(x, x), scalar(g, 1)))
sinh: OpDef = _unary("sinh", np.sinh, lambda x, g: cosh(x))
cosh: OpDef = _unary("cosh", np.cosh, lambda x, g: sinh(x))
asinh = _unary("asinh", np.arcsinh, lambda x, g: rsqrt(add(mul(x, x), scalar(g, 1))))
acosh = _unary(
    "acosh", np.arccosh,
    lambda x, g: mul(rsqrt(sub(x, scalar(g, 1))), rsqrt(add(x, scalar(g, 1)))),
)  # fmt: skip
atanh = _unary_by("atanh", np.arctanh, _one_minus_square)


def _atan2_vjp(call: Call, g: Any) -> tuple[Any, Any]:
    """At the origin, which has no angle, the gradients are 0."""
    y, x = call.inputs
    zero, norm = scalar(g, 0), add(mul(y, y), mul(x, x))
    origin = eq(norm, zero)
    share = where(origin, zero, div(g, where(origin, scalar(g, 1), norm)))
    return mul(share, x), neg(mul(share, y))


def _hypot_vjp(call: Call, g: Any) -> tuple[Any, Any]:
    a, b = call.inputs
    return mul(g, div(a, call.output)), mul(g, div(b, call.output))


def _binary(name: str, function: Callable[..., Any], rule: Rule, saves: Saves) -> OpDef:
    return elementwise(name, ufunc(function), rule, accepts=FLOAT, saves=saves, traits=TRAITS)


atan2 = _binary("atan2", np.arctan2, _atan2_vjp, INPUTS)
hypot = _binary("hypot", np.hypot, _hypot_vjp, INPUTS | OUTPUT)
