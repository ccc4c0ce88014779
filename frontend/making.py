"""Tensors made of arrays, of memory, and of nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from graphc.frontend.autograd.tape import GradFn
from graphc.frontend.modes import modes
from graphc.node import Node
from graphc.storage import Array, InferenceVersion, Storage

if TYPE_CHECKING:
    from graphc.frontend.base import TensorBase
    from graphc.frontend.recording.recorder import Recorder
    from graphc.frontend.tensor import Tensor


tensor_class: list[type[Tensor]] = []
"""Holds ``Tensor`` once its module is loaded; results of operations are made of it."""


def concrete(array: Array, requires_grad: bool = False, grad_fn: GradFn | None = None) -> Tensor:
    """A tensor over this array, not a copy."""
    version = InferenceVersion() if modes.inference else None
    storage = Storage(array, version)
    if modes.recorder is not None:
        modes.recorder.note_made(storage)
    return make(storage, None, None, requires_grad, grad_fn)


def over(storage: Storage) -> Tensor:
    """A tensor over this memory."""
    return make(storage, None, None, False, None)


def symbolic(
    node: Node, recorder: Recorder, requires_grad: bool = False, grad_fn: GradFn | None = None
) -> Tensor:
    """A tensor for a node of a graph."""
    return make(_NO_STORAGE, node, recorder, requires_grad, grad_fn)


def become_symbolic(x: Tensor, node: Node, recorder: Recorder) -> None:
    """Let a concrete tensor be a node of a graph from now on."""
    x.storage, x.node, x.recorder = _NO_STORAGE, node, recorder


_NO_STORAGE = Storage(np.empty(0))


def make(
    storage: Storage,
    node: Node | None,
    recorder: Recorder | None,
    requires_grad: bool,
    grad_fn: GradFn | None,
) -> Tensor:
    """A tensor with this state; others have the state of new ones."""
    tensor = _new(tensor_class[0])
    tensor.storage = storage  # as ``init`` does; results are made often, and a call costs
    tensor.node = node
    tensor.recorder = recorder
    tensor.is_state = False
    tensor._grad = None
    tensor._grad_fn = grad_fn
    tensor._hooks = None
    tensor._requires_grad = requires_grad
    tensor._retains_grad = False
    tensor._viewed = None
    return tensor


_new = object.__new__


def init(
    tensor: TensorBase,
    storage: Storage,
    node: Node | None = None,
    recorder: Recorder | None = None,
    requires_grad: bool = False,
    grad_fn: GradFn | None = None,
) -> None:
    """Set all state of a new tensor."""
    tensor.storage = storage
    tensor.node = node
    tensor.recorder = recorder
    tensor.is_state = False
    tensor._grad = None
    tensor._grad_fn = grad_fn
    tensor._hooks = None
    tensor._requires_grad = requires_grad
    tensor._retains_grad = False
    tensor._viewed = None
