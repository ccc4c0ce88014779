"""Plans of the programs inside nodes, with their arenas in memory of the outer program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from graphc.dtypes import DType, uint8
from graphc.graph import Graph
from graphc.node import Node
from graphc.runtime.layout import Layout, contiguous, extent
from graphc.runtime.plan import Plan
from graphc.runtime.planning.actions import Cell, Nest, View
from graphc.runtime.planning.arena import padded
from graphc.runtime.planning.inside import input_layouts, programs
from graphc.runtime.planning.packed import packed_inputs
from graphc.runtime.planning.turned import turned, turned_inputs

MakePlan = Callable[[Graph, Mapping[Node, Layout]], Plan]


def make_nest(make_plan: MakePlan, node: Node, operands: Sequence[View]) -> Nest:
    """Plan what is inside a node.

    Args:
        make_plan: plans one program.
        node: the node; see ``graphc.runtime.planning.inside``.
        operands: where its operands lie.
    """
    layouts = [view.layout for view in operands]
    across = turned_inputs(node, layouts)
    for number in across:
        layouts[number] = turned(layouts[number], operands[number].dtype.itemsize)
    plans = tuple(map(make_plan, programs(node), input_layouts(node, layouts)))
    starts, nbytes = {}, padded(max(plan.arena_bytes for plan in plans))
    for number in across:
        starts[number] = nbytes
        nbytes += padded(extent(layouts[number]) * operands[number].dtype.itemsize)
    room = packed_inputs(node, layouts)
    for number, needed in room.items():
        starts[number] = nbytes
        nbytes += padded(needed)
    cell = Cell("arena", node, nbytes)
    copies = {
        number: _copy(cell, start, layouts[number], operands[number].dtype)
        for number, start in starts.items()
        if number not in room
    }
    packed = {
        number: View(cell, replace(contiguous((needed,)), offset=starts[number]), uint8)
        for number, needed in room.items()
    }
    work = View(cell, contiguous((nbytes,)), uint8)
    return Nest(plans, work, tuple(_constants(plan) for plan in plans), copies, packed)


def _copy(cell: Cell, start: int, layout: Layout, dtype: DType) -> View:
    """Memory so many bytes from the start of a cell."""
    return View(cell, replace(layout, offset=start // dtype.itemsize), dtype)


def _constants(plan: Plan) -> tuple[Cell, ...]:
    """The constants of a plan, as constants of the outer one."""
    return tuple(
        Cell("constant", buffer.node, buffer.nbytes, array=buffer.array)
        for buffer in plan.buffers[plan.bound :]
        if buffer.kind == "constant"
    )
