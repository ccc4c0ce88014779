"""The running state of one reduction, in stack slots that LLVM turns into registers.

A long sum of floating-point numbers is cut into chunks. The chunks' sums are added with the error
of every addition kept aside (Knuth's two-sum), so the total error does not grow with the length.
"""

from __future__ import annotations

from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.memory import active_mask
from graphc.runtime.llvm.ir.values import Value, constant
from graphc.runtime.llvm.kernels.reductions import Reduction, State


class Accumulator:
    """One reduction over one run of loops.

    Args:
        e: where to emit; the slots are set to the identity here.
        reduction: what to compute.
        lanes: width of the state.
        long: whether the run is long enough for a sum to be compensated.
    """

    def __init__(self, e: Emitter, reduction: Reduction, lanes: int, long: bool) -> None:
        self.e, self._reduction, self._lanes = e, reduction, lanes
        self._identity = reduction.identity(lanes)
        self._state = [self._slot(value) for value in self._identity]
        self._sums: list[Value] = []
        if long and reduction.compensated:
            zero = constant(self._identity[0].elem, 0.0, lanes)
            self._sums = [self._slot(self._identity[0]), self._slot(zero)]

    def add(self, value: Value, index: Value | None, active: int) -> None:
        """Take in the next element of each lane; lanes from ``active`` on are left out."""
        wide = self.e.splat(value, self._lanes)
        position = None if index is None else self.e.splat(index, self._lanes)
        state = self._reduction.lift(wide, position)
        if active < self._lanes and self._lanes > 1:
            mask = active_mask(self._lanes, active)
            pairs = zip(state, self._identity, strict=True)
            state = tuple(self.e.select(mask, new, identity) for new, identity in pairs)
        self._write(self._reduction.take(self.e, self._read(), state))

    def merge(self, state: State) -> None:
        """Take in the state of all that comes next."""
        self._write(self._reduction.combine(self.e, self._read(), state))

    def fold(self) -> None:
        """End a chunk: add its sum to the total and start anew."""
        if not self._sums:
            return
        e = self.e
        (part,) = self._read()
        total, error = (self._load(slot, part) for slot in self._sums)
        after = e.add(total, part)
        other = e.sub(after, total)
        lost = e.add(e.sub(total, e.sub(after, other)), e.sub(part, other))
        self._save(after, self._sums[0])
        self._save(e.add(error, lost), self._sums[1])
        self._write(self._identity)

    def total(self, across: bool) -> State:
        """The final state; one lane if ``across``, else one per lane."""
        state = self._read()
        if self._sums:
            total, error = (self._load(slot, state[0]) for slot in self._sums)
            corrected = self.e.add(total, error)
            broken = self.e.cmp("uno", error, error)  # the total is infinite or NaN
            state = (self.e.select(broken, total, corrected),)
        while across and state[0].lanes > 1:
            halves = [self.e.halves(value) for value in state]
            lower, upper = (tuple(pair[side] for pair in halves) for side in (0, 1))
            state = self._reduction.combine(self.e, lower, upper)
        return state

    def _slot(self, initial: Value) -> Value:
        slot = self.e.slot(initial.type)
        self._save(initial, slot)
        return slot

    def _read(self) -> State:
        pairs = zip(self._state, self._identity, strict=True)
        return tuple(self._load(slot, like) for slot, like in pairs)

    def _write(self, state: State) -> None:
        for slot, value in zip(self._state, state, strict=True):
            self._save(value, slot)

    def _load(self, slot: Value, like: Value) -> Value:
        return self.e.define(f"load {like.type}, ptr {slot.text}", like.elem, like.lanes)

    def _save(self, value: Value, slot: Value) -> None:
        self.e.emit(f"store {value.typed}, ptr {slot.text}")
