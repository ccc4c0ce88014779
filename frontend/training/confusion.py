"""How often each class was taken for each."""

from __future__ import annotations

from typing import Any

from graphc.dtypes import int64
from graphc.errors import ArgumentError
from graphc.frontend.functions.convert import cast
from graphc.frontend.functions.creation import ones_like
from graphc.frontend.functions.pointwise import add
from graphc.frontend.functions.reduction import argmax
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.making import concrete
from graphc.frontend.modes import no_grad
from graphc.frontend.tensor import Tensor
from graphc.frontend.training.metric import Metric, known, require_classes, require_shape, values
from graphc.ops.index import index_add
from graphc.provenance import user_location_text


class ConfusionMatrix(Metric):
    """Counts by true class (row) and found class (column).

    Args:
        num_classes: how many classes there are.

    Raises:
        ArgumentError: for fewer than one class.

    Example:
        >>> import graphc as gc
        >>> from graphc.training import ConfusionMatrix
        >>> matrix = ConfusionMatrix(2)
        >>> matrix.update(gc.tensor([0, 1, 1]), gc.tensor([0, 0, 1]))
        >>> matrix.compute()
        tensor([[1, 1], [0, 1]])
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        if num_classes < 1:
            raise ArgumentError(
                "ConfusionMatrix: there must be a class", got=str(num_classes),
                where=user_location_text(),
            )  # fmt: skip
        self.num_classes = num_classes
        self._counts = self._add_state("counts", (num_classes * num_classes,), int64)

    def update(self, output: Any, target: Any) -> None:
        """Count a batch.

        Args:
            output: scores ``(batch, classes, ...)``, or classes in the target's shape.
            target: classes ``(batch, ...)``.

        Raises:
            ShapeError: if the shapes do not fit.
            DTypeError: for classes that are no whole numbers.
            IndexRangeError: for a class outside ``0 .. num_classes - 1``, when it runs.
        """
        output, target = values(output), values(target)
        require_classes("ConfusionMatrix", target)
        with no_grad():
            found = argmax(output, 1) if output.ndim == target.ndim + 1 else output
            require_classes("ConfusionMatrix", found)
            require_shape("ConfusionMatrix", found, target)
            found, truth = (reshape(cast(each, int64), (-1,)) for each in (found, target))
            shape, what = (self.num_classes, self.num_classes), "ConfusionMatrix: class"
            added = index_add(ones_like(truth), truth, found, shape=shape, dims=(0, 1), what=what)
            self._counts.copy_(add(self._counts, reshape(added, (-1,))))

    def compute(self) -> Tensor:
        """The counts, ``(num_classes, num_classes)``."""
        shape = (self.num_classes, self.num_classes)
        return concrete(known(self._counts).reshape(shape).copy())
