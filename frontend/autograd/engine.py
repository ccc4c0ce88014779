"""Backward through the tape: gradients flow from outputs to leaves, latest step first."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import AutogradError
from graphc.frontend.autograd.tape import GradFn
from graphc.frontend.base import TensorBase, concrete
from graphc.frontend.modes import set_grad_enabled
from graphc.opdef import Call
from graphc.ops.broadcasting import sum_to_shape
from graphc.ops.elementwise import add
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

Target = GradFn | TensorBase


def run_backward(
    outputs: Sequence[Tensor],
    grads: Sequence[Tensor],
    *,
    inputs: Sequence[Tensor] | None,
    retain_graph: bool,
    create_graph: bool,
) -> dict[int, Tensor]:
    """Walk the tape.

    Args:
        outputs: where gradients start; each requires a gradient.
        grads: one gradient per output.
        inputs: tensors whose gradients are wanted; None accumulates into the leaves' ``grad``.
        retain_graph: keep what rules read, for another walk.
        create_graph: put the walk itself on the tape, for higher order gradients.

    Returns:
        With ``inputs``: the gradients by ``id`` of the input, where there is one.
    """
    walk = _Walk(None if inputs is None else {id(_target(x)): x for x in inputs}, create_graph)
    with set_grad_enabled(create_graph):
        for output, grad in zip(outputs, grads, strict=True):
            walk.deliver(_target(output), grad)
        while walk.queue:
            walk.step(retain_graph)
    return {id(x): walk.found[id(_target(x))] for x in inputs or () if id(_target(x)) in walk.found}


def _target(tensor: TensorBase) -> Target:
    return tensor._grad_fn or tensor


class _Walk:
    """The state of one backward walk."""

    def __init__(self, wanted: Mapping[int, Tensor] | None, create_graph: bool) -> None:
        self.wanted = wanted
        self.create_graph = create_graph
        self.pending: dict[int, Tensor] = {}
        self.queue: list[tuple[int, GradFn]] = []
        self.leaves: dict[int, TensorBase] = {}
        self.found: dict[int, Tensor] = {}

    def deliver(self, target: Target, grad: Tensor) -> None:
        """Add a gradient to what has already arrived at a step or leaf."""
        if isinstance(target, TensorBase):
            self._deliver_to_leaf(target, grad)
            return
        key = id(target)
        if key in self.pending:
            self.pending[key] = add(self.pending[key], grad)
        else:
            self.pending[key] = grad
            heapq.heappush(self.queue, (-target.sequence, target))

    def _deliver_to_leaf(self, leaf: TensorBase, grad: Tensor) -> None:
        for hook in leaf._hooks or ():
            grad = _hooked(hook(grad), grad)
        if self.wanted is not None:
            if id(leaf) in self.wanted:
                known = self.found.get(id(leaf))
                self.found[id(leaf)] = grad if known is None else add(known, grad)
            return
        _accumulate(leaf, grad, self.create_graph)

    def step(self, retain_graph: bool) -> None:
        """Run the latest step's rule and pass its results on."""
        _, fn = heapq.heappop(self.queue)
        grad = self.pending.pop(id(fn))
        for hook in fn.pre_hooks or ():
            grad = _hooked(hook(grad), grad)
        retained = fn.retained() if fn.retained is not None and self.wanted is None else None
        if retained is not None:
            _accumulate(retained, grad, self.create_graph)
        if self.wanted is not None and id(fn) in self.wanted:
            self.found[id(fn)] = grad
        inputs, output = fn.operands(_rebuild)
        assert fn.op.vjp is not None, "only differentiable operations are on the tape"
        results = fn.op.vjp(Call(inputs, output, fn.attrs), grad)
        if not retain_graph:
            fn.release()
        for position, (edge, result) in enumerate(zip(fn.edges, results, strict=True)):
            if edge is not None and result is not None:
                self.deliver(edge, sum_to_shape(result, fn.input_type(position).shape))


def _hooked(changed: Tensor | None, grad: Tensor) -> Tensor:
    if changed is None:
        return grad
    if changed.type != grad.type:
        raise AutogradError(
            "a hook changed the type of a gradient", got=str(changed.type), expected=str(grad.type)
        )
    return changed


def _rebuild(array: Array, edge: Any) -> Tensor:
    """A saved operand as a tensor that stands where the original stood on the tape."""
    if isinstance(edge, TensorBase):
        return edge  # type: ignore[return-value]  # a leaf is always a Tensor
    return concrete(array, edge is not None, edge)


def _accumulate(leaf: TensorBase, grad: Tensor, create_graph: bool) -> None:
    if leaf._grad is None:
        leaf._grad = grad if create_graph else concrete(_owned(grad.storage.array))
    elif create_graph:
        leaf._grad = add(leaf._grad, grad)
    else:
        total = leaf._grad.storage
        total.write(np.add(total.array, grad.storage.array))


def _owned(array: Array) -> Array:
    """A contiguous copy: the walk may have handed the same memory to several leaves."""
    return np.array(array, order="C")
