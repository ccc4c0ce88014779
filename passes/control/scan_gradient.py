"""The gradient of ``scan``: one scan that keeps what is needed, and one that goes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphc.dims import Size
from graphc.graph import Graph
from graphc.node import Node
from graphc.opdef import Call
from graphc.ops.bodies import body_graph, computed, numbered, results
from graphc.ops.control import SCAN
from graphc.passes.control.differentiation import Gradients, StepGradient, used, zeros
from graphc.passes.control.invariants import invariants
from graphc.passes.control.sums import Sums
from graphc.passes.saving import values_to_keep


def scan_gradient(call: Call, grads: Sequence[Any], gradients: Gradients) -> list[Any]:
    """Gradients of the inits, the sequences and what is captured.

    The steps backward read what the steps forward computed: the results of expensive operations
    are kept by a scan that is the given one with more results, so that one of the two remains;
    what is cheap is computed again. What is captured gets the sum over all steps; where that is a
    sum of products of matrices, it is one product of all steps' factors, after the loop.
    """
    loop = _Loop.of(call)
    step = StepGradient.of(loop.body, len(loop.carries), grads, call.unwanted, gradients)
    if not any(step.found):
        return [None] * len(call.inputs)
    back = _Backward(loop, step, call, grads)
    return back.gradients()


@dataclass(frozen=True)
class _Loop:
    """The parts of a scan."""

    body: Graph
    carries: tuple[Node, ...]
    items: tuple[Node, ...]
    captured: tuple[Node, ...]
    outputs: tuple[Node, ...]
    length: Size
    reverse: bool

    @classmethod
    def of(cls, call: Call) -> _Loop:
        attrs = call.attrs
        body: Graph = attrs["body"]
        first, last = attrs["carries"], attrs["carries"] + attrs["sequences"]
        return cls(
            body, body.inputs[:first], body.inputs[first:last], body.inputs[last:],
            tuple(body.outputs.values()), attrs["length"], attrs["reverse"],
        )  # fmt: skip


class _Backward:
    """The scan that goes back.

    Args:
        loop: the scan.
        step: the gradient of its body.
        call: its operands and results.
        grads: the gradients of its results.
    """

    def __init__(self, loop: _Loop, step: StepGradient, call: Call, grads: Sequence[Any]) -> None:
        self._loop, self._step, self._call, self._grads = loop, step, call, grads
        self._like = next(grad for grad in grads if grad is not None)
        count = len(loop.carries)
        self._items: dict[Node, Any] = dict(zip(loop.items, call.inputs[count:], strict=False))
        self._captured: dict[Node, Any] = dict(
            zip(loop.captured, call.inputs[count + len(loop.items) :], strict=True)
        )
        for position, node in step.arriving.items():
            if position >= count:
                self._items[node] = grads[position]
        self._keep()

    def _keep(self) -> None:
        """Compute before the loop what all steps share, and keep what only a step can compute."""
        later = [each for each in self._step.found if each is not None]
        shared = invariants(self._loop.body.nodes, self._loop.captured)
        given = zip(self._loop.outputs, self._call.output, strict=True)
        stacks = dict(list(given)[len(self._loop.carries) :])
        at_hand = {*self._loop.items, *self._captured, *shared, *stacks}
        kept = values_to_keep(later, set(self._step.arriving.values()), at_hand)
        needed = used(later, shared)
        values = computed([shared[i] for i in needed], self._captured, self._like)
        self._captured |= dict(zip((shared[i] for i in needed), values, strict=True))
        self._items = {**stacks, **self._items}
        if not kept:
            return
        outputs = self._loop.body.outputs
        known = len(outputs) - len(self._loop.carries)
        more = {f"result{known + i}": node for i, node in enumerate(kept)}
        attrs = {**self._call.attrs, "body": Graph(self._loop.body.inputs, {**outputs, **more})}
        made = results(SCAN, self._call.inputs, attrs)
        self._items |= dict(zip(kept, made[len(outputs) :], strict=True))

    def gradients(self) -> list[Any]:
        """The gradients of the operands of the scan."""
        loop, step = self._loop, self._step
        count, last = len(loop.carries), len(loop.carries) + len(loop.items)
        carried = [step.arriving[i] for i in step.carried]
        sums = Sums(self._items, loop.length)
        stacks = [None if each is None else sums.stack(each) for each in step.found[count:last]]
        totals = sums.totals(step.found[last:])
        values = self._run(
            [*carried, *sums.accumulators], [*step.nexts(), *sums.nexts], sums.stacked
        )
        made = sums.made(values[len(carried) :])
        inits: list[Any] = [None] * count
        for i, grad in zip(step.carried, values, strict=False):
            inits[i] = grad
        return [*inits, *(None if build is None else build(made) for build in (*stacks, *totals))]

    def _run(
        self, carries: Sequence[Node], nexts: Sequence[Node], stacked: Sequence[Node]
    ) -> Sequence[Any]:
        """The last carries and the stacked results of the scan that goes back."""
        roots = [*nexts, *stacked]
        if not roots:
            return ()
        items = [list(self._items)[i] for i in used(roots, list(self._items))]
        captured = [list(self._captured)[i] for i in used(roots, list(self._captured))]
        body = body_graph(
            numbered(carry=carries, item=items, captured=captured),
            numbered(carry=nexts, result=stacked),
        )
        arriving = {node: self._grads[i] for i, node in self._step.arriving.items()}
        inits = (arriving.get(node) for node in carries)
        operands = [
            *(
                zeros(self._like, node.type) if grad is None else grad
                for node, grad in zip(carries, inits, strict=True)
            ),
            *(self._items[node] for node in items),
            *(self._captured[node] for node in captured),
        ]
        attrs = {
            "body": body, "carries": len(carries), "sequences": len(items),
            "length": self._loop.length, "reverse": not self._loop.reverse,
        }  # fmt: skip
        return results(SCAN, operands, attrs)
