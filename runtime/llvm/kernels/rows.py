"""What a phase does with each row: passes over its reduced axes, and what follows from them.

Reductions that need each other run one after the other over the same row; what a later pass needs
of an earlier one is kept in scratch memory or computed again, as the schedule says.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from graphc.node import Node
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.loops import chunked_loop, when
from graphc.runtime.llvm.ir.values import Value, constant
from graphc.runtime.llvm.kernels.accumulator import Accumulator
from graphc.runtime.llvm.kernels.iteration import Axis
from graphc.runtime.llvm.kernels.reductions import State, reduction_of
from graphc.runtime.llvm.kernels.rounds import Rounds
from graphc.runtime.llvm.kernels.schedule import Pass, Schedule
from graphc.runtime.llvm.kernels.scheduler import CHUNK_ROUNDS
from graphc.runtime.llvm.kernels.scopes import Scope, Scopes
from graphc.runtime.llvm.kernels.vectors import Segment, segments


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of the innermost reduced axis.

    Args:
        axis: that axis; None where nothing is reduced along any.
        segment: how vectors cover the piece; None where they run along another axis, or none.
        running: the state of each reduction over it.
    """

    axis: Axis | None
    segment: Segment | None
    running: dict[Node, Accumulator]

    @property
    def rounds(self) -> int:
        """How many rounds its loop has."""
        if self.segment is not None:
            return self.segment.count
        return 1 if self.axis is None else self.axis.size

    def fold(self) -> None:
        """End a chunk of each reduction."""
        for accumulator in self.running.values():
            accumulator.fold()


class Rows:
    """The rows of one phase.

    Args:
        e: where to emit.
        schedule: the loops of the phase.
        scopes: what is known inside them.
        rounds: the loops over its axes.
    """

    def __init__(self, e: Emitter, schedule: Schedule, scopes: Scopes, rounds: Rounds) -> None:
        self.e, self.schedule, self.scopes, self.rounds = e, schedule, scopes, rounds
        self.body, self.space = schedule.analysis, schedule.analysis.space

    def write(self, scope: Scope) -> None:
        """All kept indices are known: run the passes over the reduced axes, then store."""
        if not self.schedule.passes:
            self.scopes.fetch_ahead(scope)
        states: dict[Node, State] = {}
        for row_pass in self.schedule.passes:
            if not row_pass.reductions:
                scope = self.scopes.store(scope)
                inner = replace(scope, reads=frozenset(row_pass.reads))
                self._points(self.space.reduced, inner, row_pass)
                continue
            states |= self._reduce(replace(scope, reads=frozenset(row_pass.reads)), row_pass)
            if not self.body.raw:
                scope.values.update(self._finished(states, row_pass.reductions))
                scope = self.scopes.settle(scope, self.body.nodes)
        if self.body.raw:
            self.scopes.store_states(scope, states)
        else:
            self.scopes.store(scope)

    def _points(self, axes: Sequence[Axis], scope: Scope, row_pass: Pass) -> None:
        """The last pass: compute and store what varies inside the row."""
        scope = self.scopes.store(self.scopes.settle(scope, row_pass.wanted))
        if axes:
            rest = axes[1:]
            self.rounds.over(
                axes[0], scope, row_pass.lanes, lambda inner: self._points(rest, inner, row_pass)
            )

    # ------------------------------------------------------------------ reductions

    def _reduce(self, scope: Scope, row_pass: Pass) -> dict[Node, State]:
        """One pass: the final state of every reduction of one depth."""
        axes = self.space.reduced
        inner = axes[-1] if axes else None
        across = inner is not None and inner is self.space.vector
        cuts: list[Segment | None] = [None]
        if inner is not None and across:
            cuts = list(segments(inner.size, row_pass.lanes))
        reductions = row_pass.reductions
        pieces = [
            _Piece(inner, cut, {node: self._accumulator(node, scope, cut) for node in reductions})
            for cut in cuts
        ]
        self._walk(axes[:-1], scope, row_pass, pieces, folds=True)
        return {
            node: self._total(node, [piece.running[node] for piece in pieces], across)
            for node in reductions
        }

    def _walk(
        self, axes: Sequence[Axis], scope: Scope, row_pass: Pass, pieces: list[_Piece], folds: bool
    ) -> None:
        """Loop over reduced axes; the outermost loops that make no more than a chunk end one.

        Args:
            axes: those that are left, but for the innermost one.
            scope: what is known so far.
            row_pass: the pass.
            pieces: of the innermost axis.
            folds: whether no loop further out ends chunks.
        """
        scope = self.scopes.settle(replace(scope, values=dict(scope.values)), row_pass.wanted)
        if not axes:
            for piece in pieces:
                self._gather(scope, row_pass, piece, folds)
            return
        longest = max((piece.rounds for piece in pieces), default=0)
        ends = folds and math.prod(axis.size for axis in axes) * longest <= CHUNK_ROUNDS

        def deeper(inner: Scope) -> None:
            self._walk(axes[1:], inner, row_pass, pieces, folds and not ends)

        self.rounds.over(axes[0], scope, row_pass.lanes, deeper)
        if ends:
            for piece in pieces:
                piece.fold()

    def _gather(self, scope: Scope, row_pass: Pass, piece: _Piece, folds: bool) -> None:
        """Take in the elements of one piece."""

        def fold() -> None:
            if folds:
                piece.fold()

        if piece.axis is None:
            self._take_in(scope, row_pass, piece)
            fold()
            return
        enter = self.scopes.entering(piece.axis, piece.segment)
        condition: Value | None = None
        if piece.segment is None:
            first, stop = self.rounds.bounds(piece.axis, scope)
        else:
            first, stop, condition = self.rounds.segment_bounds(piece.axis, piece.segment, scope)

        def body(index: Value) -> None:
            self._take_in(self.scopes.settle(enter(scope, index), row_pass.wanted), row_pass, piece)

        when(
            self.e,
            condition,
            lambda: chunked_loop(self.e, first, stop, CHUNK_ROUNDS, body, fold),
        )

    def _take_in(self, point: Scope, row_pass: Pass, piece: _Piece) -> None:
        """Take in one element, or one vector of them."""
        for node, accumulator in piece.running.items():
            accumulator.add(point.values[node.inputs[0]], self._position(node, point), point.active)
        self.scopes.save(point, row_pass.saves)
        if row_pass.fetches:
            self.scopes.fetch_row(point)
        elif row_pass is self.schedule.passes[0]:
            self.scopes.fetch_ahead(point)

    def _position(self, node: Node, scope: Scope) -> Value | None:
        """The index along the reduced dim, for argmax and argmin."""
        if node.op.name not in ("argmax", "argmin"):
            return None
        (dim,) = node.attrs["dims"]
        return self.e.resize(self.scopes.index(dim, scope), "i32")

    # ------------------------------------------------------------------ states

    def _accumulator(self, node: Node, scope: Scope, segment: Segment | None) -> Accumulator:
        """The state of one reduction over one piece, before its first element."""
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
        """The state of all pieces, in order; across lanes if the vector axis is reduced."""
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
                result = constant(result.elem, 0.0, result.lanes)  # the identity is -0.0
            values[node] = result
        return values
