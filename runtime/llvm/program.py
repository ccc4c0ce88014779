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
from graphc.runtime.plan import Operand, Plan


@dataclass(frozen=True, slots=True)
class NativeCall:
    """One call of a kernel.

    Args:
        step: the position in ``Plan.steps``.
        symbol: the kernel.
        operands: its arguments: inputs, then outputs.
        fallible: whether it returns 1 when it refuses its data.
    """

    step: int
    symbol: str
    operands: tuple[Operand, ...]
    fallible: bool


def define_run(module: Module, plan: Plan, calls: Sequence[NativeCall]) -> str:
    """Add ``i32(ptr table)`` that makes these calls, and return its symbol.

    Args:
        module: where the code goes; it has the kernels.
        plan: the plan that the operands belong to.
        calls: in the order of execution.
    """
    lines = []
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
        invocation = f"@{call.symbol}({', '.join(arguments)})"
        if call.fallible:
            lines += _checked(invocation, position + 1)
        else:
            lines.append(f"  call void {invocation}")
    code = "\n".join([*lines, "  ret i32 0"])
    text = f"(ptr %table) nounwind {{\nentry:\n{code}\n}}"
    symbol = f"run.{hashlib.sha256(text.encode()).hexdigest()[:24]}"
    module.define(symbol, f"define i32 @{symbol}{text}")
    return symbol


def _checked(invocation: str, number: int) -> list[str]:
    """A call whose refusal ends the run."""
    return [
        f"  %r{number} = call i32 {invocation}",
        f"  %f{number} = icmp ne i32 %r{number}, 0",
        f"  br i1 %f{number}, label %refused{number}, label %go{number}",
        f"refused{number}:",
        f"  ret i32 {number}",
        f"go{number}:",
    ]


def place(plan: Plan, operand: Operand) -> tuple[int, int]:
    """The slot of the table and the bytes from that address to the operand's first element.

    Slots are buffer ids; all buffers of the arena share the slot behind the last id.
    """
    buffer = plan.buffers[operand.buffer]
    offset = operand.offset * operand.dtype.itemsize
    if buffer.kind == "arena":
        return len(plan.buffers), buffer.offset + offset
    return buffer.id, offset


def _used(plan: Plan, calls: Iterable[NativeCall]) -> list[int]:
    return sorted({place(plan, operand)[0] for call in calls for operand in call.operands})
