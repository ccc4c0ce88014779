"""From a graph with static shapes to a plan: order, in-place results, offsets."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from graphc.graph import Graph
from graphc.node import Node
from graphc.runtime.layout import Layout
from graphc.runtime.plan import Buffer, Inside, Operand, Plan, Step
from graphc.runtime.planning.actions import Action, Cell, Nest, Program, View, collect
from graphc.runtime.planning.arena import Block, lower_bound, pack, padded
from graphc.runtime.planning.dependencies import Dependencies
from graphc.runtime.planning.nests import make_nest
from graphc.runtime.planning.orders import best_order
from graphc.runtime.planning.reuse import overwrite_operands
from graphc.runtime.planning.updates import place_updates

NO_LAYOUTS: Mapping[Node, Layout] = MappingProxyType({})


def make_plan(graph: Graph, layouts: Mapping[Node, Layout] = NO_LAYOUTS) -> Plan:
    """Plan a program: several orders are tried, the one that needs the least memory is kept.

    Args:
        graph: the program; all shapes static.
        layouts: where the elements of variables and inputs lie, relative to the base array that
            each run brings; those that are not named are C-contiguous.

    Returns:
        A plan in which no variable is written before every step that may raise has passed.
    """
    program = collected(graph, layouts)
    dependencies = Dependencies(program.actions)
    place_updates(graph, program, dependencies)
    order = [dependencies.actions[number] for number in best_order(dependencies)]
    overwrite_operands(order)
    return _assemble(program, order)


def collected(graph: Graph, layouts: Mapping[Node, Layout] = NO_LAYOUTS) -> Program:
    """All actions of a program in program order; the programs inside its nodes are planned."""
    return collect(graph, layouts, functools.partial(make_nest, make_plan))


def _assemble(program: Program, order: Sequence[Action]) -> Plan:
    cells = [*program.inputs, *program.variables.values(), *program.outputs.values()]
    bound = len(cells)
    read = [view.cell for action in order for view in action.reads]
    nests = [action.nest for action in order if action.nest is not None]
    cells += dict.fromkeys(cell for cell in read if cell.kind == "constant")
    cells += [cell for nest in nests for constants in nest.constants for cell in constants]
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
            _inside(action.nest, ids),
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
        naive_bytes=sum(padded(cell.nbytes) for cell in apart)
        + sum(_naive_bytes(nest) for nest in nests),
        lower_bound_bytes=lower_bound(list(blocks.values())),
        copied=MappingProxyType(
            {ids[program.variables[node]]: why for node, why in program.copied.items()}
        ),
    )


def _blocks(order: Sequence[Action]) -> dict[Cell, Block]:
    """How long each piece of arena memory is needed."""
    blocks: dict[Cell, Block] = {}
    for now, action in enumerate(order):
        for view in (*action.reads, *action.fills):
            cell = view.cell.root
            if cell.kind == "arena":
                start = blocks[cell].start if cell in blocks else now
                blocks[cell] = Block(cell.nbytes, start, now)
    return blocks


def _naive_bytes(nest: Nest) -> int:
    """What the programs inside a node would need if every value had its own memory."""
    copies = nest.work.cell.nbytes - padded(max(plan.arena_bytes for plan in nest.plans))
    return copies + max(plan.naive_bytes for plan in nest.plans)


def _inside(nest: Nest | None, ids: Mapping[Cell, int]) -> Inside | None:
    if nest is None:
        return None
    constants = tuple(tuple(ids[cell] for cell in cells) for cells in nest.constants)
    copies = {number: _operand(view, ids) for number, view in nest.copies.items()}
    packed = {number: _operand(view, ids) for number, view in nest.packed.items()}
    return Inside(
        nest.plans,
        _operand(nest.work, ids),
        constants,
        MappingProxyType(copies),
        MappingProxyType(packed),
    )


def _operand(view: View, ids: Mapping[Cell, int]) -> Operand:
    layout = view.layout
    return Operand(ids[view.cell.root], layout.offset, layout.shape, layout.strides, view.dtype)
