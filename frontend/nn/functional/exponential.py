"""Activation functions made of exponentials and quotients, without overflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.errors import ArgumentError
from graphc.frontend.functions import choosing, pointwise
from graphc.frontend.functions.convert import as_float, scalar_tensor
from graphc.frontend.functions.pointwise import abs as absolute
from graphc.frontend.nn.functional.overwrite import overwrite
from graphc.ops import comparison, elementwise, select
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "celu",
    "celu_",
    "elu",
    "elu_",
    "logsigmoid",
    "mish",
    "selu",
    "selu_",
    "silu",
    "softplus",
    "softsign",
    "tanhshrink",
]

_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def _exponential_below_zero(x: Tensor, alpha: float, rate: float) -> Tensor:
    """``x`` above 0, ``alpha * (exp(rate * x) - 1)`` elsewhere.

    At 0, it is a line with the slope of what is below: its second derivative is 0, as PyTorch's.
    """
    zero, one = scalar_tensor(0, x.dtype), scalar_tensor(1, x.dtype)
    below = x < 0
    negative = select.where(below, x, zero)  # exp must not overflow unseen
    slope = alpha * rate
    line = x if slope == 1 else x * select.where(x == 0, scalar_tensor(slope, x.dtype), one)
    return select.where(below, elementwise.expm1(negative * rate) * alpha, line)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` above 0, ``alpha * (exp(x) - 1)`` elsewhere (``torch.nn.functional.elu``)."""
    return overwrite(input, _exponential_below_zero(as_float("elu", input), alpha, 1.0), inplace)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """``elu`` in place (``torch.nn.functional.elu_``)."""
    return elu(input, alpha, inplace=True)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` above 0, ``alpha * (exp(x / alpha) - 1)`` elsewhere.

    Raises:
        ArgumentError: if ``alpha`` is 0.

    Source: ``torch.nn.functional.celu``.
    """
    if alpha == 0:
        raise ArgumentError("celu: alpha must not be 0", where=user_location_text())
    x = as_float("celu", input)
    return overwrite(input, _exponential_below_zero(x, alpha, 1.0 / alpha), inplace)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """``celu`` in place (``torch.nn.functional.celu_``)."""
    return celu(input, alpha, inplace=True)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """``elu`` scaled so that normalized inputs stay normalized (``torch.nn.functional.selu``)."""
    scaled = _exponential_below_zero(as_float("selu", input), _SELU_ALPHA, 1.0) * _SELU_SCALE
    return overwrite(input, scaled, inplace)


def selu_(input: Tensor) -> Tensor:
    """``selu`` in place (``torch.nn.functional.selu_``)."""
    return selu(input, inplace=True)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * sigmoid(x)`` (``torch.nn.functional.silu``)."""
    x = as_float("silu", input)
    return overwrite(input, elementwise.mul(x, elementwise.sigmoid(x)), inplace)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta * x)) / beta``; ``x`` itself where ``beta * x > threshold``.

    Source: ``torch.nn.functional.softplus``.
    """
    x = as_float("softplus", input)
    scaled = pointwise.mul(x, beta)
    linear = pointwise.gt(scaled, threshold)
    safe = choosing.where(linear, 0.0, scaled)
    curved = pointwise.div(elementwise.log1p(elementwise.exp(safe)), beta)
    return select.where(linear, x, curved)


def smooth_positive(x: Tensor) -> Tensor:
    """``log(1 + exp(x))`` for any ``x``; its derivative is the sigmoid."""
    zero = scalar_tensor(0, x.dtype)
    # both parts choose the same side at 0, where abs and maximum lose the second derivative
    above = comparison.ge(x, zero)
    tail = elementwise.log1p(elementwise.exp(select.where(above, elementwise.neg(x), x)))
    return elementwise.add(tail, select.where(above, x, zero))


def logsigmoid(input: Tensor) -> Tensor:
    """``log(sigmoid(x))`` without overflow (``torch.nn.functional.logsigmoid``)."""
    return elementwise.neg(smooth_positive(elementwise.neg(as_float("logsigmoid", input))))


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * tanh(softplus(x))`` (``torch.nn.functional.mish``)."""
    x = as_float("mish", input)
    return overwrite(input, x * elementwise.tanh(smooth_positive(x)), inplace)


def softsign(input: Tensor) -> Tensor:
    """``x / (1 + |x|)`` (``torch.nn.functional.softsign``)."""
    x = as_float("softsign", input)
    return x / (absolute(x) + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """``x - tanh(x)`` (``torch.nn.functional.tanhshrink``)."""
    x = as_float("tanhshrink", input)
    return x - elementwise.tanh(x)
