"""Backward through the tape: gradients flow from outputs to leaves, users first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Union

import numpy as np

from graphc.errors import AutogradError
from graphc.frontend.autograd.tape import GradFn
from graphc.frontend.base import concrete
from graphc.frontend.modes import set_grad_enabled
from graphc.opdef import Call
from graphc.ops.broadcasting import sum_to_shape
from graphc.ops.elementwise import add
from graphc.ordering import operands_first
from graphc.provenance import user_location_text
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

Target = Union[GradFn, "Tensor"]
Hook = Callable[["Tensor"], "Tensor | None"]


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
    wanted = None if inputs is None else {id(_target(x)) for x in inputs}
    order, useful = _order([_target(x) for x in outputs], wanted)
    walk = _Walk(wanted, None if wanted is None else useful, create_graph)
    with set_grad_enabled(create_graph):
        for output, grad in zip(outputs, grads, strict=True):
            walk.deliver(_target(output), grad)
        while order:
            step = order.pop()  # the walk must not keep alive what it has passed
            if id(step) in walk.pending:
                walk.step(step, retain_graph)
        walk.finish_leaves()
    return {id(x): walk.found[id(_target(x))] for x in inputs or () if id(_target(x)) in walk.found}


def _target(tensor: Tensor) -> Target:
    return tensor._grad_fn or tensor


def _order(outputs: Sequence[Target], wanted: set[int] | None) -> tuple[list[GradFn], set[int]]:
    """The steps that gradients pass, operands first, and the ids of all that needs a gradient.

    It is the order of a recorded backward (``graphc.passes.autodiff``): gradients that meet are
    added in the same order, so both give the same bits.
    """
    starts = [step for step in outputs if isinstance(step, GradFn)]
    order = operands_first(starts, _edges)
    if wanted is None:
        return order, set()
    useful = _leading_to(order, wanted)
    return operands_first(
        starts, lambda step: [edge for edge in _edges(step) if id(edge) in useful]
    ), useful


def _edges(step: GradFn) -> list[GradFn]:
    return [edge for edge in step.edges if isinstance(edge, GradFn)]


def _leading_to(order: Iterable[GradFn], wanted: set[int]) -> set[int]:
    """The steps through which a gradient reaches something wanted, and what is wanted."""
    found = set(wanted)
    for step in order:
        if any(id(edge) in found for edge in step.edges):
            found.add(id(step))
    return found


class _Walk:
    """The state of one backward walk.

    Args:
        wanted: ids of the leaves and steps whose gradients are collected, not accumulated.
        useful: ids of the steps and leaves that need a gradient; None for all.
        create_graph: the walk itself goes on the tape.
    """

    def __init__(
        self, wanted: set[int] | None, useful: set[int] | None, create_graph: bool
    ) -> None:
        self.wanted, self.useful = wanted, useful
        self.create_graph = create_graph
        self.pending: dict[int, Tensor] = {}
        self.leaves: dict[int, Tensor] = {}
        self.found: dict[int, Tensor] = {}

    def deliver(self, target: Target, grad: Tensor) -> None:
        """Add a gradient to what has already arrived at a step or leaf."""
        key = id(target)
        known = self.pending.get(key)
        if known is not None:
            self.pending[key] = add(known, grad)
            return
        self.pending[key] = grad
        if not isinstance(target, GradFn):
            self.leaves[key] = target

    def finish_leaves(self) -> None:
        """Hand each leaf its complete gradient."""
        for key, leaf in self.leaves.items():
            grad = _hooked(leaf._hooks, self.pending[key])
            if self.wanted is None:
                _accumulate(leaf, grad, self.create_graph)
            elif key in self.wanted:
                self.found[key] = grad

    def step(self, fn: GradFn, retain_graph: bool) -> None:
        """Run a step's rule and pass its results on."""
        grad = _hooked(fn.pre_hooks, self.pending.pop(id(fn)))
        if self.wanted is None:
            retained = None if fn.retained is None else fn.retained()
            if retained is not None:
                _accumulate(retained, grad, self.create_graph)
        elif id(fn) in self.wanted:
            self.found[id(fn)] = grad
        edges = fn.edges
        unwanted = frozenset([i for i, edge in enumerate(edges) if not self._leads_on(edge)])
        if edges and len(unwanted) == len(edges):
            return
        inputs, output = fn.operands(_rebuild)
        assert fn.op.vjp is not None, "only differentiable operations are on the tape"
        results = fn.op.vjp(Call(inputs, output, fn.attrs, unwanted), grad)
        if not retain_graph:
            fn.release()
        for position, result in enumerate(results):
            edge = edges[position]
            if result is not None and edge is not None and position not in unwanted:
                shape = fn.input_shape(position)
                self.deliver(edge, result if result.shape == shape else sum_to_shape(result, shape))

    def _leads_on(self, edge: Target | None) -> bool:
        return edge is not None and (self.useful is None or id(edge) in self.useful)


def _hooked(hooks: Sequence[Hook] | None, grad: Tensor) -> Tensor:
    for hook in hooks or ():
        changed = hook(grad)
        if changed is None:
            continue
        if changed.type != grad.type:
            raise AutogradError(
                "a hook changed the type of a gradient",
                got=str(changed.type),
                expected=str(grad.type),
                where=user_location_text(),
            )
        grad = changed
    return grad


def _rebuild(array: Array, edge: Target | None) -> Tensor:
    """A saved operand as a tensor that stands where the original stood on the tape."""
    if edge is None or isinstance(edge, GradFn):
        return concrete(array, edge is not None, edge)
    return edge


def _accumulate(leaf: Tensor, grad: Tensor, create_graph: bool) -> None:
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
