"""Which neighbouring phases of a program can go piece by piece together.

Two phases with equal units may share a parallel region without a join in between, if no unit of
the second one touches what another unit of the first one writes, or writes what another one reads.
Then a thread takes its units through all of them, while they are in its cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from graphc.runtime.llvm.native_step import Phase
from graphc.runtime.plan import Operand, Plan

PARALLEL_FROM = 15_000
"""Nanoseconds of work from which on dividing it pays (see docs/adr/0010)."""


@dataclass(frozen=True, slots=True)
class PhaseCall:
    """One phase of one step.

    Args:
        begins: the position in ``Plan.steps`` if it is the step's first phase, else None.
        phase: what is called.
        operands: its arguments.
        outputs: how many of them, at the end, are written.
        alone: it uses shared memory.
        refusal: what the program returns if it refuses its data; 0 if it cannot.
    """

    begins: int | None
    phase: Phase
    operands: tuple[Operand, ...]
    outputs: int
    alone: bool
    refusal: int


@dataclass(frozen=True, slots=True)
class Region:
    """Phases that go piece by piece together.

    Args:
        calls: in the order of execution; all have the same number of units.
    """

    calls: tuple[PhaseCall, ...]

    @property
    def units(self) -> int:
        """How many units there are."""
        return self.calls[0].phase.units

    @property
    def nanoseconds(self) -> float:
        """An estimate of all work on one core."""
        return sum(call.phase.nanoseconds for call in self.calls)

    @property
    def is_parallel(self) -> bool:
        """Whether it is worth dividing among threads."""
        return self.units > 1 and self.nanoseconds >= PARALLEL_FROM


def regions(plan: Plan, calls: Iterable[PhaseCall]) -> Iterator[Region]:
    """Join neighbours as long as they can go together."""
    together: list[PhaseCall] = []
    for call in calls:
        if together and not all(_may_join(plan, earlier, call) for earlier in together):
            yield Region(tuple(together))
            together = []
        together.append(call)
    if together:
        yield Region(tuple(together))


def _may_join(plan: Plan, first: PhaseCall, second: PhaseCall) -> bool:
    if first.alone or second.alone or first.refusal or second.refusal:
        return False
    if first.phase.units != second.phase.units or first.phase.units == 1:
        return False
    return not any(_conflict(plan, one, other) for one in _parts(first) for other in _parts(second))


@dataclass(frozen=True, slots=True)
class _Part:
    """An operand, what a unit touches of it, and whether it writes there."""

    operand: Operand
    span: int | None
    written: bool


def _parts(call: PhaseCall) -> list[_Part]:
    spans = call.phase.spans or (None,) * len(call.operands)
    first_output = len(call.operands) - call.outputs
    return [
        _Part(operand, span, position >= first_output)
        for position, (operand, span) in enumerate(zip(call.operands, spans, strict=True))
    ]


def _conflict(plan: Plan, one: _Part, other: _Part) -> bool:
    """Whether units of different numbers may meet at one address that somebody writes."""
    if not (one.written or other.written):
        return False
    first, second = _bytes(plan, one.operand), _bytes(plan, other.operand)
    if first[0] != second[0] or first[1] >= second[2] or second[1] >= first[2]:
        return False
    same_parts = one.span is not None and one.span == other.span and first[1] == second[1]
    return not same_parts


def _bytes(plan: Plan, operand: Operand) -> tuple[int, int, int]:
    """The memory, the first byte in it and the one behind the last that an operand touches."""
    buffer = plan.buffers[operand.buffer]
    low, high = operand.span
    if buffer.kind == "arena":
        return -1, buffer.offset + low, buffer.offset + high
    return buffer.id, low, high
