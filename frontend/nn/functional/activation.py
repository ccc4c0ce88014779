"""Activation functions, built from primitives so that each becomes part of one kernel."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from graphc.errors import ArgumentError
from graphc.frontend.functions import pointwise
from graphc.frontend.functions.convert import as_float, require_tensor, scalar_tensor
from graphc.frontend.functions.pointwise import sigmoid as sigmoid
from graphc.frontend.functions.pointwise import tanh as tanh
from graphc.frontend.functions.reduction import log_softmax as log_softmax
from graphc.frontend.functions.reduction import softmax as softmax
from graphc.frontend.nn.functional.overwrite import overwrite
from graphc.ops import comparison, elementwise, select
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(x, 0)``; NaN stays NaN, the gradient at 0 is 0.

    Args:
        input: tensor.
        inplace: let ``input`` itself have the result's values.

    Source: ``torch.nn.functional.relu``.
    """
    return overwrite(input, pointwise.relu(input), inplace)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """``x * P(Z <= x)`` for a standard normal ``Z``.

    Args:
        input: tensor.
        approximate: ``"none"`` (by erf) or ``"tanh"``.

    Raises:
        ArgumentError: for another approximation.

    Source: ``torch.nn.functional.gelu``.
    """
    x = as_float("gelu", input)
    half, one = scalar_tensor(0.5, x.dtype), scalar_tensor(1.0, x.dtype)
    if approximate == "none":
        bounded = elementwise.erf(elementwise.mul(x, scalar_tensor(math.sqrt(0.5), x.dtype)))
    elif approximate == "tanh":
        cubic = elementwise.mul(elementwise.mul(x, x), x)
        inner = elementwise.add(x, elementwise.mul(cubic, scalar_tensor(0.044715, x.dtype)))
        scale = scalar_tensor(math.sqrt(2.0 / math.pi), x.dtype)
        bounded = elementwise.tanh(elementwise.mul(inner, scale))
    else:
        raise ArgumentError(
            "gelu: unknown approximation", got=repr(approximate), expected="'none' or 'tanh'",
            where=user_location_text(),
        )  # fmt: skip
    return elementwise.mul(elementwise.mul(x, half), elementwise.add(one, bounded))


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * sigmoid(x)`` (``torch.nn.functional.silu``)."""
    x = as_float("silu", input)
    return overwrite(input, elementwise.mul(x, elementwise.sigmoid(x)), inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``x`` above 0, ``negative_slope * x`` elsewhere (``torch.nn.functional.leaky_relu``)."""
    x = require_tensor("leaky_relu", input)
    above = comparison.gt(x, scalar_tensor(0, x.dtype))
    result = select.where(above, x, elementwise.mul(x, scalar_tensor(negative_slope, x.dtype)))
    return overwrite(input, result, inplace)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta * x)) / beta``; ``x`` itself where ``beta * x > threshold``.

    Source: ``torch.nn.functional.softplus``.
    """
    x = as_float("softplus", input)
    scaled = pointwise.mul(x, beta)
    linear = pointwise.gt(scaled, threshold)
    safe = pointwise.where(linear, 0.0, scaled)
    curved = pointwise.div(elementwise.log1p(elementwise.exp(safe)), beta)
    return select.where(linear, x, curved)


def logsigmoid(input: Tensor) -> Tensor:
    """``log(sigmoid(x))`` without overflow (``torch.nn.functional.logsigmoid``)."""
    x = as_float("logsigmoid", input)
    zero = scalar_tensor(0, x.dtype)
    tail = elementwise.log1p(elementwise.exp(elementwise.neg(elementwise.abs_(x))))
    return elementwise.sub(elementwise.minimum(x, zero), tail)
