"""Backward through the tape: gradients flow from outputs to leaves, users first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Union

import numpy as np

from graphc.errors import GraphcError
from graphc.frontend.autograd.anomaly import line_of, without_nan
from graphc.frontend.autograd.custom import FunctionOutput, FunctionStep
from graphc.frontend.autograd.hooks import (
    Grads,
    after_accumulation,
    after_rule,
    arrived_at,
    before_rule,
)  # fmt: skip
from graphc.frontend.autograd.recorded import RecordedGradFn
from graphc.frontend.autograd.saved import rebuilt
from graphc.frontend.autograd.tape import DeadEnd, DynamicGradFn, Edge, GradFn
from graphc.frontend.making import concrete
from graphc.frontend.modes import modes, recording_into, set_grad_enabled
from graphc.opdef import Call
from graphc.ops.broadcasting import sum_to_shape
from graphc.ops.elementwise import add
from graphc.ops.select import copy
from graphc.passes.autodiff import ReverseWalk
from graphc.provenance import backward_of, describe, made_for, origins_of
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.recording.recorder import Recorder
    from graphc.frontend.tensor import Tensor

Target = Union[GradFn, "Tensor"]


def run_backward(
    outputs: Sequence[Tensor],
    grads: Sequence[Tensor],
    *,
    inputs: Sequence[Tensor] | None,
    accumulates: bool,
    retain_graph: bool,
    create_graph: bool,
    recorder: Recorder | None,
    calls_hooks_of_leaves: bool = True,
    ends_at_inputs: bool = False,
) -> dict[int, Tensor]:
    """Walk the tape.

    Args:
        outputs: where gradients start; each requires a gradient.
        grads: one gradient per output.
        inputs: tensors whose gradients are wanted; None for all leaves.
        accumulates: add the gradients to the ``grad`` of these tensors.
        retain_graph: keep what rules read, for another walk.
        create_graph: put the walk itself on the tape, for higher order gradients.
        recorder: what the walk is recorded into, if it is.
        calls_hooks_of_leaves: False if another walk, which goes on from here, will call them.
        ends_at_inputs: do not go on to what the inputs were made from, for other inputs.

    Returns:
        The gradients by ``id`` of the input, where there is one.
    """
    wanted = None if inputs is None else [_target(x) for x in inputs]
    walk = _TapeWalk(wanted, accumulates, retain_graph, create_graph, recorder)
    walk.calls_hooks_of_leaves = calls_hooks_of_leaves
    walk.ends_at_wanted = ends_at_inputs
    with recording_into(recorder), set_grad_enabled(create_graph):
        if recorder is not None:
            grads = [recorder.lifted(grad) for grad in grads]
        _run_to_the_end(walk, list(zip(map(_target, outputs), grads, strict=True)), wanted)
    return {id(x): walk.found[id(_target(x))] for x in inputs or () if id(_target(x)) in walk.found}


def _run_to_the_end(
    walk: _TapeWalk, starts: list[tuple[Target, Tensor]], wanted: list[Target] | None
) -> None:
    """The walk, and what hooks of several tensors do after it; hooks may start other walks."""
    before, modes.walk_ends = modes.walk_ends, []
    try:
        walk.run(starts, wanted)
        for end in modes.walk_ends:
            end()
    finally:
        modes.walk_ends = before


def accumulate(leaf: Tensor, grad: Tensor, create_graph: bool, recorder: Recorder | None) -> None:
    """Add to a tensor's ``grad``."""
    if recorder is not None:
        recorder.gradients.accumulate(leaf, grad)
    elif leaf._grad is None:  # a tensor of its own: the walk may give one to several leaves
        leaf._grad = copy(grad) if create_graph else concrete(_owned(grad.storage.array))
    elif create_graph:
        leaf._grad = add(leaf._grad, grad)
    else:
        total = leaf._grad.storage
        total.write(np.add(total.array, grad.storage.array))


def _owned(array: Array) -> Array:
    """A contiguous copy."""
    return np.array(array, order="C")


def _target(tensor: Tensor) -> Target:
    return tensor._grad_fn or tensor


