"""Dynamic mode: one operation on concrete tensors, run now and put on the tape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dtypes import of_array
from graphc.errors import GraphcError
from graphc.frontend.autograd.tape import step_of_run
from graphc.frontend.making import make
from graphc.frontend.memory.views import follow_tape, view_of
from graphc.frontend.modes import modes
from graphc.frontend.numpy_warnings import evaluate
from graphc.opdef import OpDef
from graphc.provenance import user_location_text
from graphc.storage import Array, InferenceVersion, Storage

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def run_now(op: OpDef, inputs: tuple[Tensor, ...], attrs: Mapping[str, Any]) -> Tensor:
    """Apply an operation dynamically, and note it on the tape if a gradient may be asked."""
    arrays = [x.storage.array for x in inputs]
    try:
        kind: tuple[Any, ...] = (op, *[array.dtype for array in arrays])
        if not op.types_follow_dtypes and not attrs:
            kind = (*kind, *[array.shape for array in arrays])
        if kind not in _accepted:
            _require_types(op, inputs, attrs, kind)
        if op.is_view:
            storage = Storage(op.eval(*arrays, **attrs), inputs[0].storage.version)
        else:
            storage = Storage(evaluate(op.eval, arrays, attrs))
    except Exception as error:
        raise _explained(error, op, inputs, attrs) from error
    output = make(storage, None, None, False, None)
    if modes.grad_enabled and op.vjp is not None:
        for x in inputs:
            if x._viewed is not None:
                follow_tape(x, x._viewed)
        for x in inputs:
            if x._requires_grad:
                _put_on_tape(op, inputs, output, attrs)
                break
    elif modes.inference and not op.is_view:
        storage.version = InferenceVersion()
    if op.is_view and share_memory(arrays[0], storage.array):
        storage.version.shared = True
        output._viewed = view_of(inputs[0], ((op, attrs),))
    return output


def _put_on_tape(
    op: OpDef, inputs: tuple[Tensor, ...], output: Tensor, attrs: Mapping[str, Any]
) -> None:
    """Let a result of tensors that require gradients require one, too, if its dtype can."""
    if of_array(output.storage.array).is_differentiable:
        output._requires_grad = True
        output._grad_fn = step_of_run(op, inputs, output, attrs)
        if modes.anomaly:
            output._grad_fn.origin = user_location_text()


def share_memory(source: Array, result: Array) -> bool:
    """False for a view operation that had to copy, such as ``reshape`` of a transpose."""
    return bool(source.flags.c_contiguous) or np.may_share_memory(source, result)


_ACCEPTED_LIMIT = 4096


_accepted: set[tuple[Any, ...]] = set()
"""Operations with operand dtypes, and shapes where these matter, that type inference accepted."""


def _require_types(
    op: OpDef, inputs: tuple[Tensor, ...], attrs: Mapping[str, Any], kind: tuple[Any, ...]
) -> None:
    """Accept the types that recording accepts, though numpy may compute with others."""
    op.infer(*(x.type for x in inputs), **attrs)
    if op.types_follow_dtypes or not attrs:
        if len(_accepted) >= _ACCEPTED_LIMIT:
            _accepted.clear()
        _accepted.add(kind)


def _explained(
    error: Exception, op: OpDef, inputs: tuple[Tensor, ...], attrs: Mapping[str, Any]
) -> Exception:
    """Type inference explains better than numpy why an operation failed."""
    if isinstance(error, GraphcError):
        return error.located(user_location_text())
    try:
        op.infer(*(x.type for x in inputs), **attrs)
    except GraphcError as better:
        return better.located(user_location_text())
    return error
