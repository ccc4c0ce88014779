"""The schedule of a kernel's phase: its loops as data, decided before any code is written."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphc.node import Node
from graphc.runtime.llvm.ir.memory import CACHE_LINE
from graphc.runtime.llvm.kernels.analysis import Analysis
from graphc.runtime.llvm.kernels.iteration import Axis
from graphc.runtime.llvm.kernels.vectors import segments


@dataclass(frozen=True, slots=True)
class Units:
    """How a phase is cut into units of independent work.

    Args:
        fixed: axes of which a unit does one index.
        blocked: the axis of which a unit does a block; None if there is none.
        block: the size of a block; the last one may be smaller.
    """

    fixed: tuple[Axis, ...]
    blocked: Axis | None
    block: int

    @property
    def blocks(self) -> int:
        """The number of blocks."""
        return 1 if self.blocked is None else -(-self.blocked.size // self.block)

    @property
    def count(self) -> int:
        """The number of units."""
        return math.prod(axis.size for axis in self.fixed) * self.blocks


WHOLE = Units((), None, 1)
"""Everything is one unit."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One walk over the reduced axes of a row.

    Args:
        reductions: what it reduces; nothing in the last pass, which stores results.
        wanted: the values that it needs, operands first.
        saves: those that it keeps in scratch memory for a later pass.
        reads: those that an earlier pass has kept.
        lanes: widths of vectors if it walks the vector axis.
        fetches: whether it asks for the memory of the next row, and of this row's results, while
            it computes.
    """

    reductions: tuple[Node, ...]
    wanted: tuple[Node, ...]
    saves: tuple[Node, ...] = ()
    reads: tuple[Node, ...] = ()
    lanes: tuple[int, ...] = (1,)
    fetches: bool = False


@dataclass(frozen=True, slots=True)
class Saved:
    """Where a value that one pass keeps for another lies in scratch memory.

    Args:
        offset: in bytes.
        strides: elements from one index to the next, for each axis that it is kept along.
    """

    offset: int
    strides: Mapping[Axis, int]


def padded(nbytes: int) -> int:
    """The size of something in scratch memory, up to whole cache lines."""
    return -(-nbytes // CACHE_LINE) * CACHE_LINE


@dataclass(frozen=True, slots=True)
class Tile:
    """Blocks of two axes in which operands are transposed, most often into scratch memory.

    Args:
        outer: the axis along which these operands' neighbours lie.
        inner: the vector axis.
        size: the length of a tile along both axes.
        offsets: bytes from the start of the scratch memory to each such operand's tile, by place
            number.
        nbytes: the size of all tiles.
        result: the place of the result if it is the only operand's transpose and nothing else,
            which needs no scratch memory; else None.
    """

    outer: Axis
    inner: Axis
    size: int
    offsets: Mapping[int, int]
    nbytes: int
    result: int | None

    @property
    def blocked(self) -> Axis:
        """The axis of which a unit does one block.

        A plain transpose reads whole rows, if there are enough for many units.
        """
        rows = self.result is not None and self.inner.size >= 8 * self.size
        return self.inner if rows else self.outer

    @property
    def walked(self) -> Axis:
        """The axis along which a unit goes from tile to tile."""
        return self.outer if self.blocked is self.inner else self.inner


@dataclass(frozen=True, slots=True)
class Schedule:
    """The loops of one phase.

    Args:
        analysis: the values.
        lanes: widths of vectors along the vector axis, where a pass has none of its own.
        units: how the work is divided.
        passes: the walks over each row's reduced axes, in order.
        saved: values kept in scratch memory.
        tile: blocks of transposed operands; None if there are none.
        scratch_bytes: how much scratch memory a call needs.
        streams: the numbers of places that are stored past the caches.
        ahead: the numbers of places that are asked for before their vectors are read.
        nanoseconds: an estimate of all work on one core.
    """

    analysis: Analysis
    lanes: tuple[int, ...]
    units: Units
    passes: tuple[Pass, ...]
    saved: Mapping[Node, Saved]
    tile: Tile | None
    scratch_bytes: int
    streams: frozenset[int]
    ahead: frozenset[int]
    nanoseconds: float

    @property
    def kept(self) -> tuple[Axis, ...]:
        """The kept axes inside a unit, outermost first; a tile's two are the last ones."""
        kept = [axis for axis in self.analysis.space.kept if axis not in self.units.fixed]
        if self.tile is not None:
            kept.remove(self.tile.outer)
            kept.insert(len(kept) - 1, self.tile.outer)
        return tuple(kept)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        units, space = self.units, self.analysis.space
        yield f"{_counted(units.count, 'unit')}, about {self.nanoseconds / 1000:,.1f} us"
        if self.streams:
            yield "  results go to memory past the caches"
        if self.ahead:
            yield f"  {_counted(len(self.ahead), 'operand')} asked for ahead"
        level = 1
        for axis in units.fixed:
            yield f"{'  ' * level}for {_name(axis)} in {axis.size}: a unit each"
            level += 1
        if units.blocked is not None:
            block = f"blocks of {units.block}, a unit each"
            yield f"{'  ' * level}for {_name(units.blocked)} in {units.blocked.size}: {block}"
            level += 1
        if self.tile is not None:
            size = self.tile.size
            names = f"{_name(self.tile.outer)}, {_name(self.tile.inner)}"
            operands = _counted(len(self.tile.offsets), "operand")
            done = f"{operands} transposed in scratch memory"
            if self.tile.result is not None:
                done = "transposed straight to the result"
            yield f"{'  ' * level}for {names}: tiles of {size} x {size}, {done}"
            if self.tile.result is not None:
                return
            level += 1
        for axis in self.kept:
            yield f"{'  ' * level}for {_name(axis)} in {axis.size}{self._vectors(axis, self.lanes)}"
            level += 1
        for each in self.passes:
            indent = "  " * level
            for depth, axis in enumerate(space.reduced):
                cut = self._vectors(axis, each.lanes)
                yield f"{indent}{'  ' * depth}for {_name(axis)} in {axis.size}{cut}"
            yield indent + "  " * len(space.reduced) + self._action(each)

    def _vectors(self, axis: Axis, lanes: tuple[int, ...]) -> str:
        """How the vector axis is cut."""
        if axis is not self.analysis.space.vector:
            return ""
        parts = segments(axis.size, lanes)
        cuts = [f"{part.count} x {part.lanes}" for part in parts if part.active == part.lanes]
        cuts += [f"{part.active} of {part.lanes}" for part in parts if part.active < part.lanes]
        return f": vectors {', '.join(cuts)}"

    def _action(self, each: Pass) -> str:
        """What one pass does with each element."""
        if not each.reductions:
            text = "store"
        else:
            text = ", ".join(node.op.name for node in each.reductions)
        for verb, nodes in (("keep", each.saves), ("reuse", each.reads)):
            if nodes:
                text += f"; {verb} {', '.join(node.op.name for node in nodes)}"
        return f"{text}; fetch the next row" if each.fetches else text


def describe(phases: Sequence[Schedule]) -> str:
    """All phases of a kernel, for people."""
    return "\n".join(f"phase {number}: {phase}" for number, phase in enumerate(phases, 1))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _name(axis: Axis) -> str:
    return f"i{axis.dim}"
