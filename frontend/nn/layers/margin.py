"""Losses with a margin, as layers."""

from __future__ import annotations

from collections.abc import Callable

from graphc.errors import ArgumentError
from graphc.frontend.nn.functional import margin as margins
from graphc.frontend.nn.functional.triplet import (
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)  # fmt: skip
from graphc.frontend.nn.layers.distance import PairwiseDistance
from graphc.frontend.nn.layers.loss import Loss, WeightedLoss
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

__all__ = [
    "CosineEmbeddingLoss", "HingeEmbeddingLoss", "MarginRankingLoss", "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss", "MultiMarginLoss", "SoftMarginLoss", "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]  # fmt: skip


class SoftMarginLoss(Loss):
    """``log(1 + exp(-target * x))`` (``torch.nn.SoftMarginLoss``).

    Args:
        size_average: deprecated.
        reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return margins.soft_margin_loss(input, target, reduction=self.reduction)


class MultiLabelMarginLoss(Loss):
    """Hinges between each target class and all others (``torch.nn.MultiLabelMarginLoss``).

    The arguments are those of ``SoftMarginLoss``.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return margins.multilabel_margin_loss(input, target, reduction=self.reduction)


class _MarginLoss(Loss):
    """A loss with a margin."""

    def __init__(
        self, margin: float = 0.0, size_average: bool | None = None, reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class HingeEmbeddingLoss(_MarginLoss):
    """``x`` for target 1, ``max(0, margin - x)`` for -1 (``torch.nn.HingeEmbeddingLoss``).

    Args:
        margin: beyond it, dissimilar inputs cost nothing.
        size_average: deprecated.
        reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(
        self, margin: float = 1.0, size_average: bool | None = None, reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(margin, size_average, reduce, reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return margins.hinge_embedding_loss(
            input, target, margin=self.margin, reduction=self.reduction
        )


class CosineEmbeddingLoss(_MarginLoss):
    """``1 - cos`` for target 1, ``max(0, cos - margin)`` for -1 (``torch.nn.CosineEmbeddingLoss``).

    Args:
        margin: below it, dissimilar inputs cost nothing.
        size_average: deprecated.
        reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return margins.cosine_embedding_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class MarginRankingLoss(_MarginLoss):
    """``max(0, -target * (x1 - x2) + margin)`` (``torch.nn.MarginRankingLoss``).

    Args:
        margin: how far the inputs should be apart.
        size_average: deprecated.
        reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return margins.margin_ranking_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class MultiMarginLoss(WeightedLoss):
    """Hinges between the target class and all others (``torch.nn.MultiMarginLoss``).

    Args:
        p: 1, or 2 for squares.
        margin: how far the target should be above.
        weight: ``(classes,)`` factors.
        size_average: deprecated.
        reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ArgumentError: for another power, or a weight with another number of dims.
    """

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Tensor | None = None,
        size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2) or (weight is not None and weight.ndim != 1):
            raise ArgumentError(
                "MultiMarginLoss: p must be 1 or 2, and the weight (classes,)",
                got=f"p={p}, weight {None if weight is None else weight.type}",
                where=user_location_text(),
            )
        self.p, self.margin = p, margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return margins.multi_margin_loss(
            input, target, p=self.p, margin=self.margin, weight=self.weight,
            reduction=self.reduction,
        )  # fmt: skip


class MultiLabelSoftMarginLoss(WeightedLoss):
    """The mean cross entropy of each class (``torch.nn.MultiLabelSoftMarginLoss``).

    Args:
        weight: ``(classes,)`` factors.
        size_average: deprecated.
        reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return margins.multilabel_soft_margin_loss(
            input, target, self.weight, reduction=self.reduction
        )


def _require_positive(loss: str, margin: float) -> None:
    if not margin > 0:
        raise ArgumentError(
            f"{loss}: the margin must be above 0", got=str(margin), where=user_location_text()
        )


class TripletMarginLoss(Loss):
    """The positive should be nearer than the negative (``torch.nn.TripletMarginLoss``).

    Args:
        margin: by how much; above 0.
        p: which norm.
        eps: added to differences.
        swap: count the distance of positive and negative, if it is less.
        size_average: deprecated.
        reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ArgumentError: for a margin that is not above 0.
    """

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False,
        size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(size_average, reduce, reduction)
        _require_positive("TripletMarginLoss", margin)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return triplet_margin_loss(
            anchor, positive, negative, margin=self.margin, p=self.p, eps=self.eps,
            swap=self.swap, reduction=self.reduction,
        )  # fmt: skip


class TripletMarginWithDistanceLoss(Loss):
    """``TripletMarginLoss`` by any distance (``torch.nn.TripletMarginWithDistanceLoss``).

    Args:
        distance_function: of two tensors; default: ``PairwiseDistance()``.
        margin: by how much; above 0.
        swap: count the distance of positive and negative, if it is less.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ArgumentError: for a margin that is not above 0.
    """

    def __init__(
        self, *, distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0, swap: bool = False, reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(reduction=reduction)
        _require_positive("TripletMarginWithDistanceLoss", margin)
        self.distance_function = distance_function or PairwiseDistance()
        self.margin, self.swap = margin, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return triplet_margin_with_distance_loss(
            anchor, positive, negative, distance_function=self.distance_function,
            margin=self.margin, swap=self.swap, reduction=self.reduction,
        )  # fmt: skip
