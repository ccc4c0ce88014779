"""Signs, neighbours, divisors and remainders; choosing, replacing and blending numbers."""

from __future__ import annotations

import builtins
import math
from typing import TYPE_CHECKING

import numpy as np

from graphc.dtypes import BOOLEAN, FLOATING, DType
from graphc.errors import ArgumentError, DTypeError
from graphc.frontend.functions import pointwise
from graphc.frontend.functions.choosing import clamp, isnan
from graphc.frontend.functions.complexes import join, parts
from graphc.frontend.functions.convert import (
    Number,
    TensorLike,
    cast,
    common_dtype,
    promote,
    require_tensor,
    scalar_tensor,
    to_operand,
)  # fmt: skip
from graphc.frontend.functions.factories import binary, binary_float
from graphc.frontend.functions.pointwise import sub
from graphc.ops import comparison, elementwise, select
from graphc.ops import elementwise_numbers as ops
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "addcdiv",
    "addcmul",
    "clamp_max",
    "clamp_min",
    "copysign",
    "fmax",
    "fmin",
    "fmod",
    "frac",
    "gcd",
    "heaviside",
    "lcm",
    "lerp",
    "nan_to_num",
    "nextafter",
    "positive",
    "rsub",
]

copysign = binary_float(ops.copysign, "copysign", "The size of ``input``, the sign of ``other``.")
nextafter = binary(ops.nextafter, "nextafter", "The next number from ``input`` to ``other``.")
gcd = binary(ops.gcd, "gcd", "The greatest common divisor of integers; 0 of two zeros.")
lcm = binary(ops.lcm, "lcm", "The least common multiple of integers.")
fmod = binary(
    ops.fmod, "fmod", "The remainder with the sign of ``input``; integers by zero give 0."
)


def frac(input: Tensor) -> Tensor:
    """What follows the point, with the sign of x (``torch.frac``).

    Raises:
        DTypeError: for integers.
    """
    x = require_tensor("frac", input)
    if x.dtype.category != FLOATING:
        raise _unsupported("frac", x.dtype, "floating point")
    return elementwise.sub(x, elementwise.trunc(x))


def _unsupported(function: str, dtype: DType, expected: str) -> DTypeError:
    return DTypeError(
        f"{function}: an operand has an unsupported dtype", got=dtype.name, expected=expected,
        where=user_location_text(),
    )  # fmt: skip


def positive(input: Tensor) -> Tensor:
    """The tensor itself (``torch.positive``).

    Raises:
        DTypeError: for bool.
    """
    x = require_tensor("positive", input)
    if x.dtype.category == BOOLEAN:
        raise _unsupported("positive", x.dtype, "a number")
    return x


def rsub(input: Tensor, other: TensorLike, *, alpha: Number = 1) -> Tensor:
    """``other - alpha * input`` (``torch.rsub``)."""
    return sub(other, require_tensor("rsub", input), alpha=alpha)


def clamp_min(input: Tensor, min: TensorLike) -> Tensor:
    """``clamp(input, min=min)`` (``torch.clamp_min``)."""
    return clamp(input, min=min)


def clamp_max(input: Tensor, max: TensorLike) -> Tensor:
    """``clamp(input, max=max)`` (``torch.clamp_max``)."""
    return clamp(input, max=max)


def fmax(input: Tensor, other: Tensor) -> Tensor:
    """The larger element; a number wins over NaN; ties give ``input`` (``torch.fmax``)."""
    a, b = promote("fmax", require_tensor("fmax", input), require_tensor("fmax", other))
    return select.where(comparison.logical_or(comparison.ge(a, b), isnan(b)), a, b)


def fmin(input: Tensor, other: Tensor) -> Tensor:
    """The smaller element; a number wins over NaN; ties give ``input`` (``torch.fmin``)."""
    a, b = promote("fmin", require_tensor("fmin", input), require_tensor("fmin", other))
    return select.where(comparison.logical_or(comparison.le(a, b), isnan(b)), a, b)


def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """0 below 0, 1 above, ``values`` at 0 (``torch.heaviside``).

    Raises:
        DTypeError: if the dtypes differ, as in PyTorch.
    """
    x, at_zero = require_tensor("heaviside", input), require_tensor("heaviside", values)
    if x.dtype is not at_zero.dtype:
        raise DTypeError(
            "heaviside: both tensors must have one dtype",
            got=f"{x.dtype.name} and {at_zero.dtype.name}", where=user_location_text(),
        )  # fmt: skip
    zero = scalar_tensor(0, x.dtype)
    return select.where(comparison.eq(x, zero), at_zero, cast(comparison.gt(x, zero), x.dtype))


