"""Writing in place: what may be written, values that fit, and what the tape says afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from graphc.dims import Shape
from graphc.errors import AutogradError, DTypeError, ShapeError
from graphc.frontend.autograd.tape import move
from graphc.frontend.making import concrete
from graphc.frontend.memory.views import follow_tape, settled
from graphc.frontend.memory.write_back import put_back
from graphc.frontend.modes import modes
from graphc.ops.select import cast, copy
from graphc.ops.shape import expand
from graphc.provenance import user_location_text
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def assign(target: Tensor, value: Tensor, is_fresh: bool = False) -> Tensor:
    """Write a value into a tensor's memory, or record the write.

    Args:
        target: the tensor; views of it and tensors that it views see the write.
        value: broadcast to its shape, cast to its dtype.
        is_fresh: nobody else has the value, so its memory may be taken.

    Raises:
        AutogradError: for a leaf that requires a gradient, outside ``no_grad``, and for memory
            whose elements share places.
        DTypeError: if the value's dtype is of a higher category.
        ShapeError: if the value does not fit.
    """
    recorder = modes.recorder or target.recorder or value.recorder
    if recorder is not None:
        recorder.assign(target, value)
        return target
    require_writable(target)
    made = fitted(target, value)
    if modes.grad_enabled and (settled(target)._requires_grad or made._requires_grad):
        _write_tracked(target, made, is_fresh or made is not value)
    else:
        _write(target, made.storage.array)
    return target


def before_write(x: Tensor) -> Tensor:
    """A tensor to compute from before it is overwritten, so that the tape keeps its values.

    It is the tensor itself, unless the write will go to memory that the tape refers to.
    """
    if x.node is not None or modes.recorder is not None or not modes.grad_enabled:
        return x
    settled(x)
    if not (x._requires_grad and x.storage.version.shared) or x._grad_fn is None:
        return x
    return concrete(np.array(x.storage.array, order="C"), True, x._grad_fn)


def require_writable(x: Tensor) -> None:
    """Raise AutogradError for a leaf that requires a gradient, or a view of one.

    So does a tensor of inference mode outside of it.
    """
    if x.storage.version.is_inference and not modes.inference:
        raise AutogradError(
            "a tensor that was made in inference mode was written in place outside of it",
            got=str(x.type), fix="clone() it first", where=user_location_text(),
        )  # fmt: skip
    if not modes.grad_enabled:
        return
    whole = x if x._viewed is None or x._viewed.is_detached else x._viewed.whole
    if whole._requires_grad and whole._grad_fn is None:
        raise AutogradError(
            "a leaf that requires a gradient was written in place"
            + ("" if whole is x else ", through a view of it"),
            got=str(x.type), fix="write it inside `with gc.no_grad():`",
            where=user_location_text(),
        )  # fmt: skip


def fitted(target: Tensor, value: Tensor) -> Tensor:
    """The value in the shape and dtype of the target.

    Raises:
        DTypeError: if the value's dtype is of a higher category, such as float for int.
        ShapeError: if it does not broadcast to the target.
    """
    if value.dtype is not target.dtype:
        if value.dtype.category > target.dtype.category:
            raise DTypeError(
                "the result's dtype does not fit into the tensor that is written in place",
                got=f"{value.dtype.name} into {target.dtype.name}",
                fix="use the out-of-place operation, or cast the tensor first",
                where=user_location_text(),
            )
        value = cast(value, dtype=target.dtype)
    if value._requires_grad and value._grad_fn is None and modes.grad_enabled:
        value = copy(value)  # a step of the tape, so that the target is no second leaf
    return spread(value, target.shape, "the tensor")


def spread(value: Tensor, shape: Shape, place: str) -> Tensor:
    """The value expanded to a place's shape; ShapeError if it does not broadcast to it."""
    if value.shape == shape:
        return value
    try:
        return expand(value, shape=shape)
    except ShapeError:
        raise ShapeError(
            f"the value does not fit into {place}", got=str(value.type),
            expected=str(value.type.with_shape(shape)), where=user_location_text(),
        ) from None  # fmt: skip


def _write(target: Tensor, values: Array) -> None:
    if not target.storage.array.flags.writeable:
        raise AutogradError(
            "the tensor's memory cannot be written: its elements share places, or are read-only",
            got=str(target.type), fix="clone() it first", where=user_location_text(),
        )  # fmt: skip
    target.storage.write(values)


def _write_tracked(target: Tensor, value: Tensor, is_fresh: bool) -> None:
    """Write, and put the write on the tape: it happened to the whole, if this is a view."""
    view = target._viewed
    if view is None and not target.storage.version.shared:
        _become(target, value if is_fresh and value._viewed is None else copy(value))
        return
    if view is not None and not view.is_tracked:
        raise AutogradError(
            "a view that was made inside no_grad is written where gradients are tracked",
            got=str(target.type), fix="make the view outside of no_grad, or write inside it",
            where=user_location_text(),
        )  # fmt: skip
    if view is None or view.is_detached:
        whole, written = target, value
    else:
        whole, written = view.whole, put_back(view.whole, view.steps, value)
    _write(target, value.storage.array)
    move(whole, written)
    if view is not None and whole is not target:
        follow_tape(target, view)


def _become(target: Tensor, value: Tensor) -> None:
    """Nobody else has the target's memory: it gets the value's, and the tape keeps the old one."""
    target.storage = value.storage
    move(target, value)
