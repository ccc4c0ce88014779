"""The schedule for stochastic weight averaging."""

from __future__ import annotations

import math

from graphc.frontend.optim.optimizer import Optimizer
from graphc.frontend.optim.schedules.base import LRScheduler, one_each, refuse, require_count


class SWALR(LRScheduler):
    """From the present learning rate to a constant one (``torch.optim.swa_utils.SWALR``).

    Args:
        optimizer: whose learning rates to set.
        swa_lr: the constant rate; one for all groups or one each.
        anneal_epochs: how many epochs to it.
        anneal_strategy: along a cosine, ``"cos"``, or a line, ``"linear"``.
        last_epoch: where to go on; -1 starts anew.

    Raises:
        ArgumentError: for another strategy, or a negative number of epochs.
    """

    def __init__(
        self, optimizer: Optimizer, swa_lr: float | list[float], anneal_epochs: int = 10,
        anneal_strategy: str = "cos", last_epoch: int = -1,
    ) -> None:  # fmt: skip
        if anneal_strategy not in ("cos", "linear"):
            refuse(self, "anneal_strategy must be 'cos' or 'linear'", repr(anneal_strategy))
        require_count(self, "anneal_epochs", anneal_epochs, least=0)
        rates = one_each(self, "swa_lr", swa_lr, optimizer)
        for rate, group in zip(rates, optimizer.param_groups, strict=True):
            group["swa_lr"] = rate
        self.anneal_epochs, self._anneal_strategy = anneal_epochs, anneal_strategy
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at ``last_epoch``."""
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        return [
            group["swa_lr"] * now + _start(rate, group["swa_lr"], before) * (1 - now)
            for group, rate in zip(self.optimizer.param_groups, self._rates(), strict=True)
        ]

    def _share(self, step: int) -> float:
        """How far on the way to the constant rate a step is."""
        share = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * share)) / 2 if self._anneal_strategy == "cos" else share


def _start(rate: float, end: float, share: float) -> float:
    """Where the way began that has come to ``rate`` after a share of it."""
    return end if share == 1 else (rate - share * end) / (1 - share)
