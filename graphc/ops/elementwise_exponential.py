"""Powers and logarithms of 2 and 10, sums of logarithms, and the log-odds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.opdef import Call, OpDef, Rule, Trait
from graphc.ops.comparison import eq, ge, le, logical_and
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
from graphc.storage import Array

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


def _times_log(name: str, logarithm: Callable[..., Any], start: float) -> OpDef:
    """``x * logarithm(y)``, 0 where x is 0, unless y is NaN.

    The gradients are PyTorch's: by x 0 where the cut hides the logarithm's poles and what is
    below, by y ``x / y`` even there.

    Args:
        name: the operation's name.
        logarithm: the ufunc.
        start: where its domain begins.
    """

    def compute(x: Array, y: Array) -> Array:
        dtype = x.dtype
        if dtype.itemsize == 2:
            x, y = x.astype(np.float32), y.astype(np.float32)
        cut = (x == 0) & (y == y)
        value = np.where(cut, np.zeros((), x.dtype), x * logarithm(y))
        return np.asarray(value, dtype=dtype, order="C")

    def vjp(call: Call, g: Any) -> tuple[Any, Any]:
        x, y = call.inputs
        zero, begin = scalar(g, 0), scalar(g, start)
        cut = logical_and(eq(x, zero), le(y, begin))
        return (
            None if 0 in call.unwanted else where(cut, zero, op(g, y)),
            None if 1 in call.unwanted else div(mul(g, x), sub(y, begin) if start else y),
        )

    op = elementwise(name, compute, vjp, accepts=FLOAT, saves=INPUTS, traits=Trait.COSTLY)
    return op


xlogy = _times_log("xlogy", np.log, 0.0)
xlog1py = _times_log("xlog1py", np.log1p, -1.0)
