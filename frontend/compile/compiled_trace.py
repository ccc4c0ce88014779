"""One traced and compiled signature of a function: its program, and what that depends on."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from graphc.frontend.autograd.engine import accumulate
from graphc.frontend.base import is_tensor
from graphc.frontend.compile.backward import BackwardProgram
from graphc.frontend.compile.fast_path import FastPath
from graphc.frontend.compile.results import Results
from graphc.frontend.graph import Graph
from graphc.frontend.guards.reads import Reads
from graphc.frontend.making import concrete
from graphc.frontend.tensor import Tensor
from graphc.runtime.sessions.locks import renew_after_fork
from graphc.runtime.sessions.session import Session
from graphc.storage import Array


class CompiledTrace:
    """A function's program for one signature.

    Args:
        graph: the recording.
        session: runs it; its inputs are the tensors among the arguments, in order.
        results: makes the function's results of the program's.
        reads: what the trace read of modules.

    Attributes:
        names: the names of the program's inputs.
        slots: the gradients of parameters that a run writes.
        fast_path: runs it again with arguments like the latest ones.
    """

    def __init__(self, graph: Graph, session: Session, results: Results, reads: Reads) -> None:
        self.graph, self.session = graph, session
        recorder = graph.recorder
        self.names = list(recorder.placeholders)
        self.slots = recorder.gradients.concrete_slots
        self._results, self._reads = results, reads
        self._argument_grads = recorder.gradients.of_arguments
        self._arrivals = recorder.gradients.arrivals
        is_bare = results.is_single and results.are_untracked and is_tensor(graph.structure)
        self.fast_path = FastPath(
            session, list(recorder.guards), reads, self.slots, None if is_bare else results
        )
        self.renew_locks()
        renew_after_fork(self)

    def renew_locks(self) -> None:
        """Make a new lock; a forked child calls it."""
        self._lock = threading.Lock()

    @property
    def backward(self) -> BackwardProgram | None:
        """The gradient of the results, if it can be taken outside of the function."""
        return self._results.backward

    @property
    def changed_guard(self) -> str | None:
        """What no longer is as it was while tracing, or None."""
        for guard in self.graph.recorder.guards:
            found = guard.read()
            if found != guard.value:
                return f"{guard.what} was {guard.value!r}, is {found!r}"
        return self._reads.difference()

    def call(self, tensors: Sequence[Tensor | Array], args: Sequence[Any], kwargs: Any) -> Any:
        """Run with these inputs and give the function's result.

        Args:
            tensors: all tensors and arrays among the arguments, but parameters and buffers.
            args: the arguments; if they are all positional, the fast path takes ones like these.
            kwargs: arguments by name.
        """
        for arrival in self._arrivals:
            argument = tensors[arrival.position]
            if is_tensor(argument):
                arrival.require_plain(argument)
        arrays = self._run([x.storage.array if is_tensor(x) else x for x in tensors])
        if self._argument_grads:
            self._leave_gradients(tensors, arrays[self._results.count :])
        else:
            with self._lock:
                self.fast_path.prepare(args)
        made = [concrete(array) for array in arrays]
        return self._results.made_of(made, tensors, args, kwargs)

    def _run(self, arrays: Sequence[Any]) -> list[Array]:
        """Run once; one thread at a time if gradients outlive the run."""
        if not self.slots:
            return list(self.session.run_values(arrays))
        with self._lock:
            for slot in self.slots:
                slot.connect()
            results = list(self.session.run_values(arrays))
            for slot in self.slots:
                slot.publish()
            return results

    def _leave_gradients(self, tensors: Sequence[Tensor | Array], grads: Sequence[Array]) -> None:
        """Give the arguments their gradients."""
        for one, array in zip(self._argument_grads, grads, strict=False):
            leaf = tensors[one.position]
            if is_tensor(leaf):
                if one.replaces:
                    leaf._grad = None
                accumulate(leaf, concrete(array), False, None)