class _TapeWalk(ReverseWalk[Target, "Tensor"]):
    """Over the tape, dynamic or recorded; leaves get their gradients as they are complete.

    Args:
        wanted: the leaves and steps whose gradients are collected; None for all leaves.
        accumulates: add the gradients of these leaves to their ``grad``.
        retain_graph: keep what rules read.
        create_graph: the walk itself goes on the tape.
        recorder: what the walk is recorded into, if it is.

    Attributes:
        calls_hooks_of_leaves: whether tensors outside of a recording see their gradients arrive.
        ends_at_wanted: whether no gradient flows through what is wanted.
    """

    calls_hooks_of_leaves = True
    ends_at_wanted = False

    def __init__(
        self,
        wanted: Sequence[Target] | None,
        accumulates: bool,
        retain_graph: bool,
        create_graph: bool,
        recorder: Recorder | None,
    ) -> None:
        super().__init__()
        self.found: dict[int, Tensor] = {}
        self._parts: dict[int, dict[int, Tensor]] = {}
        self._wants_all = wanted is None
        self._wanted_ids = {id(each) for each in wanted or ()}
        self._accumulates, self._recorder = accumulates, recorder
        self._retain_graph, self._create_graph = retain_graph, create_graph

    def inputs_of(self, item: Target) -> Sequence[Edge]:
        if not isinstance(item, GradFn) or (self.ends_at_wanted and id(item) in self._wanted_ids):
            return ()
        return item.edges

    def arrived(self, item: Target, grad: Tensor) -> Tensor:
        if isinstance(item, DeadEnd):
            raise item.reached()
        if self._recorder is None or isinstance(item, GradFn) or item.node is not None:
            grad = arrived_at(item._hooks, grad)
        elif self.calls_hooks_of_leaves:
            self._recorder.gradients.note_hooks(item)
            grad = arrived_at(item._hooks, grad)
        is_wanted = self._wants_all or id(item) in self._wanted_ids
        if not isinstance(item, GradFn) and self._recorder and self.calls_hooks_of_leaves:
            self._recorder.gradients.note_arrival(item, is_wanted and self._accumulates)
        if is_wanted and not self._wants_all:
            self.found[id(item)] = grad
        if isinstance(item, GradFn):
            kept = None if item.retained is None else item.retained()
            if kept is not None and kept._grad_fn is item:  # else it was overwritten since
                accumulate(kept, grad, self._create_graph, self._recorder)
        elif self._accumulates and is_wanted:
            accumulate(item, grad, self._create_graph, self._recorder)
            after_accumulation(item)
        return grad

    def input_grads(
        self, item: Target, grad: Tensor, unwanted: frozenset[int]
    ) -> Sequence[Tensor | None]:
        assert isinstance(item, GradFn), "leaves have no inputs"
        if isinstance(item, FunctionOutput):
            parts = self._parts.setdefault(id(item.step), {})
            known = parts.get(item.position)
            parts[item.position] = grad if known is None else add(known, grad)
            return (grad,)
        outputs: Grads = (grad,)
        if isinstance(item, FunctionStep):
            outputs = item.gathered(self._parts.pop(id(item)))
        if modes.anomaly:
            return self._traced_rule(item, outputs, unwanted)
        return self._hooked_rule(item, outputs, unwanted)

    def _traced_rule(
        self, item: GradFn, outputs: Grads, unwanted: frozenset[int]
    ) -> Sequence[Tensor | None]:
        """Like ``_hooked_rule``; errors name the line that made the step, and NaN is one."""
        try:
            found = self._hooked_rule(item, outputs, unwanted)
        except Exception as error:
            error.add_note(f"in the gradient of {item.name()}, which was made at {line_of(item)}")
            raise
        return without_nan(item, found, unwanted) if modes.check_nan else found

    def _hooked_rule(
        self, item: GradFn, outputs: Grads, unwanted: frozenset[int]
    ) -> Sequence[Tensor | None]:
        if item._hooks is None:
            return self._rule(item, outputs, unwanted)
        outputs = before_rule(item._hooks, outputs)
        results = self._rule(item, outputs, unwanted)
        kept = tuple(None if i in unwanted else each for i, each in enumerate(results))
        return after_rule(item._hooks, kept, outputs)

    def _rule(
        self, step: GradFn, outputs: Grads, unwanted: frozenset[int]
    ) -> Sequence[Tensor | None]:
        grad = outputs[0]
        results: Sequence[Tensor | None]
        if isinstance(step, FunctionStep):
            results = step.differentiate(outputs)
        elif grad is None:
            return ()
        elif isinstance(step, RecordedGradFn):
            results = _recorded_grads(step, grad, unwanted)
        else:
            assert isinstance(step, DynamicGradFn), "other steps have no rule"
            results = _differentiate(step, *step.operands(rebuilt), grad, unwanted)
        if not self._retain_graph:
            step.release()
        return results

    def merged(self, item: Target, known: Tensor, grad: Tensor) -> Tensor:
        if isinstance(item, FunctionStep):
            return known  # its gradients wait in their parts; this only says that they came
        if isinstance(item, RecordedGradFn):
            with made_for(backward_of(origins_of(item.node))):
                return add(known, grad)
        return add(known, grad)


def _recorded_grads(
    step: RecordedGradFn, grad: Tensor, unwanted: frozenset[int]
) -> Sequence[Tensor | None]:
    """The rule's results, made for the place where the step was recorded."""
    with made_for(backward_of(origins_of(step.node))):
        try:
            return _differentiate(step, *step.operands(), grad, unwanted)
        except GraphcError as error:
            raise error.located(describe(step.node)) from None


def _differentiate(
    step: DynamicGradFn | RecordedGradFn,
    inputs: list[Tensor],
    output: Tensor,
    grad: Tensor,
    unwanted: frozenset[int],
) -> Sequence[Tensor | None]:
    """A step's rule, and the sums over the dims in which its operands were broadcast."""
    assert step.op.vjp is not None, "only differentiable operations are on the tape"
    results = list(step.op.vjp(Call(inputs, output, step.attrs, unwanted), grad))
    for position, result in enumerate(results):
        if result is not None and position not in unwanted:
            shape = step.input_shape(position)
            if result.shape != shape:
                results[position] = sum_to_shape(result, shape)
    return results
