"""Error functions, the gamma function's family, Bessel functions: scipy evaluates them.

Derivatives are PyTorch's. Where PyTorch has none (Bessel functions of order 0 and 1 of the first
and second kind), the textbook's are used.

Source: Abramowitz, Stegun, "Handbook of Mathematical Functions", chapters 6, 7, 9, 26.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.dtypes import float64
from graphc.errors import ArgumentError, AutogradError
from graphc.opdef import Call, OpDef, Rule, Saves, Trait
from graphc.ops.comparison import lt
from graphc.ops.elementwise import (
    INPUTS,
    OUTPUT,
    abs_,
    add,
    div,
    elementwise,
    exp,
    log,
    mul,
    neg,
    sign,
    sub,
)  # fmt: skip
from graphc.ops.infer import FLOAT, elementwise_infer
from graphc.ops.scalar_eval import scipy_special
from graphc.ops.select import scalar, where
from graphc.storage import Array
from graphc.types import TensorType

TRAITS = Trait.COSTLY | Trait.LIBRARY
BOTH = INPUTS | OUTPUT

Factor = Callable[[Any, Any], Any]
"""The derivative from operand and result; their dtype is that of the constants."""


def _special(
    name: str, function: str, factor: Factor, saves: Saves, traits: Trait = TRAITS
) -> OpDef:
    rule: Rule = lambda call, g: (mul(g, factor(call.inputs[0], call.output)),)  # noqa: E731
    return elementwise(
        name, scipy_special(function), rule, accepts=FLOAT, saves=saves, traits=traits
    )


def _times(value: float, x: Any) -> Any:
    return mul(scalar(x, value), x)


def _gauss(x: Any) -> Any:
    return exp(neg(mul(x, x)))


_HALF_ROOT_PI = math.sqrt(math.pi) / 2

erfc = _special(
    "erfc", "erfc", lambda x, out: _times(-1 / _HALF_ROOT_PI, _gauss(x)), INPUTS, Trait.COSTLY
)
erfinv = _special(
    "erfinv", "erfinv", lambda x, out: _times(_HALF_ROOT_PI, exp(mul(out, out))), OUTPUT
)
erfcx: OpDef = _special(
    "erfcx", "erfcx",
    lambda x, out: sub(_times(2.0, mul(x, out)), scalar(x, 1 / _HALF_ROOT_PI)), BOTH,
)  # fmt: skip
entr = _special("entr", "entr", lambda x, out: neg(add(scalar(x, 1), log(x))), INPUTS)
ndtri = _special(
    "ndtri", "ndtri",
    lambda x, out: _times(math.sqrt(2 * math.pi), exp(_times(0.5, mul(out, out)))), OUTPUT,
)  # fmt: skip


def _hazard(x: Any, out: Any) -> Any:
    """The normal density over the distribution; erfcx overflows far above 0, exp far below."""
    zero = scalar(x, 0)
    above = lt(scalar(x, 1), x)
    tail = erfcx(_times(-math.sqrt(0.5), where(above, zero, x)))
    large = where(above, x, zero)
    density = exp(sub(_times(-0.5, mul(large, large)), where(above, out, zero)))
    return where(
        above,
        _times(1 / math.sqrt(2 * math.pi), density),
        div(scalar(x, math.sqrt(2 / math.pi)), tail),
    )


log_ndtr = _special("log_ndtr", "log_ndtr", _hazard, BOTH)


# --- gamma ----------------------------------------------------------------------------------


def _infer_polygamma(x: TensorType, *, n: int) -> TensorType:
    if n < 1:
        raise ArgumentError("polygamma: the order must be positive", got=str(n))
    result: TensorType = elementwise_infer("polygamma", FLOAT)(x)
    return result


def _eval_polygamma(x: Array, *, n: int) -> Array:
    import scipy.special

    wide = x.astype(np.float32) if x.dtype.itemsize == 2 else x
    signed = math.factorial(n) * (1.0 if n % 2 else -1.0)
    if n > 1:
        value = signed * scipy.special.zeta(float(n + 1), wide)
        return np.asarray(value, dtype=x.dtype, order="C")
    # Below 0 by reflection, as the series of zeta ends at 0: psi1(1-x) + psi1(x) = (pi/sin pi x)^2
    below = wide < 0.5
    sine = np.sin(np.pi * np.where(below, wide, 0.5).astype(np.float64))
    positive = scipy.special.zeta(2.0, np.where(below, 1.0 - wide, wide))
    value = np.where(below, (np.pi / sine) ** 2 - positive, positive)
    value = np.where(below & np.isfinite(wide) & (wide == np.floor(wide)), np.inf, value)
    return np.asarray(value, dtype=x.dtype, order="C")


def _polygamma_vjp(call: Call, g: Any) -> tuple[Any]:
    return (mul(g, polygamma(call.inputs[0], n=call.attrs["n"] + 1)),)


polygamma: OpDef = OpDef(
    "polygamma", _infer_polygamma, _eval_polygamma, _polygamma_vjp, TRAITS | Trait.ELEMENTWISE,
    saves=INPUTS,
)  # fmt: skip
"""``polygamma(x, n=)``: derivative n >= 1 of the digamma function."""
digamma = _special("digamma", "psi", lambda x, out: polygamma(x, n=1), INPUTS)


def _eval_lgamma(x: Array) -> Array:
    """As C's, which is infinite on both sides; scipy's has no result for the smallest numbers."""
    size = np.absolute(x)
    near_zero = size < np.array(1e-30, x.dtype)
    value = _gammaln(np.where(near_zero | np.isinf(x), np.array(np.inf, x.dtype), x))
    return np.asarray(np.where(near_zero, -np.log(size), value), dtype=x.dtype, order="C")


_gammaln = scipy_special("gammaln")
lgamma = elementwise(
    "lgamma", _eval_lgamma, lambda call, g: (mul(g, digamma(call.inputs[0])),),
    accepts=FLOAT, saves=INPUTS, traits=TRAITS,
)  # fmt: skip


def _only_by_second(name: str, by_second: Callable[[Any, Any], Any]) -> Rule:
    """A rule that knows the gradient of the second operand, as in PyTorch."""

    def vjp(call: Call, g: Any) -> tuple[None, Any]:
        if 0 not in call.unwanted:
            raise AutogradError(
                f"{name}: there is no gradient by its first argument",
                fix="detach() it; only the second argument has one",
            )
        return None, mul(g, by_second(*call.inputs))

    return vjp


def _pair(name: str, function: str, by_second: Callable[[Any, Any], Any]) -> OpDef:
    return elementwise(
        name, scipy_special(function), _only_by_second(name, by_second), accepts=FLOAT,
        saves=INPUTS, traits=TRAITS,
    )  # fmt: skip


def _gamma_density(a: Any, x: Any) -> Any:
    """x^(a-1) e^-x / gamma(a)."""
    power = mul(sub(a, scalar(a, 1)), log(x))
    return exp(sub(sub(power, x), lgamma(a)))


zeta: OpDef = _pair("zeta", "zeta", lambda x, q: neg(mul(x, zeta(add(x, scalar(x, 1)), q))))
gammainc = _pair("gammainc", "gammainc", _gamma_density)
gammaincc = _pair("gammaincc", "gammaincc", lambda a, x: neg(_gamma_density(a, x)))


# --- Bessel ---------------------------------------------------------------------------------


def _over(value: Any, x: Any, near_zero: Any) -> Any:
    """``value / x``, and its limit near 0, where the derivatives of the quotient cancel."""
    zero = lt(abs_(x), scalar(x, 1e-12 if x.type.dtype is float64 else 1e-6))
    return where(zero, near_zero, div(value, where(zero, scalar(x, 1), x)))


def _half_below(x: Any) -> Any:
    """``i1e(x) / x`` near 0."""
    return sub(scalar(x, 0.5), _times(0.5, abs_(x)))


i0: OpDef = _special("i0", "i0", lambda x, out: i1(x), INPUTS)
i1: OpDef = _special("i1", "i1", lambda x, out: sub(i0(x), _over(out, x, scalar(x, 0.5))), BOTH)
i0e: OpDef = _special("i0e", "i0e", lambda x, out: sub(i1e(x), mul(sign(x), out)), BOTH)
i1e: OpDef = _special(
    "i1e", "i1e",
    lambda x, out: sub(sub(i0e(x), _over(out, x, _half_below(x))), mul(sign(x), out)), BOTH,
)  # fmt: skip
bessel_j0: OpDef = _special("bessel_j0", "j0", lambda x, out: neg(bessel_j1(x)), INPUTS)
bessel_j1: OpDef = _special(
    "bessel_j1", "j1", lambda x, out: sub(bessel_j0(x), _over(out, x, scalar(x, 0.5))), BOTH
)
bessel_y0: OpDef = _special("bessel_y0", "y0", lambda x, out: neg(bessel_y1(x)), INPUTS)
bessel_y1: OpDef = _special("bessel_y1", "y1", lambda x, out: sub(bessel_y0(x), div(out, x)), BOTH)
bessel_k0: OpDef = _special("bessel_k0", "k0", lambda x, out: neg(bessel_k1(x)), INPUTS)
bessel_k1: OpDef = _special(
    "bessel_k1", "k1", lambda x, out: neg(add(bessel_k0(x), div(out, x))), BOTH
)
bessel_k0e: OpDef = _special("bessel_k0e", "k0e", lambda x, out: sub(out, bessel_k1e(x)), BOTH)
bessel_k1e: OpDef = _special(
    "bessel_k1e", "k1e", lambda x, out: sub(sub(out, bessel_k0e(x)), div(out, x)), BOTH
)


# --- Airy -----------------------------------------------------------------------------------


def _airy(position: int) -> Callable[[Array], Array]:
    def run(x: Array) -> Array:
        import scipy.special

        wide = x.astype(np.float32) if x.dtype.itemsize == 2 else x
        return np.asarray(scipy.special.airy(wide)[position], dtype=x.dtype, order="C")

    return run


airy_ai: OpDef = elementwise(
    "airy_ai", _airy(0), lambda call, g: (mul(g, airy_ai_prime(call.inputs[0])),),
    accepts=FLOAT, saves=INPUTS, traits=TRAITS,
)  # fmt: skip
airy_ai_prime: OpDef = elementwise(
    "airy_ai_prime", _airy(1),
    lambda call, g: (mul(g, mul(call.inputs[0], airy_ai(call.inputs[0]))),),
    accepts=FLOAT, saves=INPUTS, traits=TRAITS,
)  # fmt: skip
"""The derivative of ``airy_ai``."""
