"""Convolutions whose vectors run along places of the result: nothing is copied or turned."""

from __future__ import annotations

from graphc.runtime.llvm.convolution.blocking import Blocking
from graphc.runtime.llvm.convolution.items import by_part, item_of
from graphc.runtime.llvm.convolution.stores import Along
from graphc.runtime.llvm.convolution.tile import (
    Column,
    Loop,
    Tile,
    call_tile,
    define_tile,
    piece_of,
)
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.function import BEGIN, END, define_function, parameters
from graphc.runtime.llvm.ir.loops import loop_between, repeat
from graphc.runtime.llvm.ir.memory import moved
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import Value, constant
from graphc.runtime.llvm.native_step import NativeStep, Phase

_WRITTEN_OUT = 11
"""Rows of a kernel up to this length are no loop."""


def build_places(module: Module, blocking: Blocking) -> NativeStep:
    """Add the function to a module; a unit is one block of results of a group."""
    e = Emitter(module)
    writer = _Writer(e, blocking)
    loop_between(e, BEGIN, END, writer.item)
    symbol = define_function(module, 3, e.lines)
    units = blocking.problem.group.size * blocking.cut.count
    return NativeStep((Phase(symbol, units, blocking.nanoseconds),))


class _Writer:
    def __init__(self, e: Emitter, blocking: Blocking) -> None:
        self.e, self.blocking, self.problem = e, blocking, blocking.problem

    def item(self, number: Value) -> None:
        """One block of results, for all channels."""
        x, w, y = parameters(3)
        item = item_of(self.e, self.blocking, number, x, y)
        w = self._moved(w, item.group, self.problem.group.w)

        def tiles(part: int, last: bool) -> None:
            self._channels((part, last), w, item.x, item.y)

        by_part(self.e, self.blocking, item.block, tiles)

    def _channels(self, part: tuple[int, bool], w: Value, x: Value, y: Value) -> None:
        made, most = self.problem.made, self.blocking.vectors
        whole, rest = divmod(made.size, most)

        def tile(rows: int, index: Value) -> None:
            symbol = self._tile(rows, *part)
            a = self._moved(w, index, most * made.w)
            out = self._moved(y, index, most * made.y)
            count = constant("i64", self.problem.channel.size)
            call_tile(self.e, symbol, a, x, out, count, constant("i1", 1))

        repeat(self.e, constant("i64", whole), lambda index: tile(most, index))
        if rest:
            tile(rest, constant("i64", whole))

    def _tile(self, rows: int, part: int, ends_line: bool) -> str:
        problem, lanes = self.problem, self.blocking.lanes
        last = problem.places[-1]
        columns = tuple(
            Column(offset, last.x, active)
            for offset, active in zip(
                self.blocking.cut.x(part), self._active(part, ends_line), strict=True
            )
        )
        kernel, terms = problem.kernel, [(0, 0)]
        if kernel and kernel[-1].size <= _WRITTEN_OUT:
            kernel, written = kernel[:-1], kernel[-1]
            terms = [(at * written.w, at * written.x) for at in range(written.size)]
        loops = [
            Loop(None, problem.channel.w, problem.channel.x),
            *(Loop(term.size, term.w, term.x) for term in kernel),
        ]
        made = problem.made
        tile = Tile(
            problem.dtype, lanes, tuple(row * made.w for row in range(rows)), columns,
            tuple(loops), tuple(terms), piece_of(problem.channel.size, self.blocking.window),
        )  # fmt: skip
        ends = Along(
            tuple(row * made.y for row in range(rows)),
            tuple((offset, last.y) for offset in self.blocking.cut.y(part)),
        )
        return define_tile(self.e.module, tile, ends)

    def _active(self, part: int, ends_line: bool) -> list[int]:
        """How many lanes of each vector exist; fewer in the last one of a line."""
        cut, lanes, size = self.blocking.cut, self.blocking.lanes, self.problem.places[-1].size
        vectors = -(-size // lanes)
        last = size - (vectors - 1) * lanes
        if cut.inner:
            numbers = [index[-1] for index in cut.indices(part)]
        else:
            first = vectors - part if ends_line else 0
            numbers = [first + index[0] for index in cut.indices(part)]
        return [last if number == vectors - 1 else lanes for number in numbers]

    def _moved(self, pointer: Value, index: Value, step: int) -> Value:
        return moved(self.e, pointer, self.problem.dtype.itemsize, (index, step))
