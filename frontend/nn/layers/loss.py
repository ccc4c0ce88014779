"""Losses as layers."""

from __future__ import annotations

from graphc.frontend.nn.functional.classification import cross_entropy, nll_loss
from graphc.frontend.nn.functional.likelihood import binary_cross_entropy_with_logits
from graphc.frontend.nn.functional.loss import l1_loss, mse_loss
from graphc.frontend.nn.functional.reduction import choose_reduction
from graphc.frontend.nn.module import Module
from graphc.frontend.tensor import Tensor


class _Loss(Module):
    """A loss with a reduction."""

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__()
        self.reduction = choose_reduction(type(self).__name__, reduction, size_average, reduce)


class MSELoss(_Loss):
    """The squared error (``torch.nn.MSELoss``).

    Args:
        size_average: deprecated.
        reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """The absolute error (``torch.nn.L1Loss``); arguments as for ``MSELoss``."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return l1_loss(input, target, reduction=self.reduction)


class _WeightedLoss(_Loss):
    """A loss with a weight that ``state_dict`` contains."""

    weight: Tensor | None

    def __init__(
        self, weight: Tensor | None, size_average: bool | None, reduce: bool | None, reduction: str
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class _ClassLoss(_WeightedLoss):
    """A loss over target classes, of which one may count as absent."""

    def __init__(
        self, weight: Tensor | None = None, size_average: bool | None = None,
        ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index


class CrossEntropyLoss(_ClassLoss):
    """The cross entropy of logits and classes or distributions (``torch.nn.CrossEntropyLoss``).

    Args:
        weight: ``(classes,)`` factors.
        size_average: deprecated.
        ignore_index: targets of this class count as absent.
        reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        label_smoothing: share of the target that is spread over all classes.
    """

    def __init__(
        self, weight: Tensor | None = None, size_average: bool | None = None,
        ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(weight, size_average, ignore_index, reduce, reduction)
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return cross_entropy(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )  # fmt: skip


class NLLLoss(_ClassLoss):
    """Minus the log-probability of the target class (``torch.nn.NLLLoss``).

    The arguments are those of ``CrossEntropyLoss`` but for ``label_smoothing``.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return nll_loss(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction
        )


class BCEWithLogitsLoss(_WeightedLoss):
    """The cross entropy of ``sigmoid(input)`` (``torch.nn.BCEWithLogitsLoss``).

    Args:
        weight: factor per element; broadcasts.
        size_average: deprecated.
        reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: factor of the positive part; broadcasts.
    """

    pos_weight: Tensor | None

    def __init__(
        self, weight: Tensor | None = None, size_average: bool | None = None,
        reduce: bool | None = None, reduction: str = "mean", pos_weight: Tensor | None = None,
    ) -> None:  # fmt: skip
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )
