"""What all schedules share: epochs, the rates of all groups, checkpoints."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from graphc.errors import ArgumentError, RecordingError
from graphc.frontend.modes import modes
from graphc.frontend.optim.optimizer import Optimizer
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text


class LRScheduler:
    """The base of all schedules (``torch.optim.lr_scheduler.LRScheduler``).

    Args:
        optimizer: whose groups' ``"lr"`` to set.
        last_epoch: where to go on; -1 starts anew.

    Raises:
        ArgumentError: without an optimizer, or to go on with groups that lack ``"initial_lr"``.

    A subclass defines ``get_lr``, and may define ``_get_closed_form_lr`` for steps to any epoch.
    ``step`` belongs after ``optimizer.step``, outside of what is compiled.
    """

    optimizer: Optimizer
    base_lrs: list[float]
    last_epoch: int
    _last_lr: list[float]
    _step_count = 0
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = require_optimizer(self, optimizer)
        for group in optimizer.param_groups:
            if last_epoch == -1:
                group.setdefault("initial_lr", float(group["lr"]))
            elif "initial_lr" not in group:
                refuse(
                    self, "going on needs 'initial_lr' in every group", f"last_epoch={last_epoch}",
                    "load the optimizer's state first",
                )  # fmt: skip
        self.base_lrs = [float(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._begin()

    def _begin(self) -> None:
        """Make the step to the first epoch."""
        self._step_count, self._is_initial = 0, True
        try:
            self.step()
        finally:
            self._is_initial = False

    def get_lr(self) -> list[float]:
        """The learning rate of each group at ``last_epoch``, from the present ones."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_lr")

    def step(self, epoch: int | None = None) -> None:
        """Go on by one epoch and set the learning rates.

        Args:
            epoch: the epoch to go to instead; PyTorch advises against it.

        Raises:
            RecordingError: inside a function that is being recorded, where it would run once.
        """
        require_running()
        self._step_count += 1
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        if epoch is None:
            self.last_epoch += 1
            rates = self.get_lr()
        else:
            self.last_epoch = epoch
            rates = getattr(self, "_get_closed_form_lr", self.get_lr)()
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            set_option(group, "lr", rate)
        self._last_lr = self._rates()

    def get_last_lr(self) -> list[float]:
        """The learning rates that the last ``step`` set."""
        return self._last_lr

    def _rates(self) -> list[float]:
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def _scaled(self, factor: float) -> list[float]:
        """The present learning rates times a factor, so that schedules can be combined."""
        return [rate * factor for rate in self._rates()]

    def _scaled_base(self, factor: float) -> list[float]:
        """The learning rates at the start times a factor."""
        return [rate * factor for rate in self.base_lrs]

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


def set_option(group: dict[str, Any], name: str, value: float) -> None:
    """Give an option a value; a tensor keeps its memory."""
    if isinstance(group[name], Tensor):
        group[name].fill_(value)
    else:
        group[name] = value


def set_momentum(group: dict[str, Any], value: float) -> None:
    """Set what a group has for momentum: the option of that name, or its first beta."""
    if "betas" in group:
        group["betas"] = (value, *group["betas"][1:])
    else:
        group["momentum"] = value


def one_each(schedule: object, name: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """A value for each group: the same for all, or a list of as many.

    Raises:
        ArgumentError: for a list of another length.
    """
    count = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [value] * count
    if len(value) != count:
        refuse(schedule, f"one {name} for all groups, or one each", f"{len(value)} for {count}")
    return list(value)


def require_optimizer(schedule: object, optimizer: object) -> Optimizer:
    """Raise ArgumentError unless this is an optimizer; return it."""
    if not isinstance(optimizer, Optimizer):
        refuse(schedule, "the first argument must be an optimizer", type(optimizer).__name__)
    return optimizer


def require_momentum(schedule: object, optimizer: Optimizer) -> None:
    """Raise ArgumentError unless the optimizer has something that is a momentum."""
    if not {"momentum", "betas"} & optimizer.defaults.keys():
        refuse(
            schedule, "the optimizer has no momentum to cycle", type(optimizer).__name__,
            "cycle_momentum=False",
        )  # fmt: skip


def require_count(schedule: object, name: str, value: Any, least: int) -> None:
    """Raise ArgumentError unless this is a whole number from ``least`` on."""
    if not isinstance(value, int) or value < least:
        refuse(schedule, f"{name} must be a whole number from {least} on", repr(value))


def require_running() -> None:
    """Raise RecordingError while recording."""
    if modes.recorder is not None:
        raise RecordingError(
            "a scheduler's step cannot be recorded",
            fix="call it after the compiled step; the program reads the new learning rate",
            where=user_location_text(),
        )


def refuse(schedule: object, what: str, got: str, fix: str = "") -> NoReturn:
    """Raise ArgumentError for an argument of a schedule."""
    raise ArgumentError(
        f"{type(schedule).__name__}: {what}", got=got, fix=fix, where=user_location_text()
    )


def saved_functions(functions: Sequence[Callable[..., Any]]) -> list[dict[str, Any] | None]:
    """The attributes of callable objects; None for functions, which have no state."""
    return [
        None if isinstance(each, types.FunctionType) else dict(vars(each)) for each in functions
    ]


def load_functions(
    functions: Sequence[Callable[..., Any]], saved: Sequence[Mapping[str, Any] | None]
) -> None:
    """Give callable objects the attributes that ``saved_functions`` found."""
    for each, attributes in zip(functions, saved, strict=True):
        if attributes is not None:
            vars(each).update(attributes)
