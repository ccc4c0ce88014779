"""The interface between the generators of native code and the program that calls it.

Every generated function has one signature::

    i32 @symbol(ptr input..., ptr output..., ptr shared, ptr scratch, i64 begin, i64 end)

It does the work units ``begin .. end - 1`` and returns 0, or 1 when it refuses its data. How the
units are spread over calls and threads never changes a bit of the result.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phase:
    """One generated function of a step; all its units are done before the next phase begins.

    Args:
        symbol: the function.
        units: how many pieces of independent work it has; 1 if it cannot be divided.
        nanoseconds: an estimate of all units on one core.
        spans: for each operand the bytes from the part that a unit touches to the next unit's,
            where parts do not overlap; None for an operand of which a unit may touch anything.
            Empty if nothing is known.
        apart: it shares no region with other phases.
        runs_programs: it is a loop or a branch, which gets ``ptr pool, ptr times`` instead of
            units, and divides what it runs itself.
        timed: a function of that kind that does all units, for those who want to know the times of
            the programs that this phase runs; empty if it runs none.
    """

    symbol: str
    units: int
    nanoseconds: float
    spans: tuple[int | None, ...] = ()
    apart: bool = False
    runs_programs: bool = False
    timed: str = ""


@dataclass(frozen=True, slots=True)
class NativeStep:
    """The native code of one step of a plan.

    Args:
        phases: in the order of execution.
        shared_bytes: memory that all units of all phases share, e.g. for partial sums; aligned
            to 64 bytes, contents undefined at first.
        scratch_bytes: memory that each thread has for itself during one call.
        fallible: whether a phase may return 1.
    """

    phases: tuple[Phase, ...]
    shared_bytes: int = 0
    scratch_bytes: int = 0
    fallible: bool = False
