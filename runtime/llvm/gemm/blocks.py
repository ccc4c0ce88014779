"""The function of a product by outer products: units, blocks, packing and the calls of kernels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from graphc.runtime.llvm.emitter import Emitter
from graphc.runtime.llvm.function import BEGIN, END, SCRATCH, define_function, parameters
from graphc.runtime.llvm.gemm.blocking import Blocking
from graphc.runtime.llvm.gemm.control import moved, repeat, scaled, when
from graphc.runtime.llvm.gemm.outer import UNROLL, Outer, define_outer
from graphc.runtime.llvm.gemm.packing import Packing, define_packing
from graphc.runtime.llvm.gemm.problem import Matrix, Problem
from graphc.runtime.llvm.module import Module
from graphc.runtime.llvm.native_step import NativeStep, Phase
from graphc.runtime.llvm.values import Value, constant

_ZERO = constant("i64", 0)

_AHEAD = 8
"""Terms by which rows of ``b`` that are apart in memory are asked for before they are needed."""

_SEEN_ROWS = 4
"""Tiles of fewer rows wait for memory anyway."""


def build_blocks(module: Module, blocking: Blocking) -> NativeStep:
    """Add the function and its kernels to a module."""
    writer = _Writer(module, blocking)
    repeat_groups(writer.e, blocking.row_blocks, writer.group)
    symbol = define_function(module, len(blocking.problem.matrices), writer.e.lines)
    phase = Phase(symbol, blocking.units, blocking.nanoseconds)
    return NativeStep((phase,), scratch_bytes=blocking.scratch_bytes)


def repeat_groups(e: Emitter, size: int, body: object) -> None:
    """Emit ``body(group, low, high)`` for each group of ``size`` units that a call takes part in.

    ``low`` and ``high`` bound the units of the group that are the call's.
    """
    assert callable(body)
    first = e.binary("udiv", BEGIN, size)
    behind = e.binary("udiv", e.add(END, size - 1), size)

    def step(index: Value) -> None:
        group = e.add(first, index)
        start = e.mul(group, size)
        low = e.intrinsic("smax", e.sub(BEGIN, start), _ZERO)
        high = e.intrinsic("smin", e.sub(END, start), constant("i64", size))
        body(group, low, high)

    repeat(e, e.sub(behind, first), step)


def batch_pointers(
    e: Emitter, problem: Problem, matrices: Sequence[Matrix], batch: Value
) -> list[Value]:
    """The first element of each operand in one batch."""
    addresses = parameters(len(problem.matrices))
    steps: list[Value] = []
    for number, size in reversed(list(enumerate(problem.batch))):
        steps.insert(0, e.binary("urem", batch, size) if number else batch)
        batch = e.binary("udiv", batch, size) if number else batch
    return [
        moved(
            e,
            addresses[matrix.parameter],
            matrix.dtype.itemsize,
            *zip(steps, matrix.batch, strict=True),
        )
        for matrix in matrices
    ]


class _Writer:
    def __init__(self, module: Module, blocking: Blocking) -> None:
        self.e, self.blocking = Emitter(module), blocking
        self.problem = blocking.problem
        problem, tile = self.problem, blocking.tile
        self.size = problem.a.dtype.itemsize
        self.slab_rows = tile.rows * blocking.slab_tiles
        self.full_panels, self.rest_columns = divmod(problem.n, blocking.width)
        self.others = (*problem.operands, *problem.outputs)

    # ------------------------------------------------------------------ loops

    def group(self, group: Value, low: Value, high: Value) -> None:
        """All that a call does in one block of columns of one batch."""
        e, blocking = self.e, self.blocking
        count = blocking.column_blocks
        column = e.binary("urem", group, count) if count > 1 else _ZERO
        batch = e.binary("udiv", group, count)
        a, b, *others = batch_pointers(
            e, self.problem, (self.problem.a, self.problem.b, *self.others), batch
        )
        panel = e.mul(column, blocking.unit_panels) if count > 1 else _ZERO
        b = moved(e, b, self.size, (panel, blocking.width * self.problem.b.column))
        others = self._moved(others, panel, [m.column * blocking.width for m in self.others])
        panels = constant("i64", self.full_panels)
        if count > 1:
            left = e.sub(panels, panel)
            panels = e.intrinsic("smin", left, constant("i64", blocking.unit_panels))
        last = e.cmp("eq", column, count - 1) if count > 1 else constant("i1", 1)

        def block(number: Value) -> None:
            self._block(number, (a, b, others), (low, high), panels, last)

        repeat(e, constant("i64", blocking.blocks), block)

    def _block(
        self,
        number: Value,
        pointers: tuple[Value, Value, list[Value]],
        units: tuple[Value, Value],
        panels: Value,
        last_column: Value,
    ) -> None:
        """One block of the sum."""
        e, blocking, problem = self.e, self.blocking, self.problem
        a, b, others = pointers
        a = moved(e, a, self.size, (number, blocking.depth * problem.a.column))
        b = moved(e, b, self.size, (number, blocking.depth * problem.b.row))
        first, last = constant("i1", 1), constant("i1", 1)
        if blocking.blocks > 1:
            first = e.cmp("eq", number, 0)
            last = e.cmp("eq", number, blocking.blocks - 1)
        if blocking.packed:
            self._pack(b, panels, last_column, last)
            b = SCRATCH
        panel = (b, panels, last_column)
        flags = (self._rounds(last), first, last)
        low, high = (e.mul(unit, blocking.unit_tiles // blocking.slab_tiles) for unit in units)
        whole, rest = divmod(problem.m, self.slab_rows)
        full = e.intrinsic("smin", high, constant("i64", whole))

        def slab(rows: int, index: Value) -> None:
            self._slab(rows, index, a, others, panel, flags)

        if whole:
            count = e.sub(full, low)
            repeat(e, count, lambda index: slab(self.slab_rows, e.add(low, index)))
        if rest:
            bottom = e.cmp("eq", units[1], blocking.row_blocks)
            when(e, bottom, lambda: slab(rest, constant("i64", whole)))

    def _slab(
        self,
        rows: int,
        index: Value,
        a: Value,
        others: list[Value],
        panel: tuple[Value, Value, Value],
        flags: tuple[Value, Value, Value],
    ) -> None:
        """Some tiles of rows whose part of ``a`` is copied together, if it is."""
        e, blocking = self.e, self.blocking
        height, step = blocking.tile.rows, self.problem.a.row
        a = moved(e, a, self.size, (index, self.slab_rows * step))
        if blocking.slab:
            a, step = self._copied(rows, a, flags), 1
        first = scaled(e, index, blocking.slab_tiles)

        def tile(rows: int, number: Value) -> None:
            here = moved(e, a, self.size, (number, height * step))
            self._row(rows, e.add(first, number), here, others, panel, flags)

        whole, rest = divmod(rows, height)
        repeat(e, constant("i64", whole), lambda number: tile(height, number))
        if rest:
            tile(rest, constant("i64", whole))

    def _copied(self, rows: int, a: Value, flags: tuple[Value, Value, Value]) -> Value:
        """A copy of some rows of ``a`` in which they are neighbours."""
        e, blocking = self.e, self.blocking
        packing = Packing(
            self.problem.a.transposed, rows, blocking.slab_width, blocking.lanes, self.problem.k
        )
        target = moved(e, SCRATCH, 1, (constant("i64", 1), blocking.packed_bytes))
        rounds, _, last = flags
        symbol = define_packing(e.module, packing)
        arguments = (a, target, rounds, last)
        e.emit(f"call void @{symbol}({', '.join(value.typed for value in arguments)})")
        return target

    def _rounds(self, last: Value) -> Value:
        """Whole rounds of ``UNROLL`` terms in a block."""
        depth, k = self.blocking.depth, self.problem.k
        rest = constant("i64", (k - depth * (self.blocking.blocks - 1)) // UNROLL)
        if self.blocking.blocks == 1:
            return rest
        return self.e.select(last, rest, constant("i64", depth // UNROLL))

    # ------------------------------------------------------------------ calls

    def _pack(self, b: Value, panels: Value, last_column: Value, last: Value) -> None:
        """Copy the panels of this block."""
        e, blocking, problem = self.e, self.blocking, self.problem
        step = blocking.panel_bytes // self.size
        whole = Packing(problem.b, blocking.width, blocking.width, blocking.lanes, problem.k)
        rounds = self._rounds(last)

        def copy(packing: Packing, index: Value) -> None:
            source = moved(e, b, self.size, (index, blocking.width * problem.b.column))
            target = moved(e, SCRATCH, self.size, (index, step))
            symbol = define_packing(e.module, packing)
            arguments = (source, target, rounds, last)
            e.emit(f"call void @{symbol}({', '.join(value.typed for value in arguments)})")

        if self.full_panels:
            repeat(e, panels, lambda index: copy(whole, index))
        if self.rest_columns:
            width = -(-self.rest_columns // blocking.lanes) * blocking.lanes
            edge = replace(whole, columns=self.rest_columns, step=width)
            when(e, last_column, lambda: copy(edge, panels))

    def _row(
        self,
        rows: int,
        index: Value,
        a: Value,
        others: list[Value],
        panel: tuple[Value, Value, Value],
        flags: tuple[Value, Value, Value],
    ) -> None:
        """All tiles of some rows in this block of columns."""
        e, blocking = self.e, self.blocking
        b, panels, last_column = panel
        height = blocking.tile.rows
        others = self._moved(others, index, [m.row * height for m in self.others])
        tile = blocking.tile_bytes
        partial = moved(e, SCRATCH, 1, (constant("i64", 1), blocking.partial_offset))
        partial = moved(e, partial, 1, (index, blocking.unit_panels * tile))

        def column(vectors: int, active: int, number: Value) -> None:
            step = blocking.panel_bytes // self.size if blocking.packed else blocking.width
            here = moved(e, b, self.size, (number, step))
            there = self._moved(others, number, [m.column * blocking.width for m in self.others])
            sums = moved(e, partial, 1, (number, tile)) if blocking.blocks > 1 else SCRATCH
            symbol = define_outer(e.module, self._kernel(rows, vectors, active))
            arguments = (a, here, sums, *flags, *there)
            e.emit(f"call void @{symbol}({', '.join(value.typed for value in arguments)})")

        lanes = blocking.lanes
        if self.full_panels:
            repeat(e, panels, lambda number: column(blocking.tile.vectors, lanes, number))
        if self.rest_columns:
            vectors = -(-self.rest_columns // lanes)
            active = self.rest_columns - (vectors - 1) * lanes
            when(e, last_column, lambda: column(vectors, active, panels))

    def _kernel(self, rows: int, vectors: int, active: int) -> Outer:
        blocking, problem = self.blocking, self.problem
        packed = vectors * blocking.lanes
        return Outer(
            problem,
            rows,
            vectors,
            blocking.lanes,
            blocking.lanes if blocking.packed else active,
            active,
            1 if blocking.slab else problem.a.row,
            blocking.slab_width if blocking.slab else problem.a.column,
            packed if blocking.packed else problem.b.row,
            0 if blocking.packed or rows < _SEEN_ROWS else _AHEAD,
            blocking.blocks > 1,
        )

    def _moved(self, pointers: Sequence[Value], index: Value, steps: Sequence[int]) -> list[Value]:
        return [
            moved(self.e, pointer, matrix.dtype.itemsize, (index, step))
            for pointer, matrix, step in zip(pointers, self.others, steps, strict=True)
        ]
