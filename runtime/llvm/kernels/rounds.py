"""The loop over one axis of a kernel: all of it, or the block of it that a unit or a tile does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.loops import affine, equals, loop_between, smaller, when
from graphc.runtime.llvm.ir.values import Value, constant
from graphc.runtime.llvm.kernels.iteration import Axis
from graphc.runtime.llvm.kernels.schedule import Schedule
from graphc.runtime.llvm.kernels.scopes import Scope, Scopes
from graphc.runtime.llvm.kernels.vectors import Segment, segments

Bounds = tuple[Value, Value]
"""The first index and the one behind the last."""


class Rounds:
    """Loops over the axes of one phase.

    Args:
        e: where to emit.
        schedule: the loops of the phase.
        scopes: what is known inside them.
    """

    def __init__(self, e: Emitter, schedule: Schedule, scopes: Scopes) -> None:
        self.e, self._scopes = e, scopes
        self._vector = schedule.analysis.space.vector
        self._widest = schedule.lanes[-1]
        self._block = schedule.units.block if schedule.tile is None else schedule.tile.size

    def over(
        self, axis: Axis, scope: Scope, lanes: Sequence[int], body: Callable[[Scope], None]
    ) -> None:
        """One loop over an axis, or over the scope's block of it; one per segment of vectors."""
        if axis is not self._vector:
            enter = self._scopes.entering(axis, None)
            first, stop = self.bounds(axis, scope)
            loop_between(self.e, first, stop, lambda index: body(enter(scope, index)))
            return
        for segment in segments(axis.size, lanes):
            self._over_segment(axis, segment, scope, body)

    def _over_segment(
        self, axis: Axis, segment: Segment, scope: Scope, body: Callable[[Scope], None]
    ) -> None:
        enter = self._scopes.entering(axis, segment)
        first, stop, condition = self.segment_bounds(axis, segment, scope)

        def run() -> None:
            loop_between(self.e, first, stop, lambda index: body(enter(scope, index)))

        when(self.e, condition, run)

    def bounds(self, axis: Axis, scope: Scope) -> Bounds:
        """The indices of an axis, or of the scope's block of it."""
        if axis not in scope.blocks:
            return constant("i64", 0), constant("i64", axis.size)
        first = affine(self.e, scope.blocks[axis], self._block)
        return first, smaller(self.e, affine(self.e, first, 1, self._block), axis.size)

    def segment_bounds(
        self, axis: Axis, segment: Segment, scope: Scope
    ) -> tuple[Value, Value, Value | None]:
        """The rounds of a segment in the scope's block, and when there are any.

        A block is a multiple of the widest vectors; what they leave belongs to the last block.
        """
        whole = constant("i64", 0), constant("i64", segment.count)
        if axis not in scope.blocks:
            return *whole, None
        block = scope.blocks[axis]
        if segment.start or segment.lanes != self._widest:
            return *whole, equals(self.e, block, -(-axis.size // self._block) - 1)
        rounds = self._block // segment.lanes
        first = affine(self.e, block, rounds)
        return first, smaller(self.e, affine(self.e, first, 1, rounds), segment.count), None
