"""From a graph with static shapes to a plan: order, in-place results, offsets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from graphc.graph import Graph
from graphc.node import Node
from graphc.runtime.actions import Action, Cell, Program, View, collect
from graphc.runtime.arena import Block, lower_bound, pack
from graphc.runtime.hazards import may_overwrite, positions_that_may_raise
from graphc.runtime.layout import Layout
from graphc.runtime.plan import Buffer, Operand, Plan, Step
from graphc.runtime.schedule import POLICIES, Dependencies, Policy, Scheduler

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
    plans = (_plan(graph, layouts, policy) for policy in POLICIES)
    return min(plans, key=lambda plan: plan.arena_bytes)


def _plan(graph: Graph, layouts: Mapping[Node, Layout], policy: Policy) -> Plan:
    program = collect(graph, layouts)
    dependencies = Dependencies(program.actions)
    _write_variables_directly(program, dependencies)
    kept = {view.cell for view in program.updates.values()}
    order = Scheduler(dependencies, kept).run(policy)
    _keep_variables_until_nothing_raises(program, order)
    order += _copies_to_variables(graph, program)
    _overwrite_operands(order)
    return _assemble(program, order)


def _write_variables_directly(program: Program, dependencies: Dependencies) -> None:
    """Let producers of next values write the variable, where readers of the old can go first."""
    for variable, value in program.updates.items():
        target = program.variables[variable]
        producer = dependencies.producer.get(value.cell)
        fits = value.covers() and program.values[variable][0].covers()
        if producer is None or value.cell.kind != "arena" or value.cell.home or not fits:
            continue
        result = next(view for view in producer.writes if view.cell is value.cell)
        if any(view.cell is target for view in producer.reads):
            old = View(target, result.layout, result.dtype)
            if not _may_replace(producer, old, result):
                continue
        readers = dependencies.readers.get(target, ())
        if dependencies.put_before([one for one in readers if one is not producer], producer):
            value.cell.home = target


def _keep_variables_until_nothing_raises(program: Program, order: Sequence[Action]) -> None:
    """Give next values that come before a step that may raise their own memory again."""
    nodes = [action.node if action.kind == "compute" else None for action in order]
    last = max(positions_that_may_raise(nodes), default=-1)
    for action in order[: last + 1]:
        for view in action.writes:
            view.cell.home = None


def _copies_to_variables(graph: Graph, program: Program) -> list[Action]:
    """What is left to do at the end: next values that are not in their variable's memory."""
    return [
        Action("copy", node, (program.updates[variable],), program.values[variable])
        for variable, node in graph.updates.items()
        if variable in program.updates
        and program.updates[variable].cell.home is not program.variables[variable]
    ]


def _overwrite_operands(order: Sequence[Action]) -> None:
    """Let results take the memory of an operand that nobody reads afterwards."""
    last_read = {view.cell: now for now, action in enumerate(order) for view in action.reads}
    for now, action in enumerate(order):
        for result in action.writes:
            if result.cell.root.kind != "arena":
                continue
            for old in action.reads:
                dies = old.cell.root.kind == "arena" and last_read[old.cell] == now
                free = all(view.cell.root is not old.cell.root for view in action.writes)
                if dies and free and _may_replace(action, old, result):
                    result.cell.home = old.cell
                    break


def _may_replace(action: Action, old: View, result: View) -> bool:
    """True if the result may be written where an operand is, point by point."""
    same_place = (
        old.covers()
        and old.layout.shape == result.layout.shape
        and old.dtype.itemsize == result.dtype.itemsize
    )
    positions = [
        position for position, view in enumerate(action.reads) if view.cell.root is old.cell.root
    ]
    return (
        same_place
        and action.kind == "compute"
        and all(_same_points(action.reads[position], old) for position in positions)
        and may_overwrite(action.node, result.layout.shape, positions)
    )


def _same_points(view: View, other: View) -> bool:
    return (
        view.covers()
        and view.layout.shape == other.layout.shape
        and view.dtype.itemsize == other.dtype.itemsize
    )


def _assemble(program: Program, order: Sequence[Action]) -> Plan:
    cells = [*program.inputs, *program.variables.values(), *program.outputs.values()]
    bound = len(cells)
    views = [view for value in program.values.values() for view in value]
    cells += dict.fromkeys(view.cell for view in views if view.cell.kind == "constant")
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
