"""A copy of the weights in the order in which tiles with vectors along channels read them."""

from __future__ import annotations

from dataclasses import dataclass

from graphc.runtime.llvm.convolution.blocking import Blocking
from graphc.runtime.llvm.convolution.problem import Term
from graphc.runtime.llvm.convolution.turning import turned
from graphc.runtime.llvm.ir import memory
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.function import define_helper
from graphc.runtime.llvm.ir.loops import repeat
from graphc.runtime.llvm.ir.memory import moved
from graphc.runtime.llvm.ir.values import Value, constant

_WORTH_TURNING = 4
"""Rows of a kernel this long are turned in registers."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of some vectors of channels.

    Its order: rounds of a tile's loop over channels, then the kernel's dims, then the channels of
    one round, then the vectors. Lanes of channels that do not exist are zeros.

    Args:
        blocking: the tiles.
        vectors: vectors next to each other.
        made: channels of them that exist.
    """

    blocking: Blocking
    vectors: int
    made: int

    @property
    def width(self) -> int:
        """Elements of one term."""
        return self.vectors * self.blocking.lanes

    @property
    def round(self) -> int:
        """Elements of one round over channels."""
        return self.blocking.together * self.blocking.window * self.width


def copies_of(blocking: Blocking) -> list[Copy]:
    """The copies that cover all channels: equal ones but for the last."""
    left, width = blocking.problem.made.size, blocking.vectors * blocking.lanes
    found = []
    while left > 0:
        made = min(left, width)
        found.append(Copy(blocking, -(-made // blocking.lanes), made))
        left -= made
    return found


def define_copy(e: Emitter, copy: Copy) -> str:
    """Add ``void(ptr source, ptr target, i64 rounds)`` to the emitter's module."""
    writer = _Writer(Emitter(e.module), copy)
    writer.write()
    parameters = "ptr noalias readonly %source, ptr noalias %target, i64 %rounds"
    return define_helper(writer.e, "conv.copy", parameters)


class _Writer:
    def __init__(self, e: Emitter, copy: Copy) -> None:
        self.e, self.copy = e, copy
        self.problem, self.lanes = copy.blocking.problem, copy.blocking.lanes
        self.dtype = self.problem.dtype
        self.together = copy.blocking.together
        last = self.problem.kernel[-1] if self.problem.kernel else Term(1, 0, 0)
        self.turning = (
            last.w == 1
            and last.size >= _WORTH_TURNING
            and self.problem.made.w != 1
            and self.lanes > 1
        )

    def write(self) -> None:
        """All rounds."""
        source, target = Value("%source", "ptr", 1), Value("%target", "ptr", 1)
        step = self.together * self.problem.channel.w

        def one(index: Value) -> None:
            self._kernel(
                self.problem.kernel,
                self._moved(source, index, step),
                self._moved(target, index, self.copy.round),
                self.copy.round,
            )

        repeat(self.e, Value("%rounds", "i64", 1), one)

    def _kernel(self, terms: tuple[Term, ...], source: Value, target: Value, room: int) -> None:
        if len(terms) == 1 and self.turning:
            self._turned_row(terms[0], source, target)
            return
        if not terms:
            for number in range(self.together):
                self._term(number, source, target)
            return
        term, inside = terms[0], room // terms[0].size

        def one(index: Value) -> None:
            self._kernel(
                terms[1:],
                self._moved(source, index, term.w),
                self._moved(target, index, inside),
                inside,
            )

        repeat(self.e, constant("i64", term.size), one)

    def _term(self, number: int, source: Value, target: Value) -> None:
        """The vectors of one term, element by element if need be."""
        made = self.problem.made
        for vector in range(self.copy.vectors):
            active = min(self.lanes, self.copy.made - vector * self.lanes)
            far = number * self.problem.channel.w + vector * self.lanes * made.w
            place = self._moved(source, constant("i64", far), 1)
            value = memory.load(self.e, place, self.dtype, made.w, self.lanes, active)
            self._store(self.e.splat(value, self.lanes), target, number, vector)

    def _turned_row(self, term: Term, source: Value, target: Value) -> None:
        """One row of the kernel, vectors of it at a time."""
        whole, rest = divmod(term.size, self.lanes)
        far = self.together * self.copy.width * self.lanes

        def part(index: Value, count: int) -> None:
            here = self._moved(source, index, self.lanes)
            there = self._moved(target, index, far)
            for number in range(self.together):
                for vector in range(self.copy.vectors):
                    self._square(number, vector, count, here, there)

        repeat(self.e, constant("i64", whole), lambda index: part(index, self.lanes))
        if rest:
            part(constant("i64", whole), rest)

    def _square(self, number: int, vector: int, count: int, source: Value, target: Value) -> None:
        e, made = self.e, self.problem.made
        zero = constant(memory.computed_elem(self.dtype), 0.0, self.lanes)
        rows = []
        for lane in range(self.lanes):
            at = vector * self.lanes + lane
            far = number * self.problem.channel.w + at * made.w
            if at < self.copy.made:
                place = self._moved(source, constant("i64", far), 1)
                rows.append(memory.load(e, place, self.dtype, 1, self.lanes, count))
            else:
                rows.append(zero)
        for at, value in enumerate(turned(e, rows)[:count]):
            there = self._moved(target, constant("i64", at), self.together * self.copy.width)
            self._store(value, there, number, vector)

    def _store(self, value: Value, target: Value, number: int, vector: int) -> None:
        offset = constant("i64", number * self.copy.width + vector * self.lanes)
        there = self._moved(target, offset, 1)
        memory.store(self.e, value, there, self.dtype, 1, self.lanes)

    def _moved(self, pointer: Value, index: Value, step: int) -> Value:
        return moved(self.e, pointer, self.dtype.itemsize, (index, step))
