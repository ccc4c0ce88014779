"""Losses between predictions and targets of one shape."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.convert import promote_float, require_tensor, scalar_tensor
from graphc.frontend.functions.pointwise import abs as absolute
from graphc.frontend.functions.pointwise import mul
from graphc.frontend.nn.functional.reduction import choose_reduction, reduce_loss
from graphc.ops import elementwise, select
from graphc.provenance import user_location_text
from graphc.shapes import is_static

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["huber_loss", "l1_loss", "mse_loss", "smooth_l1_loss"]


def mse_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The squared error.

    Args:
        input: predictions.
        target: of the same shape; another shape broadcasts, with a warning.
        size_average, reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        weight: factor per element; the mean is then a weighted one.

    Source: ``torch.nn.functional.mse_loss``.
    """
    how = choose_reduction("mse_loss", reduction, size_average, reduce)
    difference = _difference("mse_loss", input, target)
    return _weighted(elementwise.mul(difference, difference), weight, how)


def l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The absolute error; arguments as for ``mse_loss``.

    Source: ``torch.nn.functional.l1_loss``.
    """
    how = choose_reduction("l1_loss", reduction, size_average, reduce)
    return _weighted(absolute(_difference("l1_loss", input, target)), weight, how)


def smooth_l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", beta: float = 1.0,
) -> Tensor:  # fmt: skip
    """``d * d / (2 * beta)`` for errors ``d`` below ``beta``, ``|d| - beta / 2`` above.

    Args:
        input: predictions.
        target: of the same shape; another shape broadcasts, with a warning.
        size_average, reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        beta: where the square ends; 0 gives ``l1_loss``.

    Raises:
        ArgumentError: if ``beta`` is negative.

    Source: ``torch.nn.functional.smooth_l1_loss``.

    Example:
        >>> import graphc as gc
        >>> import graphc.nn.functional as F
        >>> F.smooth_l1_loss(gc.tensor([0.0, 3.0]), gc.zeros(2), reduction="none")
        tensor([0.0000, 2.5000])
    """
    how = choose_reduction("smooth_l1_loss", reduction, size_average, reduce)
    if beta < 0:
        raise ArgumentError(
            "smooth_l1_loss: beta must not be negative", got=str(beta), where=user_location_text()
        )
    difference = _difference("smooth_l1_loss", input, target)
    if beta == 0:
        return reduce_loss(absolute(difference), how)
    return reduce_loss(_square_then_line(difference, beta) / beta, how)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """``d * d / 2`` for errors ``d`` below ``delta``, ``delta * (|d| - delta / 2)`` above.

    Args:
        input: predictions.
        target: of the same shape; another shape broadcasts, with a warning.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        delta: where the square ends.
        weight: factor per element; the mean is then a weighted one.

    Raises:
        ArgumentError: if ``delta`` is not positive.

    Source: ``torch.nn.functional.huber_loss``.
    """
    how = choose_reduction("huber_loss", reduction, None, None)
    if not delta > 0:
        raise ArgumentError(
            "huber_loss: delta must be positive", got=str(delta), where=user_location_text()
        )
    difference = _difference("huber_loss", input, target)
    return _weighted(_square_then_line(difference, delta), weight, how)


def _square_then_line(difference: Tensor, bend: float) -> Tensor:
    """``d * d / 2`` up to the bend, then its tangent."""
    size = absolute(difference)
    far = size >= bend  # not where the difference is NaN: there the square passes NaN back
    inner = select.where(far, scalar_tensor(0, difference.dtype), difference)
    return select.where(far, (size - 0.5 * bend) * bend, inner * inner * 0.5)


def _difference(function: str, input: Tensor, target: Tensor) -> Tensor:
    x, y = promote_float(
        function, require_tensor(function, input), require_tensor(function, target)
    )
    if x.shape != y.shape and is_static(x.shape) and is_static(y.shape):
        warnings.warn(
            f"{function}: input {x.type} and target {y.type} have different shapes and broadcast",
            UserWarning, stacklevel=3,
        )  # fmt: skip
    return elementwise.sub(x, y)


def _weighted(loss: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    if weight is None:
        return reduce_loss(loss, reduction)
    if weight.shape != loss.shape:
        raise ShapeError(
            "the weight must have the loss's shape", got=str(weight.type),
            expected=str(loss.type), where=user_location_text(),
        )  # fmt: skip
    weighted = mul(loss, weight)
    if reduction == "mean":
        return elementwise.div(reduce_loss(weighted, "sum"), reduce_loss(weight, "sum"))
    return reduce_loss(weighted, reduction)
