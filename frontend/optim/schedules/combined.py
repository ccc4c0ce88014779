"""Schedules made of schedules."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from graphc.frontend.optim.optimizer import Optimizer
from graphc.frontend.optim.schedules.base import LRScheduler, refuse, require_running, set_option
from graphc.frontend.optim.schedules.plateau import ReduceLROnPlateau


class _Combined(LRScheduler):
    """Schedules of one optimizer, with a checkpoint that has theirs."""

    _schedulers: Sequence[LRScheduler]

    def _require_parts(self, schedulers: Sequence[Any], optimizer: Optimizer) -> None:
        for each in schedulers:
            if not isinstance(each, LRScheduler) or isinstance(each, ReduceLROnPlateau):
                refuse(self, "a part must be a schedule that goes by epochs", type(each).__name__)
            if each.optimizer is not optimizer:
                refuse(self, "all parts must belong to one optimizer", type(each).__name__)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, as plain values."""
        return {
            **super().state_dict(),
            "_schedulers": [each.state_dict() for each in self._schedulers],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where the schedule was whose state this is."""
        rest = dict(state_dict)
        for each, state in zip(self._schedulers, rest.pop("_schedulers"), strict=True):
            each.load_state_dict(state)
        super().load_state_dict(rest)


class SequentialLR(_Combined):
    """One schedule after the other (``torch.optim.lr_scheduler.SequentialLR``).

    Args:
        optimizer: whose learning rates to set.
        schedulers: schedules of this optimizer.
        milestones: the epochs at which the second one begins, the third one, and so on.
        last_epoch: where to go on; -1 starts anew.

    Raises:
        ArgumentError: without schedules, for those of another optimizer, ``ReduceLROnPlateau``, or
            another number of milestones.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int],
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        if len(milestones) != len(schedulers) - 1:
            refuse(
                self, "there must be one milestone less than schedules",
                f"{len(milestones)} and {len(schedulers)}",
            )  # fmt: skip
        self._require_parts(schedulers, optimizer)
        self._schedulers, self._milestones = schedulers, milestones
        self.last_epoch, self.optimizer = last_epoch + 1, optimizer
        for group in optimizer.param_groups:
            set_option(group, "lr", group["initial_lr"])
        _take_back(self)
        first = schedulers[bisect_right(milestones, 0)]
        first._begin()
        self._last_lr = first.get_last_lr()

    def step(self) -> None:  # type: ignore[override]  # as in PyTorch
        """Go on by one epoch.

        Raises:
            RecordingError: inside a function that is being recorded, where it would run once.
        """
        require_running()
        self.last_epoch += 1
        position = bisect_right(self._milestones, self.last_epoch)
        now = self._schedulers[position]
        if position > 0 and self._milestones[position - 1] == self.last_epoch:
            now._update_lr(0)
        else:
            now.step()
        self._last_lr = now.get_last_lr()


class ChainedScheduler(_Combined):
    """All schedules at once (``torch.optim.lr_scheduler.ChainedScheduler``).

    Args:
        schedulers: schedules of one optimizer; each changes what the one before has set.
        optimizer: that one; default: the first schedule's.

    Raises:
        ArgumentError: without schedules, for those of several optimizers, or
            ``ReduceLROnPlateau``.
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        if not schedulers:
            refuse(self, "there must be a schedule", "none")
        optimizer = schedulers[0].optimizer if optimizer is None else optimizer
        self._require_parts(schedulers, optimizer)
        self._schedulers, self.optimizer = schedulers, optimizer
        self._last_lr = self._rates()

    def step(self) -> None:  # type: ignore[override]  # as in PyTorch
        """Go on by one epoch.

        Raises:
            RecordingError: inside a function that is being recorded, where it would run once.
        """
        require_running()
        for each in self._schedulers:
            each.step()
        self._last_lr = self._rates()


def _take_back(schedule: LRScheduler) -> None:
    """Undo the first step of all parts, which each of them made when it was made."""
    if isinstance(schedule, _Combined):
        for part in schedule._schedulers:
            _take_back(part)
    else:
        schedule.last_epoch -= 1
