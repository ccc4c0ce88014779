"""Native functions that run several kernels one after the other: straight-line calls, no Python.

Such a function gets the address of a table with the address of each buffer; where in a buffer an
operand starts is a constant of the code. It returns 0, or n when call number n (from 1) refused its
data; the calls behind that one were not made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graphc.runtime.llvm.module import Module
from graphc.runtime.llvm.native_step import NativeStep
from graphc.runtime.plan import ALIGNMENT, Operand, Plan


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


def define_run(module: Module, plan: Plan, calls: Sequence[NativeCall]) -> str:
    """Add ``i32(ptr table)`` that makes these calls, and return its symbol.

    Args:
        module: where the code goes; it has the kernels.
        plan: the plan that the operands belong to.
        calls: in the order of execution.
    """
    lines = []
    shared, _ = workspace(calls)
    for number in _used(plan, calls):
        lines.append(f"  %s{number} = getelementptr ptr, ptr %table, i64 {number}")
        lines.append(f"  %b{number} = load ptr, ptr %s{number}, align 8")
    for position, call in enumerate(calls):
        arguments = []
        for index, operand in enumerate(call.operands):
            name = f"%a{position}.{index}"
            slot, offset = place(plan, operand)
            lines.append(f"  {name} = getelementptr i8, ptr %b{slot}, i64 {offset}")
            arguments.append(f"ptr {name}")
        common = ", ".join([*arguments, "ptr %shared", "ptr %scratch"])
        for number, phase in enumerate(call.native.phases):
            invocation = f"call i32 @{phase.symbol}({common}, i64 0, i64 {phase.units})"
            if call.native.fallible:
                lines += _checked(invocation, f"{position}.{number}", position + 1)
            else:
                lines.append(f"  {invocation}")
    workspace_slot = len(plan.buffers) + 1
    start = [
        f"  %ws = getelementptr ptr, ptr %table, i64 {workspace_slot}",
        "  %shared = load ptr, ptr %ws, align 8",
        f"  %scratch = getelementptr i8, ptr %shared, i64 {shared}",
    ]
    code = "\n".join([*start, *lines, "  ret i32 0"])
    text = f"(ptr %table) nounwind {{\nentry:\n{code}\n}}"
    symbol = f"run.{hashlib.sha256(text.encode()).hexdigest()[:24]}"
    module.define(symbol, f"define i32 @{symbol}{text}")
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


def workspace(calls: Iterable[NativeCall]) -> tuple[int, int]:
    """Bytes that the calls need beside their operands: shared ones, and scratch behind them."""
    calls = tuple(calls)
    shared = max((call.native.shared_bytes for call in calls), default=0)
    scratch = max((call.native.scratch_bytes for call in calls), default=0)
    return -(-shared // ALIGNMENT) * ALIGNMENT, -(-scratch // ALIGNMENT) * ALIGNMENT


def place(plan: Plan, operand: Operand) -> tuple[int, int]:
    """The slot of the table and the bytes from that address to the operand's first element.

    Slots are buffer ids; all buffers of the arena share the slot behind the last id. Behind that
    one is the slot of the workspace.
    """
    buffer = plan.buffers[operand.buffer]
    offset = operand.offset * operand.dtype.itemsize
    if buffer.kind == "arena":
        return len(plan.buffers), buffer.offset + offset
    return buffer.id, offset


def _used(plan: Plan, calls: Iterable[NativeCall]) -> list[int]:
    return sorted({place(plan, operand)[0] for call in calls for operand in call.operands})
