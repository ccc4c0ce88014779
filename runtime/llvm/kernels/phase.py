"""The code of one phase of a kernel: follows its schedule.

Every value is computed at the outermost loop in which all that it depends on is known. Reductions
that need each other run one after the other over the same row; what a later pass needs of an
earlier one is kept in scratch memory or computed again, as the schedule says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from graphc.node import Node
from graphc.runtime.llvm.function import BEGIN, END, define_function
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.loops import (
    affine,
    chunked_loop,
    either,
    equals,
    loop,
    loop_between,
    number,
    smaller,
    when,
)
from graphc.runtime.llvm.ir.memory import further
from graphc.runtime.llvm.ir.values import Value, constant
from graphc.runtime.llvm.kernels.accumulator import Accumulator
from graphc.runtime.llvm.kernels.iteration import Axis
from graphc.runtime.llvm.kernels.reductions import State, reduction_of
from graphc.runtime.llvm.kernels.schedule import Pass, Schedule, Tile
from graphc.runtime.llvm.kernels.scheduler import CHUNK_ROUNDS
from graphc.runtime.llvm.kernels.scopes import Scope, Scopes
from graphc.runtime.llvm.kernels.spans import spans
from graphc.runtime.llvm.kernels.streaming import begin_lines, finish_stores
from graphc.runtime.llvm.kernels.tiles import Tiles
from graphc.runtime.llvm.kernels.vectors import Segment, segments
from graphc.runtime.llvm.module import Module
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


_Part = tuple[Segment | None, dict[Node, Accumulator]]
"""A piece of the innermost reduced axis and the state of each reduction over it."""


def _fold(part: _Part) -> None:
    """End a chunk of each reduction."""
    for accumulator in part[1].values():
        accumulator.fold()


def _rounds_of(inner: Axis | None, segment: Segment | None) -> int:
    """How many rounds a piece of the innermost reduced axis has."""
    if segment is not None:
        return segment.count
    return 1 if inner is None else inner.size


class _Writer:
    """The code of one phase while it is being written."""

    def __init__(self, e: Emitter, schedule: Schedule, streams: frozenset[int]) -> None:
        self.e, self.schedule, self.streams = e, schedule, streams
        self.body, self.space = schedule.analysis, schedule.analysis.space
        self.scopes = Scopes(e, schedule, streams)

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
            self._row(scope)
        elif tile is not None and axes[0] is tile.outer and tile.walked not in scope.blocks:
            self._tiles(tile, axes, scope)
        else:
            lanes = self.schedule.lanes
            self._rounds(axes[0], scope, lanes, lambda inner: self._walk(axes[1:], inner))

    def _rounds(
        self, axis: Axis, scope: Scope, lanes: Sequence[int], body: Callable[[Scope], None]
    ) -> None:
        """One loop over an axis, or the block of it that the scope says; one per segment."""
        if axis is not self.space.vector:
            enter = self.scopes.entering(axis, None)
            first, stop = self._bounds(axis, scope)
            loop_between(self.e, first, stop, lambda index: body(enter(scope, index)))
            return
        for segment in segments(axis.size, lanes):
            self._segment(axis, segment, scope, body)

    def _segment(
        self, axis: Axis, segment: Segment, scope: Scope, body: Callable[[Scope], None]
    ) -> None:
        """The loop over one segment of the vector axis."""
        enter = self.scopes.entering(axis, segment)
        first, stop, condition = self._segment_bounds(axis, segment, scope)

        def run() -> None:
            loop_between(self.e, first, stop, lambda index: body(enter(scope, index)))

        when(self.e, condition, run)

    def _bounds(self, axis: Axis, scope: Scope) -> tuple[Value, Value]:
        """The indices of an axis, or of the block of it that the scope says."""
        if axis not in scope.blocks:
            return constant("i64", 0), constant("i64", axis.size)
        block, size = scope.blocks[axis], self._block_size(axis)
        first = affine(self.e, block, size, 0)
        return first, smaller(self.e, affine(self.e, first, 1, size), axis.size)

    def _segment_bounds(
        self, axis: Axis, segment: Segment, scope: Scope
    ) -> tuple[Value, Value, Value | None]:
        """The rounds of a segment in the scope's block, and when there are any.

        A block is a multiple of the widest vectors; what they leave belongs to the last block.
        """
        whole = constant("i64", 0), constant("i64", segment.count)
        if axis not in scope.blocks:
            return *whole, None
        block, size = scope.blocks[axis], self._block_size(axis)
        if segment.start or segment.lanes != self.schedule.lanes[-1]:
            return *whole, equals(self.e, block, -(-axis.size // size) - 1)
        rounds = size // segment.lanes
        first = affine(self.e, block, rounds, 0)
        return first, smaller(self.e, affine(self.e, first, 1, rounds), segment.count), None

    def _block_size(self, axis: Axis) -> int:
        tile = self.schedule.tile
        return self.schedule.units.block if tile is None else tile.size

    # ------------------------------------------------------------------ tiles

    def _tiles(self, tile: Tile, axes: Sequence[Axis], scope: Scope) -> None:
        """Loop over the tiles of a block of rows: transpose operands, then walk the tile."""
        tiles = Tiles(self.e, self.schedule, tile, self.streams)

        def one(block: Value) -> None:
            inner = replace(scope, blocks={**scope.blocks, tile.walked: block})
            bounds = self._bounds(tile.outer, inner), self._bounds(tile.inner, inner)
            if tile.result is not None:
                tiles.copy(scope.pointers, *bounds)
                return
            pointers = tiles.filled(scope.pointers, *bounds)
            tiles.fetch(scope.pointers, *bounds)
            self._walk(axes, replace(inner, pointers=pointers))

        loop(self.e, -(-tile.walked.size // tile.size), one)

    # ------------------------------------------------------------------ rows and reductions

    def _row(self, scope: Scope) -> None:
        """All kept indices are known: run the passes over the reduced axes, then store."""
        states: dict[Node, State] = {}
        for each in self.schedule.passes:
            if not each.reductions:
                scope = self.scopes.store(scope)
                inner = replace(scope, reads=frozenset(each.reads))
                self._points(self.space.reduced, inner, each)
                continue
            states |= self._reduce(replace(scope, reads=frozenset(each.reads)), each)
            if not self.body.raw:
                scope.values.update(self._finished(states, each.reductions))
                scope = self.scopes.settle(scope, self.body.nodes)
        if self.body.raw:
            self.scopes.store_states(scope, states)
        else:
            self.scopes.store(scope)

    def _points(self, axes: Sequence[Axis], scope: Scope, each: Pass) -> None:
        """The last pass: compute and store what varies inside the row."""
        scope = self.scopes.store(self.scopes.settle(scope, each.wanted))
        if axes:
            rest = axes[1:]
            self._rounds(axes[0], scope, each.lanes, lambda inner: self._points(rest, inner, each))

    def _reduce(self, scope: Scope, each: Pass) -> dict[Node, State]:
        """One pass: the final state of every reduction of one depth."""
        axes = self.space.reduced
        inner = axes[-1] if axes else None
        across = inner is not None and inner is self.space.vector
        cuts: list[Segment | None] = [None]
        if inner is not None and across:
            cuts = list(segments(inner.size, each.lanes))
        parts: list[_Part] = [
            (cut, {node: self._accumulator(node, scope, cut) for node in each.reductions})
            for cut in cuts
        ]
        self._reduce_outer(axes[:-1], scope, each, inner, parts, folds=True)
        return {
            node: self._total(node, [part[node] for _, part in parts], across)
            for node in each.reductions
        }

    def _reduce_outer(
        self,
        axes: Sequence[Axis],
        scope: Scope,
        each: Pass,
        inner: Axis | None,
        parts: list[_Part],
        folds: bool,
    ) -> None:
        """Loop over reduced axes; the outermost loops that make no more than a chunk end one."""
        scope = self.scopes.settle(replace(scope, values=dict(scope.values)), each.wanted)
        if not axes:
            for segment, part in parts:
                self._reduce_inner(scope, each, inner, segment, part, folds)
            return
        longest = max((_rounds_of(inner, segment) for segment, _ in parts), default=0)
        ends = folds and math.prod(axis.size for axis in axes) * longest <= CHUNK_ROUNDS
        self._rounds(
            axes[0],
            scope,
            each.lanes,
            lambda deeper: self._reduce_outer(
                axes[1:], deeper, each, inner, parts, folds and not ends
            ),
        )
        if ends:
            for each_part in parts:
                _fold(each_part)

    def _reduce_inner(
        self,
        scope: Scope,
        each: Pass,
        inner: Axis | None,
        segment: Segment | None,
        part: dict[Node, Accumulator],
        folds: bool,
    ) -> None:
        def gather(point: Scope) -> None:
            for node, accumulator in part.items():
                accumulator.add(
                    point.values[node.inputs[0]], self._position(node, point), point.active
                )
            self.scopes.save(point, each.saves)
            if each.fetches:
                self.scopes.fetch(point)

        def fold() -> None:
            if folds:
                _fold((segment, part))

        if inner is None:
            gather(scope)
            fold()
            return
        enter = self.scopes.entering(inner, segment)
        condition: Value | None = None
        if segment is None:
            first, stop = self._bounds(inner, scope)
        else:
            first, stop, condition = self._segment_bounds(inner, segment, scope)

        def body(index: Value) -> None:
            gather(self.scopes.settle(enter(scope, index), each.wanted))

        when(
            self.e,
            condition,
            lambda: chunked_loop(self.e, first, stop, CHUNK_ROUNDS, body, fold),
        )

    def _accumulator(self, node: Node, scope: Scope, segment: Segment | None) -> Accumulator:
        rounds = self.space.rounds
        blocked = self.schedule.units.blocked
        if blocked is not None and blocked.reduced:
            rounds = rounds // blocked.size * self.schedule.units.block
        if segment is not None:
            inner = self.space.reduced[-1]
            if inner is blocked:
                rounds = rounds // segment.lanes
            else:
                rounds = rounds // max(inner.size, 1) * segment.count
            lanes = segment.lanes
        else:
            vector = self.space.vector
            lanes = scope.lanes if vector in self.body.varying[node.inputs[0]] else 1
        return Accumulator(self.e, reduction_of(node), lanes, rounds > CHUNK_ROUNDS)

    def _total(self, node: Node, accumulators: list[Accumulator], across: bool) -> State:
        """The state of all parts, in order; across lanes if the vector axis is reduced."""
        reduction = reduction_of(node)
        states = [accumulator.total(across) for accumulator in accumulators]
        if not states:
            states = [reduction.identity(1)]
        state = states[0]
        for other in states[1:]:
            state = reduction.combine(self.e, state, other)
        return state

    def _finished(self, states: dict[Node, State], reductions: Iterable[Node]) -> dict[Node, Value]:
        """The reductions' values."""
        values = {}
        for node in reductions:
            result = reduction_of(node).finish(self.e, states[node])
            if self.space.rounds == 0 and result.is_float and node.op.name == "sum":
                result = constant(result.elem, 0.0, result.lanes)
            values[node] = result
        return values

    def _position(self, node: Node, scope: Scope) -> Value | None:
        """The index along the reduced dim, for argmax and argmin."""
        if node.op.name not in ("argmax", "argmin"):
            return None
        (dim,) = node.attrs["dims"]
        return self.e.resize(self.scopes.index(dim, scope), "i32")
