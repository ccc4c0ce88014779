"""What all metrics share: numbers that add up over batches, dynamically and in compiled steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphc.dtypes import DType
from graphc.errors import CheckpointError, DTypeError, ShapeError, SymbolicValueError
from graphc.frontend.functions.creation import as_tensor
from graphc.frontend.modes import modes
from graphc.frontend.nn.functional.shapes import agree
from graphc.frontend.optim.state import state_tensor
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text
from graphc.storage import Array


class Metric:
    """The base of all metrics: ``update`` after each batch, then ``compute``, then ``reset``.

    A subclass calls ``_add_state`` for each tensor that it needs and changes it in place in
    ``update``, so that an update inside a compiled step happens at each of its runs.
    """

    def __init__(self) -> None:
        self._states: dict[str, Tensor] = {}

    def _add_state(self, name: str, shape: Sequence[int], dtype: DType) -> Tensor:
        """A tensor of zeros that checkpoints have and ``reset`` clears."""
        self._states[name] = made = state_tensor(shape, dtype)
        return made

    def compute(self) -> Any:
        """The metric of all batches since the start or the last ``reset``."""
        raise NotImplementedError(f"{type(self).__name__} does not define compute")

    def reset(self) -> None:
        """Begin anew."""
        for state in self._states.values():
            state.zero_()

    def state_dict(self) -> dict[str, Tensor]:
        """Copies of what was added up."""
        return {name: state.clone() for name, state in self._states.items()}

    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> None:
        """Go on from what ``state_dict`` gave.

        Raises:
            CheckpointError: for the state of another metric.
        """
        shapes = {name: state.shape for name, state in self._states.items()}
        loaded = {name: tuple(state.shape) for name, state in state_dict.items()}
        if loaded != shapes:
            raise CheckpointError(
                f"{type(self).__name__}: this is the state of another metric", got=str(loaded),
                expected=str(shapes), where=user_location_text(),
            )  # fmt: skip
        for name, state in self._states.items():
            state.copy_(state_dict[name])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if modes.recorder is not None else self.compute()})"


def known(state: Tensor) -> Array:
    """The present values of a state.

    Raises:
        SymbolicValueError: while recording, when those of the run do not exist yet.
    """
    if modes.recorder is not None:
        raise SymbolicValueError(
            "a metric was asked for its value while recording", got="no run has happened yet",
            fix="call compute after the compiled function", where=user_location_text(),
        )  # fmt: skip
    return state.storage.read()


def number(state: Tensor) -> float:
    """The value of a state of one element; raises as ``known`` does."""
    return float(known(state))


def values(given: Any) -> Tensor:
    """A tensor without gradients of a tensor, an array, or numbers."""
    return as_tensor(given).detach()


def require_classes(who: str, classes: Tensor) -> None:
    """Raise DTypeError unless a tensor has whole numbers."""
    if classes.dtype.is_differentiable:
        raise DTypeError(
            f"{who}: classes must be whole numbers", got=classes.dtype.name,
            fix="output.argmax(1) of scores", where=user_location_text(),
        )  # fmt: skip


def require_shape(who: str, output: Tensor, target: Tensor) -> None:
    """Raise ShapeError unless both may have the same shape; unknown sizes are compared in a run."""
    if not agree(output.shape, target.shape):
        raise ShapeError(
            f"{who}: the shapes do not fit", got=f"{output.shape} and {target.shape}",
            where=user_location_text(),
        )  # fmt: skip