def nan_to_num(
    input: Tensor,
    nan: float | None = None,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor:
    """Replace what is no finite number (``torch.nan_to_num``).

    Args:
        input: tensor.
        nan: in place of NaN; None for 0.
        posinf: in place of infinity; None for the dtype's largest number.
        neginf: in place of minus infinity; None for the dtype's smallest number.

    Example:
        >>> import graphc as gc
        >>> gc.nan_to_num(gc.tensor([float("nan"), float("inf"), 1.0]), posinf=9.0)
        tensor([0., 9., 1.])
    """
    x = require_tensor("nan_to_num", input)
    if x.dtype.is_complex:
        return join(*(nan_to_num(part, nan, posinf, neginf) for part in parts(x)))
    if x.dtype.category != FLOATING:
        return x
    infinity = np.array(math.inf, x.dtype.numpy)
    largest = float(np.nextafter(infinity, np.zeros_like(infinity)))
    above = scalar_tensor(largest if posinf is None else posinf, x.dtype)
    below = scalar_tensor(-largest if neginf is None else neginf, x.dtype)
    known = select.where(isnan(x), scalar_tensor(nan or 0.0, x.dtype), x)
    infinite = scalar_tensor(float("inf"), x.dtype)
    known = select.where(comparison.eq(x, infinite), above, known)
    return select.where(comparison.eq(x, elementwise.neg(infinite)), below, known)


def lerp(input: Tensor, end: Tensor, weight: Tensor | complex) -> Tensor:
    """``input + weight * (end - input)``, exact at weights 0 and 1 (``torch.lerp``).

    Args:
        input: where weight 0 leads.
        end: where weight 1 leads, of the same dtype.
        weight: number, or tensor of the same dtype; without dims it may have another one.

    Raises:
        DTypeError: for integers, and for tensors of several dtypes.
    """
    start, stop = require_tensor("lerp", input), require_tensor("lerp", end)
    if not start.dtype.is_differentiable:
        raise _unsupported("lerp", start.dtype, "floating point or complex")
    if isinstance(weight, int | float | complex):
        share = scalar_tensor(weight, start.dtype)
    else:
        share = require_tensor("lerp", weight)
        share = share if share.ndim else cast(share, start.dtype)
    if not start.dtype is stop.dtype is share.dtype:
        raise DTypeError(
            "lerp: the tensors must have one dtype",
            got=", ".join(each.dtype.name for each in (start, stop, share)),
            where=user_location_text(),
        )
    span = elementwise.sub(stop, start)
    early = elementwise.add(start, elementwise.mul(share, span))
    rest = elementwise.sub(scalar_tensor(1, start.dtype), share)
    late = elementwise.sub(stop, elementwise.mul(span, rest))
    if isinstance(weight, int | float | complex):
        return early if builtins.abs(weight) < 0.5 else late
    size = pointwise.abs(share)
    return select.where(comparison.lt(size, scalar_tensor(0.5, size.dtype)), early, late)


def _scaled_operands(
    function: str, input: Tensor, tensor1: Tensor, tensor2: Tensor, value: Number
) -> tuple[Tensor, Tensor, Tensor]:
    operands = [require_tensor(function, each) for each in (input, tensor1, tensor2)]
    dtype = common_dtype(function, operands)
    if isinstance(value, float) and not dtype.is_differentiable:
        raise ArgumentError(
            f"{function}: integers cannot be scaled by a fraction", got=f"value={value}",
            expected="a whole number", where=user_location_text(),
        )  # fmt: skip
    x, a, b = (to_operand(each, dtype) for each in operands)
    return x, a if value == 1 else elementwise.mul(scalar_tensor(value, dtype), a), b


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """``input + value * tensor1 * tensor2`` (``torch.addcmul``)."""
    x, a, b = _scaled_operands("addcmul", input, tensor1, tensor2, value)
    return elementwise.add(x, elementwise.mul(a, b))


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """``input + value * tensor1 / tensor2`` (``torch.addcdiv``).

    Raises:
        DTypeError: for integers.
    """
    x, a, b = _scaled_operands("addcdiv", input, tensor1, tensor2, value)
    return elementwise.add(x, elementwise.div(a, b))
