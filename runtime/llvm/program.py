"""Native functions that run several kernels one after the other: straight-line calls, no Python.

Such a function gets the address of a table with the address of each buffer; where in a buffer an
operand starts is a constant of the code. It returns 0, or n when call number n (from 1) refused its
data; the calls behind that one were not made. Phases that take long enough are parallel regions.
Behind the buffers' addresses the table has those of the arena, of the workspace, of the pool that
helps (null: none), and of memory for the time when each step began (null: nobody asks).
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graphc.runtime.llvm.clock import STAMP, define_stamp
from graphc.runtime.llvm.module import Module
from graphc.runtime.llvm.native_step import NativeStep, Phase
from graphc.runtime.llvm.pool.region import PARALLEL_FOR, PARALLEL_FOR_DECLARATION
from graphc.runtime.plan import ALIGNMENT, Operand, Plan

PARALLEL_FROM = 15_000
"""Nanoseconds of work in a phase from which on dividing it pays (see docs/adr/0010)."""

PIECE = 5_000
"""Nanoseconds that a thread should work before it claims another piece."""

MOST_PIECES = 64
"""More pieces balance no better."""


@dataclass(frozen=True, slots=True)
class NativeCall:
    """The calls of one step's kernels.

    Args:
        step: the position in ``Plan.steps``.
        native: its kernels, one per phase.
        operands: their arguments: inputs, then outputs.
    """

    step: int
    native: NativeStep
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Workspace:
    """Bytes that calls need beside their operands.

    Args:
        shared: what all threads share.
        scratch: what each thread has for itself.
    """

    shared: int
    scratch: int

    def nbytes(self, threads: int) -> int:
        """The shared part, and the scratch of each thread behind it."""
        return self.shared + threads * self.scratch


def workspace(calls: Iterable[NativeCall]) -> Workspace:
    """What is enough for each of the calls."""
    calls = tuple(calls)
    shared = max((call.native.shared_bytes for call in calls), default=0)
    scratch = max((call.native.scratch_bytes for call in calls), default=0)
    return Workspace(-(-shared // ALIGNMENT) * ALIGNMENT, -(-scratch // ALIGNMENT) * ALIGNMENT)


class Slot(enum.IntEnum):
    """What the table has behind the addresses of the buffers."""

    ARENA = 0
    WORKSPACE = 1
    POOL = 2
    TIMES = 3


def is_parallel(phase: Phase) -> bool:
    """Whether a phase is worth dividing among threads."""
    return phase.units > 1 and phase.nanoseconds >= PARALLEL_FROM


def define_run(module: Module, plan: Plan, calls: Sequence[NativeCall]) -> str:
    """Add ``i32(ptr table)`` that makes these calls, and return its symbol.

    Args:
        module: where the code goes; it has the kernels.
        plan: the plan that the operands belong to.
        calls: in the order of execution.
    """
    space = workspace(calls)
    first = len(plan.buffers)
    lines = [
        *_loaded("%shared", first + Slot.WORKSPACE),
        f"  %scratch = getelementptr i8, ptr %shared, i64 {space.shared}",
        *_loaded("%pool", first + Slot.POOL),
        *_loaded("%times", first + Slot.TIMES),
        f"  %context = alloca [{_longest(calls) + 2} x ptr], align 8",
    ]
    for number in _used(plan, calls):
        lines += _loaded(f"%b{number}", number)
    for position, call in enumerate(calls):
        arguments = []
        lines.append(f"  call void @{STAMP}(ptr %times, i64 {call.step})")
        for index, operand in enumerate(call.operands):
            name = f"%a{position}.{index}"
            slot, offset = place(plan, operand)
            lines.append(f"  {name} = getelementptr i8, ptr %b{slot}, i64 {offset}")
            arguments.append(name)
        for number, phase in enumerate(call.native.phases):
            name = f"{position}.{number}"
            if is_parallel(phase):
                lines += _stored([*arguments, "%shared", "%scratch"], name)
                invocation = _divided(module, phase, len(arguments), space.scratch)
            else:
                invocation = _whole(phase, arguments)
            checked = call.native.fallible
            lines += _checked(invocation, name, position + 1) if checked else [f"  {invocation}"]
    lines.append(f"  call void @{STAMP}(ptr %times, i64 {calls[-1].step + 1})")
    define_stamp(module)
    code = "\n".join([*lines, "  ret i32 0"])
    text = f"(ptr %table) nounwind {{\nentry:\n{code}\n}}"
    symbol = f"run.{_hash(text)}"
    module.define(symbol, f"define i32 @{symbol}{text}")
    return symbol


def _loaded(name: str, slot: int) -> list[str]:
    return [
        f"  {name}.slot = getelementptr ptr, ptr %table, i64 {slot}",
        f"  {name} = load ptr, ptr {name}.slot, align 8",
    ]


def _whole(phase: Phase, arguments: Sequence[str]) -> str:
    """All units by the calling thread."""
    common = ", ".join(f"ptr {name}" for name in (*arguments, "%shared", "%scratch"))
    return f"call i32 @{phase.symbol}({common}, i64 0, i64 {phase.units})"


def _divided(module: Module, phase: Phase, operands: int, scratch: int) -> str:
    """The units in pieces, by whoever has time; the context is stored."""
    module.declare(PARALLEL_FOR, PARALLEL_FOR_DECLARATION)
    task = _define_task(module, phase.symbol, operands, scratch)
    pieces = min(MOST_PIECES, max(2, int(phase.nanoseconds / PIECE)), phase.units)
    grain = -(-phase.units // pieces)
    return (
        f"call i32 @{PARALLEL_FOR}(ptr %pool, ptr @{task}, ptr %context, i64 {phase.units}, "
        f"i64 {grain})"
    )


def _stored(addresses: Sequence[str], name: str) -> list[str]:
    """Put addresses where a task finds them."""
    lines = []
    for index, address in enumerate(addresses):
        cell = f"%c{name}.{index}"
        lines.append(f"  {cell} = getelementptr ptr, ptr %context, i64 {index}")
        lines.append(f"  store ptr {address}, ptr {cell}, align 8")
    return lines


def _define_task(module: Module, kernel: str, operands: int, scratch: int) -> str:
    """Add ``i32(ptr context, i64 worker, i64 begin, i64 end)``: a kernel on addresses in memory."""
    lines = []
    for index in range(operands + 2):
        lines.append(f"  %c{index} = getelementptr ptr, ptr %context, i64 {index}")
        lines.append(f"  %a{index} = load ptr, ptr %c{index}, align 8")
    arguments = "".join(f"ptr %a{index}, " for index in range(operands + 1))
    code = "\n".join([
        *lines,
        f"  %skipped = mul i64 %worker, {scratch}",
        f"  %own = getelementptr i8, ptr %a{operands + 1}, i64 %skipped",
        f"  %result = call i32 @{kernel}({arguments}ptr %own, i64 %begin, i64 %end)",
        "  ret i32 %result",
    ])  # fmt: skip
    text = f"(ptr %context, i64 %worker, i64 %begin, i64 %end) nounwind {{\nentry:\n{code}\n}}"
    symbol = f"task.{_hash(text)}"
    module.define(symbol, f"define internal i32 @{symbol}{text}")
    return symbol


def _checked(invocation: str, name: str, result: int) -> list[str]:
    """A call whose refusal ends the run."""
    return [
        f"  %r{name} = {invocation}",
        f"  %f{name} = icmp ne i32 %r{name}, 0",
        f"  br i1 %f{name}, label %refused{name}, label %go{name}",
        f"refused{name}:",
        f"  ret i32 {result}",
        f"go{name}:",
    ]


def place(plan: Plan, operand: Operand) -> tuple[int, int]:
    """The slot of the table and the bytes from that address to the operand's first element.

    Slots are buffer ids; all buffers of the arena share one slot behind the last id.
    """
    buffer = plan.buffers[operand.buffer]
    offset = operand.offset * operand.dtype.itemsize
    if buffer.kind == "arena":
        return len(plan.buffers) + Slot.ARENA, buffer.offset + offset
    return buffer.id, offset


def _used(plan: Plan, calls: Iterable[NativeCall]) -> list[int]:
    return sorted({place(plan, operand)[0] for call in calls for operand in call.operands})


def _longest(calls: Iterable[NativeCall]) -> int:
    return max((len(call.operands) for call in calls), default=0)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
