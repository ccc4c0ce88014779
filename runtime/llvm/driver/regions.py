"""Which neighbouring phases of a program share a parallel region, without a join in between.

Phases with equal units go piece by piece together, if no unit of a later one touches what another
unit of an earlier one writes, or writes what another one reads. Then a thread takes its units
through all of them, while they are in its cache. Phases that have nothing to do with each other go
side by side: their units are numbered one phase behind the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from graphc.runtime.llvm.native_step import Phase
from graphc.runtime.plan import Operand, Plan

PARALLEL_FROM = 15_000
"""Nanoseconds of work from which on dividing it pays (see docs/adr/0010)."""

PIECE = 5_000
"""Nanoseconds that a thread should work before it claims another piece."""

MOST_PIECES = 64
"""More pieces balance no better."""


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
        times: where programs inside the step note their times, in bytes.
    """

    begins: int | None
    phase: Phase
    operands: tuple[Operand, ...]
    outputs: int
    alone: bool
    refusal: int
    times: int = 0


_Test = Callable[[Plan, PhaseCall, PhaseCall], bool]


@dataclass(frozen=True, slots=True)
class Region:
    """Phases that share a region.

    Args:
        calls: in the order of execution.
        beside: whether they go side by side; else all have the same number of units and go piece
            by piece together.
    """

    calls: tuple[PhaseCall, ...]
    beside: bool = False

    @property
    def units(self) -> int:
        """How many units there are."""
        units = [call.phase.units for call in self.calls]
        return sum(units) if self.beside else units[0]

    @property
    def nanoseconds(self) -> float:
        """An estimate of all work on one core."""
        return sum(call.phase.nanoseconds for call in self.calls)

    @property
    def is_parallel(self) -> bool:
        """Whether it is worth dividing among threads."""
        return self.units > 1 and self.nanoseconds >= PARALLEL_FROM

    @property
    def grain(self) -> int:
        """How many units a thread claims at a time."""
        pieces = min(MOST_PIECES, max(2, int(self.nanoseconds / PIECE)), self.units)
        return -(-self.units // pieces)

    @property
    def is_balanced(self) -> bool:
        """Whether no piece takes much longer than the others."""
        longest = max(call.phase.nanoseconds / max(call.phase.units, 1) for call in self.calls)
        return longest <= 2 * self.nanoseconds / self.units


def regions(plan: Plan, calls: Iterable[PhaseCall]) -> Iterator[Region]:
    """Join neighbours as long as they can go together."""
    region: Region | None = None
    for call in calls:
        joined = None if region is None else _joined(plan, region, call)
        if joined is None and region is not None:
            yield region
        region = joined or Region((call,))
    if region is not None:
        yield region


def _joined(plan: Plan, region: Region, call: PhaseCall) -> Region | None:
    """The region with one more phase; None if that phase must wait for it."""
    calls, single = (*region.calls, call), len(region.calls) == 1
    if (single or not region.beside) and _all(plan, region, call, _go_together):
        return Region(calls)
    beside = Region(calls, beside=True)
    if (single or region.beside) and _all(plan, region, call, _are_independent):
        return beside if beside.is_balanced or not beside.is_parallel else None
    return None


def _all(plan: Plan, region: Region, call: PhaseCall, may: _Test) -> bool:
    return _is_free(call) and all(
        _is_free(earlier) and may(plan, earlier, call) for earlier in region.calls
    )


def _is_free(call: PhaseCall) -> bool:
    """Whether a phase may share a region: it cannot refuse, and divides nothing itself."""
    phase = call.phase
    return not (call.refusal or phase.apart or phase.runs_programs)


def _go_together(plan: Plan, first: PhaseCall, second: PhaseCall) -> bool:
    if first.alone or second.alone or first.phase.units == 1:
        return False
    if first.phase.units != second.phase.units:
        return False
    return not any(_conflict(plan, one, other) for one in _parts(first) for other in _parts(second))


def _are_independent(plan: Plan, first: PhaseCall, second: PhaseCall) -> bool:
    """Whether neither writes what the other one touches; only one may use shared memory."""
    return not (first.alone and second.alone) and not any(
        _meet(plan, one, other) for one in _parts(first) for other in _parts(second)
    )


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
    starts = _bytes(plan, one.operand)[1], _bytes(plan, other.operand)[1]
    same_parts = one.span is not None and one.span == other.span and starts[0] == starts[1]
    return not same_parts and _meet(plan, one, other)


def _meet(plan: Plan, one: _Part, other: _Part) -> bool:
    """Whether both touch some memory that one of them writes."""
    if not (one.written or other.written):
        return False
    first, second = _bytes(plan, one.operand), _bytes(plan, other.operand)
    return first[0] == second[0] and first[1] < second[2] and second[1] < first[2]


def _bytes(plan: Plan, operand: Operand) -> tuple[int, int, int]:
    """The memory, the first byte in it and the one behind the last that an operand touches."""
    buffer = plan.buffers[operand.buffer]
    low, high = operand.span
    if buffer.kind == "arena":
        return -1, buffer.offset + low, buffer.offset + high
    return buffer.id, low, high
