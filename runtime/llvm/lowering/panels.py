"""Which weights a loop's products read from panels that are copied before the loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.gemm.panels import panel_elements
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.runtime.llvm.lowering import products
from graphc.runtime.plan import Inside, Operand, Plan, Step
from graphc.runtime.planning.inside import programs


@dataclass(frozen=True, slots=True)
class Panels:
    """A weight in panels.

    Args:
        width: columns of a panel.
        source: how the factor lies that is copied; its first element has the lowest address.
    """

    width: int
    source: Layout

    def __str__(self) -> str:
        terms, columns = self.source.shape
        return (
            f"copied before the loop, {columns} columns x {terms} terms in panels of {self.width}"
        )


NO_PANELS: Mapping[int, Panels] = MappingProxyType({})


def panels_inside(target: Target, step: Step, inside: Inside) -> Mapping[int, Panels]:
    """The panels that native code makes, by the numbers of the inputs of a step.

    Args:
        target: the processor.
        step: what runs programs.
        inside: its programs; it says where there is memory for panels.
    """
    found = {}
    for number, room in inside.packed.items():
        wanted = {
            _wanted(target, each, buffer)
            for plan, buffer in _buffers(step, inside, number)
            for each in plan.steps
            if any(operand.buffer == buffer for operand in each.inputs)
        }
        panels = wanted.pop() if len(wanted) == 1 else None
        if panels is not None and _nbytes(panels) <= room.nbytes:
            found[number] = panels
    return found


def buffers_in_panels(
    step: Step, inside: Inside, panels: Mapping[int, Panels]
) -> tuple[Mapping[int, int], ...]:
    """The widths of panels by buffers of each program's plan.

    Args:
        step: what runs programs.
        inside: its programs.
        panels: what ``panels_inside`` found.
    """
    found: tuple[dict[int, int], ...] = tuple({} for _ in inside.plans)
    for number, each in panels.items():
        for plan, buffer in _buffers(step, inside, number):
            found[inside.plans.index(plan)][buffer] = each.width
    return found


def _buffers(step: Step, inside: Inside, number: int) -> list[tuple[Plan, int]]:
    """Where programs have an input of the step."""
    return [
        (plan, buffer.id)
        for plan, graph in zip(inside.plans, programs(step.node), strict=True)
        for buffer in plan.buffers[: plan.bound]
        if buffer.kind != "output" and buffer.node is graph.inputs[number]
    ]


def _wanted(target: Target, step: Step, buffer: int) -> Panels | None:
    """The panels from which a product could read its right factor."""
    if step.kind != "compute" or step.node.op.name not in products.OPERATIONS:
        return None
    width, factor = products.wanted_panels(target, step)
    if not width or factor.buffer != buffer or not _starts_lowest(factor):
        return None
    return Panels(width, products.layout_of(factor))


def _starts_lowest(operand: Operand) -> bool:
    return operand.offset == 0 and min(operand.strides) >= 0


def _nbytes(panels: Panels) -> int:
    terms, columns = panels.source.shape
    return panel_elements(terms, columns, panels.width) * panels.source.dtype.itemsize
