"""What is copied before programs inside a step run: weights, and the first values of carries.

Each copy is a phase of the step, so that threads can share it. Its function has the operands of the
step; it passes on those that the copy reads and writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from graphc.runtime.llvm.gemm.panels import build_panels
from graphc.runtime.llvm.ir.function import content_hash
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.lowering.panels import Panels
from graphc.runtime.llvm.lowering.steps import build_step
from graphc.runtime.llvm.native_step import NativeStep, Phase
from graphc.runtime.plan import Inside, Operand, Step
from graphc.runtime.planning.inside import carries_in_place


@dataclass(frozen=True, slots=True)
class _Copy:
    """A copy from one operand of the step to a place in another.

    Args:
        native: what copies.
        source: the number of the operand that is read.
        target: the number of the one that is written.
        offset: where in it, in bytes.
    """

    native: NativeStep
    source: int
    target: int
    offset: int = 0


def copies_before(
    module: Module, step: Step, inside: Inside, panels: Mapping[int, Panels], operands: int
) -> NativeStep:
    """Add the functions of all copies to a module; its phases are the first ones of the step.

    Args:
        module: where the code goes.
        step: the step.
        inside: its programs.
        panels: the inputs that are copied in panels.
        operands: the number of operands of the step's functions.
    """
    copies = list(_copies(module, step, inside, panels))
    return NativeStep(
        tuple(
            _passing_on(module, each, phase, operands)
            for each in copies
            for phase in each.native.phases
        ),
        max((each.native.shared_bytes for each in copies), default=0),
        max((each.native.scratch_bytes for each in copies), default=0),
    )


def _copies(
    module: Module, step: Step, inside: Inside, panels: Mapping[int, Panels]
) -> Iterator[_Copy]:
    results = len(step.inputs)
    work = results + len(step.outputs)
    for number, copy in inside.copies.items():
        native = _elements(module, step, step.inputs[number], copy)
        yield _Copy(native, number, work, copy.offset * copy.dtype.itemsize)
    for number, each in panels.items():
        native = build_panels(module, each.source, each.width)
        yield _Copy(native, number, work, inside.packed[number].offset)
    for carry in carries_in_place(step.node):
        source, target = step.inputs[carry], step.outputs[carry]
        if target.size and not source.same_elements(target):
            yield _Copy(_elements(module, step, source, target), carry, results + carry)


def _elements(module: Module, step: Step, source: Operand, target: Operand) -> NativeStep:
    return build_step(module, Step("copy", step.node, (source,), (target,)))


def _passing_on(module: Module, copy: _Copy, phase: Phase, operands: int) -> Phase:
    """A function of the step's operands that calls a copy's."""
    common = "ptr %shared, ptr %scratch, i64 %begin, i64 %end"
    given = "".join(f"ptr %p{number}, " for number in range(operands))
    text = f"""({given}{common}) nounwind {{
entry:
  %to = getelementptr i8, ptr %p{copy.target}, i64 {copy.offset}
  %result = call i32 @{phase.symbol}(ptr %p{copy.source}, ptr %to, {common})
  ret i32 %result
}}"""
    symbol = f"before.{content_hash(text)}"
    module.define(symbol, f"define i32 @{symbol}{text}")
    return replace(phase, symbol=symbol, spans=(), apart=True)
