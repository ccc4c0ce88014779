"""Backward through the results of a compiled function: a second program continues the first.

The first returns, besides its results, the values that the second reads. The tape has one step
for each call of the function, which runs the second program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphc.frontend.autograd.custom import FunctionStep
from graphc.frontend.autograd.engine import run_backward
from graphc.frontend.autograd.hooks import Grads
from graphc.frontend.autograd.saved import SavedTensor
from graphc.frontend.autograd.tape import DeadEnd, Edge, GradFn, edges_of
from graphc.frontend.base import concrete, is_tensor, symbolic
from graphc.frontend.modes import modes
from graphc.graph import Graph
from graphc.node import Node
from graphc.ops.leaf import placeholder
from graphc.passes.saving import values_to_keep
from graphc.rebuild import substitute
from graphc.runtime.session import Session

if TYPE_CHECKING:
    from graphc.frontend.recorder import Recorder
    from graphc.frontend.tensor import Tensor


class OutsideBackward:
    """The gradient of a recorded function as a program of its own.

    Args:
        outputs: the function's results.
        recorder: what recorded the function.
        updates: the next values of the variables that a run of the function changes.
        compile: makes a session of a program.

    Attributes:
        kept: values that the function's program has to return besides its results.

    Raises:
        AutogradError: if the function's own backward has freed the tape behind its results, or
            if something on it has no gradient.
    """

    def __init__(
        self,
        outputs: Sequence[Tensor],
        recorder: Recorder,
        updates: Mapping[Node, Node],
        compile: Callable[[Graph], Session],
    ) -> None:
        self._outputs = [x.type for x in outputs]
        self._tracked = [place for place, x in enumerate(outputs) if x._requires_grad]
        ends = [outputs[place] for place in self._tracked]
        leaves = _leaves(ends)
        arguments = list(recorder.placeholders.values())
        self._states = [x for x in leaves if x.node is None]
        self._inputs = [x.type for x in (*self._states, *arguments)]

        arriving = [placeholder(f"grad{i}", x.type) for i, x in enumerate(ends)]
        by_id = run_backward(
            ends, [symbolic(node, recorder) for node in arriving], inputs=leaves,
            accumulates=False, retain_graph=True, create_graph=False, recorder=recorder,
            calls_hooks_of_leaves=False,
        )  # fmt: skip
        found = [by_id.get(id(x)) for x in (*self._states, *arguments)]
        self._reached = [place for place, grad in enumerate(found) if grad is not None]
        grads = [recorder.node_of(grad) for grad in found if grad is not None]

        given = {recorder.node_of(x): place for place, x in enumerate(arguments)}
        unchanged = {node: x for node, x in recorder.states.items() if node not in updates}
        keep = values_to_keep(grads, set(arriving), {*given, *unchanged})
        self.kept = [symbolic(node, recorder) for node in keep]
        again = [placeholder(f"kept{i}", node.type) for i, node in enumerate(keep)]
        new = substitute(tuple(grads), dict(zip(keep, again, strict=True)))
        program = Graph((), {f"result{i}": new[node] for i, node in enumerate(grads)})
        read = set(program.nodes)
        self._given = {node: place for node, place in given.items() if node in read}
        self._unchanged = [x for node, x in unchanged.items() if node in read]
        self._session = compile(Graph([*arriving, *again, *self._given], program.outputs))

    def attach(
        self, results: Sequence[Tensor], kept: Sequence[Tensor], given: Sequence[Any]
    ) -> None:
        """Put the results of one run on the tape.

        Args:
            results: what the function returns.
            kept: the values of ``self.kept``.
            given: the tensors and arrays among the arguments, in order.
        """
        tensors = [x if is_tensor(x) else concrete(x) for x in given]
        step = _CompiledStep(
            "CompiledFunction", self.run, edges_of((*self._states, *tensors)), self._inputs,
            self._outputs, materialize=True,
        )  # fmt: skip
        read = [
            tensors[place] if is_tensor(given[place]) else concrete(given[place].copy())
            for place in self._given.values()  # nothing tells when an array is written
        ]
        saved = [*kept, *read, *self._unchanged]
        step.save([SavedTensor(x, None, None) for x in saved])
        for place in self._tracked:
            results[place]._requires_grad, results[place]._grad_fn = True, step.output(place)

    def run(self, grads: Grads, saved: Sequence[Tensor | None]) -> Grads:
        """The gradients of parameters, buffers and arguments.

        Args:
            grads: those of all results.
            saved: what ``attach`` has saved.
        """
        given = [grads[place] for place in self._tracked]
        given += saved[: len(saved) - len(self._unchanged)]
        arrays = self._session.run_values([x.storage.array for x in given if x is not None])
        results: list[Tensor | None] = [None] * len(self._inputs)
        for place, array in zip(self._reached, arrays, strict=True):
            results[place] = concrete(array)
        return tuple(results)


class _CompiledStep(FunctionStep):
    """One call of a compiled function; its ``backward`` takes what was saved, too."""

    __slots__ = ()

    def results_of(self, grads: Grads) -> Grads:
        """What ``backward`` gives; a gradient of it must not be asked for."""
        results: Grads = self._backward(grads, self.restored())
        if not modes.grad_enabled:
            return results
        before = edges_of(tuple(x for x in grads if x is not None))
        dead_end = DeadEnd(
            (*before, *self.edges),
            self.name(),
            "the gradient of a compiled function was differentiated, which has no tape",
            "take both gradients inside the compiled function",
        )
        return tuple(
            None if x is None else concrete(x.storage.array, True, dead_end) for x in results
        )


def _leaves(ends: Sequence[Tensor]) -> list[Tensor]:
    """The tensors at the ends of all paths of the tape."""
    found: dict[int, Tensor] = {}
    seen: set[int] = set()
    waiting: list[Edge] = [x._grad_fn or x for x in ends]
    while waiting:
        edge = waiting.pop()
        if edge is None or id(edge) in seen:
            continue
        seen.add(id(edge))
        if isinstance(edge, GradFn):
            waiting += edge.edges
        else:
            found[id(edge)] = edge
    return list(found.values())
