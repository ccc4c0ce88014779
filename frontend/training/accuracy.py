"""The share of examples whose class was found."""

from __future__ import annotations

from typing import Any

from graphc.dtypes import int64
from graphc.errors import ArgumentError
from graphc.frontend.functions.logic import logical_and
from graphc.frontend.functions.pointwise import eq, ne
from graphc.frontend.functions.reduction import any as any_of
from graphc.frontend.functions.reduction import argmax
from graphc.frontend.functions.reduction import sum as total
from graphc.frontend.functions.shaping import unsqueeze
from graphc.frontend.functions.sorting import topk
from graphc.frontend.modes import no_grad
from graphc.frontend.tensor import Tensor
from graphc.frontend.training.metric import Metric, number, require_classes, require_shape, values
from graphc.provenance import user_location_text


class Accuracy(Metric):
    """The share of examples for which the target is among the ``top_k`` classes.

    Args:
        top_k: how many classes with the highest scores count.
        ignore_index: targets of this class are left out, as in ``cross_entropy``.

    Raises:
        ArgumentError: for a ``top_k`` below 1.

    Example:
        >>> import graphc as gc
        >>> from graphc.training import Accuracy
        >>> accuracy = Accuracy()
        >>> accuracy.update(gc.tensor([[0.1, 0.9], [0.8, 0.2]]), gc.tensor([1, 1]))
        >>> accuracy.update(gc.tensor([1, 1]), gc.tensor([1, 1]))
        >>> accuracy.compute()
        0.75
    """

    def __init__(self, top_k: int = 1, ignore_index: int | None = None) -> None:
        super().__init__()
        if top_k < 1:
            raise ArgumentError(
                "Accuracy: top_k must be at least 1", got=str(top_k), where=user_location_text()
            )
        self.top_k, self.ignore_index = top_k, ignore_index
        self._right = self._add_state("right", (), int64)
        self._count = self._add_state("count", (), int64)

    def update(self, output: Any, target: Any) -> None:
        """Count a batch.

        Args:
            output: scores ``(batch, classes, ...)``, or classes in the target's shape.
            target: classes ``(batch, ...)``.

        Raises:
            ShapeError: if the shapes do not fit.
            DTypeError: for classes that are no whole numbers.
            ArgumentError: for classes where ``top_k`` needs scores.
        """
        output, target = values(output), values(target)
        require_classes("Accuracy", target)
        with no_grad():
            right = self._found(output, target)
            if self.ignore_index is None:
                self._count.add_(target.numel())
            else:
                counts = ne(target, self.ignore_index)
                right = logical_and(right, counts)
                self._count.add_(total(counts))
            self._right.add_(total(right))

    def _found(self, output: Tensor, target: Tensor) -> Tensor:
        if output.ndim == target.ndim + 1:
            best = argmax(output, 1) if self.top_k == 1 else topk(output, self.top_k, 1)[1]
        elif self.top_k == 1:
            require_classes("Accuracy", output)
            best = output
        else:
            raise ArgumentError(
                "Accuracy: top_k needs scores of all classes", got=str(output.type),
                expected="(batch, classes, ...)", where=user_location_text(),
            )  # fmt: skip
        if self.top_k == 1:
            require_shape("Accuracy", best, target)
            return eq(best, target)
        require_shape("Accuracy", best[:, 0], target)
        return any_of(eq(best, unsqueeze(target, 1)), 1)

    def compute(self) -> float:
        """The share, or NaN before the first example."""
        count = number(self._count)
        return number(self._right) / count if count else float("nan")
