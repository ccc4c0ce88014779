"""Turns squares of elements: as many vectors as each has lanes, a cache line to a vector.

The vectors turn in groups, in pieces of 16 bytes: first those of a group are shuffled among each
other until each holds, piece by piece, parts of different rows; then the groups' pieces of a row
are put side by side. Within a group no shuffle crosses a piece, which processors do fastest.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.dtypes import DType
from graphc.runtime.llvm.ir import memory
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.function import define_once
from graphc.runtime.llvm.ir.loops import affine, loop
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import BITS, Value, constant

PIECE = 128
"""Bits of a piece."""

IN_REGISTERS = 16
"""A square of more vectors goes through memory between the two halves of its way."""

_PARAMETERS = "ptr %source, i64 %far, ptr %target, i64 %near, i64 %soon, i64 %later"


def side_of(module: Module, elem: str) -> int:
    """How many rows and columns a square has."""
    return module.target.lanes(BITS[elem])


def turn(
    e: Emitter,
    source: tuple[Value, Value],
    target: tuple[Value, Value],
    elem: str,
    ahead: tuple[Value, Value],
    *,
    streamed: bool = False,
) -> None:
    """Emit ``target[row, column] = source[column, row]`` for one square.

    Args:
        e: where to emit.
        source: the address of the first element, and the elements from one row to the next.
        target: likewise.
        elem: LLVM type of an element, an integer.
        ahead: elements from what is read to what is read soon, and from what is written to what is
            written soon; both are fetched now.
        streamed: whether rows of the target go past the caches; each then begins a cache line.
    """
    name = _function(e.module, elem, streamed)
    e.emit(f"call void @{name}({', '.join(value.typed for value in (*source, *target, *ahead))})")


def _function(module: Module, elem: str, streamed: bool) -> str:
    """The function that turns one square; equal ones are one in a module."""
    name = f"square.{elem}{'.streamed' if streamed else ''}"
    define_once(module, name, _PARAMETERS, lambda e: _Square(e, elem, streamed).write())
    return name


class _Square:
    """The code of one square while it is being written."""

    def __init__(self, e: Emitter, elem: str, streamed: bool) -> None:
        self.e, self.streamed = e, streamed
        self.dtype: DType = memory.dtype_of(elem)
        self.side = side_of(e.module, elem)
        self.piece = PIECE // BITS[elem]
        self.groups = self.side // self.piece

    def write(self) -> None:
        """Emit everything."""
        if self.side <= IN_REGISTERS:
            groups = [
                mixed(self.e, [self._read(constant("i64", start + k)) for k in range(self.piece)])
                for start in range(0, self.side, self.piece)
            ]
            for number in range(self.piece):
                self._write([group[number] for group in groups], constant("i64", number))
            return
        kept = self.e.slot(f"[{self.side * self.side} x i{8 * self.dtype.itemsize}]")
        loop(self.e, self.groups, lambda group: self._keep(group, kept))
        loop(self.e, self.piece, lambda number: self._write(self._kept(number, kept), number))

    def _keep(self, group: Value, kept: Value) -> None:
        """Mix one group and keep it in memory."""
        first = affine(self.e, group, self.piece)
        vectors = [self._read(self.e.add(first, k)) for k in range(self.piece)]
        for k, vector in enumerate(mixed(self.e, vectors)):
            offset = affine(self.e, self.e.add(first, k), self.side)
            address = memory.element(self.e, kept, self.dtype, offset)
            memory.store(self.e, vector, address, self.dtype, 1, self.side)

    def _kept(self, number: Value, kept: Value) -> list[Value]:
        """One vector of each group."""
        vectors = []
        for group in range(self.groups):
            offset = affine(self.e, number, self.side, group * self.piece * self.side)
            address = memory.element(self.e, kept, self.dtype, offset)
            vectors.append(memory.load(self.e, address, self.dtype, 1, self.side, self.side))
        return vectors

    def _read(self, row: Value) -> Value:
        offset = self.e.mul(Value("%far", "i64", 1), row)
        address = memory.element(self.e, Value("%source", "ptr", 1), self.dtype, offset)
        vector = memory.load(self.e, address, self.dtype, 1, self.side, self.side)
        self._fetch(address, "%soon", writing=False)
        return vector

    def _fetch(self, address: Value, distance: str, writing: bool) -> None:
        line = memory.element(self.e, address, self.dtype, Value(distance, "i64", 1))
        memory.fetch(self.e, line, 1, writing, near=2)

    def _write(self, vectors: Sequence[Value], number: Value) -> None:
        """Put the pieces side by side, and store the rows that they make."""
        e = self.e
        for position, vector in enumerate(joined(e, vectors)):
            row = e.add(number, position * self.piece) if position else number
            offset = e.mul(Value("%near", "i64", 1), row)
            address = memory.element(e, Value("%target", "ptr", 1), self.dtype, offset)
            memory.store(e, vector, address, self.dtype, 1, self.side, streamed=self.streamed)
            if not self.streamed:
                self._fetch(address, "%later", writing=True)


def mixed(e: Emitter, vectors: Sequence[Value]) -> list[Value]:
    """In each piece the transpose of what the vectors have there: perfect shuffles of halves.

    Args:
        e: where to emit.
        vectors: as many as a piece has elements.
    """
    result = list(vectors)
    lanes, piece, half = result[0].lanes, len(result), len(result) // 2
    starts = range(0, lanes, piece)
    low = [start + lane // 2 + lane % 2 * lanes for start in starts for lane in range(piece)]
    high = [lane + half for lane in low]
    for _ in range(piece.bit_length() - 1):
        pairs = zip(result[:half], result[half:], strict=True)
        result = [e.merge(a, b, side) for a, b in pairs for side in (low, high)]
    return result


def joined(e: Emitter, vectors: Sequence[Value]) -> list[Value]:
    """For each piece, those of all vectors side by side.

    Args:
        e: where to emit.
        vectors: as many as each has pieces.
    """
    if len(vectors) == 1:
        return list(vectors)
    lanes, piece = range(2 * vectors[0].lanes), PIECE // BITS[vectors[0].elem]

    def those(remainder: int) -> list[Value]:
        chosen = [lane for lane in lanes if lane // piece % 2 == remainder]
        pairs = zip(vectors[::2], vectors[1::2], strict=True)
        return joined(e, [e.merge(a, b, chosen) for a, b in pairs])

    return [row for both in zip(those(0), those(1), strict=True) for row in both]
