"""Schedules that raise and lower the learning rate, and move the momentum the other way."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from graphc.frontend.optim.optimizer import Optimizer
from graphc.frontend.optim.schedules.base import (
    LRScheduler,
    load_functions,
    one_each,
    refuse,
    require_momentum,
    require_optimizer,
    saved_functions,
    set_momentum,
    set_option,
)  # fmt: skip

_MODES = ("triangular", "triangular2", "exp_range")


class CyclicLR(LRScheduler):
    """Up and down between two rates, again and again (``torch.optim.lr_scheduler.CyclicLR``).

    Args:
        optimizer: whose learning rates to set.
        base_lr: the lower rate, where it begins; one for all groups or one each.
        max_lr: the upper one.
        step_size_up: steps from the lower to the upper one.
        step_size_down: steps back; as many by default.
        mode: all cycles alike, ``"triangular"``; half as high each time, ``"triangular2"``; or
            ``gamma ** steps`` as high, ``"exp_range"``.
        gamma: for ``"exp_range"``.
        scale_fn: gives the height instead of ``mode``.
        scale_mode: what ``scale_fn`` takes: the ``"cycle"``, from 1 on, or ``"iterations"``.
        cycle_momentum: move the momentum (or the first beta) the other way.
        base_momentum: the lower momentum; one for all groups or one each.
        max_momentum: the upper one, where it begins.
        last_epoch: where to go on; -1 starts anew.

    Raises:
        ArgumentError: for another mode, lists of other lengths than there are groups, or an
            optimizer without momentum.
    """

    def __init__(
        self, optimizer: Optimizer, base_lr: float | list[float], max_lr: float | list[float],
        step_size_up: int = 2000, step_size_down: int | None = None, mode: str = "triangular",
        gamma: float = 1.0, scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle", cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8, max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        require_optimizer(self, optimizer)
        if scale_fn is None and mode not in _MODES:
            refuse(self, f"mode must be one of {_MODES}", repr(mode))
        lower = one_each(self, "base_lr", base_lr, optimizer)
        self.max_lrs = one_each(self, "max_lr", max_lr, optimizer)
        down = step_size_up if step_size_down is None else step_size_down
        self.total_size = float(step_size_up + down)
        self.step_ratio = step_size_up / self.total_size
        self.mode, self.gamma = mode, gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            require_momentum(self, optimizer)
            self.use_beta1 = "betas" in optimizer.defaults
            self.base_momentums = one_each(self, "base_momentum", base_momentum, optimizer)
            self.max_momentums = one_each(self, "max_momentum", max_momentum, optimizer)
        if last_epoch == -1:
            for position, group in enumerate(optimizer.param_groups):
                set_option(group, "lr", lower[position])
                if cycle_momentum:
                    set_momentum(group, self.max_momentums[position])
                    group["max_momentum"] = self.max_momentums[position]
                    group["base_momentum"] = self.base_momentums[position]
        super().__init__(optimizer, last_epoch)
        self.base_lrs = lower

    def scale_fn(self, x: float) -> float:
        """How high a cycle is, from its number, or from that of steps."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular2":
            return float(0.5 ** (x - 1))
        return float(self.gamma**x) if self.mode == "exp_range" else 1.0

    def get_lr(self) -> list[float]:
        """The learning rate of each group at ``last_epoch``; sets the momentum."""
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        way = 1.0 + self.last_epoch / self.total_size - cycle
        is_up = way <= self.step_ratio
        height = way / self.step_ratio if is_up else (way - 1) / (self.step_ratio - 1)
        height *= self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            limits = zip(self.base_momentums, self.max_momentums, strict=True)
            for group, (low, high) in zip(self.optimizer.param_groups, limits, strict=True):
                set_momentum(group, high - (high - low) * height)
        limits = zip(self.base_lrs, self.max_lrs, strict=True)
        return [low + (high - low) * height for low, high in limits]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and functions, as plain values."""
        own = self._scale_fn_custom
        saved = None if own is None else saved_functions([own])[0]
        return {**super().state_dict(), "_scale_fn_custom": saved}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where the schedule was whose state this is, with the function of this one."""
        rest = dict(state_dict)
        saved = rest.pop("_scale_fn_custom", None)
        if saved is not None and self._scale_fn_custom is not None:
            load_functions([self._scale_fn_custom], [saved])
        super().load_state_dict(rest)


