"""Plans of the programs inside nodes, with their arenas in memory of the outer program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from graphc.dtypes import uint8
from graphc.graph import Graph
from graphc.node import Node
from graphc.runtime.actions import Cell, Nest, View
from graphc.runtime.inside import input_layouts, programs
from graphc.runtime.layout import Layout, contiguous
from graphc.runtime.plan import Plan

MakePlan = Callable[[Graph, Mapping[Node, Layout]], Plan]


def make_nest(make_plan: MakePlan, node: Node, operands: Sequence[View]) -> Nest:
    """Plan what is inside a node.

    Args:
        make_plan: plans one program.
        node: the node; see ``graphc.runtime.inside``.
        operands: where its operands lie.
    """
    layouts = input_layouts(node, [view.layout for view in operands])
    plans = tuple(map(make_plan, programs(node), layouts))
    nbytes = max(plan.arena_bytes for plan in plans)
    work = View(Cell("arena", node, nbytes), contiguous((nbytes,)), uint8)
    return Nest(plans, work, tuple(_constants(plan) for plan in plans))


def _constants(plan: Plan) -> tuple[Cell, ...]:
    """The constants of a plan, as constants of the outer one."""
    return tuple(
        Cell("constant", buffer.node, buffer.nbytes, array=buffer.array)
        for buffer in plan.buffers[plan.bound :]
        if buffer.kind == "constant"
    )
