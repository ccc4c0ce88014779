"""Backward through the results of a compiled function: a second program continues the first.

The first returns, besides its results, the values that the second reads. The tape has one step
for each call of the function, which runs the second program. Gradients that shall have gradients
themselves come from a third one: a compiled function of the arguments and the gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import AutogradError
from graphc.frontend.autograd.custom import FunctionStep
from graphc.frontend.autograd.engine import run_backward
from graphc.frontend.autograd.hooks import Grads
from graphc.frontend.autograd.saved import SavedTensor
from graphc.frontend.autograd.tape import Edge, GradFn, edges_of
from graphc.frontend.autograd.zeros import zeros_of
from graphc.frontend.base import is_tensor
from graphc.frontend.compile.host_tensor import HostTensor
from graphc.frontend.making import concrete, symbolic
from graphc.frontend.modes import modes
from graphc.frontend.structure import flatten, map_leaves
from graphc.graph import Graph, topological
from graphc.node import Node
from graphc.ops.leaf import placeholder
from graphc.ops.select import copy
from graphc.passes.saving import values_to_keep
from graphc.provenance import user_location_text
from graphc.rebuild import substitute
from graphc.runtime.sessions.session import Session

if TYPE_CHECKING:
    from graphc.frontend.recording.recorder import Recorder
    from graphc.frontend.tensor import Tensor


class BackwardProgram:
    """The gradient of a recorded function as a program of its own.

    Args:
        outputs: the function's results.
        recorder: what recorded the function.
        updates: the next values of the variables that a run of the function changes.
        compile: makes a session of a program.
        function: what was recorded.
        compile_function: makes a compiled function.

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
        function: Callable[..., Any],
        compile_function: Callable[[Callable[..., Any]], Callable[..., Any]],
    ) -> None:
        self._is_pure = not updates
        self._outputs = [x.type for x in outputs]
        self._tracked = [place for place, x in enumerate(outputs) if x._requires_grad]
        ends = [outputs[place] for place in self._tracked]
        leaves = _leaves(ends)
        arguments = list(recorder.placeholders.values())
        self._states = [x for x in leaves if x.node is None]
        self._inputs = [x.type for x in (*self._states, *arguments)]
        self._differentiable = compile_function(_gradient_of(function, self._states, self._tracked))

        arriving = [placeholder(f"grad{i}", x.type) for i, x in enumerate(ends)]
        starts = [symbolic(node, recorder) for node in arriving]
        by_id = run_backward(
            ends, starts, inputs=leaves, accumulates=False, retain_graph=True, create_graph=False,
            recorder=recorder, calls_hooks_of_leaves=False,
        )  # fmt: skip
        found = [by_id.get(id(x)) for x in (*self._states, *arguments)]
        self._reached = [place for place, grad in enumerate(found) if grad is not None]
        grads = [recorder.node_of(grad) for grad in found if grad is not None]

        given = {recorder.node_of(x): place for place, x in enumerate(arguments)}
        unchanged = {node: x for node, x in recorder.states.items() if node not in updates}
        keep = values_to_keep(grads, set(arriving), {*given, *unchanged})
        self.kept = [symbolic(node, recorder) for node in keep]
        inputs, program = _cut_at(keep, arriving, grads)
        self._read_by = [_places_read(node, arriving) for node in program.outputs.values()]
        read = set(program.nodes)
        self._given = {node: place for node, place in given.items() if node in read}
        self._unchanged = [x for node, x in unchanged.items() if node in read]
        self._session = compile(Graph([*inputs, *self._given], program.outputs))

    def attach(
        self,
        results: Sequence[Tensor],
        kept: Sequence[Tensor],
        given: Sequence[Any],
        call: tuple[Any, Any],
    ) -> None:
        """Put the results of one run on the tape.

        Args:
            results: what the function returns.
            kept: the values of ``self.kept``.
            given: the tensors and arrays among the arguments, in order.
            call: the arguments by position and by name.
        """
        tensors = [x if is_tensor(x) else concrete(x) for x in given]
        step = _CompiledStep(
            "CompiledFunction", self.run, edges_of((*self._states, *tensors)), self._inputs,
            self._outputs, materialize=False,
        )  # fmt: skip
        step.call = call
        read = [
            tensors[place] if is_tensor(given[place]) else concrete(given[place].copy())
            for place in self._given.values()  # nothing tells when an array is written
        ]
        saved = [*kept, *read, *self._unchanged]
        step.save([SavedTensor(x, None, None) for x in saved])
        for place in self._tracked:
            results[place]._requires_grad, results[place]._grad_fn = True, step.output(place)

    def run(self, grads: Grads, saved: Sequence[Tensor | None], call: tuple[Any, Any]) -> Grads:
        """The gradients of parameters, buffers and arguments.

        Args:
            grads: those of all results.
            saved: what ``attach`` has saved.
            call: the arguments by position and by name.
        """
        arriving = [grads[place] for place in self._tracked]
        with_zeros = [
            zeros_of(self._outputs[place]) if grad is None else grad
            for place, grad in zip(self._tracked, arriving, strict=True)
        ]
        if modes.grad_enabled or modes.recorder is not None:
            found = self._differentiated(with_zeros, call)
        else:
            found = self._computed([*with_zeros, *saved[: len(saved) - len(self._unchanged)]])
        for place, read in zip(self._reached, self._read_by, strict=True):
            if all(arriving[each] is None for each in read):
                found[place] = None
        return tuple(found)

    def _computed(self, given: Sequence[Tensor | None]) -> list[Tensor | None]:
        """The gradients of states and arguments, from what the program takes."""
        arrays = self._session.run_values([x.storage.array for x in given if x is not None])
        results: list[Tensor | None] = [None] * len(self._inputs)
        for place, array in zip(self._reached, arrays, strict=True):
            results[place] = concrete(array)
        return results

    def _differentiated(self, grads: list[Tensor], call: tuple[Any, Any]) -> list[Tensor | None]:
        """The same gradients, with gradients of their own: everything is computed again."""
        if not self._is_pure:
            raise AutogradError(
                "a compiled function that writes buffers or draws random numbers has no second "
                "derivatives outside of it, and none while recording",
                fix="take all gradients inside the compiled function",
                where=user_location_text(),
            )
        return list(self._differentiable(*call, grads))


