"""For finding bugs: plans that spoil memory as soon as nobody reads it any more.

A step that reads a dead value then gets NaN, or integers of all ones, instead of what happens to be
left there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from graphc.dtypes import uint8
from graphc.runtime.plan import Buffer, Inside, Operand, Plan, Step

SPOILED = 0xFF
"""Four or eight such bytes are NaN."""


def poisoned(plan: Plan) -> Plan:
    """The same plan with steps that spoil the arena: all of it at first, then what has died.

    So do the programs inside steps each time that they run.
    """
    arena = [buffer for buffer in plan.buffers if buffer.kind == "arena" and buffer.nbytes]
    if not arena:
        return plan
    spoiled = Buffer(
        len(plan.buffers), "constant", 1, arena[0].node, array=np.full((), SPOILED, np.uint8)
    )

    def spoil(buffer: Buffer) -> Step:
        shape = (buffer.nbytes,)
        return Step(
            "copy",
            buffer.node,
            (Operand(spoiled.id, 0, shape, (0,), uint8),),
            (Operand(buffer.id, 0, shape, (1,), uint8),),
        )

    def inside(programs: Inside) -> Inside:
        plans = tuple(map(poisoned, programs.plans))
        constants = tuple(
            numbers if new is old else (*numbers, spoiled.id)
            for numbers, old, new in zip(programs.constants, programs.plans, plans, strict=True)
        )
        return replace(programs, plans=plans, constants=constants)

    def steps() -> Iterator[Step]:
        yield from map(spoil, arena)
        last = {
            operand.buffer: position
            for position, step in enumerate(plan.steps)
            for operand in step.touched
        }
        for position, step in enumerate(plan.steps):
            yield step if step.inside is None else replace(step, inside=inside(step.inside))
            yield from (spoil(buffer) for buffer in arena if last.get(buffer.id) == position)

    return replace(plan, steps=tuple(steps()), buffers=(*plan.buffers, spoiled))
