"""Arithmetic and functions of one element: types, meaning and gradients.

Operands broadcast by numpy's rules and must have one dtype; promotion is the frontend's work.
Results are C-contiguous whatever the operands' strides, so that later reductions add in one order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.opdef import Call, OpDef, Rule, Saves, Trait
from graphc.ops.comparison import eq, logical_and, lt
from graphc.ops.elementwise_parts import conjugated, not_negative
from graphc.ops.infer import (
    ANY,
    FLOAT,
    FLOAT_OR_COMPLEX,
    NUMBER,
    ORDERED_NUMBER,
    REAL,
    elementwise_infer,
)  # fmt: skip
from graphc.ops.scalar_eval import (
    floor_divide_eval,
    int_pow_eval,
    scipy_special,
    sigmoid_eval,
    ufunc,
)
from graphc.ops.select import detach, scalar, where, zeros_like

INPUTS, OUTPUT = Saves.INPUTS, Saves.OUTPUT
COMMUTATIVE, COSTLY = Trait.COMMUTATIVE, Trait.COSTLY


def elementwise(
    name: str,
    compute: Callable[..., Any],
    vjp: Rule | None,
    *,
    accepts: frozenset[int],
    saves: Saves = Saves.NOTHING,
    traits: Trait = Trait.NONE,
) -> OpDef:
    """Define an elementwise operation whose result has the operands' dtype.

    Args:
        name: the operation's name.
        compute: a function of arrays, e.g. from ``ufunc``.
        vjp: the gradient rule.
        accepts: the dtype categories that it accepts.
        saves: what the rule reads.
        traits: traits besides ELEMENTWISE.
    """
    return OpDef(
        name, elementwise_infer(name, accepts), compute, vjp, traits | Trait.ELEMENTWISE, saves
    )


def _sub_vjp(call: Call, g: Any) -> tuple[Any, Any]:
    return g, neg(g)


def _mul_vjp(call: Call, g: Any) -> tuple[Any, Any]:
    a, b = call.inputs
    return (
        None if 0 in call.unwanted else mul(g, conjugated(b)),
        None if 1 in call.unwanted else mul(g, conjugated(a)),
    )


def _div_vjp(call: Call, g: Any) -> tuple[Any, Any]:
    a, b = call.inputs
    return (
        None if 0 in call.unwanted else div(g, conjugated(b)),
        None if 1 in call.unwanted else neg(mul(g, conjugated(div(div(a, b), b)))),
    )


def _remainder_vjp(call: Call, g: Any) -> tuple[Any, Any]:
    a, b = call.inputs
    return g, neg(mul(g, detach(floor_divide(a, b))))


def _pow_vjp(call: Call, g: Any) -> tuple[Any, Any]:
    """b = 0, and a = 0 with b >= 0, are cut out before they can make 0 * inf."""
    a, b = call.inputs
    zero, one = scalar(g, 0), scalar(g, 1)
    flat = eq(b, zero)
    exponent = where(flat, one, b)
    slope = mul(exponent, power(a, sub(exponent, one)))
    by_base = where(flat, zero, mul(g, conjugated(slope)))
    if 1 in call.unwanted:
        return by_base, None
    cut = logical_and(eq(a, zero), not_negative(b))
    growth = where(cut, zero, mul(call.output, log(where(cut, one, a))))
    by_exponent = mul(g, conjugated(growth))
    return by_base, by_exponent


def _extremum_vjp(losing: Callable[[Any, Any], Any]) -> Rule:
    """The winner gets the gradient; equal operands share it."""

    def vjp(call: Call, g: Any) -> tuple[Any, Any]:
        a, b = call.inputs
        zero = scalar(g, 0)
        shared = where(eq(a, b), mul(g, scalar(g, 0.5)), g)
        return where(losing(a, b), zero, shared), where(losing(b, a), zero, shared)

    return vjp


def _flat_vjp(call: Call, g: Any) -> tuple[Any]:
    return (zeros_like(g),)


add = elementwise("add", ufunc(np.add), lambda call, g: (g, g), accepts=ANY, traits=COMMUTATIVE)
sub = elementwise("sub", ufunc(np.subtract), _sub_vjp, accepts=NUMBER)
mul = elementwise(
    "mul", ufunc(np.multiply), _mul_vjp, accepts=ANY, saves=INPUTS, traits=COMMUTATIVE
)
div = elementwise(
    "div", ufunc(np.true_divide), _div_vjp, accepts=FLOAT_OR_COMPLEX, saves=INPUTS, traits=COSTLY
)
floor_divide = elementwise(
    "floor_divide", floor_divide_eval, None, accepts=ORDERED_NUMBER, traits=COSTLY
)
remainder = elementwise(
    "remainder", ufunc(np.remainder), _remainder_vjp,
    accepts=ORDERED_NUMBER, saves=INPUTS, traits=COSTLY,
)  # fmt: skip
power = elementwise(
    "pow", int_pow_eval, _pow_vjp,
    accepts=NUMBER, saves=INPUTS | OUTPUT, traits=COSTLY,
)  # fmt: skip
maximum = elementwise(
    "maximum", ufunc(np.maximum), _extremum_vjp(lambda a, b: lt(a, b)),
    accepts=REAL, saves=INPUTS,
)  # fmt: skip
minimum = elementwise(
    "minimum", ufunc(np.minimum), _extremum_vjp(lambda a, b: lt(b, a)),
    accepts=REAL, saves=INPUTS,
)  # fmt: skip

neg: OpDef = elementwise("neg", ufunc(np.negative), lambda call, g: (neg(g),), accepts=NUMBER)


def _abs_vjp(call: Call, g: Any) -> tuple[Any, ...]:
    (x,) = call.inputs
    return (mul(g, where(eq(x, x), sign(x), scalar(x, 0))),)  # 0 at NaN, which has no sign


abs_ = elementwise("abs", ufunc(np.absolute), _abs_vjp, accepts=ORDERED_NUMBER, saves=INPUTS)
sign: OpDef = elementwise("sign", ufunc(np.sign), _flat_vjp, accepts=ORDERED_NUMBER)
floor = elementwise("floor", ufunc(np.floor), _flat_vjp, accepts=FLOAT)
ceil = elementwise("ceil", ufunc(np.ceil), _flat_vjp, accepts=FLOAT)
round_ = elementwise("round", ufunc(np.rint), _flat_vjp, accepts=FLOAT)
trunc = elementwise("trunc", ufunc(np.trunc), _flat_vjp, accepts=FLOAT)


def _unary(
    name: str,
    compute: Callable[..., Any],
    vjp: Rule,
    saves: Saves,
    accepts: frozenset[int] = FLOAT_OR_COMPLEX,
) -> OpDef:
    return elementwise(name, compute, vjp, accepts=accepts, saves=saves, traits=COSTLY)


def _tanh_vjp(call: Call, g: Any) -> tuple[Any]:
    out = conjugated(call.output)
    return (mul(g, sub(scalar(g, 1), mul(out, out))),)


def _sigmoid_vjp(call: Call, g: Any) -> tuple[Any]:
    out = conjugated(call.output)
    return (mul(g, mul(out, sub(scalar(g, 1), out))),)


def _rsqrt_vjp(call: Call, g: Any) -> tuple[Any]:
    out = conjugated(call.output)
    cube = mul(out, mul(out, out))
    return (mul(scalar(g, -0.5), mul(g, cube)),)


def _erf_vjp(call: Call, g: Any) -> tuple[Any]:
    (x,) = call.inputs
    return (mul(g, mul(scalar(g, 2 / math.sqrt(math.pi)), exp(neg(mul(x, x))))),)


def _tan_vjp(call: Call, g: Any) -> tuple[Any]:
    out = conjugated(call.output)
    return (mul(g, add(scalar(g, 1), mul(out, out))),)


def _rsqrt_eval(x: Any) -> Any:
    return np.asarray(np.true_divide(np.ones((), x.dtype), np.sqrt(x), order="C"))


exp: OpDef = _unary(
    "exp", ufunc(np.exp), lambda call, g: (mul(g, conjugated(call.output)),), OUTPUT
)
expm1 = _unary(
    "expm1",
    ufunc(np.expm1),
    lambda call, g: (mul(g, add(conjugated(call.output), scalar(g, 1))),),
    OUTPUT,
)
log = _unary("log", ufunc(np.log), lambda call, g: (div(g, conjugated(call.inputs[0])),), INPUTS)
log1p = _unary(
    "log1p",
    ufunc(np.log1p),
    lambda call, g: (div(g, add(conjugated(call.inputs[0]), scalar(g, 1))),),
    INPUTS,
)
sqrt = _unary(
    "sqrt",
    ufunc(np.sqrt),
    lambda call, g: (div(g, mul(scalar(g, 2), conjugated(call.output))),),
    OUTPUT,
)
rsqrt = _unary("rsqrt", _rsqrt_eval, _rsqrt_vjp, OUTPUT)
sin: OpDef = _unary(
    "sin", ufunc(np.sin), lambda call, g: (mul(g, cos(conjugated(call.inputs[0]))),), INPUTS
)
cos: OpDef = _unary(
    "cos", ufunc(np.cos), lambda call, g: (neg(mul(g, sin(conjugated(call.inputs[0])))),), INPUTS
)
tan = _unary("tan", ufunc(np.tan), _tan_vjp, OUTPUT)
tanh = _unary("tanh", ufunc(np.tanh), _tanh_vjp, OUTPUT)
sigmoid = _unary("sigmoid", sigmoid_eval, _sigmoid_vjp, OUTPUT)
erf = _unary("erf", scipy_special("erf"), _erf_vjp, INPUTS, FLOAT)
