"""Losses between predictions and targets of one shape."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from graphc.dims import is_static
from graphc.errors import ShapeError
from graphc.frontend.functions.convert import promote_float, require_tensor, scalar_tensor
from graphc.frontend.functions.pointwise import abs as absolute
from graphc.frontend.functions.pointwise import add, mul, sub
from graphc.frontend.nn.functional.reduction import choose_reduction, reduce_loss
from graphc.frontend.nn.functional.shapes import agree
from graphc.ops import elementwise
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["binary_cross_entropy_with_logits", "l1_loss", "mse_loss"]


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The squared error.

    Args:
        input: predictions.
        target: of the same shape; another shape broadcasts, with a warning.
        size_average: deprecated.
        reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        weight: factor per element; the mean is then a weighted one.

    Source: ``torch.nn.functional.mse_loss``.
    """
    how = choose_reduction("mse_loss", reduction, size_average, reduce)
    difference = _difference("mse_loss", input, target)
    return _weighted(elementwise.mul(difference, difference), weight, how)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The absolute error; arguments as for ``mse_loss``.

    Source: ``torch.nn.functional.l1_loss``.
    """
    how = choose_reduction("l1_loss", reduction, size_average, reduce)
    return _weighted(absolute(_difference("l1_loss", input, target)), weight, how)


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


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """The cross entropy of ``sigmoid(input)`` and targets from 0 to 1, without overflow.

    Args:
        input: logits.
        target: of the same shape.
        weight: factor per element; broadcasts.
        size_average: deprecated.
        reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: factor of the positive part; broadcasts.

    Raises:
        ShapeError: if the shapes differ.

    Source: ``torch.nn.functional.binary_cross_entropy_with_logits``.
    """
    how = choose_reduction("binary_cross_entropy_with_logits", reduction, size_average, reduce)
    x, y = promote_float("binary_cross_entropy_with_logits", require_tensor("bce", input), target)
    if not agree(x.shape, y.shape):
        raise ShapeError(
            "binary_cross_entropy_with_logits: input and target must have one shape",
            got=f"{x.type} and {y.type}", where=user_location_text(),
        )  # fmt: skip
    zero, one = scalar_tensor(0, x.dtype), scalar_tensor(1, x.dtype)
    tail = elementwise.log1p(elementwise.exp(elementwise.neg(elementwise.abs_(x))))
    # maximum shares the gradient of ties, which makes it exact at 0
    surprise = elementwise.add(tail, elementwise.maximum(elementwise.neg(x), zero))
    if pos_weight is not None:
        surprise = mul(add(mul(sub(pos_weight, 1), y), 1), surprise)
    loss = add(mul(elementwise.sub(one, y), x), surprise)
    return reduce_loss(loss if weight is None else mul(loss, weight), how)
