"""Where a tile's sums go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from graphc.runtime.llvm.convolution.tile import FIRST, OUT, Sums, Tile, place_of
from graphc.runtime.llvm.convolution.turning import turned
from graphc.runtime.llvm.ir import memory
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.values import Value


@dataclass(frozen=True, slots=True)
class Along:
    """Vectors run along the result.

    Args:
        rows: where each row begins, in elements.
        columns: where each vector of a row begins, and the distance of its elements.
    """

    rows: tuple[int, ...]
    columns: tuple[tuple[int, int], ...]

    def finish(self, e: Emitter, tile: Tile, sums: Sums) -> None:
        """Store each vector."""
        values = iter(sums)
        for row in self.rows:
            for (column, stride), vector in zip(self.columns, tile.columns, strict=True):
                place = place_of(e, tile, OUT, row + column)
                memory.store(e, next(values), place, tile.dtype, stride, vector.active)


@dataclass(frozen=True, slots=True)
class Across:
    """Vectors run across the result: they are turned in registers.

    Args:
        rows: where each row's element of a column is, in elements.
        step: distance between columns.
    """

    rows: tuple[int, ...]
    step: int

    def finish(self, e: Emitter, tile: Tile, sums: Sums) -> None:
        """Store each column, as many neighbours at once as there are."""
        width = len(tile.columns)
        for number, column in enumerate(tile.columns):
            mine = sums[number::width]
            for start in range(0, len(mine), tile.lanes):
                part = mine[start : start + tile.lanes]
                square = turned(e, [*part, *[tile.zero] * (tile.lanes - len(part))])
                rows = self.rows[start : start + tile.lanes]
                for lane in range(column.active):
                    target = (number * tile.lanes + lane) * self.step
                    self._store(e, tile, square[lane], rows, target)

    def _store(self, e: Emitter, tile: Tile, value: Value, rows: tuple[int, ...], to: int) -> None:
        for first, count in runs(rows):
            place = place_of(e, tile, OUT, rows[first] + to)
            if first == 0:
                memory.store(e, value, place, tile.dtype, 1, count)
            else:
                part = e.shuffle(value, range(first, first + count))
                memory.store(e, part, place, tile.dtype, 1, count)


def runs(places: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Where neighbours begin, and how many there are."""
    first = 0
    for number in range(1, len(places) + 1):
        if number == len(places) or places[number] != places[number - 1] + 1:
            yield first, number - first
            first = number


@dataclass(frozen=True, slots=True)
class Partial:
    """The sums of all calls for a tile are added up in memory, vector after vector."""

    def finish(self, e: Emitter, tile: Tile, sums: Sums) -> None:
        """Store the sums, after the first call with what earlier ones have found."""
        e.emit(f"br i1 {FIRST.text}, label %fresh, label %more")
        e.label("fresh")
        self._store(e, tile, sums)
        e.emit("ret void")
        e.label("more")
        zero, found = tile.zero, []
        for value, place in zip(sums, self._places(e, tile), strict=True):
            text = f"load {zero.type}, ptr {place.text}, align 8"
            found.append(e.add(e.define(text, zero.elem, zero.lanes), value))
        self._store(e, tile, found)

    def _store(self, e: Emitter, tile: Tile, sums: Sums) -> None:
        for value, place in zip(sums, self._places(e, tile), strict=True):
            e.emit(f"store {value.typed}, ptr {place.text}, align 8")

    def _places(self, e: Emitter, tile: Tile) -> Iterator[Value]:
        for number in range(len(tile.rows) * len(tile.columns)):
            yield place_of(e, tile, OUT, number * tile.lanes)
