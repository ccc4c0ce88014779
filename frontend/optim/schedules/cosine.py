"""Schedules along a cosine, with and without restarts."""

from __future__ import annotations

import math

from graphc.frontend.optim.optimizer import Optimizer
from graphc.frontend.optim.schedules.base import (
    LRScheduler,
    refuse,
    require_count,
    require_running,
)  # fmt: skip


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from the start value to ``eta_min``, and back, and so on.

    Args:
        optimizer: whose learning rates to set.
        T_max: epochs from top to bottom.
        eta_min: the bottom.
        last_epoch: where to go on; -1 starts anew.

    Source: ``torch.optim.lr_scheduler.CosineAnnealingLR``.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,  # noqa: N803 - PyTorch's name
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at ``last_epoch``."""
        if self._is_initial:
            return self._rates()
        if self._step_count == 1 and self.last_epoch > 0:
            return self._get_closed_form_lr()
        before, now = (self._height(epoch) for epoch in (self.last_epoch - 1, self.last_epoch))
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # up from the bottom
            return [
                rate + (base - self.eta_min) * self._height(self.T_max - 1) / 2
                for rate, base in zip(self._rates(), self.base_lrs, strict=True)
            ]
        return [now / before * (rate - self.eta_min) + self.eta_min for rate in self._rates()]

    def _get_closed_form_lr(self) -> list[float]:
        height = self._height(self.last_epoch)
        return [self.eta_min + (base - self.eta_min) * height / 2 for base in self.base_lrs]

    def _height(self, epoch: int) -> float:
        return 1 + math.cos(math.pi * epoch / self.T_max)


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half a cosine down to ``eta_min``, then again from the top, each time longer.

    Args:
        optimizer: whose learning rates to set.
        T_0: epochs of the first one.
        T_mult: how much longer each next one is; a whole number.
        eta_min: the bottom.
        last_epoch: where to go on; -1 starts anew.

    Raises:
        ArgumentError: for lengths below 1.

    Source: ``torch.optim.lr_scheduler.CosineAnnealingWarmRestarts``.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,  # noqa: N803 - PyTorch's name
        T_mult: int = 1,  # noqa: N803 - PyTorch's name
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        require_count(self, "T_0", T_0, least=1)
        require_count(self, "T_mult", T_mult, least=1)
        self.T_0, self.T_i, self.T_mult = T_0, T_0, T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at ``T_cur`` of ``T_i`` epochs."""
        height = 1 + math.cos(math.pi * self.T_cur / self.T_i)
        return [self.eta_min + (base - self.eta_min) * height / 2 for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go on by one epoch, or to any one, and set the learning rates.

        Args:
            epoch: where to go; parts of an epoch count.

        Raises:
            ArgumentError: for an epoch below 0.
            RecordingError: inside a function that is being recorded, where it would run once.
        """
        require_running()
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        elif epoch < 0:
            refuse(self, "an epoch must be from 0 on", str(epoch))
        else:
            self._go_to(epoch)
        self._update_lr(math.floor(epoch))

    def _go_to(self, epoch: float) -> None:
        """Find the restart that an epoch comes after."""
        begin, restarts = 0.0, 0
        if self.T_mult == 1:
            begin = epoch // self.T_0 * self.T_0
        elif epoch >= self.T_0:
            restarts = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            begin = self.T_0 * (self.T_mult**restarts - 1) / (self.T_mult - 1)
        self.T_cur = epoch - begin
        self.T_i = self.T_0 * self.T_mult**restarts