class OneCycleLR(LRScheduler):
    """Up once, then down to almost nothing (``torch.optim.lr_scheduler.OneCycleLR``).

    Args:
        optimizer: whose learning rates to set.
        max_lr: the top; one for all groups or one each.
        total_steps: how many steps there will be.
        epochs: with ``steps_per_epoch`` in place of ``total_steps``.
        steps_per_epoch: see ``epochs``.
        pct_start: the share of steps that go up.
        anneal_strategy: along a cosine, ``"cos"``, or a line, ``"linear"``.
        cycle_momentum: move the momentum (or the first beta) the other way.
        base_momentum: the lower momentum; one for all groups or one each.
        max_momentum: the upper one, where it begins.
        div_factor: the first rate is the top over this.
        final_div_factor: the last rate is the first over this.
        three_phase: first down to where it began in as many steps, then to the last rate.
        last_epoch: where to go on; -1 starts anew.

    Raises:
        ArgumentError: without a number of steps, for a share outside ``[0, 1]``, another strategy,
            lists of other lengths than there are groups, an optimizer without momentum, or (from
            ``step``) for more steps than were announced.
    """

    def __init__(
        self, optimizer: Optimizer, max_lr: float | list[float], total_steps: int | None = None,
        epochs: int | None = None, steps_per_epoch: int | None = None, pct_start: float = 0.3,
        anneal_strategy: str = "cos", cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85, max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0, final_div_factor: float = 1e4, three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        require_optimizer(self, optimizer)
        self.total_steps = self._count(total_steps, epochs, steps_per_epoch)
        if not 0 <= pct_start <= 1:
            refuse(self, "pct_start must be a number from 0 to 1", str(pct_start))
        if anneal_strategy not in ("cos", "linear"):
            refuse(self, "anneal_strategy must be 'cos' or 'linear'", repr(anneal_strategy))
        self._anneal_func_type = anneal_strategy
        self._schedule_phases = _phases(pct_start * self.total_steps, self.total_steps, three_phase)
        top = one_each(self, "max_lr", max_lr, optimizer)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            require_momentum(self, optimizer)
            self.use_beta1 = "betas" in optimizer.defaults
        low = one_each(self, "base_momentum", base_momentum, optimizer)
        high = one_each(self, "max_momentum", max_momentum, optimizer)
        if last_epoch == -1:
            for position, group in enumerate(optimizer.param_groups):
                first = top[position] / div_factor
                group.update({
                    "initial_lr": first,
                    "max_lr": top[position],
                    "min_lr": first / final_div_factor,
                })  # fmt: skip
                if cycle_momentum:
                    set_momentum(group, high[position])
                    group["max_momentum"], group["base_momentum"] = high[position], low[position]
        super().__init__(optimizer, last_epoch)

    def _count(self, total: int | None, epochs: int | None, per_epoch: int | None) -> int:
        parts = (epochs, per_epoch) if total is None else (total,)
        if not all(isinstance(part, int) and part > 0 for part in parts):
            refuse(
                self, "total_steps, or epochs and steps_per_epoch, must be whole numbers above 0",
                str(parts),
            )  # fmt: skip
        return math.prod(part for part in parts if part is not None)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at ``last_epoch``; sets the momentum."""
        if self.last_epoch > self.total_steps:
            refuse(self, "there are more steps than were announced", str(self.last_epoch))
        begin = 0.0
        for phase in self._schedule_phases:
            end = phase["end_step"]
            if self.last_epoch <= end or phase is self._schedule_phases[-1]:
                break
            begin = end
        # a phase of no steps, as of a rise in one of ten steps, is over when it begins
        share = (self.last_epoch - begin) / (end - begin) if end > begin else 1.0
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                first, last = group[phase["start_momentum"]], group[phase["end_momentum"]]
                set_momentum(group, anneal(self._anneal_func_type, first, last, share))
        return [
            anneal(self._anneal_func_type, group[phase["start_lr"]], group[phase["end_lr"]], share)
            for group in self.optimizer.param_groups
        ]


def anneal(strategy: str, first: float, last: float, share: float) -> float:
    """A value between two, after a share of the way along half a cosine or a line."""
    if strategy == "cos":
        return last + (first - last) / 2.0 * (math.cos(math.pi * share) + 1)
    return (last - first) * share + first


def _phases(up: float, total: int, three_phase: bool) -> list[dict[str, Any]]:
    """When each phase ends, and the names of the options that it goes from and to."""
    rates = [("initial_lr", "max_lr"), ("max_lr", "min_lr")]
    momentums = [("max_momentum", "base_momentum"), ("base_momentum", "max_momentum")]
    ends: list[float] = [up - 1, total - 1]
    if three_phase:
        rates[1:] = [("max_lr", "initial_lr"), ("initial_lr", "min_lr")]
        momentums.append(("max_momentum", "max_momentum"))
        ends.insert(1, 2 * up - 2)
    return [
        {
            "end_step": end, "start_lr": rate[0], "end_lr": rate[1],
            "start_momentum": momentum[0], "end_momentum": momentum[1],
        }
        for end, rate, momentum in zip(ends, rates, momentums, strict=True)
    ]  # fmt: skip
