"""Arithmetic and comparisons of elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from graphc.dims import Dim
from graphc.dtypes import BOOLEAN, INTEGER, DType, bfloat16, bool_, float16, float32
from graphc.errors import ArgumentError, DTypeError
from graphc.frontend.base import TensorBase, is_tensor
from graphc.frontend.functions.convert import (
    Number,
    TensorLike,
    arrays_as_tensors,
    cast,
    promote,
    promote_float,
    require_tensor,
    scalar_tensor,
    to_operand,
)  # fmt: skip
from graphc.frontend.functions.factories import binary, unary
from graphc.frontend.settings.default_dtype import dtype_of_number
from graphc.opdef import OpDef
from graphc.ops import comparison, elementwise, select
from graphc.ops.elementwise_numbers import magnitude
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "abs",
    "absolute",
    "add",
    "div",
    "divide",
    "eq",
    "floor_divide",
    "ge",
    "greater",
    "greater_equal",
    "gt",
    "le",
    "less",
    "less_equal",
    "lt",
    "mul",
    "multiply",
    "ne",
    "neg",
    "negative",
    "not_equal",
    "pow",
    "reciprocal",
    "remainder",
    "rsqrt",
    "sign",
    "sqrt",
    "square",
    "sub",
    "subtract",
    "true_divide",
]


def add(input: TensorLike, other: TensorLike, *, alpha: Number = 1) -> Tensor:
    """``input + alpha * other``, with promotion and broadcasting.

    Args:
        input: tensor or number.
        other: tensor or number.
        alpha: factor of ``other``.

    Source: ``torch.add``.

    Example:
        >>> import graphc as gc
        >>> gc.add(gc.tensor([1.0, 2.0]), 1, alpha=2)
        tensor([3., 4.])
    """
    a, b = promote("add", input, other)
    return elementwise.add(a, _times_alpha("add", b, alpha))


def _times_alpha(function: str, x: Tensor, alpha: Number) -> Tensor:
    if alpha == 1 and not isinstance(alpha, bool):
        return x
    kind = dtype_of_number(int if isinstance(alpha, Dim) else type(alpha))
    too_wide = kind.category > max(x.dtype.category, INTEGER)
    if too_wide or kind.category == BOOLEAN != x.dtype.category:
        raise DTypeError(
            f"{function}: alpha does not fit the result's dtype",
            got=f"alpha={alpha!r} for {x.dtype.name}", where=user_location_text(),
        )  # fmt: skip
    return elementwise.mul(x, scalar_tensor(alpha, x.dtype))


def sub(input: TensorLike, other: TensorLike, *, alpha: Number = 1) -> Tensor:
    """``input - alpha * other`` (``torch.sub``).

    Raises:
        DTypeError: for a bool; use ``^``, ``logical_xor``, or ``logical_not``.
    """
    input, other = arrays_as_tensors(input, other)
    for operand in (input, other):
        is_bool = isinstance(operand, bool | np.bool_)
        if is_bool or (is_tensor(operand) and operand.dtype.category == BOOLEAN):
            raise DTypeError(
                "sub: bools cannot be subtracted", got="bool",
                fix="use x ^ y or gc.logical_xor(x, y); ~x inverts", where=user_location_text(),
            )  # fmt: skip
    a, b = promote("sub", input, other)
    return elementwise.sub(a, _times_alpha("sub", b, alpha))


subtract = sub


def mul(input: TensorLike, other: TensorLike) -> Tensor:
    """``input * other`` (``torch.mul``)."""
    a, b = promote("mul", input, other)
    if (a is input and b is other) or not _is_short_beside_number(a.dtype, input, other):
        return elementwise.mul(a, b)
    return _rounded_once(elementwise.mul, input, other, a.dtype)


def _is_short_beside_number(dtype: DType, input: TensorLike, other: TensorLike) -> bool:
    """Whether a result has 16 bits, and a number beside the tensor need not have as few."""
    return (dtype is float16 or dtype is bfloat16) and any(
        isinstance(x, Number | np.generic) for x in (input, other)
    )


def _rounded_once(op: OpDef, input: TensorLike, other: TensorLike, dtype: DType) -> Tensor:
    """Computed in float32."""
    return cast(op(to_operand(input, float32), to_operand(other, float32)), dtype)


multiply = mul


def div(input: TensorLike, other: TensorLike, *, rounding_mode: str | None = None) -> Tensor:
    """``input / other``; integers divide to float32 (``torch.div``).

    Args:
        input: tensor or number.
        other: tensor or number.
        rounding_mode: None, ``"trunc"`` (towards zero) or ``"floor"``.

    Raises:
        ArgumentError: for another rounding mode.
    """
    if rounding_mode is None:
        a, b = promote_float("div", input, other)
        if (a is input and b is other) or not _is_short_beside_number(a.dtype, input, other):
            return elementwise.div(a, b)
        return _rounded_once(elementwise.div, input, other, a.dtype)
    if rounding_mode not in ("floor", "trunc"):
        raise ArgumentError(
            "div: unknown rounding_mode", got=repr(rounding_mode),
            expected="None, 'trunc' or 'floor'", where=user_location_text(),
        )  # fmt: skip
    a, b = promote("div", input, other)
    if a.dtype.is_floating_point:
        return _rounded_quotient(a, b, rounding_mode)
    if rounding_mode == "floor":
        return floor_divide(a, b)
    quotient = elementwise.floor_divide(a, b)
    inexact = comparison.ne(elementwise.mul(quotient, b), a)
    negative = comparison.lt(quotient, scalar_tensor(0, a.dtype))
    return elementwise.add(quotient, cast(comparison.logical_and(inexact, negative), a.dtype))


def _rounded_quotient(a: Tensor, b: Tensor, rounding_mode: str) -> Tensor:
    """The rounded quotient of floats; its gradient is 0 everywhere, also where b is 0."""
    fixed_a, fixed_b = select.detach(a), select.detach(b)
    if rounding_mode == "floor":
        value = elementwise.floor_divide(fixed_a, fixed_b)
    else:
        value = elementwise.trunc(elementwise.div(fixed_a, fixed_b))
    if not (a.requires_grad or b.requires_grad):
        return value
    flat = elementwise.trunc(elementwise.add(a, b))
    return select.where(scalar_tensor(False, bool_), flat, value)


divide = div


def true_divide(input: TensorLike, other: TensorLike) -> Tensor:
    """``input / other``; integers divide to float32 (``torch.true_divide``)."""
    return div(input, other)


def floor_divide(input: TensorLike, other: TensorLike) -> Tensor:
    """``input // other``, rounded down (``torch.floor_divide``); an int by zero gives 0."""
    return elementwise.floor_divide(*promote("floor_divide", input, other))


