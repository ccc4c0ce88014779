"""The function of one tile: sums of outer products, all of them in registers.

For each term of the sum it reads some vectors and multiplies each with some single elements. Where
these lie is known but for two addresses: nothing is copied. Every element of the result is one
chain of multiply-adds in the order of the terms, whatever the tile around it. A long chain is cut
into pieces whose sums are added one by one, so that rounding errors do not grow with its length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from graphc.dtypes import DType
from graphc.runtime.llvm.ir import memory
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.function import define_helper
from graphc.runtime.llvm.ir.loops import repeat_with
from graphc.runtime.llvm.ir.memory import moved
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import Value, constant

A, B, OUT = (Value(f"%{name}", "ptr", 1) for name in ("a", "b", "out"))
FIRST = Value("%first", "i1", 1)
COUNT = Value("%count", "i64", 1)

_CHAIN = 512
"""Terms of the sum in one chain of multiply-adds, roughly."""

Sums = list[Value]
"""The sums of a tile, row by row."""


@dataclass(frozen=True, slots=True)
class Column:
    """One vector of a tile.

    Args:
        offset: where its first element is from ``b``, in elements.
        stride: distance between its elements.
        active: how many of its lanes exist.
    """

    offset: int
    stride: int
    active: int


@dataclass(frozen=True, slots=True)
class Loop:
    """One loop of the sum.

    Args:
        count: the number of rounds; None: as many as the caller says.
        a: distance from one round to the next in ``a``, in elements.
        b: the same in ``b``.
    """

    count: int | None
    a: int
    b: int


class Ends(Protocol):
    """Where a tile's sums go."""

    def finish(self, e: Emitter, tile: Tile, sums: Sums) -> None:
        """Emit the end."""


@dataclass(frozen=True, slots=True)
class Tile:
    """The sums that one call computes.

    Args:
        dtype: of all operands.
        lanes: elements of a vector.
        rows: where the single elements are from ``a``, in elements.
        columns: the vectors.
        loops: the loops of the sum, outermost first.
        terms: what one round adds up: distances in ``a`` and in ``b``.
        piece: rounds of the outermost loop whose sum is one chain; 0: all.
    """

    dtype: DType
    lanes: int
    rows: tuple[int, ...]
    columns: tuple[Column, ...]
    loops: tuple[Loop, ...]
    terms: tuple[tuple[int, int], ...]
    piece: int = 0

    @property
    def zero(self) -> Value:
        """A vector of zeros."""
        return constant(memory.computed_elem(self.dtype), 0.0, self.lanes)

    @property
    def zeros(self) -> Sums:
        """The sums of nothing."""
        return [self.zero] * (len(self.rows) * len(self.columns))


def piece_of(rounds: int, terms: int) -> int:
    """Rounds of the outermost loop in one chain; 0 if that is all of them.

    Args:
        rounds: of this loop.
        terms: of the sum in each.
    """
    piece = -(-_CHAIN // terms)
    return piece if 2 * piece <= rounds else 0


def define_tile(module: Module, tile: Tile, ends: Ends) -> str:
    """Add ``void(ptr a, ptr b, ptr out, i64 count, i1 first)`` and return its symbol.

    Args:
        module: where the code goes.
        tile: the sums.
        ends: where they go.
    """
    e = Emitter(module)
    if tile.piece:
        sums = _in_pieces(e, tile)
    else:
        _, _, *sums = _nest(e, tile, tile.loops, COUNT, [A, B, *tile.zeros])
    ends.finish(e, tile, sums)
    operands = "ptr noalias readonly %a, ptr noalias readonly %b, ptr noalias %out"
    return define_helper(e, "conv.tile", f"{operands}, i64 %count, i1 %first")


def call_tile(
    e: Emitter, symbol: str, a: Value, b: Value, out: Value, count: Value, first: Value
) -> None:
    """Emit a call."""
    arguments = ", ".join(value.typed for value in (a, b, out, count, first))
    e.emit(f"call void @{symbol}({arguments})")


def _in_pieces(e: Emitter, tile: Tile) -> Sums:
    """All rounds; the sums of each piece are added to those before it, which are in memory.

    Volatile, for else LLVM keeps them in registers, and there are none left inside a piece.
    """
    slots = [e.slot(tile.zero.type) for _ in tile.zeros]

    def save(sums: Sums) -> None:
        for slot, value in zip(slots, sums, strict=True):
            e.emit(f"store volatile {value.typed}, ptr {slot.text}")

    def saved() -> Sums:
        kind, elem = tile.zero.type, tile.zero.elem
        return [
            e.define(f"load volatile {kind}, ptr {slot.text}", elem, tile.lanes) for slot in slots
        ]

    save(tile.zeros)
    pieces = e.binary("udiv", e.add(COUNT, tile.piece - 1), tile.piece)

    def one(index: Value, now: list[Value]) -> list[Value]:
        left = e.sub(COUNT, e.mul(index, tile.piece))
        rounds = e.intrinsic("smin", left, constant("i64", tile.piece))
        a, b, *sums = _nest(e, tile, tile.loops, rounds, [*now, *tile.zeros])
        save([e.add(before, value) for before, value in zip(saved(), sums, strict=True)])
        return [a, b]

    repeat_with(e, pieces, [A, B], one)
    return saved()


def _nest(
    e: Emitter, tile: Tile, loops: tuple[Loop, ...], rounds: Value, values: list[Value]
) -> list[Value]:
    """All rounds of these loops; values are the two addresses and the sums."""
    if not loops:
        return [*values[:2], *_round(e, tile, values[0], values[1], values[2:])]
    loop, size = loops[0], tile.dtype.itemsize
    one = constant("i64", 1)

    def step(_: Value, now: list[Value]) -> list[Value]:
        sums = _nest(e, tile, loops[1:], rounds, now)[2:]
        return [moved(e, now[0], size, (one, loop.a)), moved(e, now[1], size, (one, loop.b)), *sums]

    count = rounds if loop.count is None else constant("i64", loop.count)
    return repeat_with(e, count, values, step)


def _round(e: Emitter, tile: Tile, a: Value, b: Value, sums: Sums) -> Sums:
    for far_a, far_b in tile.terms:
        wide = [_vector(e, tile, b, far_b, column) for column in tile.columns]
        position = 0
        for row in tile.rows:
            place = place_of(e, tile, a, row + far_a)
            factor = e.splat(memory.load(e, place, tile.dtype, 0, 1, 1), tile.lanes)
            for vector in wide:
                sums[position] = e.multiply_add(factor, vector, sums[position])
                position += 1
    return sums


def _vector(e: Emitter, tile: Tile, b: Value, far: int, column: Column) -> Value:
    place = place_of(e, tile, b, far + column.offset)
    value = memory.load(e, place, tile.dtype, column.stride, tile.lanes, column.active)
    return e.splat(value, tile.lanes)


def place_of(e: Emitter, tile: Tile, pointer: Value, offset: int) -> Value:
    """The address so many elements behind another one."""
    return moved(e, pointer, tile.dtype.itemsize, (constant("i64", offset), 1))
