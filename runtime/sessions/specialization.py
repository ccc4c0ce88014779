"""One compiled form of a graph, for one set of input shapes."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graphc.allocation import empty_array
from graphc.graph import Graph
from graphc.runtime.backend import Executable
from graphc.runtime.memory import aligned_memory
from graphc.runtime.plan import Plan
from graphc.runtime.sessions.bindings import Snapshot, read_now
from graphc.runtime.sessions.locks import renew_after_fork
from graphc.runtime.sessions.native_calls import NativeCalls
from graphc.runtime.sessions.optimizing import PassReport
from graphc.storage import Array, Storage

SPARE_ARENAS = 4
"""How many arenas a specialization keeps for the next runs."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class Specialization:
    """A graph with known shapes, planned and prepared.

    Args:
        signature: the inputs' types by name, as text.
        reason: why it was made.
        graph: the optimized graph.
        passes: what the optimizer did.
        plan: the plan.
        executable: the backend's result.
        phases: seconds that each phase of compiling took.

    ``native`` are its native calls, if it has any; ``native_for`` is what they depend on.
    """

    signature: Mapping[str, str]
    reason: str
    graph: Graph
    passes: Sequence[PassReport]
    plan: Plan
    executable: Executable
    phases: Mapping[str, float]
    _runs: int = 0
    native: NativeCalls | None = None
    native_for: tuple[object, ...] = ()
    _past_native_runs: int = 0
    _replaced: list[NativeCalls] = field(default_factory=list)
    _output_types: list[tuple[str, tuple[int, ...], np.dtype[Any]]] = field(init=False)
    _arenas: list[Array] = field(default_factory=list)
    _busy: int = 0
    _retired: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._output_types = [
            (name, node.type.static_shape, node.type.dtype.numpy)
            for name, node in self.graph.outputs.items()
        ]
        renew_after_fork(self)

    def renew_locks(self) -> None:
        """Free the lock in a forked child; runs of other threads do not exist there."""
        self._lock, self._busy = threading.Lock(), 0
        for calls in self._native_calls():
            calls.renew()

    @property
    def runs(self) -> int:
        """How often it ran."""
        return self._runs + self.native_runs

    @property
    def native_runs(self) -> int:
        """How many of the runs were native calls."""
        return self._past_native_runs + sum(calls.runs for calls in self._native_calls())

    def set_native(self, calls: NativeCalls | None, state: tuple[object, ...]) -> None:
        """Let these native calls run this form, and end those that it had.

        Args:
            calls: the calls, or None if a run needs Python.
            state: what this depends on, e.g. where the variables are.
        """
        with self._lock:
            old = self._native_calls()
            for one in old:
                one.close()
            self._past_native_runs += sum(one.runs for one in old if not one.busy)
            self._replaced = [one for one in old if one.busy]
            self.native, self.native_for = calls, state
            if calls is not None and self._retired:
                calls.close()

    def _native_calls(self) -> list[NativeCalls]:
        return [*self._replaced, *([] if self.native is None else [self.native])]

    def reserve(self) -> Array:
        """Memory for a run that is about to start: until ``release`` the executable stays open."""
        with self._lock:
            self._busy += 1
            spare = self._arenas.pop() if self._arenas else None
        return aligned_memory(self.plan.arena_bytes) if spare is None else spare

    def release(self, arena: Array | None, runs: int = 0) -> None:
        """Note the end of what it was reserved for, and how many runs that were.

        Args:
            arena: the memory that it gave; None if that is not to be used again.
            runs: how many runs came to an end.
        """
        with self._lock:
            self._busy -= 1
            self._runs += runs
            if arena is not None and len(self._arenas) < SPARE_ARENAS:
                self._arenas.append(arena)
            if self._retired:
                self._close_if_unused()

    def retire(self) -> None:
        """Free everything as soon as no run is under way."""
        with self._lock:
            self._retired = True
            for calls in self._native_calls():
                calls.close()
            self._close_if_unused()

    def _close_if_unused(self) -> None:
        """Free the code, unless a native call runs it: it goes with the last such call."""
        if not self._busy:
            self._arenas.clear()
            if not any(calls.busy for calls in self._native_calls()):
                self.executable.close()

    def fresh_outputs(self) -> dict[str, Array]:
        """Uninitialized memory for all outputs."""
        return {name: empty_array(shape, dtype) for name, shape, dtype in self._output_types}

    def bases(
        self, arrays: Mapping[str, Array], variables: Snapshot, outputs: Mapping[str, Array]
    ) -> list[Array]:
        """The base array of each bound buffer; staged variables are read now."""
        bases = []
        for buffer in self.plan.buffers[: self.plan.bound]:
            if buffer.kind == "input":
                bases.append(arrays[buffer.name])
            elif buffer.kind == "output":
                bases.append(outputs[buffer.name])
            elif buffer.node in variables.staged:
                bases.append(read_now(buffer.node))
            else:
                bases.append(variables.bases[buffer.node])
        return bases

    def publish(self, bases: Sequence[Array], variables: Snapshot, runs: int = 1) -> None:
        """After some runs: write staged updates back, and count the writes."""
        for number in self.plan.written:
            node = self.plan.buffers[number].node
            storage: Storage = node.attrs["source"]
            if node in variables.staged:
                storage.write(bases[number])
            else:
                storage.version.count += runs


class Reservation:
    """A compiled form, kept open for some runs: ``with reservation as run:``.

    Args:
        chosen: the form; it has been reserved.
        arena: the memory that it gave.
        variables: where the variables are.
    """

    __slots__ = ("_keeps_arena", "arena", "chosen", "count", "variables")

    def __init__(self, chosen: Specialization, arena: Array, variables: Snapshot) -> None:
        self.chosen, self.arena, self.variables = chosen, arena, variables
        self.count = 0
        self._keeps_arena = False

    def keep_arena(self) -> None:
        """The arena has found another use; later runs get others."""
        self._keeps_arena = True

    def __enter__(self) -> Reservation:
        """Set ``count`` to how many runs came to an end."""
        return self

    def __exit__(self, *_: object) -> None:
        self.chosen.release(None if self._keeps_arena else self.arena, self.count)
