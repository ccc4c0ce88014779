"""The kernel of one tile: sums of outer products, all of them in registers.

For each k it reads one vector row of ``b`` and multiplies it with one element of each row of ``a``.
Every element of the result is one chain of multiply-adds over ascending k in each block of the sum
(a few chains for tiles so small that one would wait for itself), whatever the tile around it. The
blocks' sums are added one by one, so that rounding errors do not grow with all of k.
"""

from __future__ import annotations

from dataclasses import dataclass

from graphc.runtime.llvm.gemm.finish import Finish, vectors
from graphc.runtime.llvm.gemm.problem import Problem
from graphc.runtime.llvm.gemm.tiling import chains_of
from graphc.runtime.llvm.ir import memory
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.function import define_helper, parameters
from graphc.runtime.llvm.ir.loops import number, repeat_with
from graphc.runtime.llvm.ir.memory import CACHE_LINE, moved
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import Value, constant

UNROLL = 4
"""Terms of the sum in one round of the loop."""

_FIRST_CACHE, _SECOND_CACHE = 3, 2
"""Where lines are fetched to, as LLVM counts."""

_LARGE_RESULT = 1 << 20
"""Bytes of a result that is not in the second cache before it is written."""

_PARTIAL = Value("%partial", "ptr", 1)
"""Sums of the blocks before."""

_LINE, _STEP = Value("%line", "ptr", 1), Value("%step", "i64", 1)
"""What a kernel asks for, for others."""


@dataclass(frozen=True, slots=True)
class Outer:
    """One such kernel.

    Args:
        problem: what is computed.
        rows: rows of the tile.
        vectors: vectors in a row.
        lanes: elements of a vector.
        readable: lanes of the last vector that may be read from ``b``.
        active: lanes of the last vector that exist in the result.
        a_row: distance between rows of ``a``, in elements.
        a_step: distance between neighbours of ``a`` along k.
        b_step: distance between neighbours of ``b`` along k; along columns it is 1.
        ahead: terms by which rows of ``b`` are asked for before they are needed; 0 where the
            processor sees by itself what comes next.
        blocked: whether the sum is cut into blocks of k, with partial sums in memory.
        fetching: whether each round asks for a line of memory that will be copied.
    """

    problem: Problem
    rows: int
    vectors: int
    lanes: int
    readable: int
    active: int
    a_row: int
    a_step: int
    b_step: int
    ahead: int
    blocked: bool
    fetching: bool


_Tile = list[Value]
"""The accumulators, row by row; chains one after the other."""


def define_outer(module: Module, kernel: Outer) -> str:
    """Add ``void(ptr a, ptr b, ptr partial, i64 rounds, i1 first, i1 last, ptr operand...)``.

    It does ``rounds`` rounds of ``UNROLL`` terms and, in the last block, the terms that are left.
    The sums of the blocks before are added unless ``first``, and these sums kept unless ``last``.
    The further pointers are those of the epilogue's operands, of the outputs and of the sums over
    the tile's rows. All are addresses of a tile's first element. A kernel that fetches has ``ptr
    line, i64 step`` behind them: what it asks for in its first round, and the bytes from one round
    to the next.
    """
    return _Writer(module, kernel).write()


