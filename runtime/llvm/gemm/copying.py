"""Which parts of the factors are copied into scratch memory, and in which order they are read.

Reading is what takes time, so it never waits for all of it at once. Columns of ``b`` are read row
by row through all panels of a unit: processors see that and fetch the rest of a row themselves.
They do not see rows of ``a`` that lie across memory. Such rows have two copies: while tiles are
computed with one, their kernels ask for what comes next, and a part of it is copied into the other
behind each tile of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from graphc.runtime.llvm.gemm.blocking import Blocking
from graphc.runtime.llvm.gemm.groups import along_columns, along_rows
from graphc.runtime.llvm.gemm.outer import UNROLL
from graphc.runtime.llvm.gemm.packing import Packing, define_packing
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.function import SCRATCH
from graphc.runtime.llvm.ir.loops import number, repeat, when
from graphc.runtime.llvm.ir.memory import CACHE_LINE, moved
from graphc.runtime.llvm.ir.values import Value, constant

_ZERO = constant("i64", 0)

_TOGETHER = 4
"""Rounds of terms that are read side by side through all panels: so many processors follow."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Columns of a unit.

    Args:
        b: their part of ``b``.
        panels: how many whole panels there are.
        last: whether they are the last columns of ``b``.
        others: the first row of what the epilogue reads and writes.
        sums: the places for the sums over the first tile of rows.
    """

    b: list[Value]
    panels: Value
    last: Value
    others: list[Value]
    sums: list[Value]


@dataclass(frozen=True, slots=True)
class Terms:
    """A block of the sum.

    Args:
        rounds: its whole rounds.
        first: whether it is the first one.
        last: whether it is the last one.
    """

    rounds: Value
    first: Value
    last: Value


@dataclass(frozen=True, slots=True)
class Coming:
    """Rows of ``a`` that are needed next, or the part of them that one tile of rows looks after.

    Args:
        exist: whether there are any.
        source: where they lie.
        target: where their copy goes.
        terms: what of them is copied.
    """

    exist: Value
    source: Value
    target: Value
    terms: Terms


class Copies:
    """Writes the copies of one product.

    Args:
        e: where to emit.
        blocking: how the product is cut.
    """

    def __init__(self, e: Emitter, blocking: Blocking) -> None:
        self.e, self.blocking, self.problem = e, blocking, blocking.problem
        self.size = self.problem.dtype.itemsize
        self.slab_rows = blocking.tile.rows * blocking.slab_tiles
        self.full_panels, self.rest_columns = divmod(self.problem.n, blocking.width)
        self.rest_vectors = -(-self.rest_columns // blocking.lanes)

    # ------------------------------------------------------------------ columns of b

    def panels(self, strip: Strip, terms: Terms) -> None:
        """Copy the panels of a block."""
        e, blocking, b = self.e, self.blocking, self.problem.b
        step = blocking.panel_bytes // self.size

        def copy(columns: int, width: int, index: Value, start: Value, part: Terms) -> None:
            packing = self._packing_of_panel(columns, width)
            sources = along_columns(e, strip.b, b.matrices, index, blocking.width)
            sources = along_rows(e, sources, b.matrices, start, UNROLL)
            target = moved(e, SCRATCH, self.size, (index, step), (start, UNROLL * width))
            self._call(packing, target, part, sources)

        def some(start: Value, part: Terms) -> None:
            width = blocking.width
            if self.full_panels:
                repeat(e, strip.panels, lambda index: copy(width, width, index, start, part))
            if self.rest_columns:
                rest, narrow = self.rest_columns, self.rest_vectors * blocking.lanes
                when(e, strip.last, lambda: copy(rest, narrow, strip.panels, start, part))

        along_k = self._packing_of_panel(blocking.width, blocking.width).transposing
        if along_k or blocking.unit_panels == 1:
            some(_ZERO, terms)
        else:
            self._in_turns(terms, some)

    def _packing_of_panel(self, columns: int, width: int) -> Packing:
        problem, lanes = self.problem, self.blocking.lanes
        return Packing(problem.b, columns, width, lanes, problem.k, problem.dtype)

    def _in_turns(self, terms: Terms, body: Callable[[Value, Terms], None]) -> None:
        """Emit ``body(start, part)`` for parts of few rounds, and where each of them starts."""
        e, rounds = self.e, number(terms.rounds)
        if rounds is not None and rounds <= _TOGETHER:
            body(_ZERO, terms)
            return
        count = e.binary("udiv", e.add(terms.rounds, _TOGETHER - 1), _TOGETHER)
        count = e.intrinsic("smax", count, constant("i64", 1))

        def turn(index: Value) -> None:
            start = e.mul(index, _TOGETHER)
            last = e.binary("and", terms.last, e.cmp("eq", e.add(index, 1), count))
            body(start, self._part(terms, start, _TOGETHER, last))

        repeat(e, count, turn)

    # ------------------------------------------------------------------ rows of a

    def buffer(self, number: Value) -> Value:
        """Where a copy of rows of ``a`` lies."""
        offset = constant("i64", 1), self.blocking.packed_bytes
        return moved(self.e, SCRATCH, 1, offset, (number, self.blocking.slab_bytes))

    def rows(self, target: Value, rows: int, sources: list[Value], terms: Terms) -> None:
        """Copy some rows of ``a`` so that they are neighbours."""
        problem, lanes, width = self.problem, self.blocking.lanes, self.blocking.slab_width
        packing = Packing(problem.a.transposed, rows, width, lanes, problem.k, problem.dtype)
        self._call(packing, target, terms, sources)

    def coming(self, exist: Value, sources: list[Value], number: Value, terms: Terms) -> Coming:
        """The rows of a slab, which stand so many slabs behind others."""
        (source,) = along_rows(self.e, sources, self.problem.a.matrices, number, self.slab_rows)
        return Coming(exist, source, self.buffer(self.e.binary("and", number, 1)), terms)

    def part_of(self, coming: Coming, tile: Value) -> Coming:
        """The part of the coming rows that is copied behind a tile of rows."""
        e, blocking, terms = self.e, self.blocking, coming.terms
        most = -(-blocking.depth // (UNROLL * blocking.slab_tiles))
        start = e.intrinsic("smin", e.mul(tile, most), terms.rounds)
        last = e.binary("and", terms.last, e.cmp("eq", tile, blocking.slab_tiles - 1))
        return Coming(
            coming.exist,
            moved(e, coming.source, self.size, (start, UNROLL * self.problem.a.column)),
            moved(e, coming.target, self.size, (start, UNROLL * blocking.slab_width)),
            self._part(terms, start, most, last),
        )

    def copy_part(self, part: Coming) -> None:
        """Copy such a part."""

        def copy() -> None:
            self.rows(part.target, self.slab_rows, [part.source], part.terms)

        when(self.e, part.exist, copy)

    def lines(self, part: Coming, panel: Value, otherwise: Value) -> list[Value]:
        """What the kernel of a panel asks for: its first line, and the bytes to the next one.

        A panel asks for one line of each k; panels that have none ask for one that is there.
        """
        e, step = self.e, self.problem.a.column * self.size
        count = -(-self.slab_rows * self.size // CACHE_LINE)
        wanted = e.binary("and", part.exist, e.cmp("slt", panel, count))
        line = e.select(wanted, moved(e, part.source, 1, (panel, CACHE_LINE)), otherwise)
        return [line, e.select(wanted, constant("i64", step), _ZERO)]

    # ------------------------------------------------------------------ both

    def _part(self, terms: Terms, start: Value, most: int, last: Value) -> Terms:
        """Some rounds of a block, from one of them or its end on."""
        left = self.e.sub(terms.rounds, start)
        rounds = self.e.intrinsic("smin", left, constant("i64", most))
        return replace(terms, rounds=rounds, last=last)

    def _call(self, packing: Packing, target: Value, terms: Terms, sources: list[Value]) -> None:
        symbol = define_packing(self.e.module, packing)
        arguments = (target, terms.rounds, terms.last, *sources)
        self.e.emit(f"call void @{symbol}({', '.join(value.typed for value in arguments)})")
