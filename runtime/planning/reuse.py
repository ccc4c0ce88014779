"""Results in the memory of operands that nobody reads afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.runtime.planning.actions import Action, Cell, View
from graphc.runtime.planning.hazards import may_overwrite


def overwrite_operands(order: Sequence[Action]) -> None:
    """Give results the memory of operands that die at the same step, where that is possible."""
    last_read = {view.cell: now for now, action in enumerate(order) for view in action.reads}
    for now, action in enumerate(order):
        for number, old in reusable(action):
            result = action.writes[number].cell
            dies = old.root.kind == "arena" and last_read[old] == now
            taken = any(view.cell.root is old.root for view in action.writes)
            if dies and not taken and result.root.kind == "arena" and result.home is None:
                result.home = old


def reusable(action: Action) -> list[tuple[int, Cell]]:
    """The results that may overwrite an operand, should that die: number and operand's cell."""
    found = []
    for number, result in enumerate(action.writes):
        if result.cell.kind == "arena" and result.cell.home is None:
            fitting = {view.cell: None for view in action.reads if _fits(view, result)}
            found += [(number, old) for old in fitting if may_replace(action, old, number)]
    return found


def _fits(view: View, result: View) -> bool:
    return view.cell.root.kind == "arena" and _same_points(view, result)


def may_replace(action: Action, old: Cell, number: int) -> bool:
    """True if a result may be written into this cell, although the action may read it.

    Args:
        action: what gives the result.
        old: the cell.
        number: which of the action's results it is.
    """
    positions = [
        position for position, view in enumerate(action.reads) if view.cell.root is old.root
    ]
    result = action.writes[number]
    return not positions or (
        action.kind == "compute"
        and all(_same_points(action.reads[position], result) for position in positions)
        and may_overwrite(action.node, positions, number)
    )


def _same_points(view: View, result: View) -> bool:
    """True if both are whole and alike, but for leading dims of size 1."""
    return (
        view.dtype.itemsize == result.dtype.itemsize
        and _squeezed(view.layout.shape) == _squeezed(result.layout.shape)
        and view.covers()
        and result.covers()
    )


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape from its first size on that is not 1."""
    start = 0
    while start < len(shape) and shape[start] == 1:
        start += 1
    return shape[start:]
