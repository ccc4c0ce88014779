"""Learning rates that change between steps; compiled programs read them at each run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphc.errors import ArgumentError, RecordingError
from graphc.frontend.modes import modes
from graphc.frontend.optim.optimizer import Optimizer
from graphc.provenance import user_location_text


class LRScheduler:
    """The base of all schedules (``torch.optim.lr_scheduler.LRScheduler``).

    Args:
        optimizer: whose groups' ``"lr"`` to set.
        last_epoch: where to go on; -1 starts anew.

    A subclass defines ``get_lr``. ``step`` belongs after ``optimizer.step``, outside of what is
    compiled.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer, self.last_epoch = optimizer, last_epoch
        for group in optimizer.param_groups:
            if last_epoch == -1:
                group["initial_lr"] = group["lr"]
            elif "initial_lr" not in group:
                raise ArgumentError(
                    f"{type(self).__name__}: going on needs 'initial_lr' in every group",
                    fix="load the optimizer's state first", where=user_location_text(),
                )  # fmt: skip
        self.base_lrs: list[float] = [
            float(group["initial_lr"]) for group in optimizer.param_groups
        ]
        self._last_lr: list[float] = []
        self.step()

    def get_lr(self) -> list[float]:
        """The learning rate of each group at ``last_epoch``."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_lr")

    def step(self) -> None:
        """Go on by one epoch and set the learning rates.

        Raises:
            RecordingError: inside a function that is being recorded, where it would run once.
        """
        if modes.recorder is not None:
            raise RecordingError(
                "a scheduler's step cannot be recorded",
                fix="call it after the compiled step; the program reads the new learning rate",
                where=user_location_text(),
            )
        self.last_epoch += 1
        for group, rate in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = rate
        self._last_lr = self._rates()

    def get_last_lr(self) -> list[float]:
        """The learning rates that the last ``step`` set."""
        return self._last_lr

    def _rates(self) -> list[float]:
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def _scaled(self, factor: float) -> list[float]:
        """The present learning rates times a factor, so that schedules can be combined."""
        return [rate * factor for rate in self._rates()]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, as plain values."""
        return {
            key: value
            for key, value in self.__dict__.items()
            if key != "optimizer" and not callable(value)
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where the schedule was whose state this is."""
        self.__dict__.update(state_dict)


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
        change = self.last_epoch > 0 and self.last_epoch % self.step_size == 0
        return self._scaled(self.gamma if change else 1.0)


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
        return self._scaled(self.gamma if self.last_epoch > 0 else 1.0)


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
        if self.last_epoch == 0:
            return self._rates()
        before, now = (self._height(epoch) for epoch in (self.last_epoch - 1, self.last_epoch))
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # up from the bottom
            return [
                rate + (base - self.eta_min) * self._height(self.T_max - 1) / 2
                for rate, base in zip(self._rates(), self.base_lrs, strict=True)
            ]
        return [now / before * (rate - self.eta_min) + self.eta_min for rate in self._rates()]

    def _height(self, epoch: int) -> float:
        return 1 + math.cos(math.pi * epoch / self.T_max)


class LambdaLR(LRScheduler):
    """The start value times a function of the epoch (``torch.optim.lr_scheduler.LambdaLR``).

    Args:
        optimizer: whose learning rates to set.
        lr_lambda: takes the epoch, gives the factor; one for all groups or one each.
        last_epoch: where to go on; -1 starts anew.

    Raises:
        ArgumentError: for another number of functions than groups.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        count = len(optimizer.param_groups)
        self.lr_lambdas = [lr_lambda] * count if callable(lr_lambda) else list(lr_lambda)
        if len(self.lr_lambdas) != count:
            raise ArgumentError(
                "LambdaLR: one function for all groups, or one each",
                got=f"{len(self.lr_lambdas)} for {count} groups", where=user_location_text(),
            )  # fmt: skip
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at ``last_epoch``."""
        return [
            base * factor(self.last_epoch)
            for base, factor in zip(self.base_lrs, self.lr_lambdas, strict=True)
        ]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and the functions, as plain values."""
        return {key: value for key, value in super().state_dict().items() if key != "lr_lambdas"}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where the schedule was whose state this is, with the functions of this one."""
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "lr_lambdas"})
