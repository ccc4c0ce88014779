"""An optimizer's state as PyTorch structures it: parameters are numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

import numpy as np

from graphc.allocation import zero_array
from graphc.dtypes import DType
from graphc.errors import CheckpointMismatchError
from graphc.frontend.base import TensorBase
from graphc.frontend.making import concrete
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text
from graphc.types import TensorType


def state_tensor(shape: Sequence[int], dtype: DType, value: complex = 0.0) -> Tensor:
    """A concrete tensor, zeros or another number everywhere, that graphs treat as a variable."""
    array = zero_array(tuple(shape), dtype.numpy)
    if value != 0:
        array[...] = value
    made = concrete(array)
    made.is_state = True
    return made


def packed_groups(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The groups with numbers, counted through all groups, for parameters."""
    packed = []
    start = 0
    for group in groups:
        count = len(group["params"])
        options = {key: value for key, value in group.items() if key != "params"}
        packed.append({**options, "params": list(range(start, start + count))})
        start += count
    return packed


def packed_state(
    state: Mapping[Tensor, dict[str, Any]], groups: list[dict[str, Any]]
) -> dict[int, dict[str, Any]]:
    """The state by the parameters' numbers; only of parameters that have one."""
    params = [param for group in groups for param in group["params"]]
    return {number: dict(state[param]) for number, param in enumerate(params) if state.get(param)}


def require_fitting(
    name: str, own: Sequence[Mapping[str, Any]], loaded: Sequence[Mapping[str, Any]],
    options: Set[str],
) -> None:  # fmt: skip
    """Refuse the groups of other parameters, or of another optimizer.

    Args:
        name: the optimizer's.
        own: its groups.
        loaded: those of a state.
        options: the names that a group of this optimizer has. A state of an older version may
            lack some, and a program may add others; only both at once tell of another optimizer.

    Raises:
        CheckpointMismatchError: for groups that do not fit.
    """
    sizes, given = ([len(group["params"]) for group in groups] for groups in (own, loaded))
    if given != sizes:
        raise CheckpointMismatchError(
            f"{name}: the state has other parameter groups", got=str(given), expected=str(sizes),
            where=user_location_text(),
        )  # fmt: skip
    for mine, group in zip(own, loaded, strict=True):
        foreign = sorted(group.keys() - mine.keys() - options - _OF_ANY)
        if foreign and not options <= group.keys() | _OPTIONAL:
            raise CheckpointMismatchError(
                f"{name}: the state is that of another optimizer", got=", ".join(foreign),
                expected=", ".join(options), where=user_location_text(),
            )  # fmt: skip


_OF_ANY = {
    "params",
    "param_names",
    "initial_lr",
    "max_lr",
    "min_lr",
    "base_momentum",
    "max_momentum",
}
"""What groups of every optimizer may have, some of them from a schedule."""

_OPTIONAL = {
    "amsgrad", "capturable", "centered", "decoupled_weight_decay", "differentiable", "foreach",
    "fused", "maximize", "nesterov",
}  # fmt: skip
"""Options that optimizers did not have from the start."""


def load_tensor(value: Any, key: str, wanted: TensorType, present: Any) -> Callable[[], Any]:
    """Check a loaded entry; the result puts it in place.

    Memory that is bound to compiled programs is overwritten, not replaced.

    Args:
        value: a tensor, array or number.
        key: the entry's name.
        wanted: its type; a number is right in place of any shape.
        present: the entry that there is now, if any.

    Raises:
        CheckpointMismatchError: for another shape.
    """
    if isinstance(value, TensorBase):
        array = value.array("a loaded optimizer state")
    else:
        array = np.asarray(value)
    if array.shape not in (wanted.shape, ()):
        raise CheckpointMismatchError(
            f"optimizer state {key!r} does not fit its parameter", got=str(array.shape),
            expected=str(wanted.shape),
        )  # fmt: skip
    values = array.astype(wanted.dtype.numpy, copy=True)

    def place() -> Tensor:
        if isinstance(present, Tensor) and present.type == concrete(values).type:
            present.storage.write(values)
            return present
        made = concrete(values)
        made.is_state = True
        return made

    return place
