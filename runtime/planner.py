"""From a graph with static shapes to a plan: order, in-place results, offsets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from graphc.graph import Graph
from graphc.node import Node
from graphc.runtime.actions import Action, Cell, Program, View, collect
from graphc.runtime.arena import Block, lower_bound, pack
from graphc.runtime.dependencies import Dependencies
from graphc.runtime.layout import Layout
from graphc.runtime.plan import Buffer, Operand, Plan, Step
from graphc.runtime.reuse import overwrite_operands
from graphc.runtime.schedule import best_order
from graphc.runtime.updates import place_updates

NO_LAYOUTS: Mapping[Node, Layout] = MappingProxyType({})


def make_plan(graph: Graph, layouts: Mapping[Node, Layout] = NO_LAYOUTS) -> Plan:
    """Plan a program: several orders are tried, the one that needs the least memory is kept.

    Args:
        graph: the program; all shapes static.
        layouts: where the elements of variables lie, relative to the base array that each run
            brings; variables that are not named are C-contiguous.

    Returns:
        A plan in which no variable is written before every step that may raise has passed.
    """
    program = collect(graph, layouts)
    dependencies = Dependencies(program.actions)
    place_updates(graph, program, dependencies)
    order = [dependencies.actions[number] for number in best_order(dependencies)]
    overwrite_operands(order)
    return _assemble(program, order)


def _assemble(program: Program, order: Sequence[Action]) -> Plan:
    cells = [*program.inputs, *program.variables.values(), *program.outputs.values()]
    bound = len(cells)
    read = [view.cell for action in order for view in action.reads]
    cells += dict.fromkeys(cell for cell in read if cell.kind == "constant")
    blocks = _blocks(order)
    cells += blocks
    ids = {cell: position for position, cell in enumerate(cells)}
    offsets, arena_bytes = pack(list(blocks.values()))
    places = dict(zip(blocks, offsets, strict=True))
    buffers = tuple(
        Buffer(ids[cell], cell.kind, cell.nbytes, cell.node, cell.name, places.get(cell, 0),
               cell.array)
        for cell in cells
    )  # fmt: skip
    steps = tuple(
        Step(
            action.kind,
            action.node,
            tuple(_operand(view, ids) for view in action.reads),
            tuple(_operand(view, ids) for view in action.writes),
        )
        for action in order
    )
    written = {operand.buffer for step in steps for operand in step.outputs}
    apart = {
        view.cell for action in order for view in action.writes if view.cell.root.kind == "arena"
    }
    return Plan(
        steps=steps,
        buffers=buffers,
        bound=bound,
        outputs=MappingProxyType({name: ids[cell] for name, cell in program.outputs.items()}),
        written=tuple(ids[cell] for cell in program.variables.values() if ids[cell] in written),
        arena_bytes=arena_bytes,
        naive_bytes=sum(Block(cell.nbytes, 0, 0).padded for cell in apart),
        lower_bound_bytes=lower_bound(list(blocks.values())),
        copied=MappingProxyType(
            {ids[program.variables[node]]: why for node, why in program.copied.items()}
        ),
    )


def _blocks(order: Sequence[Action]) -> dict[Cell, Block]:
    """How long each piece of arena memory is needed."""
    blocks: dict[Cell, Block] = {}
    for now, action in enumerate(order):
        for view in (*action.reads, *action.writes):
            cell = view.cell.root
            if cell.kind == "arena":
                start = blocks[cell].start if cell in blocks else now
                blocks[cell] = Block(cell.nbytes, start, now)
    return blocks


def _operand(view: View, ids: Mapping[Cell, int]) -> Operand:
    layout = view.layout
    return Operand(ids[view.cell.root], layout.offset, layout.shape, layout.strides, view.dtype)
