"""Next values of variables: written straight into the variable's memory, or copied there.

A step may write a variable when everybody who reads the old value has done so, and no step can
raise any more. Where that is impossible the next value has memory of its own and is copied as soon
as nobody needs the old one.
"""

from __future__ import annotations

from graphc.graph import Graph
from graphc.runtime.planning.actions import Action, Cell, Program, View, whole
from graphc.runtime.planning.dependencies import Dependencies
from graphc.runtime.planning.hazards import positions_that_may_raise
from graphc.runtime.planning.reuse import may_replace


def place_updates(graph: Graph, program: Program, dependencies: Dependencies) -> None:
    """Decide how each variable gets its next value; adds copies and demands on the order."""
    nodes = [one.node if one.kind == "compute" else None for one in program.actions]
    risky = positions_that_may_raise(nodes)
    _save_old_values(graph, program, dependencies)
    for variable, value in program.updates.items():
        target = program.values[variable][0]
        obstacle = _obstacle(value, target, dependencies, risky)
        if obstacle is None:
            value.cell.home = target.cell
            continue
        program.copied[variable] = obstacle
        readers = dependencies.readers.get(target.cell, [])
        number = dependencies.append(Action("copy", graph.updates[variable], (value,), (target,)))
        possible = dependencies.put_before([*risky, *readers], number)
        assert possible, "nothing comes after a copy to a variable"


def _save_old_values(graph: Graph, program: Program, dependencies: Dependencies) -> None:
    """Copy old values that become some variable's next value before they are overwritten."""
    updated = {program.variables[variable] for variable in program.updates}
    for variable, value in program.updates.items():
        if value.cell in updated:
            node = graph.updates[variable]
            saved = whole(Cell("arena", node, node.type.nbytes), node.type)
            dependencies.append(Action("copy", node, (value,), (saved,)))
            program.updates[variable] = saved


def _obstacle(
    value: View, target: View, dependencies: Dependencies, risky: list[int]
) -> str | None:
    """Why those who compute a next value cannot write the variable; None if they can."""
    if value.cell.kind != "arena" or value.cell.home is not None:
        return "the next value is an input, a constant, an output or in another variable"
    if value.cell not in dependencies.writers:
        return "the next value has no elements"
    if not value.covers() or not target.covers():
        return "the next value's elements lie in another order than the variable's"
    readers = dependencies.readers.get(target.cell, [])
    for number in dependencies.writers[value.cell]:
        others = [reader for reader in readers if reader != number]
        if number in risky:
            return "the step that computes it may raise"
        if not _may_write_over(dependencies.actions[number], value.cell, target.cell):
            return "the step that computes it reads the old value at other times or places"
        if not dependencies.put_before([*risky, *others], number):
            return "steps behind it read the old value, or may raise"
    return None


def _may_write_over(action: Action, cell: Cell, variable: Cell) -> bool:
    """True if an action does not read the variable, or reads each point before it writes it."""
    return all(
        may_replace(action, variable, number)
        for number, view in enumerate(action.writes)
        if view.cell is cell
    )
