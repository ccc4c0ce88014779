"""An optimizer's state as PyTorch structures it: parameters are numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from graphc.allocation import zero_array
from graphc.dtypes import DType
from graphc.errors import CheckpointError
from graphc.frontend.base import TensorBase, concrete
from graphc.frontend.tensor import Tensor
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


def load_tensor(value: Any, key: str, wanted: TensorType, present: Any) -> Callable[[], Any]:
    """Check a loaded entry; the result puts it in place.

    Memory that is bound to compiled programs is overwritten, not replaced.

    Args:
        value: a tensor, array or number.
        key: the entry's name.
        wanted: its type; a number is right in place of any shape.
        present: the entry that there is now, if any.

    Raises:
        CheckpointError: for another shape.
    """
    if isinstance(value, TensorBase):
        array = value.array("a loaded optimizer state")
    else:
        array = np.asarray(value)
    if array.shape not in (wanted.shape, ()):
        raise CheckpointError(
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
