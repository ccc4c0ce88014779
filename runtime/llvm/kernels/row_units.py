"""Units that are blocks of rows, the same for all kernels of a program that treats rows alike."""

from __future__ import annotations

from dataclasses import dataclass

from graphc.errors import CompileError
from graphc.runtime.llvm.kernels.iteration import Space
from graphc.runtime.llvm.kernels.schedule import Tile, Units


@dataclass(frozen=True, slots=True)
class RowUnits:
    """How the outermost dim of values is cut.

    Args:
        height: its size.
        unit: rows of a unit, a divisor of it.
    """

    height: int
    unit: int

    @property
    def units(self) -> int:
        """How many units there are."""
        return self.height // self.unit


def units_of_rows(space: Space, rows: RowUnits, tile: Tile | None) -> Units:
    """Units of so many rows.

    Args:
        space: the loops of a phase.
        rows: how they are to be cut.
        tile: blocks of transposed operands, which decide for themselves.

    Raises:
        CompileError: if the rows are no loop.
    """
    axes = [axis for axis in space.kept if axis.size and axis.size % rows.height == 0]
    if tile is not None or not axes:
        raise CompileError("a kernel without rows")
    axis = min(axes, key=lambda axis: axis.dim)
    return Units((), axis, axis.size // rows.height * rows.unit)


def lanes_within(space: Space, units: Units, lanes: tuple[int, ...]) -> tuple[int, ...]:
    """The widths of vectors that end where units do.

    Args:
        space: the loops of a phase.
        units: how they are cut.
        lanes: the widths that vectors may have.

    Raises:
        CompileError: if no vector does.
    """
    if units.blocked is not space.vector:
        return lanes
    fitting = tuple(width for width in lanes if units.block % width == 0)
    if not fitting:
        raise CompileError("rows that end within vectors")
    return fitting
