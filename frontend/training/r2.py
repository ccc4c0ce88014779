"""How much of the targets' variance a model explains."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.dtypes import float64
from graphc.errors import ArgumentError
from graphc.frontend.functions.convert import cast
from graphc.frontend.functions.pointwise import add, div, mul, square, sub
from graphc.frontend.functions.reduction import mean, sum
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.modes import no_grad
from graphc.frontend.training.metric import Metric, known, number, require_shape, values
from graphc.provenance import user_location_text


class R2Score(Metric):
    """The coefficient of determination: 1 for a perfect model, 0 for one that gives the mean.

    Args:
        num_outputs: how many numbers each example has; the score is the average over them.

    Raises:
        ArgumentError: for fewer than one output.

    Batches are joined as Chan, Golub and LeVeque do (1979), so that a large mean costs no digits.

    Source: ``sklearn.metrics.r2_score``, also for targets that are all the same.

    Example:
        >>> import graphc as gc
        >>> from graphc.training import R2Score
        >>> score = R2Score()
        >>> score.update(gc.tensor([1.0, 2.0]), gc.tensor([1.0, 2.0]))
        >>> score.update(gc.tensor([3.0, 3.0]), gc.tensor([3.0, 4.0]))
        >>> score.compute()
        0.8
    """

    def __init__(self, num_outputs: int = 1) -> None:
        super().__init__()
        if num_outputs < 1:
            raise ArgumentError(
                "R2Score: there must be an output", got=str(num_outputs),
                where=user_location_text(),
            )  # fmt: skip
        self.num_outputs = num_outputs
        self._count = self._add_state("count", (), float64)
        self._mean = self._add_state("mean", (num_outputs,), float64)
        self._spread = self._add_state("spread", (num_outputs,), float64)
        self._errors = self._add_state("errors", (num_outputs,), float64)

    def update(self, output: Any, target: Any) -> None:
        """Take a batch into account.

        Args:
            output: what the model gives, ``(batch,)`` or ``(batch, num_outputs)``.
            target: what it should give.

        Raises:
            ShapeError: if the shapes differ, or do not have that many outputs.
        """
        output, target = values(output), values(target)
        require_shape("R2Score", output, target)
        if target.numel() == 0:
            return
        with no_grad():
            shape = (-1, self.num_outputs)
            truth = reshape(cast(target, float64), shape)
            found = reshape(cast(output, float64), shape)
            count = truth.shape[0]
            both = add(self._count, count)
            center = mean(truth, 0)
            away = sub(center, self._mean)
            self._errors.add_(sum(square(sub(truth, found)), 0))
            between = mul(square(away), div(mul(self._count, count), both))
            self._spread.add_(add(sum(square(sub(truth, center)), 0), between))
            self._mean.add_(mul(away, div(count, both)))
            self._count.copy_(both)

    def compute(self) -> float:
        """The score, or NaN before the second example."""
        if number(self._count) < 2:
            return float("nan")
        errors, spread = known(self._errors), known(self._spread)
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = np.where(spread > 0, 1 - errors / spread, np.where(errors > 0, 0.0, 1.0))
        return float(scores.mean())
