"""The function of a product by dot products: strips of columns, tile by tile."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from graphc.runtime.llvm.gemm.dots import Dots, define_dots
from graphc.runtime.llvm.gemm.groups import (
    along_columns,
    along_rows,
    batch_pointers,
    repeat_groups,
)
from graphc.runtime.llvm.gemm.problem import Problem
from graphc.runtime.llvm.gemm.tiling import Tile, dots_cycles, nanoseconds
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.function import define_function
from graphc.runtime.llvm.ir.loops import repeat, when
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import Value, constant
from graphc.runtime.llvm.native_step import NativeStep, Phase

_UNIT_NANOSECONDS = 20_000.0
_MOST_UNITS = 16


@dataclass(frozen=True, slots=True)
class Strips:
    """One product by dot products; a unit is some tiles of columns of one batch, with all rows.

    Args:
        problem: what is computed.
        lanes: elements of a vector.
        tile: the tile of the kernel; its ``vectors`` are columns.
        unit_tiles: tiles of columns in a unit.
        nanoseconds: all units on one core.
    """

    problem: Problem
    lanes: int
    tile: Tile
    unit_tiles: int
    nanoseconds: float

    @property
    def strips(self) -> int:
        """Units of one batch."""
        return -(-self.problem.n // (self.tile.vectors * self.unit_tiles))

    @property
    def units(self) -> int:
        """All units."""
        return self.strips * math.prod(self.problem.batch)


def strips_of(problem: Problem, tile: Tile, lanes: int) -> Strips:
    """Cut a product."""
    estimate = nanoseconds(problem, dots_cycles(problem, tile, lanes))
    wanted = max(1, min(_MOST_UNITS, round(estimate / _UNIT_NANOSECONDS)))
    tiles = -(-problem.n // tile.vectors)
    unit_tiles = -(-tiles // min(tiles, -(-wanted // math.prod(problem.batch))))
    return Strips(problem, lanes, tile, unit_tiles, estimate)


def build_strips(module: Module, strips: Strips) -> NativeStep:
    """Add the function and its kernels to a module."""
    writer = _Writer(module, strips)
    repeat_groups(writer.e, strips.strips, writer.group)
    symbol = define_function(module, strips.problem.parameters, writer.e.lines)
    return NativeStep((Phase(symbol, strips.units, strips.nanoseconds),))


class _Writer:
    def __init__(self, module: Module, plan: Strips) -> None:
        problem, tile = plan.problem, plan.tile
        self.e, self.problem, self.tile = Emitter(module), problem, tile
        self.lanes, self.unit_tiles, self.strips = plan.lanes, plan.unit_tiles, plan.strips
        self.full_columns, self.rest_columns = divmod(problem.n, tile.vectors)
        self.others = (*problem.operands, *problem.outputs)

    def group(self, batch: Value, low: Value, high: Value) -> None:
        """The strips ``low .. high - 1`` of one batch."""
        e, problem = self.e, self.problem
        matrices = (*problem.a.matrices, *problem.b.matrices, *self.others)
        pointers = batch_pointers(e, problem, matrices, batch)
        first = e.mul(low, self.unit_tiles)
        behind = e.mul(high, self.unit_tiles)
        full = e.intrinsic("smin", behind, constant("i64", self.full_columns))
        if self.full_columns:
            repeat(
                e,
                e.sub(full, first),
                lambda index: self._column(
                    pointers, e.mul(e.add(first, index), self.tile.vectors), self.tile.vectors
                ),
            )
        if self.rest_columns:
            last = e.cmp("eq", high, self.strips)
            when(e, last, lambda: self._rest(pointers))

    def _rest(self, pointers: Sequence[Value]) -> None:
        """The columns that are left, in powers of two."""
        start, size = self.problem.n - self.rest_columns, self.tile.vectors
        while start < self.problem.n:
            if start + size <= self.problem.n:
                self._column(pointers, constant("i64", start), size)
                start += size
            size //= 2

    def _column(self, pointers: Sequence[Value], start: Value, columns: int) -> None:
        """All rows of some columns."""
        e, problem = self.e, self.problem
        whole, rest = divmod(problem.m, self.tile.rows)
        count = len(problem.a.matrices)
        a, others = pointers[:count], pointers[count:]
        moving = (*problem.b.matrices, *self.others)
        here = along_columns(e, others, moving, start, 1)

        def rows(count: int, index: Value) -> None:
            size = len(problem.b.matrices)
            arguments = [
                *along_rows(e, a, problem.a.matrices, index, self.tile.rows),
                *here[:size],
                *along_rows(e, here[size:], self.others, index, self.tile.rows),
            ]
            symbol = define_dots(e.module, Dots(problem, count, columns, self.lanes))
            e.emit(f"call void @{symbol}({', '.join(value.typed for value in arguments)})")

        repeat(e, constant("i64", whole), lambda index: rows(self.tile.rows, index))
        if rest:
            rows(rest, constant("i64", whole))
