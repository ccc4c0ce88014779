"""Schedules that multiply the learning rate by a factor now and then."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from graphc.frontend.optim.optimizer import Optimizer
from graphc.frontend.optim.schedules.base import (
    LRScheduler,
    load_functions,
    one_each,
    refuse,
    saved_functions,
)  # fmt: skip

Factors = Callable[[int], float] | Sequence[Callable[[int], float]]


class LambdaLR(LRScheduler):
    """The start value times a function of the epoch (``torch.optim.lr_scheduler.LambdaLR``).

    Args:
        optimizer: whose learning rates to set.
        lr_lambda: takes the epoch, gives the factor; one for all groups or one each.
        last_epoch: where to go on; -1 starts anew.

    Raises:
        ArgumentError: for another number of functions than groups, or what cannot be called.

    ``state_dict`` has the attributes of callable objects, and nothing of functions.
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Factors, last_epoch: int = -1) -> None:
        self.lr_lambdas = one_each(self, "function", lr_lambda, optimizer)
        for each in self.lr_lambdas:
            if not callable(each):
                refuse(self, "lr_lambda must be a function", type(each).__name__)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at ``last_epoch``."""
        return [
            base * factor(self.last_epoch)
            for base, factor in zip(self.base_lrs, self.lr_lambdas, strict=True)
        ]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and functions, as plain values."""
        return {**super().state_dict(), "lr_lambdas": saved_functions(self.lr_lambdas)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where the schedule was whose state this is, with the functions of this one."""
        own, rest = self.lr_lambdas, dict(state_dict)
        load_functions(own, rest.pop("lr_lambdas", [None] * len(own)))
        super().load_state_dict(rest)


class MultiplicativeLR(LambdaLR):
    """Multiply by a function of the epoch in each (``torch.optim.lr_scheduler.MultiplicativeLR``).

    Args:
        optimizer: whose learning rates to set.
        lr_lambda: takes the epoch, gives the factor; one for all groups or one each.
        last_epoch: where to go on; -1 starts anew.

    Raises:
        ArgumentError: for another number of functions than groups, or what cannot be called.
    """

    def get_lr(self) -> list[float]:
        """The learning rate of each group at ``last_epoch``."""
        if self._is_initial:
            return self._rates()
        return [
            rate * factor(self.last_epoch)
            for rate, factor in zip(self._rates(), self.lr_lambdas, strict=True)
        ]


class StepLR(LRScheduler):
    """Multiply by ``gamma`` every ``step_size`` epochs (``torch.optim.lr_scheduler.StepLR``).

    Args:
        optimizer: whose learning rates to set.
        step_size: epochs between changes.
        gamma: the factor.
        last_epoch: where to go on; -1 starts anew.

    Example:
        >>> from graphc import nn, optim
        >>> optimizer = optim.SGD([nn.Parameter([1.0])], lr=0.1)
        >>> schedule = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
        >>> schedule.step(); schedule.step(); schedule.get_last_lr()
        [0.05]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at ``last_epoch``."""
        change = self.last_epoch != 0 and self.last_epoch % self.step_size == 0
        return self._scaled(self.gamma if change else 1.0)

    def _get_closed_form_lr(self) -> list[float]:
        return self._scaled_base(self.gamma ** (self.last_epoch // self.step_size))


class MultiStepLR(LRScheduler):
    """Multiply by ``gamma`` at each milestone (``torch.optim.lr_scheduler.MultiStepLR``).

    Args:
        optimizer: whose learning rates to set.
        milestones: epochs; one that is there twice counts twice.
        gamma: the factor.
        last_epoch: where to go on; -1 starts anew.
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        self.milestones: Mapping[int, int] = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at ``last_epoch``."""
        return self._scaled(self.gamma ** self.milestones.get(self.last_epoch, 0))

    def _get_closed_form_lr(self) -> list[float]:
        passed = bisect_right(sorted(Counter(self.milestones).elements()), self.last_epoch)
        return self._scaled_base(self.gamma**passed)


class ConstantLR(LRScheduler):
    """``factor`` times the start value for a while (``torch.optim.lr_scheduler.ConstantLR``).

    Args:
        optimizer: whose learning rates to set.
        factor: from 0 to 1.
        total_iters: for how many epochs.
        last_epoch: where to go on; -1 starts anew.

    Raises:
        ArgumentError: for a factor outside ``[0, 1]``.
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        if not 0 <= factor <= 1:
            refuse(self, "factor must be a number from 0 to 1", str(factor))
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at ``last_epoch``."""
        if self.last_epoch == 0:
            return self._scaled(self.factor)
        return self._scaled(1.0 / self.factor if self.last_epoch == self.total_iters else 1.0)

    def _get_closed_form_lr(self) -> list[float]:
        return self._scaled_base(1.0 if self.last_epoch >= self.total_iters else self.factor)


class LinearLR(LRScheduler):
    """From one factor to another in equal steps (``torch.optim.lr_scheduler.LinearLR``).

    Args:
        optimizer: whose learning rates to set.
        start_factor: above 0, at most 1.
        end_factor: from 0 to 1.
        total_iters: epochs from one to the other.
        last_epoch: where to go on; -1 starts anew.

    Raises:
        ArgumentError: for other factors.
    """

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1.0 / 3, end_factor: float = 1.0,
        total_iters: int = 5, last_epoch: int = -1,
    ) -> None:  # fmt: skip
        if not 0 < start_factor <= 1:
            refuse(self, "start_factor must be above 0 and at most 1", str(start_factor))
        if not 0 <= end_factor <= 1:
            refuse(self, "end_factor must be a number from 0 to 1", str(end_factor))
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at ``last_epoch``."""
        if self.last_epoch == 0:
            return self._scaled(self.start_factor)
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._rates()
        way = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * way
        return self._scaled(1.0 + way / before)

    def _get_closed_form_lr(self) -> list[float]:
        share = min(self.total_iters, self.last_epoch) / self.total_iters
        return self._scaled_base(self.start_factor + (self.end_factor - self.start_factor) * share)


class ExponentialLR(LRScheduler):
    """Multiply by ``gamma`` every epoch (``torch.optim.lr_scheduler.ExponentialLR``).

    Args:
        optimizer: whose learning rates to set.
        gamma: the factor.
        last_epoch: where to go on; -1 starts anew.
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at ``last_epoch``."""
        return self._scaled(1.0 if self._is_initial else self.gamma)

    def _get_closed_form_lr(self) -> list[float]:
        return self._scaled_base(self.gamma**self.last_epoch)


class PolynomialLR(LRScheduler):
    """A power of the share of epochs left (``torch.optim.lr_scheduler.PolynomialLR``).

    Args:
        optimizer: whose learning rates to set.
        total_iters: epochs until the rate is 0.
        power: the power.
        last_epoch: where to go on; -1 starts anew.
    """

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at ``last_epoch``."""
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._rates()
        change = self._left(self.last_epoch) / self._left(self.last_epoch - 1)
        return self._scaled(change**self.power)

    def _get_closed_form_lr(self) -> list[float]:
        return self._scaled_base(self._left(min(self.total_iters, self.last_epoch)) ** self.power)

    def _left(self, epoch: int) -> float:
        return 1.0 - epoch / self.total_iters
