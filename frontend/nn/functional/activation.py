"""Activation functions that networks use most; others are in ``piecewise``, ``exponential`` and
``gating``. All are built from primitives, so that each becomes part of one kernel.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from graphc.errors import ArgumentError
from graphc.frontend.functions import choosing
from graphc.frontend.functions.convert import as_float, scalar_tensor
from graphc.frontend.functions.exponential import sigmoid
from graphc.frontend.functions.trigonometric import tanh
from graphc.frontend.nn.functional.overwrite import overwrite
from graphc.ops import elementwise
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["gelu", "relu", "relu_", "sigmoid", "tanh"]


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(x, 0)``; NaN stays NaN, the gradient at 0 is 0.

    Args:
        input: tensor.
        inplace: let ``input`` itself have the result's values.

    Source: ``torch.nn.functional.relu``.
    """
    return overwrite(input, choosing.relu(input), inplace)


def relu_(input: Tensor) -> Tensor:
    """``relu`` in place (``torch.nn.functional.relu_``)."""
    return relu(input, inplace=True)


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
