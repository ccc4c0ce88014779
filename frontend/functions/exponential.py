"""Exponentials and logarithms of all bases, their sums and products, the logistic function."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from graphc.dtypes import complex128, float64
from graphc.frontend.functions.choosing import clamp
from graphc.frontend.functions.convert import (
    TensorLike,
    as_float,
    cast,
    common_dtype,
    promote,
    promote_float,
    require_tensor,
    scalar_tensor,
    to_operand,
)  # fmt: skip
from graphc.frontend.functions.factories import binary, unary
from graphc.frontend.functions.pointwise import mul, pow
from graphc.ops import comparison, elementwise, elementwise_numbers, select
from graphc.ops import elementwise_exponential as ops
from graphc.ops.elementwise_parts import real

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "exp",
    "exp2",
    "expm1",
    "float_power",
    "frexp",
    "ldexp",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "logit",
    "sigmoid",
    "xlogy",
]


class MantissaAndExponent(NamedTuple):
    """Result of ``frexp``: ``mantissa`` and int32 ``exponent``."""

    mantissa: Tensor
    exponent: Tensor


exp = unary(elementwise.exp, "exp", "The exponential; integers as float32.")
expm1 = unary(elementwise.expm1, "expm1", "``exp(x) - 1``, accurate near 0.")
log = unary(elementwise.log, "log", "The natural logarithm; integers as float32.")
log1p = unary(elementwise.log1p, "log1p", "``log(1 + x)``, accurate near 0.")
sigmoid = unary(elementwise.sigmoid, "sigmoid", "``1 / (1 + exp(-x))``.")
exp2 = unary(ops.exp2, "exp2", "2 to the power of x; integers as float32.")
log2 = unary(ops.log2, "log2", "The logarithm with base 2.")
log10 = unary(ops.log10, "log10", "The logarithm with base 10.")
logaddexp2 = binary(
    ops.logaddexp2, "logaddexp2", "``log2(2**input + 2**other)`` without overflow; floats only."
)


def logaddexp(input: TensorLike, other: TensorLike) -> Tensor:
    """``log(exp(input) + exp(other))`` without overflow; no integers (``torch.logaddexp``).

    Example:
        >>> import graphc as gc
        >>> gc.logaddexp(gc.tensor([0.0, 100.0]), gc.tensor([0.0, 0.0]))
        tensor([  0.6931, 100.0000])
    """
    a, b = promote("logaddexp", input, other)
    if not a.dtype.is_complex:
        return ops.logaddexp(a, b)
    return _complex_log_of_sum(a, b)


def _complex_log_of_sum(a: Tensor, b: Tensor) -> Tensor:
    """The number of the larger real part, and what the other adds to it; both parts of NaN are."""
    a_larger = comparison.logical_or(comparison.ge(real(a), real(b)), comparison.ne(a, a))
    a_leads = comparison.logical_and(a_larger, comparison.eq(b, b))
    more, less = select.where(a_leads, a, b), select.where(a_leads, b, a)
    size = elementwise.abs_(real(more))
    endless = comparison.eq(size, scalar_tensor(math.inf, size.dtype))
    zero = scalar_tensor(0, a.dtype)
    more = select.where(comparison.ne(more, more), elementwise.mul(more, zero), more)
    distance = elementwise.sub(select.where(endless, zero, less), select.where(endless, zero, more))
    return elementwise.add(more, elementwise.log1p(elementwise.exp(distance)))


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """``log(x / (1 - x))`` (``torch.logit``).

    Args:
        input: tensor of probabilities.
        eps: limit them to ``eps .. 1 - eps`` first; None for NaN outside 0 .. 1.
    """
    x = as_float("logit", input)
    return ops.logit(x if eps is None else clamp(x, eps, 1 - eps))


def xlogy(input: TensorLike, other: TensorLike) -> Tensor:
    """``input * log(other)``, 0 where the input is 0 unless other is NaN (``torch.xlogy``).

    Example:
        >>> import graphc as gc
        >>> gc.xlogy(gc.tensor([0.0, 2.0]), gc.tensor([0.0, 1.0]))
        tensor([0., 0.])
    """
    x, y = promote_float("xlogy", input, other)
    if isinstance(other, float) and math.isnan(other):  # as PyTorch: beside a number, 0 stays apart
        x = select.where(comparison.eq(x, scalar_tensor(0, x.dtype)), select.detach(x), x)
    return ops.xlogy(x, y)


def float_power(input: TensorLike, exponent: TensorLike) -> Tensor:
    """``input ** exponent`` in float64 (``torch.float_power``)."""
    dtype = common_dtype("float_power", (input, exponent))
    wide = complex128 if dtype.is_complex else float64
    base = to_operand(input, wide)
    if isinstance(exponent, int | float):
        return pow(base, float(exponent))
    return elementwise.power(base, to_operand(exponent, wide))


def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """``input * 2 ** other`` (``torch.ldexp``)."""
    x, power = require_tensor("ldexp", input), require_tensor("ldexp", other)
    factor = pow(2.0, power)
    keeps_dtype = x.dtype.is_differentiable and not power.dtype.is_differentiable
    return mul(x, cast(factor, x.dtype) if keeps_dtype else factor)


def frexp(input: Tensor) -> MantissaAndExponent:
    """The parts of ``x = mantissa * 2 ** exponent`` (``torch.frexp``).

    Returns:
        ``mantissa`` with 0.5 <= abs(mantissa) < 1, or x itself where it is 0, infinite or NaN;
        ``exponent`` as int32.

    Raises:
        DTypeError: for integers.
    """
    x = require_tensor("frexp", input)
    return MantissaAndExponent(elementwise_numbers.mantissa(x), elementwise_numbers.exponent(x))
