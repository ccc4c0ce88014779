"""One traced and compiled signature of a function, and the short way to run it again."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.frontend.autograd.engine import accumulate
from graphc.frontend.autograd.outside import OutsideBackward
from graphc.frontend.autograd.tape import DeadEnd
from graphc.frontend.base import TensorBase, concrete, is_tensor
from graphc.frontend.graph import Graph
from graphc.frontend.guards.containers import announced_changes
from graphc.frontend.guards.guards import Guard
from graphc.frontend.guards.observed import Observed
from graphc.frontend.guards.reads import Reads
from graphc.frontend.host_tensor import HostTensor
from graphc.frontend.modes import modes
from graphc.frontend.structure import Rebuild
from graphc.frontend.tensor import Tensor
from graphc.runtime.sessions.conditions import Conditions, Watched
from graphc.runtime.sessions.locks import renew_after_fork
from graphc.runtime.sessions.session import Session
from graphc.storage import Array


class Traced:
    """A function's program for one signature.

    Args:
        graph: the recording.
        session: runs it; its inputs are the tensors among the arguments, in order.
        tracked: whether each result requires a gradient.
        rebuild: puts results where the function had them.
        reads: what the trace read of modules.
        outside: the gradient of the results, if it can be taken outside of the function.
    """

    def __init__(
        self,
        graph: Graph,
        session: Session,
        tracked: list[bool],
        rebuild: Rebuild,
        reads: Reads,
        outside: OutsideBackward | None,
    ) -> None:
        self.graph, self.session = graph, session
        recorder = graph.recorder
        self.names = list(recorder.placeholders)
        self.slots = recorder.concrete_slots
        self._rebuild, self._reads, self.outside = rebuild, reads, outside
        self._result_count = len(tracked)
        self._argument_grads = recorder.argument_grads
        self._tracked = [position for position, yes in enumerate(tracked) if yes]
        self._other_guards = [guard for guard in recorder.guards if guard.cell is None]
        self._settled: tuple[object, Sequence[Guard]] = (None, ())
        self._args: _Likeness | None = None
        self._is_watching = False
        self._is_single = len(tracked) == 1 and not (outside and outside.kept)
        self._is_plain = self._is_single and not any(tracked) and is_tensor(graph.structure)
        self._watched: list[Watched] | None = None
        self._grad_enabled = modes.grad_enabled
        self.renew_locks()
        renew_after_fork(self)

    def renew_locks(self) -> None:
        """Make a new lock; a forked child calls it."""
        self._lock = threading.Lock()

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
            args: the arguments; if they are all positional, ``again`` takes ones like these.
            kwargs: arguments by name.
        """
        arrays = [x.storage.array if is_tensor(x) else x for x in tensors]
        results = self._run(arrays)
        if self._argument_grads:
            self._leave_gradients(tensors, results[self._result_count :])
            return self._finished([concrete(array) for array in results], tensors, args, kwargs)
        with self._lock:
            if self._watched is None or self.session.native is not None:
                self._args = _Likeness.of(args)
                self._is_watching = self._args is not None and self._watch(self._args)
        return self._finished([concrete(array) for array in results], tensors, args, kwargs)

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

    def again(self, args: Sequence[Any]) -> Any:
        """Run like the last ``call``, if arguments and all else are alike; else NotImplemented.

        What the program depends on is compared by the native call itself: types of the inputs,
        and the attributes of tensors that ``_cells`` lists.
        """
        like = self._args
        if like is None or not self._is_watching or len(args) != like.count:
            return NotImplemented
        if (
            modes.grad_enabled is not self._grad_enabled
            or modes.recorder is not None
            or modes.is_unusual
        ):
            return NotImplemented
        given = args
        if like.others:
            for position, value in like.others:
                if args[position] is not value:
                    return NotImplemented
            given = [args[position] for position in like.tensors]
        for position in like.tracked:
            if not isinstance(given[position], TensorBase):
                return NotImplemented
        latest, open_guards = self._settled
        if latest is not announced_changes.latest:
            if not self._settle():
                return NotImplemented
        elif open_guards and not all(map(_holds, open_guards)):
            return NotImplemented
        if self._reads.difference() is not None:
            return NotImplemented
        native = self.session.native
        if native is None:
            return NotImplemented
        results = native.boxed(*given)
        if results is NotImplemented or self._is_plain:
            return results
        return self._finished([results] if self._is_single else list(results), given, args, {})

    def _settle(self) -> bool:
        """Whether guards hold; those that note changes are not read again before one."""
        latest = announced_changes.latest  # first: a change meanwhile is noted as a later one
        if not all(map(_holds, self._other_guards)):
            return False
        self._settled = latest, [
            guard for guard in self._other_guards
            if guard.is_announced is None or not guard.is_announced()
        ]  # fmt: skip
        return True

    def _finished(
        self, tensors: list[Tensor], given: Sequence[Any], args: Sequence[Any], kwargs: Any
    ) -> Any:
        """The function's result, on the tape.

        Args:
            tensors: everything that the program returned.
            given: the tensors and arrays among the arguments.
            args: all arguments by position.
            kwargs: those by name.
        """
        results = tensors[: self._result_count]
        if modes.inference:
            return self._rebuild(results)
        if self.outside is not None:
            kept = tensors[len(tensors) - len(self.outside.kept) :]
            self.outside.attach(results, kept, given, (args, kwargs))
        else:
            for position in self._tracked:
                _cut_off(results[position])
        return self._rebuild(results)

    def _watch(self, args: _Likeness) -> bool:
        """Let native calls look at the tensors that the program depends on.

        While these are as they are now, guards about them hold, and each gradient is where the
        program reads and writes it, so that ``connect`` and ``publish`` have nothing to do.
        """
        before, self._watched = self._watched, list(self._cells())
        if any(guard.read() != guard.value for guard in self.graph.recorder.guards):
            return False
        if before is None or not _are_same(before, self._watched):
            self.session.set_conditions(Conditions(self._watched, args.tracked))
        return True

    def _cells(self) -> Iterator[Watched]:
        for guard in self.graph.recorder.guards:
            if guard.cell is not None:
                tensor, name = guard.cell
                yield tensor, name, getattr(tensor, name)
        for slot in self.slots:
            yield from slot.watched()


