"""Activation functions that are linear in pieces.

Where two pieces meet, the gradient is PyTorch's: it is 0 at the ends of a clamped range, and that
of the lower piece at a threshold. NaN stays NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.convert import as_float, cast, require_tensor, scalar_tensor
from graphc.frontend.functions.pointwise import abs as absolute
from graphc.frontend.functions.sampling import uniform_values
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.nn.functional.overwrite import overwrite
from graphc.frontend.nn.functional.shapes import agree
from graphc.ops import comparison, select
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "leaky_relu",
    "leaky_relu_",
    "prelu",
    "relu6",
    "rrelu",
    "rrelu_",
    "softshrink",
    "threshold",
    "threshold_",
]


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``x`` above 0, ``negative_slope * x`` elsewhere (``torch.nn.functional.leaky_relu``)."""
    x = require_tensor("leaky_relu", input)
    return overwrite(input, select.where(x > 0, x, x * negative_slope), inplace)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """``leaky_relu`` in place (``torch.nn.functional.leaky_relu_``)."""
    return leaky_relu(input, negative_slope, inplace=True)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """``x`` limited to ``min_val .. max_val``; the gradient is 0 at the limits.

    Raises:
        ArgumentError: if ``min_val`` is larger than ``max_val``.

    Source: ``torch.nn.functional.hardtanh``.

    Example:
        >>> import graphc as gc
        >>> import graphc.nn.functional as F
        >>> F.hardtanh(gc.tensor([-3.0, 0.5, 3.0]))
        tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ArgumentError(
            "hardtanh: min_val must not be larger than max_val", got=f"{min_val} and {max_val}",
            where=user_location_text(),
        )  # fmt: skip
    x = require_tensor("hardtanh", input)
    low, high = scalar_tensor(min_val, x.dtype), scalar_tensor(max_val, x.dtype)
    above = select.where(comparison.ge(x, high), high, x)
    return overwrite(input, select.where(comparison.le(x, low), low, above), inplace)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """``hardtanh`` in place (``torch.nn.functional.hardtanh_``)."""
    return hardtanh(input, min_val, max_val, inplace=True)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """``x`` limited to 0 .. 6 (``torch.nn.functional.relu6``)."""
    return hardtanh(input, 0, 6, inplace)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """``relu6(x + 3) / 6``, with gradient 0 at NaN (``torch.nn.functional.hardsigmoid``)."""
    x = as_float("hardsigmoid", input)
    known = select.where(comparison.eq(x, x), x, scalar_tensor(float("nan"), x.dtype))
    return overwrite(input, relu6(known + 3) / 6, inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * relu6(x + 3) / 6`` (``torch.nn.functional.hardswish``)."""
    x = as_float("hardswish", input)
    return overwrite(input, x * relu6(x + 3) / 6, inplace)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """``x`` above the threshold, ``value`` elsewhere (``torch.nn.functional.threshold``)."""
    x = require_tensor("threshold", input)
    return overwrite(input, select.where(x <= threshold, scalar_tensor(value, x.dtype), x), inplace)


_cut = threshold  # which its own argument hides below


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """``threshold`` in place (``torch.nn.functional.threshold_``)."""
    return _cut(input, threshold, value, inplace=True)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """0 where ``|x| <= lambd``, else ``x`` (``torch.nn.functional.hardshrink``)."""
    x = as_float("hardshrink", input)
    return select.where(absolute(x) <= lambd, scalar_tensor(0, x.dtype), x)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """``x`` moved by ``lambd`` towards 0, and 0 where it would pass it.

    Raises:
        ArgumentError: if ``lambd`` is negative.

    Source: ``torch.nn.functional.softshrink``.
    """
    if lambd < 0:
        raise ArgumentError(
            "softshrink: lambd must not be negative", got=str(lambd), where=user_location_text()
        )
    x = as_float("softshrink", input)
    inner = select.where(absolute(x) <= lambd, scalar_tensor(0, x.dtype), x + lambd)
    return select.where(x > lambd, x - lambd, inner)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """``x`` above 0, ``weight * x`` elsewhere.

    Args:
        input: ``(batch, channels, ...)``, or fewer dims for one weight.
        weight: one factor, or one per channel.

    Raises:
        ShapeError: if the number of weights is neither 1 nor that of channels.

    Source: ``torch.nn.functional.prelu``.
    """
    x, slope = require_tensor("prelu", input), require_tensor("prelu", weight)
    if slope.ndim > 1:
        raise ShapeError(
            "prelu: the weight must have one dim", got=str(slope.type), where=user_location_text()
        )
    if slope.ndim == 1 and slope.shape[0] != 1:
        if x.ndim < 2 or not agree(slope.shape, x.shape[1:2]):
            raise ShapeError(
                "prelu: the number of weights is neither 1 nor that of channels",
                got=f"input {x.type}, weight {slope.type}", where=user_location_text(),
            )  # fmt: skip
        slope = reshape(slope, (-1, *(1,) * (x.ndim - 2)))
    elif x.ndim == 0:
        slope = reshape(slope, ())
    above = x > 0
    below = select.where(above, scalar_tensor(0, x.dtype), x)  # inf would make the gradient NaN
    return select.where(above, x, below * slope)


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False,
    inplace: bool = False,
) -> Tensor:  # fmt: skip
    """``leaky_relu`` with a random slope per element while training, else the mean slope.

    Args:
        input: floating point tensor.
        lower: smallest slope.
        upper: bound of slopes.
        training: draw slopes.
        inplace: let ``input`` itself have the result's values.

    Raises:
        ArgumentError: if ``lower`` is larger than ``upper``.

    Source: ``torch.nn.functional.rrelu``.
    """
    if not lower <= upper:
        raise ArgumentError(
            "rrelu: lower must not be larger than upper", got=f"{lower} and {upper}",
            where=user_location_text(),
        )  # fmt: skip
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    x = as_float("rrelu", input)
    drawn = cast(uniform_values(x.shape, x.dtype, None), x.dtype) * (upper - lower) + lower
    return overwrite(input, select.where(x > 0, x, x * drawn), inplace)


def rrelu_(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False
) -> Tensor:
    """``rrelu`` in place (``torch.nn.functional.rrelu_``)."""
    return rrelu(input, lower, upper, training, inplace=True)