class _Writer:
    def __init__(self, module: Module, kernel: Outer) -> None:
        self.e, self.kernel = Emitter(module), kernel
        self.dtype = kernel.problem.dtype
        self.elem = memory.computed_elem(self.dtype)
        self.chains = chains_of(module.target, kernel.rows * kernel.vectors)
        self.zero = constant(self.elem, 0.0, kernel.lanes)

    def write(self) -> str:
        """Emit everything and define the function."""
        e, problem = self.e, self.kernel.problem
        count = len(problem.operands) + len(problem.outputs) + len(problem.body.sums)
        pointers = parameters(count)
        a, b = Value("%a", "ptr", 1), Value("%b", "ptr", 1)
        size = self.kernel.rows * self.kernel.vectors
        a, b, tile = self._loop(a, b, [self.zero] * (size * self.chains))
        if self.kernel.blocked:
            e.emit("br i1 %last, label %final, label %partly")
            e.label("partly")
            self._keep(self._joined(tile))
            e.emit("ret void")
            e.label("final")
        for term in range(problem.k % UNROLL):
            tile = self._term(tile, a, b, term)
        tile = self._joined(tile)
        if self.kernel.blocked:
            tile = self._with_earlier(tile)
        width = self.kernel.vectors
        rows = [tile[start : start + width] for start in range(0, len(tile), width)]
        columns = vectors(width, self.kernel.lanes, self.kernel.active)
        Finish(e, problem, pointers, columns).tile(rows)
        given = [*pointers, _LINE, _STEP] if self.kernel.fetching else pointers
        arguments = "".join(f", {value.typed}" for value in given)
        head = "ptr noalias readonly %a, ptr noalias readonly %b, ptr noalias %partial"
        return define_helper(
            e, "gemm.outer", f"{head}, i64 %rounds, i1 %first, i1 %last{arguments}"
        )

    # ------------------------------------------------------------------ the sum

    def _loop(self, a: Value, b: Value, tile: _Tile) -> tuple[Value, Value, _Tile]:
        """All whole rounds; gives where the rest of ``a`` and ``b`` begins, too.

        On the way it asks for what is copied next and for the memory of the results, so that
        nobody waits for them.
        """
        e, kernel, unroll = self.e, self.kernel, constant("i64", UNROLL)
        asked = [_LINE] if kernel.fetching else []
        rounds = constant("i64", kernel.problem.k // UNROLL)

        def one_round(index: Value, values: list[Value]) -> list[Value]:
            a, b, *sums = values[: 2 + len(tile)]
            lines = values[2 + len(tile) :]
            for line in lines:
                self._ask_for(line, _SECOND_CACHE)
            self._ask_for_results(index)
            for term in range(UNROLL):
                sums = self._term(sums, a, b, term)
            return [
                self._along(a, unroll, kernel.a_step),
                self._along(b, unroll, kernel.b_step),
                *sums,
                *(moved(e, line, 1, (_STEP, 1)) for line in lines),
            ]

        count = Value("%rounds", "i64", 1) if kernel.blocked else rounds
        a, b, *sums = repeat_with(e, count, [a, b, *tile, *asked], one_round)
        return a, b, sums[: len(tile)]

    def _along(self, pointer: Value, index: Value, step: int) -> Value:
        return moved(self.e, pointer, self.dtype.itemsize, (index, step))

    def _term(self, tile: _Tile, a: Value, b: Value, term: int) -> _Tile:
        """One k."""
        e, kernel, result = self.e, self.kernel, list(tile)
        row = self._along(b, constant("i64", term), kernel.b_step)
        wide = []
        for columns in vectors(kernel.vectors, kernel.lanes, kernel.readable):
            place = self._along(row, constant("i64", columns.start), 1)
            wide.append(memory.load(e, place, self.dtype, 1, kernel.lanes, columns.active))
            if kernel.ahead:
                there = self._along(place, constant("i64", kernel.ahead), kernel.b_step)
                self._ask_for(there, _FIRST_CACHE)
        position = term % self.chains * kernel.rows * kernel.vectors
        k = constant("i64", term), kernel.a_step
        for line in range(kernel.rows):
            place = moved(e, a, self.dtype.itemsize, (constant("i64", line), kernel.a_row), k)
            scalar = memory.load(e, place, self.dtype, 0, 1, 1)
            factor = e.splat(scalar, kernel.lanes)
            for vector in wide:
                result[position] = e.multiply_add(factor, vector, result[position])
                position += 1
        return result

    def _ask_for_results(self, index: Value) -> None:
        """In each round, a line of the sums of the blocks before, or a row of a large result."""
        e, kernel, problem = self.e, self.kernel, self.kernel.problem
        if kernel.blocked:
            self._ask_for(moved(e, _PARTIAL, 1, (index, CACHE_LINE)), _FIRST_CACHE)
            return
        if number(index) is not None or not problem.outputs:
            return
        result, size = problem.outputs[0], problem.outputs[0].dtype.itemsize
        if result.column != 1 or problem.m * problem.n * size < _LARGE_RESULT:
            return
        row = e.intrinsic("smin", index, constant("i64", kernel.rows - 1))
        first = moved(e, Value(f"%p{len(problem.operands)}", "ptr", 1), size, (row, result.row))
        for vector in range(kernel.vectors):
            place = moved(e, first, size, (constant("i64", vector * kernel.lanes), 1))
            self._ask_for(place, _FIRST_CACHE)

    def _ask_for(self, place: Value, cache: int) -> None:
        memory.fetch(self.e, place, CACHE_LINE, writing=False, near=cache)

    def _joined(self, tile: _Tile) -> _Tile:
        """The sums of the chains, pair by pair."""
        size = self.kernel.rows * self.kernel.vectors
        while len(tile) > size:
            half = len(tile) // 2
            tile = [self.e.add(x, y) for x, y in zip(tile[:half], tile[half:], strict=True)]
        return tile

    # ------------------------------------------------------------------ partial sums

    def _keep(self, tile: _Tile) -> None:
        """Add a block's sums to those of the blocks before."""
        e = self.e
        e.emit("br i1 %first, label %fresh, label %more")
        e.label("fresh")
        self._save(tile)
        e.emit("ret void")
        e.label("more")
        self._save(self._with_earlier(tile))

    def _with_earlier(self, tile: _Tile) -> _Tile:
        """A block's sums and those of the blocks before; the last of several is never the first."""
        return [self.e.add(self._earlier(number), value) for number, value in enumerate(tile)]

    def _earlier(self, number: int) -> Value:
        text = f"load {self.zero.type}, ptr {self._slot(number).text}"
        return self.e.define(text, self.elem, self.kernel.lanes)

    def _save(self, tile: _Tile) -> None:
        for position, value in enumerate(tile):
            self.e.emit(f"store {value.typed}, ptr {self._slot(position).text}")

    def _slot(self, number: int) -> Value:
        """Where a partial sum lies: vector by vector."""
        offset = constant("i64", number * self.kernel.lanes)
        return self._along(_PARTIAL, offset, 1)
