"""How numbers are represented: signs, neighbours, mantissas; remainders and common divisors."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.dtypes import int32
from graphc.opdef import Call, OpDef, Saves, Trait
from graphc.ops.comparison import eq
from graphc.ops.elementwise import INPUTS, OUTPUT, div, elementwise, mul, neg, trunc
from graphc.ops.elementwise_exponential import exp2
from graphc.ops.elementwise_parts import complex_, part_dtype
from graphc.ops.infer import (
    COMPLEX_ONLY,
    FLOAT,
    INT,
    ORDERED_NUMBER,
    elementwise_infer,
    require_category,
)  # fmt: skip
from graphc.ops.scalar_eval import ufunc
from graphc.ops.select import cast, detach, scalar, where, zeros_like
from graphc.storage import Array
from graphc.types import TensorType

TRAITS = Trait.COSTLY | Trait.LIBRARY


def _fmod_vjp(call: Call, g: Any) -> tuple[Any, Any]:
    a, b = call.inputs
    return g, neg(mul(g, detach(trunc(div(a, b)))))


fmod = elementwise(
    "fmod", ufunc(np.fmod), _fmod_vjp, accepts=ORDERED_NUMBER, saves=INPUTS, traits=Trait.COSTLY
)
"""``a - trunc(a / b) * b`` without rounding, with the sign of ``a``; an int by zero gives 0."""


def _copysign_vjp(call: Call, g: Any) -> tuple[Any, Any]:
    (a, _), zero = call.inputs, scalar(g, 0)
    at_zero = eq(a, zero)
    flipped = div(call.output, where(at_zero, scalar(g, 1), a))
    return mul(g, where(at_zero, zero, detach(flipped))), zeros_like(call.output)


copysign = elementwise(
    "copysign", ufunc(np.copysign), _copysign_vjp, accepts=FLOAT, saves=INPUTS | OUTPUT,
)  # fmt: skip


def _nextafter_vjp(call: Call, g: Any) -> tuple[Any, Any]:
    """The neighbour moves with the number; where both are equal it is neither's, as in PyTorch."""
    a, b = call.inputs
    return where(eq(a, b), scalar(g, 0), g), zeros_like(g)


nextafter = elementwise(
    "nextafter", ufunc(np.nextafter), _nextafter_vjp, accepts=FLOAT, saves=INPUTS, traits=TRAITS
)
gcd = elementwise("gcd", ufunc(np.gcd), None, accepts=INT, traits=TRAITS | Trait.COMMUTATIVE)


def _eval_lcm(a: Array, b: Array) -> Array:
    """The absolute value of (a / gcd) * b; as in C, small types wrap around at the end only."""
    wide = np.promote_types(a.dtype, np.int32)
    divisor = np.gcd(a, b, dtype=wide)
    quotient = np.floor_divide(a, np.where(divisor == 0, 1, divisor), dtype=wide)
    return np.asarray(np.absolute(quotient * b).astype(a.dtype), order="C")


lcm = elementwise("lcm", _eval_lcm, None, accepts=INT, traits=TRAITS)


def _eval_mantissa(x: Array) -> Array:
    return np.array(np.frexp(x)[0], x.dtype, order="C")


def _eval_exponent(x: Array) -> Array:
    """0 where there is none: at 0, infinity and NaN."""
    return np.array(np.where(np.isfinite(x), np.frexp(x)[1], 0), np.int32, order="C")


def _mantissa_vjp(call: Call, g: Any) -> tuple[Any]:
    power = exp2(cast(neg(exponent(call.inputs[0])), dtype=g.type.dtype))
    return (mul(g, power),)


mantissa = OpDef(
    "mantissa", elementwise_infer("mantissa", FLOAT), _eval_mantissa, _mantissa_vjp,
    TRAITS | Trait.ELEMENTWISE, saves=Saves.INPUTS,
)  # fmt: skip
"""``x = mantissa(x) * 2 ** exponent(x)`` with 0.5 <= abs(mantissa) < 1."""
exponent: OpDef = OpDef(
    "exponent", elementwise_infer("exponent", FLOAT, int32), _eval_exponent,
    traits=TRAITS | Trait.ELEMENTWISE,
)  # fmt: skip


def _infer_magnitude(z: TensorType) -> TensorType:
    require_category("magnitude", (z,), COMPLEX_ONLY)
    return z.with_dtype(part_dtype(z.dtype))


def _magnitude_vjp(call: Call, g: Any) -> tuple[Any]:
    """The gradient points away from 0; at 0 it is 0."""
    (z,), length = call.inputs, call.output
    at_zero = eq(length, scalar(g, 0))
    share = where(at_zero, scalar(g, 0), div(g, where(at_zero, scalar(g, 1), length)))
    return (mul(complex_(share, zeros_like(share)), z),)


magnitude = OpDef(
    "magnitude", _infer_magnitude, ufunc(np.absolute), _magnitude_vjp,
    TRAITS | Trait.ELEMENTWISE, saves=INPUTS | OUTPUT,
)  # fmt: skip
"""The absolute value of complex numbers."""