def _holds(guard: Guard) -> bool:
    return bool(guard.read() == guard.value)


def _are_same(some: Sequence[Watched], others: Sequence[Watched]) -> bool:
    return len(some) == len(others) and all(
        a[0] is b[0] and a[2] is b[2] for a, b in zip(some, others, strict=True)
    )


@dataclass(frozen=True)
class _Likeness:
    """What arguments must be like for a call to be like an earlier one.

    Args:
        count: how many there are.
        tensors: positions of tensors and arrays.
        tracked: which of these, counted among themselves, require gradients.
        others: positions of all others, and the very objects that they must be.
    """

    count: int
    tensors: Sequence[int]
    tracked: frozenset[int]
    others: Sequence[tuple[int, object]]

    @classmethod
    def of(cls, args: Sequence[Any]) -> _Likeness | None:
        """Of these arguments; None if one of them may change inside."""
        tensors: list[int] = []
        tracked: list[int] = []
        others: list[tuple[int, object]] = []
        for position, arg in enumerate(args):
            if isinstance(arg, HostTensor):
                return None
            if isinstance(arg, TensorBase) and arg.is_state:
                others.append((position, arg))
            elif isinstance(arg, TensorBase | np.ndarray):
                if isinstance(arg, TensorBase) and arg._requires_grad:
                    tracked.append(len(tensors))
                tensors.append(position)
            elif arg is None or isinstance(arg, int | float | str | bytes | Observed):
                others.append((position, arg))
            else:
                return None
        return cls(len(args), tensors, frozenset(tracked), others)


def _cut_off(result: Tensor) -> None:
    """A result that requires a gradient has no tape behind it."""
    result._requires_grad = True
    result._grad_fn = DeadEnd(
        (),
        "CompiledFunctionBackward",
        "backward reached a result of a compiled function that has used up its tape",
        "call backward() only inside the compiled function, or only outside",
    )
