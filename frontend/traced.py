"""One traced and compiled signature of a function, and the short way to run it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from graphc.errors import AutogradError
from graphc.frontend.autograd.tape import GradFn
from graphc.frontend.base import TensorBase, concrete
from graphc.frontend.graph import Graph
from graphc.frontend.modes import modes
from graphc.frontend.nn.reads import Reads
from graphc.frontend.structure import Rebuild
from graphc.frontend.tensor import Tensor
from graphc.ops.select import copy
from graphc.provenance import user_location_text
from graphc.runtime.session import Session
from graphc.storage import Array

Watched = tuple[object, str, object]

_PLAIN, _TRACKED = object(), object()
"""Stand for a tensor argument, without and with ``requires_grad``."""


class Traced:
    """A function's program for one signature.

    Args:
        graph: the recording.
        session: runs it; its inputs are the tensors among the arguments, in order.
        tracked: whether each result requires a gradient.
        rebuild: puts results where the function had them.
        reads: what the trace read of modules.
    """

    def __init__(
        self, graph: Graph, session: Session, tracked: list[bool], rebuild: Rebuild, reads: Reads
    ) -> None:
        self.graph, self.session = graph, session
        recorder = graph.recorder
        self.names = list(recorder.placeholders)
        self.slots = [slot for slot in recorder.grads.values() if slot.tensor.node is None]
        self._rebuild, self._reads = rebuild, reads
        self._tracked = [position for position, yes in enumerate(tracked) if yes]
        self._other_guards = [guard for guard in recorder.guards if guard.cell is None]
        self._wanted: Sequence[object] | None = None
        self._watched: list[Watched] | None = None
        self._grad_enabled = modes.grad_enabled

    @property
    def changed_guard(self) -> str | None:
        """What no longer is as it was while tracing, or None."""
        for guard in self.graph.recorder.guards:
            found = guard.read()
            if found != guard.value:
                return f"{guard.what} was {guard.value!r}, is {found!r}"
        return self._reads.difference()

    def call(self, arrays: Sequence[Array], args: Sequence[Any]) -> Any:
        """Run with these inputs and give the function's result.

        Args:
            arrays: the values of all tensors among the arguments.
            args: the arguments; if they are all positional, ``again`` takes ones like these.
        """
        for slot in self.slots:
            slot.connect()
        results = self.session.run_values(arrays)
        for slot in self.slots:
            slot.publish()
        if self._watched is None or self.session.has_native_calls:
            self._wanted = _wanted(args) if self._watch() else None
        return self._rebuilt(results)

    def again(self, args: Sequence[Any]) -> Any:
        """Run like the last ``call``, if arguments and all else are alike; else NotImplemented.

        What the program depends on is compared by the native call itself: types of the inputs,
        and the attributes of tensors that ``_watch`` lists.
        """
        wanted = self._wanted
        if wanted is None or len(args) != len(wanted):
            return NotImplemented
        if modes.grad_enabled is not self._grad_enabled or modes.recorder is not None:
            return NotImplemented
        arrays = []
        for arg, like in zip(args, wanted):  # noqa: B905 - equal lengths; this is the hot path
            kind = type(arg)
            if kind is Tensor:
                if arg.node is not None or like is not (_TRACKED if arg._requires_grad else _PLAIN):
                    return NotImplemented
                arrays.append(arg.storage.array)
            elif kind is np.ndarray and like is _PLAIN:
                arrays.append(arg)
            elif arg is not like:
                return NotImplemented
        for guard in self._other_guards:
            if guard.read() != guard.value:
                return NotImplemented
        if self._reads.difference() is not None:
            return NotImplemented
        results = self.session.run_native(*arrays)
        return results if results is NotImplemented else self._rebuilt(results)

    def _rebuilt(self, results: Iterable[Array]) -> Any:
        tensors = [concrete(array) for array in results]
        for position in self._tracked:
            _cut_off(tensors[position])
        return self._rebuild(tensors)

    def _watch(self) -> bool:
        """Let native calls look at the tensors that the program depends on.

        While these are as they are now, guards about them hold, and each gradient is where the
        program reads and writes it, so that ``connect`` and ``publish`` have nothing to do.
        """
        before, self._watched = self._watched, list(self._cells())
        if any(guard.read() != guard.value for guard in self.graph.recorder.guards):
            return False
        if before is None or not _are_same(before, self._watched):
            self.session.watch(self._watched)
        return True

    def _cells(self) -> Iterator[Watched]:
        for guard in self.graph.recorder.guards:
            if guard.cell is not None:
                tensor, name = guard.cell
                yield tensor, name, getattr(tensor, name)
        for slot in self.slots:
            grad = slot.tensor._grad
            yield slot.tensor, "_grad", grad
            if grad is not None:
                yield grad, "storage", grad.storage
                yield grad.storage, "array", grad.storage.array


def _are_same(some: Sequence[Watched], others: Sequence[Watched]) -> bool:
    return len(some) == len(others) and all(
        a[0] is b[0] and a[2] is b[2] for a, b in zip(some, others, strict=True)
    )


def _wanted(args: Sequence[Any]) -> Sequence[object] | None:
    """What each argument must be like: its kind of tensor, or the very object."""
    wanted: list[object] = []
    for arg in args:
        if isinstance(arg, TensorBase):
            wanted.append(_TRACKED if arg._requires_grad else _PLAIN)
        elif isinstance(arg, np.ndarray):
            wanted.append(_PLAIN)
        elif arg is None or isinstance(arg, int | float | str | bytes):
            wanted.append(arg)
        else:
            return None  # it may change inside
    return wanted


def _cut_off(result: Tensor) -> None:
    """A result that requires a gradient has no tape behind it."""
    result._requires_grad, result._grad_fn = True, GradFn(copy, {}, ())
    result._grad_fn.pre_hooks = [_no_tape]


def _no_tape(grad: Tensor) -> None:
    """The hook of every compiled function's results: gradients end there, and it says so."""
    raise AutogradError(
        "backward reached a result of a compiled function, which has no tape",
        fix="call backward() inside the compiled function",
        where=user_location_text(),
    )
