"""The function of a product by outer products: units, blocks, packing and the calls of kernels."""

from __future__ import annotations

from dataclasses import replace

from graphc.runtime.llvm.gemm.blocking import Blocking
from graphc.runtime.llvm.gemm.copying import Coming, Copies, Strip, Terms
from graphc.runtime.llvm.gemm.form import span_of_rows
from graphc.runtime.llvm.gemm.groups import (
    along_columns,
    along_rows,
    batch_pointers,
    repeat_groups,
)
from graphc.runtime.llvm.gemm.outer import UNROLL, Outer, define_outer
from graphc.runtime.llvm.gemm.sums import places_of_sums, sums_bytes
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.function import SCRATCH, SHARED, define_function
from graphc.runtime.llvm.ir.loops import affine, repeat, when
from graphc.runtime.llvm.ir.memory import moved
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import Value, constant
from graphc.runtime.llvm.native_step import NativeStep, Phase

_ZERO = constant("i64", 0)

_AHEAD = 8
"""Terms by which rows of ``b`` that are apart in memory are asked for before they are needed."""

_SEEN_ROWS = 4
"""Tiles of fewer rows wait for memory anyway."""


def build_blocks(module: Module, blocking: Blocking) -> NativeStep:
    """Add the function and its kernels to a module."""
    writer = _Writer(module, blocking)
    repeat_groups(writer.e, blocking.row_blocks, writer.group)
    symbol = define_function(module, blocking.problem.parameters, writer.e.lines)
    phase = Phase(symbol, blocking.units, blocking.nanoseconds, _spans(blocking))
    return NativeStep((phase,), scratch_bytes=blocking.scratch_bytes)


def _spans(blocking: Blocking) -> tuple[int | None, ...]:
    """What a unit touches of each operand, where units are rows."""
    problem = blocking.problem
    if not problem.form.rows:
        return ()
    columns = [(each, problem.k) for each in problem.a.matrices]
    columns += [(each, problem.n) for each in (*problem.operands, *problem.outputs)]
    found = {each.parameter: span_of_rows(each, problem.form.rows, size) for each, size in columns}
    return tuple(found.get(number) for number in range(problem.parameters))


def _nothing(a: Value, terms: Terms) -> Coming:
    """No rows that come next, where none are copied ahead."""
    return Coming(constant("i1", 0), a, a, terms)


