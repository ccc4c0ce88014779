"""Methods that call a Python function for each element."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import AutogradError, RecordingError, ShapeError
from graphc.frontend.functions.shaping import broadcast_tensors
from graphc.frontend.making import concrete
from graphc.frontend.memory.writing import assign
from graphc.frontend.modes import modes, no_grad
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def apply_(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Overwrite each element with a Python function of it (``torch.Tensor.apply_``)."""
    return _mapped("apply_", callable, self)


def map_(self: Tensor, tensor: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
    """Overwrite with a Python function of pairs of elements (``torch.Tensor.map_``)."""
    return _mapped("map_", callable, self, tensor)


def map2_(self: Tensor, x: Tensor, y: Tensor, callable: Callable[[Any, Any, Any], Any]) -> Tensor:
    """Overwrite with a Python function of three elements (``torch.Tensor.map2_``)."""
    return _mapped("map2_", callable, self, x, y)


def _mapped(name: str, function: Callable[..., Any], target: Tensor, *others: Tensor) -> Tensor:
    if modes.recorder is not None:
        raise RecordingError(
            f"{name} calls Python for each element, which a program cannot",
            fix="write it with operations on whole tensors", where=user_location_text(),
        )  # fmt: skip
    if target._requires_grad:
        raise AutogradError(
            f"{name} has no gradient", got=str(target.type), fix="x.detach()",
            where=user_location_text(),
        )  # fmt: skip
    arrays = [each.array(name) for each in broadcast_tensors(target, *others)]
    if arrays[0].shape != target.shape:
        raise ShapeError(f"{name}: the tensors do not fit", got=str(arrays[0].shape),
                         where=user_location_text())  # fmt: skip
    made = np.empty(target.shape, target.dtype.numpy)
    for place in np.ndindex(*made.shape):
        made[place] = function(*(array[place].item() for array in arrays))
    with no_grad():
        return assign(target, concrete(made))
