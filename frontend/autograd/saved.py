"""Tensors that a custom function keeps for its backward, and what they are when it reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from graphc.frontend.autograd.tape import Edge, GradFn, for_inference_only, stand_in
from graphc.frontend.making import concrete, symbolic
from graphc.frontend.memory.views import settled
from graphc.frontend.modes import modes
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.autograd.saved_hooks import PackedValue
    from graphc.frontend.recording.recorder import Recorder
    from graphc.frontend.tensor import Tensor


class SavedTensor:
    """A kept tensor: its values and its place on the tape, not the tensor itself.

    Args:
        x: the tensor.
        recorder: what records the call, if it is recorded.
        position: which output of the call it is; None if it is none.
    """

    __slots__ = ("_array", "_count", "_edge", "_node", "_recorder", "_version", "position")

    def __init__(self, x: Tensor, recorder: Recorder | None, position: int | None) -> None:
        settled(x)
        if x.storage.version.is_inference:
            raise for_inference_only(x)
        self.position = position
        self._recorder = recorder
        self._node = None if recorder is None else recorder.node_of(x)
        self._array: Array | PackedValue = x.storage.array
        self._version = x.storage.version
        if recorder is None and modes.saved_hooks is not None:
            self._array = modes.saved_hooks.packed(x.storage.array)
        self._count = self._version.count
        tracked = position is None and x._requires_grad
        self._edge: Edge = (x._grad_fn or x) if tracked else None

    def restored(self, step: GradFn, output: GradFn | None) -> Tensor:
        """A tensor with the kept values that stands where the kept one stood on the tape.

        Args:
            step: the step of the call.
            output: where it stands if it is an output that has gradients.

        Raises:
            AutogradError: if the values were overwritten since.
        """
        edge = self._edge if self.position is None else output
        if not isinstance(self._array, np.ndarray):
            array = self._array.array()
            return rebuilt(array, stand_in(edge, array))
        if self._recorder is None or self._node is None:
            if self._version.count != self._count:
                raise step.overwritten(f"at version {self._version.count}, it was {self._count}")
            return rebuilt(self._array, edge)
        if edge is None or isinstance(edge, GradFn):
            return symbolic(self._node, self._recorder, edge is not None, edge)
        if self._recorder.node_of(edge) is not self._node:
            raise step.overwritten(f"that is {edge.type}")
        return edge


def rebuilt(array: Array, edge: Edge) -> Tensor:
    """A saved operand as a tensor that stands where the original stood on the tape."""
    if edge is None or isinstance(edge, GradFn):
        return concrete(array, edge is not None, edge)
    return edge
