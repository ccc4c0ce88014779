"""What happens in a tile: operands are transposed, into scratch memory or straight to a result."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from graphc.dtypes import DType
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.function import SCRATCH
from graphc.runtime.llvm.ir.loops import affine, loop_between
from graphc.runtime.llvm.ir.memory import element, fetch, further
from graphc.runtime.llvm.ir.values import Value, constant
from graphc.runtime.llvm.kernels.rounds import Bounds
from graphc.runtime.llvm.kernels.schedule import Schedule, Tile
from graphc.runtime.llvm.kernels.transpose import transpose


class Tiles:
    """The tiles of one phase.

    Args:
        e: where to emit.
        schedule: the loops of the phase.
        tile: their tile.
        streams: the numbers of places that are stored past the caches.
    """

    def __init__(
        self, e: Emitter, schedule: Schedule, tile: Tile, streams: Collection[int]
    ) -> None:
        self.e, self.tile, self._streams = e, tile, streams
        self._places = schedule.analysis.places
        self._stored = {number for numbers in schedule.analysis.stores for number in numbers}

    def copy(self, pointers: Sequence[Value], rows: Bounds, columns: Bounds) -> None:
        """Transpose the tile's only operand straight to the tile's result."""
        tile, ((place, _),) = self.tile, self.tile.offsets.items()
        assert tile.result is not None
        dtype, step = self._dtype(tile.result), tile.outer.strides[tile.result]
        target = element(self.e, pointers[tile.result], dtype, affine(self.e, rows[0], step))
        target = element(self.e, target, dtype, columns[0])
        self._transpose(
            place, pointers, rows, columns, (target, step), tile.result in self._streams
        )

    def filled(self, pointers: Sequence[Value], rows: Bounds, columns: Bounds) -> tuple[Value, ...]:
        """Transpose operands into scratch memory.

        Returns:
            The pointers; those of the operands are where index 0 of both axes would be.
        """
        e, size = self.e, self.tile.size
        result = list(pointers)
        for place, offset in self.tile.offsets.items():
            target = further(e, SCRATCH, constant("i64", offset))
            self._transpose(place, pointers, rows, columns, (target, size), streamed=False)
            back = e.add(affine(e, rows[0], -size), affine(e, columns[0], -1))
            result[place] = element(e, target, self._dtype(place), back)
        return tuple(result)

    def fetch(self, pointers: Sequence[Value], rows: Bounds, columns: Bounds) -> None:
        """Ask for a tile of the other operands and of the results.

        Their rows may lie a multiple of 4096 bytes apart; the processor then takes each load for
        one of the element just stored, and waits for the store.
        """
        tile = self.tile
        for place, pointer in enumerate(pointers):
            step = tile.outer.strides[place]
            if place in (*tile.offsets, *self._streams) or not step:
                continue
            if tile.inner.strides[place] != 1:
                continue
            dtype = self._dtype(place)
            start = element(self.e, pointer, dtype, columns[0])

            def row(index: Value, place: int = place, step: int = step, start: Value = start,
                    dtype: DType = dtype) -> None:  # fmt: skip
                line = element(self.e, start, dtype, affine(self.e, index, step))
                fetch(self.e, line, tile.size * dtype.itemsize, place in self._stored)

            loop_between(self.e, *rows, row)

    def _transpose(
        self,
        place: int,
        pointers: Sequence[Value],
        rows: Bounds,
        columns: Bounds,
        target: tuple[Value, int],
        streamed: bool,
    ) -> None:
        """Transpose an operand's part to an address with so many elements from row to row."""
        e, dtype, stride = self.e, self._dtype(place), self.tile.inner.strides[place]
        source = element(e, pointers[place], dtype, rows[0])
        source = element(e, source, dtype, affine(e, columns[0], stride))
        counts = e.sub(rows[1], rows[0]), e.sub(columns[1], columns[0])
        ends = (source, constant("i64", stride)), (target[0], constant("i64", target[1]))
        steps = (stride, 1) if self.tile.walked is self.tile.inner else (1, target[1])
        ahead = self.tile.size * steps[0], self.tile.size * steps[1]
        transpose(e, *ends, counts, dtype.itemsize, ahead, streamed=streamed)

    def _dtype(self, place: int) -> DType:
        return self._places[place].layout.dtype
