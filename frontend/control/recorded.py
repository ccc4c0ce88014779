"""Operations with several results in a recording, and their step on its tape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphc.errors import AutogradError
from graphc.frontend.autograd.custom import FunctionStep
from graphc.frontend.autograd.hooks import Grads
from graphc.frontend.autograd.saved import SavedTensor
from graphc.frontend.autograd.tape import edges_of
from graphc.frontend.making import symbolic
from graphc.frontend.modes import modes
from graphc.node import Node
from graphc.opdef import Call, OpDef
from graphc.ops.bodies import results
from graphc.passes.autodiff import gradients
from graphc.passes.control.table import GRADIENTS
from graphc.provenance import backward_of, describe, made_for, origins_of

if TYPE_CHECKING:
    from graphc.frontend.recording.recorder import Recorder
    from graphc.frontend.tensor import Tensor


class ControlStep(FunctionStep):
    """A recorded loop or branch: its rule takes the gradients of all results at once.

    Args:
        op: the operation.
        attrs: its static arguments.
        inputs: the operands.
        outputs: the nodes of the results.
    """

    __slots__ = ("_attrs", "_count", "_made_by", "_op")

    def __init__(
        self, op: OpDef, attrs: Mapping[str, Any], inputs: Sequence[Tensor], outputs: Sequence[Node]
    ) -> None:
        name = "".join(part.capitalize() for part in op.name.split("_"))
        edges, types = edges_of(tuple(inputs)), [x.type for x in inputs]
        super().__init__(name, _unused, edges, types, [node.type for node in outputs], False)
        self._op, self._attrs, self._count, self._made_by = op, attrs, len(inputs), outputs[0]

    def differentiate(self, grads: Grads) -> Grads:
        """The gradients of the operands."""
        kept = self.restored()
        inputs, outputs = kept[: self._count], kept[self._count :]
        unwanted = frozenset(i for i, edge in enumerate(self.edges) if edge is None)
        if self._op not in GRADIENTS:
            raise AutogradError(
                f"{self._op.name} has no gradient",
                fix="detach() what it reads, or write the loop in Python",
                where=describe(self._made_by),
            )
        with made_for(backward_of(origins_of(self._made_by))):
            call = Call(inputs, outputs, self._attrs, unwanted)
            return tuple(GRADIENTS[self._op](call, grads, gradients))


def _unused(*grads: Any) -> Any:
    raise AssertionError("a loop's gradient is a rule")


def cut_off(made: Sequence[Tensor], tracked: Sequence[bool]) -> None:
    """Take results off the tape that require no gradient inside the body either."""
    for x, is_tracked in zip(made, tracked, strict=True):
        if not is_tracked:
            x._requires_grad, x._grad_fn = False, None


def record_results(
    recorder: Recorder, op: OpDef, inputs: tuple[Tensor, ...], attrs: Mapping[str, Any]
) -> tuple[Tensor, ...]:
    """Apply an operation with several results to nodes.

    Args:
        recorder: the recording.
        op: the operation.
        inputs: the operands; concrete ones become variables or constants.
        attrs: the static arguments.
    """
    nodes = results(op, [recorder.node_of(x) for x in inputs], attrs)
    made = tuple(symbolic(node, recorder) for node in nodes)
    if not (modes.grad_enabled and any(x._requires_grad for x in inputs)):
        return made
    step = ControlStep(op, attrs, inputs, nodes)
    for place, x in enumerate(made):
        if x.dtype.is_differentiable:
            x._requires_grad, x._grad_fn = True, step.output(place)
    places = [place if x._requires_grad else None for place, x in enumerate(made)]
    step.save(
        [
            *(SavedTensor(x, recorder, None) for x in inputs),
            *(SavedTensor(x, recorder, place) for x, place in zip(made, places, strict=True)),
        ]
    )
    return made
