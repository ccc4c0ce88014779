"""Powers and logarithms of 2 and 10, sums of logarithms, and the log-odds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphc.opdef import Call, OpDef, Rule, Trait
from graphc.ops.comparison import ge, le, logical_and
from graphc.ops.elementwise import (
    INPUTS,
    OUTPUT,
    add,
    div,
    elementwise,
    exp,
    mul,
    sub,
)  # fmt: skip
from graphc.ops.elementwise_parts import conjugated
from graphc.ops.infer import FLOAT, FLOAT_OR_COMPLEX
from graphc.ops.scalar_eval import scipy_special, ufunc
from graphc.ops.select import scalar, where

TRAITS = Trait.COSTLY | Trait.LIBRARY


def _exp2_vjp(call: Call, g: Any) -> tuple[Any]:
    return (mul(g, mul(conjugated(call.output), scalar(g, math.log(2)))),)


def _log_vjp(base: float) -> Rule:
    return lambda call, g: (div(g, mul(conjugated(call.inputs[0]), scalar(g, math.log(base)))),)


exp2: OpDef = elementwise(
    "exp2", ufunc(np.exp2), _exp2_vjp, accepts=FLOAT_OR_COMPLEX, saves=OUTPUT, traits=Trait.COSTLY
)
log2 = elementwise(
    "log2", ufunc(np.log2), _log_vjp(2), accepts=FLOAT_OR_COMPLEX, saves=INPUTS, traits=Trait.COSTLY
)
log10 = elementwise(
    "log10",
    ufunc(np.log10),
    _log_vjp(10),
    accepts=FLOAT_OR_COMPLEX,
    saves=INPUTS,
    traits=Trait.COSTLY,
)


def _sum_vjp(power: OpDef) -> Rule:
    """Each gets its share of the sum of powers: 1 / (1 + power(other - self))."""

    def vjp(call: Call, g: Any) -> tuple[Any, Any]:
        a, b = call.inputs
        one = scalar(g, 1)
        return (
            div(g, add(one, power(sub(b, a)))),
            div(g, add(one, power(sub(a, b)))),
        )

    return vjp


logaddexp = elementwise(
    "logaddexp", ufunc(np.logaddexp), _sum_vjp(exp), accepts=FLOAT, saves=INPUTS, traits=TRAITS
)
logaddexp2 = elementwise(
    "logaddexp2", ufunc(np.logaddexp2), _sum_vjp(exp2), accepts=FLOAT, saves=INPUTS, traits=TRAITS
)


def _logit_vjp(call: Call, g: Any) -> tuple[Any]:
    (x,) = call.inputs
    one = scalar(g, 1)
    inside = logical_and(ge(x, scalar(g, 0)), le(x, one))
    return (where(inside, div(g, mul(x, sub(one, x))), scalar(g, math.nan)),)


logit = elementwise(
    "logit", scipy_special("logit"), _logit_vjp, accepts=FLOAT, saves=INPUTS, traits=TRAITS
)
