"""The last step of a loss: keep its elements, sum them, or take their mean."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from graphc.errors import ArgumentError
from graphc.frontend.functions.reduction import mean, sum
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def choose_reduction(
    function: str, reduction: str, size_average: bool | None, reduce: bool | None
) -> str:
    """``"none"``, ``"sum"`` or ``"mean"``, also from PyTorch's older arguments.

    Raises:
        ArgumentError: for another name.
    """
    if size_average is not None or reduce is not None:
        warnings.warn(
            "size_average and reduce are deprecated, use reduction", DeprecationWarning, 4
        )
        if reduce is False:
            return "none"
        return "sum" if size_average is False else "mean"
    if reduction not in ("none", "sum", "mean"):
        raise ArgumentError(
            f"{function}: unknown reduction", got=repr(reduction),
            expected="'none', 'sum' or 'mean'", where=user_location_text(),
        )  # fmt: skip
    return reduction


def reduce_loss(loss: Tensor, reduction: str) -> Tensor:
    """Apply a reduction to the losses of all elements."""
    if reduction == "none":
        return loss
    return sum(loss) if reduction == "sum" else mean(loss)
