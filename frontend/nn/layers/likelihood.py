"""Losses that are likelihoods, as layers."""

from __future__ import annotations

from graphc.frontend.nn.functional import likelihood
from graphc.frontend.nn.functional.ctc import ctc_loss
from graphc.frontend.nn.layers.loss import Loss, WeightedLoss
from graphc.frontend.tensor import Tensor

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CTCLoss", "GaussianNLLLoss", "KLDivLoss", "PoissonNLLLoss",
]  # fmt: skip


class BCELoss(WeightedLoss):
    """The cross entropy of probabilities (``torch.nn.BCELoss``).

    Args:
        weight: factor per element; broadcasts.
        size_average: deprecated.
        reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return likelihood.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(WeightedLoss):
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
        return likelihood.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class KLDivLoss(Loss):
    """The divergence of a target from log-probabilities (``torch.nn.KLDivLoss``).

    Args:
        size_average: deprecated.
        reduce: deprecated.
        reduction: ``"mean"``, ``"batchmean"``, ``"sum"`` or ``"none"``.
        log_target: the target is log-probabilities, too.
    """

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None,
        reduction: str = "mean", log_target: bool = False,
    ) -> None:  # fmt: skip
        batchmean = reduction == "batchmean"
        super().__init__(size_average, reduce, "mean" if batchmean else reduction)
        self.log_target = log_target
        if batchmean and size_average is None and reduce is None:
            self.reduction = "batchmean"

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return likelihood.kl_div(
            input, target, reduction=self.reduction, log_target=self.log_target
        )


class PoissonNLLLoss(Loss):
    """Minus the log-likelihood of a Poisson distribution (``torch.nn.PoissonNLLLoss``).

    Args:
        log_input: the input is the logarithm of the rate.
        full: add Stirling's approximation of the constant term.
        size_average: deprecated.
        eps: added to a rate before its logarithm.
        reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(
        self, log_input: bool = True, full: bool = False, size_average: bool | None = None,
        eps: float = 1e-8, reduce: bool | None = None, reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        return likelihood.poisson_nll_loss(
            log_input, target, log_input=self.log_input, full=self.full, eps=self.eps,
            reduction=self.reduction,
        )  # fmt: skip


class GaussianNLLLoss(Loss):
    """Minus the log-likelihood of a normal distribution (``torch.nn.GaussianNLLLoss``).

    Args:
        full: add the constant term.
        eps: the least variance.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return likelihood.gaussian_nll_loss(
            input, target, var, full=self.full, eps=self.eps, reduction=self.reduction
        )


class CTCLoss(Loss):
    """Minus the log-likelihood of a sequence over all its alignments (``torch.nn.CTCLoss``).

    Args:
        blank: the class that stands for nothing.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        zero_infinity: losses of sequences that cannot be aligned, and their gradients, are 0.
    """

    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction=reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(
        self, log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor
    ) -> Tensor:
        return ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction,
            self.zero_infinity,
        )  # fmt: skip
