"""All that a training run needs to go on as if it had never stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from graphc.errors import ArgumentTypeError, CheckpointError
from graphc.frontend.functions.generators import Generator
from graphc.frontend.tensor import Tensor
from graphc.frontend.training.random_states import random_states, set_random_states
from graphc.provenance import user_location_text

RUN = "training"
"""The key of what a run's state has beside its parts."""


@runtime_checkable
class Stateful(Protocol):
    """What gives its state and takes it back, as modules, optimizers and schedules do."""

    def state_dict(self) -> Any:
        """The state as nested plain values and tensors."""
        ...

    def load_state_dict(self, state_dict: Any, /) -> Any:
        """Go on from that state."""
        ...


class TrainState:
    """The state of a training run: parts, counters, plain values and random numbers.

    Args:
        **parts: by name: modules, optimizers, schedules, loaders, metrics, generators; whatever
            has ``state_dict`` and ``load_state_dict``.

    Attributes:
        step: how many steps are done; the training loop counts.
        epoch: how many passes over the data are done.
        values: whatever else should be kept, such as a list of losses; see ``gc.save`` for what
            it may hold.

    Raises:
        ArgumentTypeError: for a part without a state.

    The state also has the global random numbers of graphc, numpy and Python.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn, optim
        >>> from graphc.training import TrainState
        >>> model = nn.Linear(2, 1)
        >>> state = TrainState(model=model, optimizer=optim.Adam(model.parameters()))
        >>> state.step += 1
        >>> list(state.state_dict())
        ['training', 'model', 'optimizer']
    """

    def __init__(self, **parts: Stateful | Generator) -> None:
        given: dict[str, object] = {**parts}
        for name, part in given.items():
            if isinstance(part, type) or not isinstance(part, Stateful | Generator):
                raise ArgumentTypeError(
                    f"TrainState: {name} has no state", got=type(part).__name__,
                    expected="state_dict and load_state_dict, or a generator",
                    fix="put plain values into TrainState.values", where=user_location_text(),
                )  # fmt: skip
        if RUN in parts:
            raise ArgumentTypeError(
                f"TrainState: no part can have the name {RUN!r}", where=user_location_text()
            )
        self.parts = parts
        self.step = 0
        self.epoch = 0
        self.values: dict[str, Any] = {}

    def state_dict(self) -> dict[str, Any]:
        """Everything; ``"training"`` has what is no part."""
        run = {
            "step": self.step, "epoch": self.epoch, "values": self.values,
            "random": random_states(),
        }  # fmt: skip
        return {RUN: run, **{name: _state(part) for name, part in self.parts.items()}}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take everything over.

        Args:
            state_dict: what ``state_dict`` gave.

        Raises:
            CheckpointError: if it has other parts, tensors of other dtypes, or a part refuses its
                state.
        """
        if RUN not in state_dict:
            raise CheckpointError(
                "TrainState: this is not the state of a training run",
                got=f"the keys {', '.join(map(repr, state_dict))}",
                fix="load it with gc.load, and what it has with load_state_dict",
            )
        found = [name for name in state_dict if name != RUN]
        if sorted(found) != sorted(self.parts):
            raise CheckpointError(
                "TrainState: the state has other parts", got=", ".join(sorted(found)) or "none",
                expected=", ".join(sorted(self.parts)) or "none",
                fix="make the TrainState with the same names, or load single parts from gc.load",
            )  # fmt: skip
        for name, part in self.parts.items():
            _require_dtypes(_state(part), state_dict[name], name)
        for name, part in self.parts.items():
            if isinstance(part, Generator):
                part.set_state(state_dict[name])
            else:
                part.load_state_dict(state_dict[name])
        run = state_dict[RUN]
        self.step, self.epoch, self.values = run["step"], run["epoch"], run["values"]
        set_random_states(run["random"])  # at last: loading may draw random numbers


def _state(part: Stateful | Generator) -> Any:
    return part.get_state() if isinstance(part, Generator) else part.state_dict()


def _require_dtypes(own: Any, found: Any, name: str) -> None:
    """Modules would convert what they load, and the run would go on as another one."""
    if isinstance(own, Tensor) and isinstance(found, Tensor) and own.dtype != found.dtype:
        raise CheckpointError(
            f"TrainState: {name} has another dtype", got=found.dtype.name, expected=own.dtype.name,
            fix="make the parts with the dtypes they had, as with model.double(), or load single "
            "parts from gc.load",
        )  # fmt: skip
    if isinstance(own, Mapping) and isinstance(found, Mapping):
        for key in [key for key in own if key in found]:
            _require_dtypes(own[key], found[key], f"{name}.{key}")
