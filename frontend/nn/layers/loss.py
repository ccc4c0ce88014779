"""Losses of classes and of errors, as layers."""

from __future__ import annotations

from graphc.frontend.nn.functional.classification import cross_entropy, nll_loss
from graphc.frontend.nn.functional.loss import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from graphc.frontend.nn.functional.reduction import choose_reduction
from graphc.frontend.nn.module import Module
from graphc.frontend.tensor import Tensor

__all__ = ["CrossEntropyLoss", "HuberLoss", "L1Loss", "MSELoss", "NLLLoss", "SmoothL1Loss"]


class Loss(Module):
    """A loss with a reduction."""

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__()
        self.reduction = choose_reduction(type(self).__name__, reduction, size_average, reduce)


class MSELoss(Loss):
    """The squared error (``torch.nn.MSELoss``).

    Args:
        size_average: deprecated.
        reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return mse_loss(input, target, reduction=self.reduction)


class L1Loss(Loss):
    """The absolute error (``torch.nn.L1Loss``); arguments as for ``MSELoss``."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(Loss):
    """The absolute error, but a parabola up to ``beta`` (``torch.nn.SmoothL1Loss``).

    Args:
        size_average: deprecated.
        reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        beta: where the parabola ends.
    """

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None,
        reduction: str = "mean", beta: float = 1.0,
    ) -> None:  # fmt: skip
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(Loss):
    """``delta`` times the smooth absolute error (``torch.nn.HuberLoss``).

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        delta: where the parabola ends.
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return huber_loss(input, target, self.reduction, self.delta)


class WeightedLoss(Loss):
    """A loss with a weight that ``state_dict`` contains."""

    weight: Tensor | None

    def __init__(
        self, weight: Tensor | None = None, size_average: bool | None = None,
        reduce: bool | None = None, reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class ClassLoss(WeightedLoss):
    """A loss over target classes, of which one may count as absent."""

    def __init__(
        self, weight: Tensor | None = None, size_average: bool | None = None,
        ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index


class CrossEntropyLoss(ClassLoss):
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


class NLLLoss(ClassLoss):
    """Minus the log-probability of the target class (``torch.nn.NLLLoss``).

    The arguments are those of ``CrossEntropyLoss`` but for ``label_smoothing``.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return nll_loss(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction
        )