def remainder(input: TensorLike, other: TensorLike) -> Tensor:
    """``input % other`` with the sign of ``other`` (``torch.remainder``); int by zero gives 0."""
    return elementwise.remainder(*promote("remainder", input, other))


def pow(input: TensorLike, exponent: TensorLike) -> Tensor:
    """``input ** exponent`` (``torch.pow``).

    The numbers 1, 2, 3, 0.5, -0.5 and -1 as exponents become products, roots and quotients.

    Raises:
        DTypeError: for an integer tensor to a negative number.
    """
    if isinstance(input, TensorBase) and isinstance(exponent, int | float):
        special = _special_power(input, exponent)
        if special is not None:
            return special
    return elementwise.power(*promote("pow", input, exponent))


def _special_power(x: Tensor, exponent: float) -> Tensor | None:
    if x.dtype.category == BOOLEAN and isinstance(exponent, bool):
        return mul(x, True) if exponent else comparison.eq(x, x)
    if not x.dtype.is_differentiable:
        if exponent < 0 and isinstance(exponent, int):
            raise DTypeError(
                "pow: integers to negative powers are not allowed",
                got=f"{x.dtype.name} ** {exponent}",
                fix="cast the base to a floating point type",
                where=user_location_text(),
            )
        if x.dtype.category == BOOLEAN or isinstance(exponent, float):
            return None
    if exponent == 1:
        return mul(x, 1)
    if exponent == 2:
        return mul(x, x)
    if exponent == 3:
        return mul(mul(x, x), x)
    if exponent == 0.5:
        return sqrt(x)
    if exponent == -0.5:
        return rsqrt(x)
    if exponent == -1:
        return reciprocal(x)
    return None


sqrt = unary(elementwise.sqrt, "sqrt", "The square root; NaN below 0.")
rsqrt = unary(elementwise.rsqrt, "rsqrt", "``1 / sqrt(x)``.")


def reciprocal(input: Tensor) -> Tensor:
    """``1 / x``; integers as float32 (``torch.reciprocal``)."""
    return div(1.0, input)


def square(input: Tensor) -> Tensor:
    """``x * x`` (``torch.square``)."""
    return pow(require_tensor("square", input), 2)


def neg(input: Tensor) -> Tensor:
    """``-x`` (``torch.neg``).

    Raises:
        DTypeError: for bool; use ``~x``.
    """
    return elementwise.neg(require_tensor("neg", input))


negative = neg


def abs(input: Tensor) -> Tensor:
    """The absolute value; of complex numbers the magnitude (``torch.abs``)."""
    x = require_tensor("abs", input)
    return magnitude(x) if x.dtype.is_complex else elementwise.abs_(x)


absolute = abs


def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1 by sign; NaN stays NaN, bools stay as they are (``torch.sign``)."""
    x = require_tensor("sign", input)
    return x if x.dtype.category == BOOLEAN else elementwise.sign(x)


eq = binary(comparison.eq, "eq", "True where equal.")
ne = not_equal = binary(comparison.ne, "ne", "True where not equal; NaN differs from NaN.")
lt = less = binary(comparison.lt, "lt", "True where ``input < other``.")
le = less_equal = binary(comparison.le, "le", "True where ``input <= other``.")
gt = greater = binary(comparison.gt, "gt", "True where ``input > other``.")
ge = greater_equal = binary(comparison.ge, "ge", "True where ``input >= other``.")
