"""From a compiled form to native calls: runs without Python, where everything is ordinary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from graphc.dtypes import float32, float64
from graphc.node import Node
from graphc.runtime.llvm.entry.entry import Binding, Entry
from graphc.runtime.llvm.entry.library import is_available
from graphc.runtime.llvm.entry.results import Kind, Shape
from graphc.runtime.plan import Plan
from graphc.runtime.planning.inside import SCAN
from graphc.runtime.sessions.boxes import Box
from graphc.runtime.sessions.conditions import Conditions
from graphc.runtime.sessions.locks import RunLocks
from graphc.runtime.sessions.native_calls import NativeCalls
from graphc.runtime.sessions.specialization import Reservation
from graphc.runtime.sessions.structure import Structure, fill
from graphc.storage import Array, HostValue

DETACH_ABOVE = 20e-6
"""Seconds of a run from which on other Python threads may go on meanwhile."""


class Direct:
    """See ``graphc.runtime.sessions.native_calls.NativeCalls``.

    Args:
        entry: makes the native functions.
        run: takes a dict of arrays by name.
        flat: takes the arrays in order.
        boxed: takes the arrays in order.
    """

    def __init__(
        self,
        entry: Entry,
        run: Callable[[Any], Any],
        flat: Callable[..., Any],
        boxed: Callable[..., Any],
    ) -> None:
        self.run, self.flat, self.boxed = run, flat, boxed
        self._entry = entry

    @property
    def runs(self) -> int:
        """How many runs came to an end."""
        return self._entry.runs

    @property
    def busy(self) -> bool:
        """Whether a run is under way in another thread."""
        return self._entry.busy

    def close(self) -> None:
        """Let no further run begin."""
        self._entry.close()

    def renew(self) -> None:
        """Forget the runs of other threads, which do not exist in a forked child."""
        self._entry.renew()


def make_native_calls(
    run: Reservation,
    locks: RunLocks,
    structure: Structure,
    wrap: Callable[[Array], Any] | None,
    box: Box | None,
    conditions: Conditions,
    seconds: float,
) -> NativeCalls | None:
    """Make native calls, or None where a run needs Python.

    Args:
        run: a run of the form that has come to an end; the calls take its arena.
        locks: what each run holds.
        structure: what the session returns.
        wrap: what the session applies to each array.
        box: a class whose instances stand for arrays.
        conditions: for a call to be ordinary.
        seconds: how long the program takes.
    """
    if not is_available() or not all(map(_is_number, run.variables.staged)):
        return None
    binding = _binding(run, locks, box, conditions)
    if binding is None:
        return None
    entry = Entry(binding, detach=seconds > DETACH_ABOVE or _may_take_longer(run.chosen.plan))
    names = list(run.chosen.graph.outputs)
    everything = Shape(Kind.TUPLE, range(len(names)))
    flat = entry.positional(everything)
    boxed = flat if box is None else entry.positional(_boxed(len(names), box))
    shape = _shape(structure, names) if wrap is None else None
    if shape is not None:
        return Direct(entry, entry.named(shape), flat, boxed)
    return Direct(entry, _filled(entry.named(everything), names, structure, wrap), flat, boxed)


def _may_take_longer(plan: Plan) -> bool:
    """True if data decides what a run computes: a loop may go on, another branch take longer."""
    return any(
        step.node.op.name != SCAN or any(map(_may_take_longer, step.inside.plans))
        for step in plan.steps
        if step.inside is not None
    )


def _boxed(count: int, box: Box) -> Shape:
    """All outputs as new objects: one as it is, else a tuple."""
    return Shape(Kind.LEAF if count == 1 else Kind.TUPLE, range(count), template=box.template)


def _is_number(node: Node) -> bool:
    """Whether a variable is a Python float that native code can read."""
    return (
        isinstance(node.attrs["source"], HostValue)
        and node.type.shape == ()
        and node.type.dtype in (float32, float64)
    )


def _binding(
    run: Reservation, locks: RunLocks, box: Box | None, conditions: Conditions
) -> Binding | None:
    chosen, variables = run.chosen, run.variables
    plan = chosen.plan
    buffers = plan.buffers[: plan.bound]
    inputs = {buffer.name: buffer for buffer in buffers if buffer.kind == "input"}
    if inputs.keys() != chosen.signature.keys():
        return None
    hosts = {node: np.zeros((), node.type.dtype.numpy) for node in variables.staged}
    memory = {**variables.bases, **hosts}
    bases = [memory[buffer.node] if buffer.kind == "variable" else _NOTHING for buffer in buffers]
    program = chosen.executable.native(run.arena, bases)
    if program is None:
        return None
    run.keep_arena()
    return Binding(
        program=program.address,
        table=program.table,
        inputs=[
            (name, inputs[name].node.type, inputs[name].id, position in conditions.flagged)
            for position, name in enumerate(chosen.signature)
        ],
        outputs=[(node.type, plan.outputs[name]) for name, node in chosen.graph.outputs.items()],
        hosts=[(node.attrs["source"], array) for node, array in hosts.items()],
        watched=[
            *((storage, "array", array) for storage, array in variables.sources),
            *conditions.watched,
        ],
        written=variables.written,
        groups=locks.groups,
        updated=[plan.buffers[number].node.attrs["source"] for number in plan.written],
        box=box,
        kept=(program.kept, variables),
    )


_NOTHING: Array = np.empty(0)
"""Stands for inputs and outputs, whose memory comes with each call."""


def _shape(structure: Structure, names: Sequence[str]) -> Shape | None:
    """The structure as native code can build it: one output, or a container of outputs."""
    if isinstance(structure, str):
        return Shape(Kind.LEAF, [names.index(structure)])
    if structure is None:
        return None
    parts = list(structure.values() if isinstance(structure, Mapping) else structure)
    outputs = [names.index(part) for part in parts if isinstance(part, str)]
    if len(outputs) != len(parts):
        return None
    if isinstance(structure, Mapping):
        return Shape(Kind.DICT, outputs, list(structure))
    return Shape(Kind.TUPLE if isinstance(structure, tuple) else Kind.LIST, outputs)


def _filled(
    call: Callable[[Any], Any],
    names: Sequence[str],
    structure: Structure,
    wrap: Callable[[Array], Any] | None,
) -> Callable[[Any], Any]:
    """A native call whose results are put into any structure."""

    def run(feed: Any) -> Any:
        results = call(feed)
        if results is NotImplemented:
            return results
        values = map(wrap, results) if wrap else results
        return fill(structure, dict(zip(names, values, strict=True)))

    return run