class _Writer:
    def __init__(self, module: Module, blocking: Blocking) -> None:
        self.e, self.blocking = Emitter(module), blocking
        self.problem = blocking.problem
        problem = self.problem
        self.size = problem.dtype.itemsize
        self.copies = Copies(self.e, blocking)
        self.slab_rows = self.copies.slab_rows
        self.others = (*problem.operands, *problem.outputs)
        self.sums = places_of_sums(problem)
        self.in_place = not blocking.packed and not problem.form.panels
        self.kernels: dict[tuple[int, int, int], str] = {}

    # ------------------------------------------------------------------ loops

    def group(self, group: Value, low: Value, high: Value) -> None:
        """All that a call does in one block of columns of one batch."""
        e, blocking = self.e, self.blocking
        count = blocking.column_blocks
        column = e.binary("urem", group, count) if count > 1 else _ZERO
        batch = e.binary("udiv", group, count)
        a_side, b_side = self.problem.a.matrices, self.problem.b.matrices
        pointers = batch_pointers(e, self.problem, (*a_side, *b_side, *self.others), batch)
        a, pointers = pointers[: len(a_side)], pointers[len(a_side) :]
        b, others = pointers[: len(b_side)], pointers[len(b_side) :]
        panel = e.mul(column, blocking.unit_panels) if count > 1 else _ZERO
        b = self._panels(b, panel)
        others = along_columns(e, others, self.others, panel, blocking.width)
        panels = constant("i64", self.copies.full_panels)
        if count > 1:
            left = e.sub(panels, panel)
            panels = e.intrinsic("smin", left, constant("i64", blocking.unit_panels))
        last = e.cmp("eq", column, count - 1) if count > 1 else constant("i1", 1)
        sums = [
            moved(
                e, SHARED, 1, (constant("i64", 1), each.offset),
                (panel, blocking.width * each.layout.dtype.itemsize),
            )
            for each in self.sums
        ]  # fmt: skip
        strip = Strip(b, panels, last, others, sums)

        def block(number: Value) -> None:
            self._block(number, a, strip, (low, high))

        repeat(e, constant("i64", blocking.blocks), block)

    def _block(
        self, number: Value, a: list[Value], strip: Strip, units: tuple[Value, Value]
    ) -> None:
        """One block of the sum."""
        e, blocking, problem = self.e, self.blocking, self.problem
        terms = self._terms(number)
        a = along_columns(e, a, problem.a.matrices, number, blocking.depth)
        strip = replace(strip, b=self._terms_on(strip.b, number))
        if blocking.packed:
            self.copies.panels(strip, terms)
            strip = replace(strip, b=[SCRATCH])
        low, high = (e.mul(unit, blocking.unit_tiles // blocking.slab_tiles) for unit in units)
        whole, rest = divmod(problem.m, self.slab_rows)
        full = e.intrinsic("smin", high, constant("i64", whole))

        def slab(rows: int, index: Value) -> None:
            self._slab(rows, index, a, strip, terms)

        if blocking.alternating:
            self._alternate((low, full), a, strip, terms)
        elif whole:
            count = e.sub(full, low)
            repeat(e, count, lambda index: slab(self.slab_rows, e.add(low, index)))
        if rest:
            bottom = e.cmp("eq", units[1], blocking.row_blocks)
            when(e, bottom, lambda: slab(rest, constant("i64", whole)))

    def _terms(self, number: Value) -> Terms:
        """What is special about a block of the sum."""
        e, blocks, depth = self.e, self.blocking.blocks, self.blocking.depth
        rest = constant("i64", (self.problem.k - depth * (blocks - 1)) // UNROLL)
        if blocks == 1:
            return Terms(rest, constant("i1", 1), constant("i1", 1))
        last = e.cmp("eq", number, blocks - 1)
        rounds = e.select(last, rest, constant("i64", depth // UNROLL))
        return Terms(rounds, e.cmp("eq", number, 0), last)

    def _slab(
        self, rows: int, index: Value, sources: list[Value], strip: Strip, terms: Terms
    ) -> None:
        """Some tiles of rows whose part of ``a`` is copied together, if it is."""
        sources = along_rows(self.e, sources, self.problem.a.matrices, index, self.slab_rows)
        if self.blocking.slab:
            a = self.copies.buffer(_ZERO)
            self.copies.rows(a, rows, sources, terms)
        else:
            (a,) = sources
        self._tiles(rows, index, a, strip, terms, _nothing(a, terms))

    def _alternate(
        self, slabs: tuple[Value, Value], sources: list[Value], strip: Strip, terms: Terms
    ) -> None:
        """Whole slabs, from one to another; each is copied while the one before it is used."""
        e, copies, (low, high) = self.e, self.copies, slabs
        count = e.sub(high, low)
        first = along_rows(e, sources, self.problem.a.matrices, low, self.slab_rows)
        place = copies.buffer(_ZERO)
        some = e.cmp("sgt", count, 0)
        when(e, some, lambda: copies.rows(place, self.slab_rows, first, terms))

        def slab(number: Value) -> None:
            here = copies.buffer(e.binary("and", number, 1))
            behind = e.add(number, 1)
            coming = copies.coming(e.cmp("slt", behind, count), first, behind, terms)
            self._tiles(self.slab_rows, e.add(low, number), here, strip, terms, coming)

        repeat(e, count, slab)

    def _tiles(
        self,
        rows: int,
        index: Value,
        a: Value,
        strip: Strip,
        terms: Terms,
        coming: Coming,
    ) -> None:
        """The tiles of a slab."""
        e, blocking = self.e, self.blocking
        height, step = blocking.tile.rows, 1 if blocking.slab else self.problem.a.row
        first = affine(e, index, blocking.slab_tiles)

        def tile(rows: int, number: Value) -> None:
            here = moved(e, a, self.size, (number, height * step))
            if not blocking.alternating:
                self._row(rows, e.add(first, number), here, strip, terms, coming)
                return
            part = self.copies.part_of(coming, number)
            self._row(rows, e.add(first, number), here, strip, terms, part)
            self.copies.copy_part(part)

        whole, rest = divmod(rows, height)
        repeat(e, constant("i64", whole), lambda number: tile(height, number))
        if rest:
            tile(rest, constant("i64", whole))

    # ------------------------------------------------------------------ calls

    def _row(
        self,
        rows: int,
        index: Value,
        a: Value,
        strip: Strip,
        terms: Terms,
        coming: Coming,
    ) -> None:
        """All tiles of some rows in this strip."""
        e, blocking = self.e, self.blocking
        others = along_rows(e, strip.others, self.others, index, blocking.tile.rows)
        tile = blocking.tile_bytes
        partial = moved(e, SCRATCH, 1, (constant("i64", 1), blocking.partial_offset))
        partial = moved(e, partial, 1, (index, blocking.unit_panels * tile))
        step = blocking.panel_bytes // self.size if blocking.packed else blocking.width
        if self.problem.form.panels:
            step *= self.problem.k
        distance = sums_bytes(self.problem)
        row_sums = [moved(e, place, 1, (index, distance)) for place in strip.sums]

        def column(vectors: int, active: int, number: Value) -> None:
            (source,) = strip.b
            b = moved(e, source, self.size, (number, step))
            there = along_columns(e, others, self.others, number, blocking.width)
            sums = moved(e, partial, 1, (number, tile)) if blocking.blocks > 1 else SCRATCH
            there += [
                moved(e, place, each.layout.dtype.itemsize, (number, blocking.width))
                for place, each in zip(row_sums, self.sums, strict=True)
            ]
            if blocking.alternating:
                there += self.copies.lines(coming, number, a)
            symbol = self._kernel(rows, vectors, active)
            self._call(symbol, a, b, sums, terms.rounds, terms.first, terms.last, *there)

        lanes = blocking.lanes
        if self.copies.full_panels:
            repeat(e, strip.panels, lambda number: column(blocking.tile.vectors, lanes, number))
        if self.copies.rest_columns:
            active = self.copies.rest_columns - (self.copies.rest_vectors - 1) * lanes
            when(e, strip.last, lambda: column(self.copies.rest_vectors, active, strip.panels))

    def _kernel(self, rows: int, vectors: int, active: int) -> str:
        """The kernel of a tile, made once."""
        key = (rows, vectors, active)
        if key not in self.kernels:
            blocking, problem = self.blocking, self.problem
            kernel = Outer(
                problem,
                rows,
                vectors,
                blocking.lanes,
                readable=active if self.in_place else blocking.lanes,
                active=active,
                a_row=1 if blocking.slab else problem.a.row,
                a_step=blocking.slab_width if blocking.slab else problem.a.column,
                b_step=self._b_step(vectors),
                ahead=_AHEAD if self.in_place and rows >= _SEEN_ROWS else 0,
                blocked=blocking.blocks > 1,
                fetching=blocking.alternating,
            )
            self.kernels[key] = define_outer(self.e.module, kernel)
        return self.kernels[key]

    def _panels(self, b: list[Value], index: Value) -> list[Value]:
        """Where so many panels further begin."""
        width, k = self.problem.form.panels, self.problem.k
        if not width:
            return along_columns(self.e, b, self.problem.b.matrices, index, self.blocking.width)
        return [moved(self.e, pointer, self.size, (index, k * width)) for pointer in b]

    def _terms_on(self, b: list[Value], block: Value) -> list[Value]:
        """Where a block of the sum begins."""
        width, depth = self.problem.form.panels, self.blocking.depth
        if not width:
            return along_rows(self.e, b, self.problem.b.matrices, block, depth)
        return [moved(self.e, pointer, self.size, (block, depth * width)) for pointer in b]

    def _b_step(self, vectors: int) -> int:
        """The distance between neighbours of ``b`` along k, for kernels of so many vectors."""
        if self.problem.form.panels:
            return self.problem.form.panels
        return vectors * self.blocking.lanes if self.blocking.packed else self.problem.b.row

    def _call(self, symbol: str, *arguments: Value) -> None:
        self.e.emit(f"call void @{symbol}({', '.join(value.typed for value in arguments)})")
