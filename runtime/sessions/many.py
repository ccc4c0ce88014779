"""Many runs of one compiled form, one after the other, over the rows of stacked arrays."""

from __future__ import annotations

import time
from collections.abc import Mapping

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


def run_steps(
    chosen: Specialization,
    arena: Array,
    variables: Snapshot,
    inputs: Mapping[str, Array],
    outputs: Mapping[str, Array],
    steps: int,
) -> None:
    """Run once per row; the run has been reserved and its locks are held.

    Args:
        chosen: the compiled form.
        arena: memory for the runs.
        variables: where the variables are.
        inputs: C-contiguous arrays by name, with the steps as first dim.
        outputs: memory for the results, likewise.
        steps: how many runs.
    """
    done = 0
    if all(isinstance(node.attrs["source"], HostValue) for node in variables.staged):
        done = _natively(chosen, arena, variables, inputs, outputs, steps)
    for step in range(done, steps):  # all of them, or the one that native code refused
        rows = ({name: array[step, ...] for name, array in each.items()}
                for each in (inputs, outputs))  # fmt: skip
        given, wanted = rows
        bases = chosen.bases(given, variables, wanted)
        chosen.executable.run(arena, bases)
        chosen.publish(bases, variables)


def _natively(
    chosen: Specialization,
    arena: Array,
    variables: Snapshot,
    inputs: Mapping[str, Array],
    outputs: Mapping[str, Array],
    steps: int,
) -> int:
    """Run as many steps as native code can, and return how many."""
    if steps == 0:
        return 0
    plan = chosen.plan
    bases = chosen.bases(inputs, variables, outputs)
    program = chosen.executable.native(arena, bases)
    if program is None:
        return 0
    moving = [
        (buffer.id, (inputs if buffer.kind == "input" else outputs)[buffer.name])
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
        chosen.publish(bases, variables, native.done)
    return native.done
