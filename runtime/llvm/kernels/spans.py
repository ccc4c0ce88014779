"""Which part of each operand a unit of a kernel touches."""

from __future__ import annotations

from graphc.runtime.llvm.ir.function import parameters
from graphc.runtime.llvm.kernels.iteration import Axis
from graphc.runtime.llvm.kernels.schedule import Schedule


def spans(schedule: Schedule, operands: int) -> tuple[int | None, ...]:
    """See ``graphc.runtime.llvm.native_step.Phase``.

    Args:
        schedule: the loops of a phase.
        operands: the number of the kernel's inputs and outputs.
    """
    walked = _unit_axis(schedule)
    if walked is None:
        return (None,) * operands
    number = {value.text: position for position, value in enumerate(parameters(operands))}
    found: dict[int, set[int | None]] = {}
    for place, where in enumerate(schedule.analysis.places):
        position = number.get(where.base.text)
        if position is not None:
            elements = None if where.offset else _elements(schedule, place, *walked)
            size = where.layout.dtype.itemsize
            found.setdefault(position, set()).add(None if elements is None else elements * size)
    return tuple(
        found[position].pop() if len(found.get(position, ())) == 1 else None
        for position in range(operands)
    )


def _unit_axis(schedule: Schedule) -> tuple[Axis, int] | None:
    """The one axis that units divide, and how much of it a unit does."""
    units = schedule.units
    if len(units.fixed) == 1 and units.blocks == 1:
        return units.fixed[0], 1
    if not units.fixed and units.blocked is not None:
        return units.blocked, units.block
    return None


def _elements(schedule: Schedule, place: int, axis: Axis, count: int) -> int | None:
    """The distance from a unit's part of an array to the next one's, if it holds all of it."""
    space = schedule.analysis.space
    others = [each for each in (*space.kept, *space.reduced) if each is not axis]
    steps = [each.strides[place] for each in others]
    stride = axis.strides[place]
    if stride <= 0 or min(steps, default=0) < 0:
        return None
    row = 1 + sum((each.size - 1) * step for each, step in zip(others, steps, strict=True))
    return count * stride if row <= stride else None
