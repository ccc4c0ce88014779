"""View operations in dynamic mode without a tensor for each of several, or without a view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphc.dims import Shape
from graphc.frontend.autograd.tape import DynamicGradFn, Edge
from graphc.frontend.eager import share_memory
from graphc.frontend.making import over
from graphc.frontend.memory.views import ViewStep, follow_tape, view_of
from graphc.frontend.modes import modes
from graphc.ops.shape import reshape
from graphc.storage import Array, Storage

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def run_views(x: Tensor, steps: Sequence[ViewStep]) -> Tensor:
    """View operations one after the other; in dynamic mode with one tensor for the last only.

    Args:
        x: tensor.
        steps: operations that keep no values for the tape, and their arguments, which fit.
    """
    if not steps or not _is_dynamic(x):
        for op, attrs in steps:
            x = op(x, **attrs)
        return x
    arrays = [x.storage.array]
    for op, attrs in steps:
        arrays.append(op.eval(arrays[-1], **attrs))
    made = over(Storage(arrays[-1], x.storage.version))
    if modes.grad_enabled and x._viewed is not None:
        follow_tape(x, x._viewed)
    _note(x, made, steps, arrays)
    if share_memory(arrays[0], arrays[-1]):
        x.storage.version.shared = True
        made._viewed = view_of(x, tuple(steps))
    return made


def without_dims(x: Tensor, dims: Sequence[int]) -> Tensor:
    """A fresh result, which nobody else has, without dims of size 1: no view of it.

    Args:
        x: what an operation gave.
        dims: counted from the front.
    """
    shape: Shape = tuple([size for dim, size in enumerate(x.shape) if dim not in dims])
    if len(shape) == x.ndim:
        return x
    if not _is_dynamic(x):
        return reshape(x, shape=shape)
    array = x.storage.array
    x.storage.array = array.reshape(shape)
    _note(x, x, ((reshape, {"shape": shape}),), (array, x.storage.array))
    return x


def _is_dynamic(x: Tensor) -> bool:
    """Whether no recording, and no search for anomalies, wants to see each operation."""
    return x.recorder is None and modes.recorder is None and not modes.anomaly


def _note(x: Tensor, made: Tensor, steps: Sequence[ViewStep], arrays: Sequence[Array]) -> None:
    """Put steps on the tape, if a gradient may be asked.

    Args:
        x: where they start.
        made: where they end.
        steps: operations and their arguments.
        arrays: before and after each of them.
    """
    if not (x._requires_grad and modes.grad_enabled):
        return
    edge: Edge = x._grad_fn or x
    layouts = [(array.shape, array.dtype) for array in arrays]
    made._requires_grad = True
    for position, (op, attrs) in enumerate(steps):
        edge = made._grad_fn = DynamicGradFn(op, attrs, (edge,), layouts[position : position + 2])
