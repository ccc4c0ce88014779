"""What a thread does of a parallel region: a range of its units, of one phase or of several."""

from __future__ import annotations

from graphc.runtime.llvm.driver.regions import PhaseCall, Region
from graphc.runtime.llvm.ir.function import content_hash
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.plan import Operand


def define_task(module: Module, region: Region, scratch: int) -> str:
    """Add ``i32(ptr context, i64 worker, i64 begin, i64 end)``: a region on addresses in memory.

    Args:
        module: where the code goes.
        region: the phases.
        scratch: bytes of scratch memory of each thread.

    Returns:
        The symbol, a hash of the code.
    """
    operands = len(operands_of(region))
    lines = []
    for index in range(operands + 2):
        lines.append(f"  %c{index} = getelementptr ptr, ptr %context, i64 {index}")
        lines.append(f"  %a{index} = load ptr, ptr %c{index}, align 8")
    lines += [
        f"  %skipped = mul i64 %worker, {scratch}",
        f"  %own = getelementptr i8, ptr %a{operands + 1}, i64 %skipped",
    ]
    if len(region.calls) == 1:
        lines += [f"  %r0 = {_part(region.calls[0], 0, operands, '%begin', '%end')}"]
        lines += ["  ret i32 %r0"]
    else:
        module.declare("llvm.smin.i64", "declare i64 @llvm.smin.i64(i64, i64)")
        module.declare("llvm.smax.i64", "declare i64 @llvm.smax.i64(i64, i64)")
        lines += _beside(region, operands) if region.beside else _by_turns(region, operands)
        lines.append("  ret i32 0")
    code = "\n".join(lines)
    text = f"(ptr %context, i64 %worker, i64 %begin, i64 %end) nounwind {{\nentry:\n{code}\n}}"
    symbol = f"task.{content_hash(text)}"
    module.define(symbol, f"define internal i32 @{symbol}{text}")
    return symbol


def _by_turns(region: Region, operands: int) -> list[str]:
    """All phases take turns, grain by grain."""
    lines = [
        "  br label %piece",
        "piece:",
        "  %from = phi i64 [ %begin, %entry ], [ %to, %piece ]",
        f"  %next = add i64 %from, {region.grain}",
        "  %to = call i64 @llvm.smin.i64(i64 %next, i64 %end)",
    ]
    taken = 0
    for number, call in enumerate(region.calls):
        lines.append(f"  %r{number} = {_part(call, taken, operands, '%from', '%to')}")
        taken += len(call.operands)
    return [
        *lines,
        "  %more = icmp slt i64 %to, %end",
        "  br i1 %more, label %piece, label %done",
        "done:",
    ]


def _beside(region: Region, operands: int) -> list[str]:
    """Each phase does those of its units that are among the region's."""
    lines, taken, before = [], 0, 0
    for number, call in enumerate(region.calls):
        begin, end = f"%begin{number}", f"%end{number}"
        lines += [
            f"  {begin}.own = sub i64 %begin, {before}",
            f"  {end}.own = sub i64 %end, {before}",
            f"  {begin} = call i64 @llvm.smax.i64(i64 {begin}.own, i64 0)",
            f"  {end} = call i64 @llvm.smin.i64(i64 {end}.own, i64 {call.phase.units})",
            f"  %some{number} = icmp slt i64 {begin}, {end}",
            f"  br i1 %some{number}, label %do{number}, label %next{number}",
            f"do{number}:",
            f"  %r{number} = {_part(call, taken, operands, begin, end)}",
            f"  br label %next{number}",
            f"next{number}:",
        ]
        taken, before = taken + len(call.operands), before + call.phase.units
    return lines


def _part(call: PhaseCall, first: int, shared: int, begin: str, end: str) -> str:
    """A phase's call inside a task; its operands begin at this place of the context."""
    own = "".join(f"ptr %a{first + index}, " for index in range(len(call.operands)))
    return f"call i32 @{call.phase.symbol}({own}ptr %a{shared}, ptr %own, i64 {begin}, i64 {end})"


def operands_of(region: Region) -> list[Operand]:
    """The arguments of all phases, one behind the other."""
    return [operand for call in region.calls for operand in call.operands]
