"""A schedule that looks at how well training goes."""

from __future__ import annotations

import math
from typing import Any

from graphc.frontend.optim.optimizer import Optimizer
from graphc.frontend.optim.schedules.base import (
    LRScheduler,
    one_each,
    refuse,
    require_optimizer,
    require_running,
    set_option,
)  # fmt: skip


class ReduceLROnPlateau(LRScheduler):
    """Multiply by ``factor`` when a number has not become better for a while.

    Args:
        optimizer: whose learning rates to set.
        mode: better is lower, ``"min"``, or higher, ``"max"``.
        factor: below 1.
        patience: how many epochs without progress are allowed.
        threshold: how much better it must be.
        threshold_mode: relative to the best, ``"rel"``, or not, ``"abs"``.
        cooldown: how many epochs after a change do not count.
        min_lr: the least learning rate; one for all groups or one each.
        eps: the least change.

    Raises:
        ArgumentError: for other modes, a factor from 1 on, or another number of rates than groups.

    Source: ``torch.optim.lr_scheduler.ReduceLROnPlateau``.
    """

    def __init__(
        self, optimizer: Optimizer, mode: str = "min", factor: float = 0.1, patience: int = 10,
        threshold: float = 1e-4, threshold_mode: str = "rel", cooldown: int = 0,
        min_lr: float | list[float] = 0.0, eps: float = 1e-8,
    ) -> None:  # fmt: skip
        self.optimizer = require_optimizer(self, optimizer)
        if mode not in ("min", "max"):
            refuse(self, "mode must be 'min' or 'max'", repr(mode))
        if threshold_mode not in ("rel", "abs"):
            refuse(self, "threshold_mode must be 'rel' or 'abs'", repr(threshold_mode))
        if not factor < 1:
            refuse(self, "factor must be below 1", str(factor))
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode
        self.factor, self.patience, self.cooldown, self.eps = factor, patience, cooldown, eps
        self.default_min_lr = None if isinstance(min_lr, list | tuple) else min_lr
        self.min_lrs = one_each(self, "min_lr", min_lr, optimizer)
        self.last_epoch = 0
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.best = self.mode_worse
        self.cooldown_counter = self.num_bad_epochs = 0
        self._last_lr = self._rates()

    @property
    def in_cooldown(self) -> bool:
        """True in the epochs after a change that do not count."""
        return self.cooldown_counter > 0

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]  # as in PyTorch
        """Look at the number of this epoch.

        Args:
            metrics: a number, or a tensor with one.
            epoch: the epoch's number; default: one more.

        Raises:
            RecordingError: inside a function that is being recorded, where it would run once.
        """
        require_running()
        current = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(current):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = self._rates()

    def _is_better(self, value: float) -> bool:
        least = -self.threshold if self.mode == "min" else self.threshold
        limit = self.best * (1 + least) if self.threshold_mode == "rel" else self.best + least
        return value < limit if self.mode == "min" else value > limit

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):  # a group was added
            if self.default_min_lr is None:
                refuse(self, "one min_lr each is needed", f"{len(self.min_lrs)} for {len(groups)}")
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, least in zip(groups, self.min_lrs, strict=True):
            before = float(group["lr"])
            after = max(before * self.factor, least)
            if before - after > self.eps:
                set_option(group, "lr", after)
