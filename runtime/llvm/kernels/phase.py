"""The code of one phase of a kernel: follows its schedule.

A phase is a function that does a range of units. Inside a unit it loops over kept axes, tile by
tile where operands are transposed, down to rows. Every value is computed at the outermost loop in
which all that it depends on is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.function import BEGIN, END, define_function
from graphc.runtime.llvm.ir.loops import affine, either, loop, loop_between, number
from graphc.runtime.llvm.ir.memory import further
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import Value, constant
from graphc.runtime.llvm.kernels.iteration import Axis
from graphc.runtime.llvm.kernels.rounds import Rounds
from graphc.runtime.llvm.kernels.rows import Rows
from graphc.runtime.llvm.kernels.schedule import Schedule, Tile
from graphc.runtime.llvm.kernels.scopes import Scope, Scopes
from graphc.runtime.llvm.kernels.spans import spans
from graphc.runtime.llvm.kernels.streaming import begin_lines, finish_stores
from graphc.runtime.llvm.kernels.tiles import Tiles
from graphc.runtime.llvm.native_step import Phase


def emit_phase(module: Module, schedule: Schedule, operands: int) -> Phase:
    """Add the function of one phase to a module.

    Args:
        module: where the code goes.
        schedule: its loops.
        operands: the number of the kernel's inputs and outputs.
    """
    e = Emitter(module)
    _write(e, schedule)
    symbol = define_function(module, operands, [*e.slots, *e.lines])
    units = schedule.units.count
    return Phase(symbol, units, schedule.nanoseconds, spans(schedule, operands))


def _write(e: Emitter, schedule: Schedule) -> None:
    """Emit everything; results that go past the caches must begin a line, or they do not."""
    if schedule.analysis.space.is_empty:
        return
    if not schedule.streams:
        _Writer(e, schedule, frozenset()).write()
        return
    aligned = begin_lines(e, [schedule.analysis.places[number] for number in schedule.streams])
    either(
        e,
        aligned,
        _Writer(e, schedule, schedule.streams).write,
        _Writer(e, schedule, frozenset()).write,
    )


class _Writer:
    """The code of one phase while it is being written."""

    def __init__(self, e: Emitter, schedule: Schedule, streams: frozenset[int]) -> None:
        self.e, self.schedule, self.streams = e, schedule, streams
        self.body, self.space = schedule.analysis, schedule.analysis.space
        self.scopes = Scopes(e, schedule, streams)
        self.rounds = Rounds(e, schedule, self.scopes)
        self.rows = Rows(e, schedule, self.scopes, self.rounds)

    def write(self) -> None:
        """Emit all units of a call."""
        top = self.scopes.store(self.scopes.settle(self.scopes.outermost(), self.body.nodes))
        if self.schedule.units.count == 1:
            self._unit(top, constant("i64", 0))
        else:
            loop_between(self.e, BEGIN, END, lambda unit: self._unit(top, unit))
        if self.streams:
            finish_stores(self.e)

    # ------------------------------------------------------------------ units

    def _unit(self, scope: Scope, unit: Value) -> None:
        """Everything inside one unit."""
        units = self.schedule.units
        rest, block = unit, constant("i64", 0)
        if units.blocked is not None and units.blocks > 1:
            rest, block = self._split(rest, units.blocks, bool(units.fixed))
            scope = replace(scope, blocks={units.blocked: block})
        if self.body.raw:
            scope = self._at_chunk(scope, block)
        for axis in reversed(units.fixed):
            rest, index = self._split(rest, axis.size, axis is not units.fixed[0])
            scope = self.scopes.entering(axis, None)(scope, index)
        self._walk(self.schedule.kept, scope)

    def _split(self, index: Value, size: int, more: bool) -> tuple[Value, Value]:
        """What remains of a unit's number for the axes further out, and the index of one axis."""
        known = number(index)
        if known is not None:
            return constant("i64", known // size), constant("i64", known % size)
        if not more:
            return constant("i64", 0), index
        return self.e.binary("udiv", index, size), self.e.binary("urem", index, size)

    def _at_chunk(self, scope: Scope, chunk: Value) -> Scope:
        """The scope with the stores' pointers at a chunk's states."""
        pointers = list(scope.pointers)
        for place in (place for places in self.body.stores for place in places):
            distance = affine(self.e, chunk, self.body.distance, 0)
            pointers[place] = further(self.e, pointers[place], distance)
        return replace(scope, pointers=tuple(pointers))

    # ------------------------------------------------------------------ loops

    def _walk(self, axes: Sequence[Axis], scope: Scope) -> None:
        """Loop over kept axes; at each level compute what can be computed there."""
        scope = self.scopes.store(self.scopes.settle(scope, self.body.nodes))
        tile = self.schedule.tile
        if not axes:
            self.rows.write(scope)
        elif tile is not None and axes[0] is tile.outer and tile.walked not in scope.blocks:
            self._tiles(tile, axes, scope)
        else:
            lanes = self.schedule.lanes
            self.rounds.over(axes[0], scope, lanes, lambda inner: self._walk(axes[1:], inner))

    # ------------------------------------------------------------------ tiles

    def _tiles(self, tile: Tile, axes: Sequence[Axis], scope: Scope) -> None:
        """Loop over the tiles of a block of rows: transpose operands, then walk the tile."""
        tiles = Tiles(self.e, self.schedule, tile, self.streams)

        def one(block: Value) -> None:
            inner = replace(scope, blocks={**scope.blocks, tile.walked: block})
            bounds = self.rounds.bounds(tile.outer, inner), self.rounds.bounds(tile.inner, inner)
            if tile.result is not None:
                tiles.copy(scope.pointers, *bounds)
                return
            pointers = tiles.filled(scope.pointers, *bounds)
            tiles.fetch(scope.pointers, *bounds)
            self._walk(axes, replace(inner, pointers=pointers))

        loop(self.e, -(-tile.walked.size // tile.size), one)
