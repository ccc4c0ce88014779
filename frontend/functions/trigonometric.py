"""Trigonometric and hyperbolic functions with their inverses, angles, ``sinc``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from graphc.errors import DTypeError
from graphc.frontend.functions.convert import as_float, scalar_tensor
from graphc.frontend.functions.factories import binary, binary_float, unary
from graphc.ops import comparison, elementwise, select
from graphc.ops import elementwise_trigonometric as ops
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "acos",
    "acosh",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "deg2rad",
    "hypot",
    "rad2deg",
    "sin",
    "sinc",
    "sinh",
    "tan",
    "tanh",
]

sin = unary(elementwise.sin, "sin", "The sine of an angle in radians.")
cos = unary(elementwise.cos, "cos", "The cosine of an angle in radians.")
tan = unary(elementwise.tan, "tan", "The tangent of an angle in radians.")
tanh = unary(elementwise.tanh, "tanh", "The hyperbolic tangent.")
asin = arcsin = unary(ops.asin, "asin", "The angle with this sine; NaN outside -1 .. 1.")
acos = arccos = unary(ops.acos, "acos", "The angle with this cosine; NaN outside -1 .. 1.")
atan = arctan = unary(ops.atan, "atan", "The angle with this tangent.")
sinh = unary(ops.sinh, "sinh", "The hyperbolic sine.")
cosh = unary(ops.cosh, "cosh", "The hyperbolic cosine.")
asinh = arcsinh = unary(ops.asinh, "asinh", "The inverse of the hyperbolic sine.")
acosh = arccosh = unary(ops.acosh, "acosh", "The inverse of the hyperbolic cosine; NaN below 1.")
atanh = arctanh = unary(
    ops.atanh, "atanh", "The inverse of the hyperbolic tangent; NaN outside -1 .. 1."
)
atan2 = arctan2 = binary_float(
    ops.atan2, "atan2", "The angle of the point with ordinate ``input`` and abscissa ``other``."
)
hypot = binary(ops.hypot, "hypot", "``sqrt(input^2 + other^2)`` without overflow; floats only.")


def _scaled(function: str, input: Tensor, factor: float) -> Tensor:
    x = as_float(function, input)
    if x.dtype.is_complex:
        raise DTypeError(
            f"{function}: complex numbers are no angles", got=x.dtype.name,
            expected="a real dtype", where=user_location_text(),
        )  # fmt: skip
    return elementwise.mul(x, scalar_tensor(factor, x.dtype))


def deg2rad(input: Tensor) -> Tensor:
    """Degrees as radians (``torch.deg2rad``)."""
    return _scaled("deg2rad", input, math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Radians as degrees (``torch.rad2deg``)."""
    return _scaled("rad2deg", input, 180 / math.pi)


def sinc(input: Tensor) -> Tensor:
    """``sin(pi x) / (pi x)``, and 1 at 0 (``torch.sinc``).

    Example:
        >>> import graphc as gc
        >>> gc.sinc(gc.tensor([0.0, 0.5]))
        tensor([1.0000, 0.6366])
    """
    x = as_float("sinc", input)
    return sine_over(elementwise.mul(x, scalar_tensor(math.pi, x.dtype)))


_QUOTIENT = [(-1) ** n / math.factorial(2 * n + 1) for n in range(9)]
"""Of the powers of ``x * x`` in ``sin(x) / x``; up to 1 the rest is beyond float64."""


def sine_over(x: Tensor) -> Tensor:
    """``sin(x) / x``; near 0 by its series, for the quotient's derivatives cancel there.

    Args:
        x: floating point, or complex: then the quotient everywhere but at 0.
    """
    one = scalar_tensor(1, x.dtype)
    if x.dtype.is_complex:
        near, series = comparison.eq(x, scalar_tensor(0, x.dtype)), one
    else:
        near = comparison.lt(elementwise.abs_(x), one)
        square = select.where(near, elementwise.mul(x, x), scalar_tensor(0, x.dtype))
        series = scalar_tensor(_QUOTIENT[-1], x.dtype)
        for factor in reversed(_QUOTIENT[:-1]):
            series = elementwise.add(
                elementwise.mul(series, square), scalar_tensor(factor, x.dtype)
            )
    far = select.where(near, one, x)
    return select.where(near, series, elementwise.div(elementwise.sin(far), far))
