"""The average of losses, or of anything else."""

from __future__ import annotations

from typing import Any

from graphc.dtypes import float64
from graphc.errors import ArgumentTypeError
from graphc.frontend.functions.convert import cast
from graphc.frontend.functions.pointwise import mul
from graphc.frontend.functions.reduction import sum as total
from graphc.frontend.functions.shaping import broadcast_to
from graphc.frontend.modes import no_grad
from graphc.frontend.training.metric import Metric, number, values
from graphc.provenance import user_location_text


class Mean(Metric):
    """A weighted average, added up in float64.

    Example:
        >>> from graphc.training import Mean
        >>> loss = Mean()
        >>> loss.update(0.5, weight=32)  # the mean over a batch of 32
        >>> loss.update(1.0, weight=16)
        >>> round(loss.compute(), 4)
        0.6667
    """

    def __init__(self) -> None:
        super().__init__()
        self._sum = self._add_state("sum", (), float64)
        self._weight = self._add_state("weight", (), float64)

    def update(self, value: Any, weight: Any = 1.0) -> None:
        """Take values into the average.

        Args:
            value: a number or a tensor; each element counts.
            weight: how much each counts, such as the size of the batch whose mean it is.

        Raises:
            ArgumentTypeError: for complex values.
            ShapeError: if the weight's shape does not broadcast to the value's.
        """
        value, weight = values(value), values(weight)
        if value.dtype.is_complex or weight.dtype.is_complex:
            raise ArgumentTypeError(
                "Mean: only real numbers have an average here", got=value.dtype.name,
                where=user_location_text(),
            )  # fmt: skip
        with no_grad():
            value = cast(value, float64)
            weight = broadcast_to(cast(weight, float64), value.shape)
            self._sum.add_(total(mul(value, weight)))
            self._weight.add_(total(weight))

    def compute(self) -> float:
        """The average, or NaN before the first value."""
        weight = number(self._weight)
        return number(self._sum) / weight if weight else float("nan")