class _CompiledStep(FunctionStep):
    """One call of a compiled function.

    Attributes:
        call: the arguments by position and by name.
    """

    __slots__ = ("call",)

    call: tuple[Any, Any]

    def results_of(self, grads: Grads) -> Any:
        """The gradients of the arguments, from those of the results and from what was saved."""
        return self._backward(grads, self.restored(), self.call)


def _gradient_of(
    function: Callable[..., Any], states: Sequence[Tensor], tracked: Sequence[int]
) -> Callable[..., list[Tensor | None]]:
    """A function of a call's arguments and the gradients of its results.

    Args:
        function: what is called.
        states: parameters and buffers that it reads.
        tracked: the positions of the results that have gradients.

    Returns:
        It gives the gradients of states and arguments, which can be differentiated. It raises
        AutogradError if the function reads other parameters by then.
    """

    def gradient(args: Any, kwargs: Any, grads: list[Tensor]) -> list[Tensor | None]:
        sources: list[Tensor | None] = list(states)

        def separate(_: str, leaf: Any) -> Any:
            if isinstance(leaf, np.ndarray):
                sources.append(None)
            elif is_tensor(leaf) and not (
                isinstance(leaf, HostTensor) or (leaf.is_state and leaf.node is None)
            ):  # one argument may be another, or made of one: each has a gradient of its own
                leaf = copy(leaf)
                sources.append(leaf)
            return leaf

        args, kwargs = map_leaves((args, kwargs), "", separate)
        results = flatten(function(*args, **kwargs))[1]
        wanted = [x for x in sources if x is not None and x._requires_grad]
        by_id = run_backward(
            [results[place] for place in tracked], grads, inputs=wanted, accumulates=False,
            retain_graph=True, create_graph=True, recorder=modes.recorder,
            calls_hooks_of_leaves=False, ends_at_inputs=True,
        )  # fmt: skip
        if any(x._requires_grad and id(x) not in by_id for x in states):
            raise AutogradError(
                "the parameters that a compiled module was called with are not in it any more",
                fix="take second derivatives while they are there, or call the module itself with "
                "gc.func.functional_call and its like, not its compiled form",
                where=user_location_text(),
            )
        return [by_id.get(id(x)) for x in sources]

    return gradient


def _cut_at(
    keep: Sequence[Node], arriving: Sequence[Node], grads: Sequence[Node]
) -> tuple[list[Node], Graph]:
    """The program that computes gradients from values that the function has kept.

    Args:
        keep: the nodes of these values.
        arriving: the gradients of the results.
        grads: what is computed.

    Returns:
        Its inputs, in order, and the program without them.
    """
    again = [placeholder(f"kept{i}", node.type) for i, node in enumerate(keep)]
    new = substitute(tuple(grads), dict(zip(keep, again, strict=True)))
    program = Graph((), {f"result{i}": new[node] for i, node in enumerate(grads)})
    return [*arriving, *again], program


def _places_read(node: Node, arriving: Sequence[Node]) -> list[int]:
    """Which of the arriving gradients a gradient is made of."""
    below = set(topological((node,)))
    return [place for place, each in enumerate(arriving) if each in below]


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
