"""Elements chosen or replaced: where, maximum, clamp, masked_fill, relu; and what is not finite."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from graphc.dtypes import BOOLEAN
from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.frontend.base import is_tensor
from graphc.frontend.functions.convert import (
    TensorLike,
    cast,
    common_dtype,
    promote,
    require_tensor,
    scalar_tensor,
    to_operand,
)  # fmt: skip
from graphc.frontend.functions.pointwise import abs
from graphc.ops import comparison, elementwise, select
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "clamp",
    "clip",
    "isfinite",
    "isinf",
    "isnan",
    "masked_fill",
    "maximum",
    "minimum",
    "relu",
    "where",
]


def maximum(input: TensorLike, other: TensorLike) -> Tensor:
    """The larger element; NaN wins; ties share the gradient (``torch.maximum``)."""
    return elementwise.maximum(*promote("maximum", input, other))


def minimum(input: TensorLike, other: TensorLike) -> Tensor:
    """The smaller element; NaN wins; ties share the gradient (``torch.minimum``)."""
    return elementwise.minimum(*promote("minimum", input, other))


def clamp(input: Tensor, min: TensorLike | None = None, max: TensorLike | None = None) -> Tensor:
    """Limit elements to ``min .. max``; the gradient passes at the limits.

    NaN stays, a limit that is NaN makes NaN, and neither lets a gradient pass. A limit that is a
    tensor has the gradient of the elements that it replaces (none for a lower one that equals the
    upper one).

    Args:
        input: tensor.
        min: lower limit, a number or tensor; None for none.
        max: upper limit; it wins where ``min > max``.

    Raises:
        ArgumentError: if both limits are None.

    Source: ``torch.clamp``.
    """
    x = require_tensor("clamp", input)
    limits = [limit for limit in (min, max) if limit is not None]
    if not limits:
        raise ArgumentError("clamp: give min, max or both", where=user_location_text())
    dtype = common_dtype("clamp", [x, *limits])
    result = cast(x, dtype)
    if min is not None:
        low = to_operand(min, dtype)
        if is_tensor(min) and max is not None:
            # of equal limits, the upper one has the gradient
            below = comparison.lt(low, to_operand(max, dtype))
            low = select.where(below, low, select.detach(low))
        beyond = _or_nan(comparison.lt(result, low), low)
        result = select.where(comparison.ge(result, low), result, beyond)
    if max is not None:
        high = to_operand(max, dtype)
        beyond = _or_nan(comparison.gt(result, high), high)
        result = select.where(comparison.le(result, high), result, beyond)
    return result


def _or_nan(is_beyond: Tensor, limit: Tensor) -> Tensor:
    """The limit of elements beyond it, else NaN, which no gradient passes."""
    if not limit.dtype.is_floating_point:
        return limit
    return select.where(is_beyond, limit, scalar_tensor(float("nan"), limit.dtype))


clip = clamp


def where(condition: Tensor, input: TensorLike, other: TensorLike) -> Tensor:
    """``input`` where the condition is True, else ``other`` (``torch.where``).

    Args:
        condition: bool tensor.
        input: tensor or number.
        other: tensor or number.

    Raises:
        DTypeError: for a condition that is not bool.

    Example:
        >>> import graphc as gc
        >>> gc.where(gc.tensor([True, False]), gc.tensor([1.0, 2.0]), 0.0)
        tensor([1., 0.])
    """
    mask = require_tensor("where", condition)
    if mask.dtype.category != BOOLEAN:
        raise DTypeError(
            "where: the condition must be bool",
            got=mask.dtype.name,
            fix="compare first, e.g. x > 0",
            where=user_location_text(),
        )
    return select.where(mask, *promote("where", input, other))


def isnan(input: Tensor) -> Tensor:
    """True where NaN (``torch.isnan``)."""
    x = require_tensor("isnan", input)
    return comparison.ne(x, x)


def isinf(input: Tensor) -> Tensor:
    """True where infinite (``torch.isinf``)."""
    x = require_tensor("isinf", input)
    if not x.dtype.is_differentiable:
        return comparison.ne(x, x)
    size = abs(x)
    return comparison.eq(size, scalar_tensor(math.inf, size.dtype))


def isfinite(input: Tensor) -> Tensor:
    """True where neither NaN nor infinite (``torch.isfinite``)."""
    x = require_tensor("isfinite", input)
    if not x.dtype.is_differentiable:
        return comparison.eq(x, x)
    size = abs(x)
    return comparison.lt(size, scalar_tensor(math.inf, size.dtype))


def relu(input: Tensor) -> Tensor:
    """``max(x, 0)``; NaN stays NaN, the gradient at 0 is 0 (``torch.relu``).

    Raises:
        DTypeError: for bools.
    """
    x = require_tensor("relu", input)
    if x.dtype.category == BOOLEAN:
        raise DTypeError(
            "relu: bools have no sign", got="bool", fix="cast it first, e.g. x.float()",
            where=user_location_text(),
        )  # fmt: skip
    zero = scalar_tensor(0, x.dtype)
    return select.where(comparison.le(x, zero), zero, x)


def masked_fill(input: Tensor, mask: Tensor, value: TensorLike) -> Tensor:
    """``value`` where the mask is True (``torch.masked_fill``).

    Raises:
        ShapeError: for a value with dims.
    """
    x = require_tensor("masked_fill", input)
    if is_tensor(value) and value.ndim:
        raise ShapeError(
            "masked_fill: the value must be a number, or a tensor without dims",
            got=str(value.type), fix="gc.where(mask, value, x) chooses between tensors",
            where=user_location_text(),
        )  # fmt: skip
    return select.where(require_tensor("masked_fill", mask), to_operand(value, x.dtype), x)
