"""Native functions that run several kernels one after the other: straight-line calls, no Python.

Such a function gets the address of a table with the address of each buffer; where in a buffer an
operand starts is a constant of the code. It returns 0, or n when call number n (from 1) refused its
data; the calls behind that one were not made. Phases that take long enough are parallel regions.
Behind the buffers' addresses the table has those of the arena, of the workspace, of the pool that
helps (null: none), and of memory for the time when each step began (null: nobody asks).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from graphc.runtime.backend import Kernel
from graphc.runtime.llvm.driver.clock import STAMP, define_stamp
from graphc.runtime.llvm.driver.regions import PhaseCall, Region, regions
from graphc.runtime.llvm.driver.tasks import define_task, operands_of
from graphc.runtime.llvm.driver.times import start_of
from graphc.runtime.llvm.ir.function import content_hash
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.native_step import NativeStep
from graphc.runtime.llvm.pool.region import PARALLEL_FOR, PARALLEL_FOR_DECLARATION
from graphc.runtime.plan import ALIGNMENT, Operand, Plan

PIECE_OPERANDS = 512
"""Operands of the calls of one function, from which on another function goes on."""


@dataclass(frozen=True, slots=True)
class NativeCall:
    """The calls of one step's kernels.

    Args:
        step: the position in ``Plan.steps``.
        native: its kernels, one per phase.
        operands: their arguments: inputs, then outputs.
        inside: for each program that the step runs its kernels.
    """

    step: int
    native: NativeStep
    operands: tuple[Operand, ...]
    inside: tuple[tuple[Kernel, ...], ...] = ()


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


def define_run(module: Module, plan: Plan, calls: Sequence[NativeCall]) -> str:
    """Add ``i32(ptr table)`` that makes these calls, and return its symbol.

    LLVM takes more than twice as long for a function that is twice as long. That of a long program
    calls functions for a piece each, and LLVM spends no effort on them.

    Args:
        module: where the code goes; it has the kernels.
        plan: the plan that the operands belong to.
        calls: in the order of execution.
    """
    space = workspace(calls)
    define_stamp(module)
    pieces = [
        list(_piece(module, plan, piece, space))
        for piece in _pieces(regions(plan, _phase_calls(plan, calls)))
    ]
    pieces[-1].append(_stamped_at(calls[-1].step + 1))
    if len(pieces) == 1:
        return _define(module, pieces[0])
    return _define(module, _in_turn([_define(module, piece, glue=True) for piece in pieces]))


def _define(module: Module, lines: Iterable[str], *, glue: bool = False) -> str:
    code = "\n".join([*lines, "  ret i32 0"])
    text = f"(ptr %table) nounwind {{\nentry:\n{code}\n}}"
    symbol = f"run.{content_hash(text)}"
    module.define(symbol, f"define i32 @{symbol}{text}", glue=glue)
    return symbol


def _pieces(together: Iterable[Region]) -> Iterator[list[Region]]:
    """Neighbours with about as many operands as one function should have."""
    piece: list[Region] = []
    operands = 0
    for region in together:
        if piece and operands >= PIECE_OPERANDS:
            yield piece
            piece, operands = [], 0
        piece.append(region)
        operands += len(operands_of(region))
    yield piece


def _piece(
    module: Module, plan: Plan, together: Sequence[Region], space: Workspace
) -> Iterator[str]:
    """The calls of some regions, and the addresses that they need."""
    first = len(plan.buffers)
    yield from _loaded("%shared", first + Slot.WORKSPACE)
    yield f"  %scratch = getelementptr i8, ptr %shared, i64 {space.shared}"
    yield from _loaded("%pool", first + Slot.POOL)
    yield from _loaded("%times", first + Slot.TIMES)
    yield f"  %context = alloca [{_longest(together) + 2} x ptr], align 8"
    operands = [operand for region in together for operand in operands_of(region)]
    for number in sorted({place(plan, operand)[0] for operand in operands}):
        yield from _loaded(f"%b{number}", number)
    for position, region in enumerate(together):
        addresses = []
        for index, operand in enumerate(operands_of(region)):
            name = f"%a{position}.{index}"
            slot, offset = place(plan, operand)
            yield f"  {name} = getelementptr i8, ptr %b{slot}, i64 {offset}"
            addresses.append(name)
        if region.is_parallel and (len(region.calls) > 1 or region.calls[0].phase.timed):
            yield from _joined(module, region, addresses, position, space.scratch)
        else:
            yield from _region(module, region, addresses, str(position), space.scratch)


def _in_turn(symbols: Sequence[str]) -> Iterator[str]:
    """One piece after the other, until one refuses its data."""
    for number, symbol in enumerate(symbols):
        yield f"  %r{number} = call i32 @{symbol}(ptr %table)"
        yield f"  %f{number} = icmp ne i32 %r{number}, 0"
        yield f"  br i1 %f{number}, label %refused{number}, label %go{number}"
        yield f"refused{number}:"
        yield f"  ret i32 %r{number}"
        yield f"go{number}:"


def _phase_calls(plan: Plan, calls: Iterable[NativeCall]) -> list[PhaseCall]:
    return [
        PhaseCall(
            None if position else call.step,
            phase,
            call.operands,
            len(plan.steps[call.step].outputs),
            alone=call.native.shared_bytes > 0,
            refusal=number if call.native.fallible else 0,
            times=start_of(plan, call.step) if phase.runs_programs or phase.timed else 0,
        )
        for number, call in enumerate(calls, 1)
        for position, phase in enumerate(call.native.phases)
    ]


def _stamped(call: PhaseCall) -> list[str]:
    """Note the time if a step begins with this call."""
    if call.begins is None:
        return []
    return [_stamped_at(call.begins)]


def _stamped_at(index: int) -> str:
    return f"  call void @{STAMP}(ptr %times, i64 {index})"


def _loaded(name: str, slot: int) -> list[str]:
    return [
        f"  {name}.slot = getelementptr ptr, ptr %table, i64 {slot}",
        f"  {name} = load ptr, ptr {name}.slot, align 8",
    ]


def _joined(
    module: Module, region: Region, addresses: Sequence[str], position: int, scratch: int
) -> list[str]:
    """Several phases at once, or one after the other where somebody wants to know their times."""
    apart, taken = [], 0
    for number, call in enumerate(region.calls):
        own = addresses[taken : taken + len(call.operands)]
        taken += len(own)
        alone, name = Region((call,)), f"{position}.apart{number}"
        if call.phase.timed:
            apart += _whole(alone, own, name)
        else:
            apart += _region(module, alone, own, name, scratch)
    return [
        f"  %asked{position} = icmp ne ptr %times, null",
        f"  br i1 %asked{position}, label %apart{position}, label %joined{position}",
        f"apart{position}:",
        *apart,
        f"  br label %on{position}",
        f"joined{position}:",
        *_region(module, region, addresses, str(position), scratch),
        f"  br label %on{position}",
        f"on{position}:",
    ]


def _region(
    module: Module, region: Region, addresses: Sequence[str], name: str, scratch: int
) -> list[str]:
    """All phases of a region, divided if that is worth it."""
    if not region.is_parallel:
        return _whole(region, addresses, name)
    return [
        *(line for call in region.calls for line in _stamped(call)),
        *_stored([*addresses, "%shared", "%scratch"], name),
        *_called(_divided(module, region, scratch), region.calls[0], name),
    ]


def _whole(region: Region, addresses: Sequence[str], name: str) -> list[str]:
    """All units by the calling thread, one phase after the other."""
    lines, taken = [], 0
    for number, call in enumerate(region.calls):
        own = addresses[taken : taken + len(call.operands)]
        taken += len(own)
        common = ", ".join(f"ptr {name}" for name in (*own, "%shared", "%scratch"))
        rest = f"i64 0, i64 {call.phase.units}"
        if call.phase.runs_programs or call.phase.timed:
            lines += _times_inside(call, f"{name}.{number}")
            rest = f"ptr %pool, ptr %inside{name}.{number}"
        invocation = f"call i32 @{call.phase.timed or call.phase.symbol}({common}, {rest})"
        lines += [*_stamped(call), *_called(invocation, call, f"{name}.{number}")]
    return lines


def _times_inside(call: PhaseCall, name: str) -> list[str]:
    """Where programs inside a step note their times; null if nobody asks."""
    return [
        f"  %nobody{name} = icmp eq ptr %times, null",
        f"  %notes{name} = getelementptr i8, ptr %times, i64 {call.times}",
        f"  %inside{name} = select i1 %nobody{name}, ptr null, ptr %notes{name}",
    ]


def _called(invocation: str, call: PhaseCall, name: object) -> list[str]:
    """A call; if it can refuse its data, its refusal ends the run."""
    if not call.refusal:
        return [f"  {invocation}"]
    return [
        f"  %r{name} = {invocation}",
        f"  %f{name} = icmp ne i32 %r{name}, 0",
        f"  br i1 %f{name}, label %refused{name}, label %go{name}",
        f"refused{name}:",
        f"  ret i32 {call.refusal}",
        f"go{name}:",
    ]


def _divided(module: Module, region: Region, scratch: int) -> str:
    """The units in pieces, by whoever has time; the context is stored."""
    module.declare(PARALLEL_FOR, PARALLEL_FOR_DECLARATION)
    task = define_task(module, region, scratch)
    return (
        f"call i32 @{PARALLEL_FOR}(ptr %pool, ptr @{task}, ptr %context, i64 {region.units}, "
        f"i64 {region.grain})"
    )


def _stored(addresses: Sequence[str], name: str) -> list[str]:
    """Put addresses where a task finds them."""
    lines = []
    for index, address in enumerate(addresses):
        cell = f"%c{name}.{index}"
        lines.append(f"  {cell} = getelementptr ptr, ptr %context, i64 {index}")
        lines.append(f"  store ptr {address}, ptr {cell}, align 8")
    return lines


def place(plan: Plan, operand: Operand) -> tuple[int, int]:
    """The slot of the table and the bytes from that address to the operand's first element.

    Slots are buffer ids; all buffers of the arena share one slot behind the last id.
    """
    buffer = plan.buffers[operand.buffer]
    offset = operand.offset * operand.dtype.itemsize
    if buffer.kind == "arena":
        return len(plan.buffers) + Slot.ARENA, buffer.offset + offset
    return buffer.id, offset


def _longest(together: Iterable[Region]) -> int:
    return max((len(operands_of(region)) for region in together), default=0)
