"""Many runs of one compiled form, one after the other, over the rows of stacked arrays."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from graphc.errors import ArgumentError
from graphc.runtime.llvm.entry.steps import Steps
from graphc.runtime.sessions.bindings import Snapshot
from graphc.runtime.sessions.specialization import Specialization
from graphc.storage import Array, HostValue

_SHORT, _LONG = 2e-3, 20e-3
"""Seconds between looks for an interrupt: more steps at a time below, fewer above."""


def step_count(stacked: Mapping[str, Array], steps: int | None) -> int:
    """How many runs to make.

    Args:
        stacked: the inputs by name, with the runs as first dim.
        steps: what the caller says.

    Raises:
        ArgumentError: if nothing tells it, or the rows are not so many.
    """
    if not stacked:
        if steps is None or steps < 0:
            raise ArgumentError(
                "run_many: nothing is fed, so it must be told how many runs to make",
                got=f"steps={steps}",
                expected="a number",
            )
        return steps
    count = len(next(iter(stacked.values())))
    if steps not in (None, count):
        raise ArgumentError("run_many: steps is not the number of rows", got=f"{steps}, {count}")
    return count


@dataclass(frozen=True, slots=True)
class StackedRuns:
    """Runs of one compiled form over the rows of stacked arrays.

    Args:
        chosen: the compiled form; its run has been reserved and its locks are held.
        arena: memory for the runs.
        variables: where the variables are.
        inputs: C-contiguous arrays by name, with the runs as first dim.
        outputs: memory for the results, likewise.
    """

    chosen: Specialization
    arena: Array
    variables: Snapshot
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]

    def run(self, steps: int) -> None:
        """Run once for each of so many rows."""
        done = 0
        if all(isinstance(node.attrs["source"], HostValue) for node in self.variables.staged):
            done = self._natively(steps)
        for step in range(done, steps):  # all of them, or the one that native code refused
            given, wanted = (
                {name: array[step, ...] for name, array in each.items()}
                for each in (self.inputs, self.outputs)
            )
            bases = self.chosen.bases(given, self.variables, wanted)
            self.chosen.executable.run(self.arena, bases)
            self.chosen.publish(bases, self.variables)

    def _natively(self, steps: int) -> int:
        """Run as many steps as native code can, and return how many."""
        if steps == 0:
            return 0
        plan = self.chosen.plan
        bases = self.chosen.bases(self.inputs, self.variables, self.outputs)
        program = self.chosen.executable.native(self.arena, bases)
        if program is None:
            return 0
        moving = [
            (buffer.id, (self.inputs if buffer.kind == "input" else self.outputs)[buffer.name])
            for buffer in plan.buffers[: plan.bound]
            if buffer.kind in ("input", "output")
        ]
        native = Steps(program, moving)
        chunk, willing = 1, True
        try:
            while willing and native.done < steps:
                start = time.perf_counter()
                willing = native.run(min(native.done + chunk, steps))
                seconds = time.perf_counter() - start
                if seconds < _SHORT:
                    chunk *= 2
                elif seconds > _LONG:
                    chunk = max(1, chunk // 2)
        finally:
            self.chosen.publish(bases, self.variables, native.done)
        return native.done
