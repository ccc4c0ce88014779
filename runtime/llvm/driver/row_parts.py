"""Whether the steps of a program treat blocks of rows apart, so that none waits for another.

All steps have the same number of units. What a unit writes, no other unit touches: in each buffer
that is written, the parts of a unit lie within a window, and windows follow each other.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphc.runtime.llvm.driver.program import NativeCall
from graphc.runtime.plan import Plan


@dataclass(frozen=True, slots=True)
class _Part:
    """What the units of a phase touch of a buffer.

    Args:
        low: the first byte of unit 0.
        high: the byte behind the last one of unit 0.
        span: bytes to the next unit's; None if nothing is known.
        written: whether they write it.
    """

    low: int
    high: int
    span: int | None
    written: bool


def are_apart(
    plan: Plan,
    calls: Sequence[NativeCall],
    units: int,
    memory: Callable[[int], Hashable],
) -> bool:
    """Whether each unit can do all steps without the other units, again and again.

    Args:
        plan: the program.
        calls: its kernels; all units of a phase do as much.
        units: the number of units.
        memory: what memory a buffer is, by its number; None for constants.
    """
    if not all(_is_plain(call, units) for call in calls):
        return False
    parts: dict[Hashable, list[_Part]] = {}
    for call in calls:
        for number, part in _parts(plan, call, units):
            parts.setdefault(memory(number), []).append(part)
    return all(
        _have_windows(found)
        for key, found in parts.items()
        if key is not None and any(part.written for part in found)
    )


def read_by_all(plan: Plan, calls: Sequence[NativeCall], units: int) -> int:
    """The bytes of what each unit reads all of.

    Args:
        plan: the program.
        calls: its kernels.
        units: the number of units.
    """
    largest: dict[int, int] = {}
    for call in calls:
        for number, part in _parts(plan, call, units):
            if part.span is None:
                largest[number] = max(largest.get(number, 0), part.high - part.low)
    return sum(largest.values())


def _is_plain(call: NativeCall, units: int) -> bool:
    """Whether all phases have these units, no shared memory, and cannot refuse their data."""
    native = call.native
    return (
        not (native.shared_bytes or native.fallible or call.inside)
        and len(native.phases) > 0
        and all(phase.units == units and not phase.apart for phase in native.phases)
    )


def _parts(plan: Plan, call: NativeCall, units: int) -> Iterator[tuple[int, _Part]]:
    first = len(call.operands) - len(plan.steps[call.step].outputs)
    for phase in call.native.phases:
        spans = phase.spans or (None,) * len(call.operands)
        for number, (operand, span) in enumerate(zip(call.operands, spans, strict=True)):
            low, high = operand.span
            end = high if span is None else high - (units - 1) * span
            yield operand.buffer, _Part(low, end, span, number >= first)


def _have_windows(parts: Sequence[_Part]) -> bool:
    """Whether the parts of a unit are nearer to each other than to those of the next unit."""
    spans: Mapping[int | None, None] = dict.fromkeys(part.span for part in parts)
    (span,) = spans if len(spans) == 1 else (None,)
    if span is None:
        return False
    return max(part.high for part in parts) - min(part.low for part in parts) <= span
