"""Copies of one column panel of ``b`` in which the kernel's vectors lie one after the other.

A copy has all columns of one k next to each other, as whole vectors; what stands for columns that
do not exist is never looked at. A factor that is computed from matrices is computed on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphc.dtypes import DType
from graphc.runtime.llvm.gemm.factors import Factor, Matrix
from graphc.runtime.llvm.gemm.finish import Columns, vectors
from graphc.runtime.llvm.gemm.outer import UNROLL
from graphc.runtime.llvm.ir import memory
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.function import define_helper
from graphc.runtime.llvm.ir.loops import repeat, when
from graphc.runtime.llvm.ir.memory import moved
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import Value, constant

_TARGET = Value("%target", "ptr", 1)
_PIECE_BITS = 128
"""The part of a register within which elements move cheaply."""


@dataclass(frozen=True, slots=True)
class Packing:
    """How a panel is copied.

    Args:
        factor: where it comes from.
        columns: the number of columns that exist.
        step: distance between neighbours along k in the copy.
        lanes: elements of a vector.
        k: terms of the whole sum.
        dtype: type of the copy.
    """

    factor: Factor
    columns: int
    step: int
    lanes: int
    k: int
    dtype: DType

    @property
    def transposing(self) -> bool:
        """Whether neighbours in memory are neighbours along k, in most of the matrices."""

        def lie_along_k(matrix: Matrix) -> bool:
            return matrix.row == 1 and matrix.column != 1

        wide = [each for each in self.factor.matrices if each.row or each.column]
        return 2 * sum(map(lie_along_k, wide)) > len(wide)

    @property
    def count(self) -> int:
        """Vectors next to each other."""
        return -(-self.columns // self.lanes)


def define_packing(module: Module, packing: Packing) -> str:
    """Add ``void(ptr target, i64 rounds, i1 last, ptr source...)``, a source for each matrix.

    It copies ``rounds`` groups of ``UNROLL`` neighbours along k and, in the last block, those that
    are left.
    """
    e = Emitter(module)
    if packing.transposing:
        whole, rest = divmod(packing.columns, packing.lanes)
        one = constant("i64", whole)
        repeat(e, one, lambda index: _down(e, packing, _turn, index, packing.lanes))
        if rest:
            _down(e, packing, _turn, one, rest)
    else:
        active = packing.columns - (packing.count - 1) * packing.lanes
        _down(e, packing, _copy, constant("i64", 0), active)
    count = len(packing.factor.matrices)
    sources = "".join(f", ptr noalias readonly %source{number}" for number in range(count))
    return define_helper(e, "gemm.pack", f"ptr noalias %target, i64 %rounds, i1 %last{sources}")


_Part = Callable[[Emitter, Packing, list[Value], Value, int, int], None]


def _down(e: Emitter, packing: Packing, part: _Part, vector: Value, active: int) -> None:
    """From the first k to the last one, from a vector of columns on."""
    matrices, lanes = packing.factor.matrices, packing.lanes
    sources = [
        moved(
            e, Value(f"%source{number}", "ptr", 1), each.dtype.itemsize,
            (vector, lanes * each.column),
        )
        for number, each in enumerate(matrices)
    ]  # fmt: skip
    target = moved(e, _TARGET, packing.dtype.itemsize, (vector, lanes))

    def copy(index: Value, count: int) -> None:
        here = [
            moved(e, source, each.dtype.itemsize, (index, UNROLL * each.row))
            for source, each in zip(sources, matrices, strict=True)
        ]
        there = moved(e, target, packing.dtype.itemsize, (index, UNROLL * packing.step))
        part(e, packing, here, there, active, count)

    rounds = Value("%rounds", "i64", 1)
    repeat(e, rounds, lambda index: copy(index, UNROLL))
    if packing.k % UNROLL:
        when(e, Value("%last", "i1", 1), lambda: copy(rounds, packing.k % UNROLL))


def _copy(
    e: Emitter, packing: Packing, sources: list[Value], target: Value, active: int, count: int
) -> None:
    """Rows of the panel, vector by vector, or element by element where columns are apart."""
    for term in range(count):
        for columns in vectors(packing.count, packing.lanes, active):
            start, number = constant("i64", columns.start), constant("i64", term)

            def load(matrix: Matrix, which: int, at: Columns = columns, term: int = term) -> Value:
                steps = (
                    (constant("i64", term), matrix.row),
                    (constant("i64", at.start), matrix.column),
                )
                place = moved(e, sources[which], matrix.dtype.itemsize, *steps)
                return memory.load(e, place, matrix.dtype, matrix.column, at.lanes, at.active)

            value = packing.factor.value(e, load, packing.lanes)
            size = packing.dtype.itemsize
            there = moved(e, target, size, (number, packing.step), (start, 1))
            memory.store(e, value, there, packing.dtype, 1, packing.lanes)


def _turn(
    e: Emitter, packing: Packing, sources: list[Value], target: Value, active: int, count: int
) -> None:
    """One vector of columns: pieces of columns become rows, in registers.

    Pieces that are ``piece`` columns apart are loaded side by side into one register; then only
    elements within pieces must move.
    """
    lanes, size = packing.lanes, packing.dtype.itemsize
    piece = _PIECE_BITS // (8 * size)
    for first in range(0, count, piece):
        wanted = min(piece, count - first)
        registers = []
        for column in range(piece):

            def load(matrix: Matrix, which: int, start: int = column, first: int = first,
                     wanted: int = wanted) -> Value:  # fmt: skip
                parts = [
                    _piece(e, matrix, sources[which], (number, first),
                           (wanted if number < active else 0, piece))
                    for number in range(start, lanes, piece)
                ]  # fmt: skip
                return _side_by_side(e, parts)

            registers.append(packing.factor.value(e, load, lanes))
        for term, value in enumerate(_turned(e, registers, piece)[:wanted]):
            there = moved(e, target, size, (constant("i64", first + term), packing.step))
            memory.store(e, value, there, packing.dtype, 1, lanes)


def _piece(
    e: Emitter, matrix: Matrix, source: Value, at: tuple[int, int], counts: tuple[int, int]
) -> Value:
    """Neighbours along k of one column, from a column and a k on: those that exist, of so many."""
    active, piece = counts
    if not active:
        return constant(memory.computed_elem(matrix.dtype), 0, piece)
    column, term = (constant("i64", number) for number in at)
    place = moved(e, source, matrix.dtype.itemsize, (column, matrix.column), (term, matrix.row))
    return e.splat(memory.load(e, place, matrix.dtype, matrix.row, piece, active), piece)


def _side_by_side(e: Emitter, parts: list[Value]) -> Value:
    while len(parts) > 1:
        parts = [e.join(*pair) for pair in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0]


def _turned(e: Emitter, rows: list[Value], piece: int) -> list[Value]:
    """Exchange rows and columns within each piece: two elements, or two rounds for four."""
    if piece == 2:
        return [_mixed(e, rows[0], rows[1], choice) for choice in ((0, 2), (1, 3))]
    low, high = (0, 4, 1, 5), (2, 6, 3, 7)
    result = []
    for choice in (low, high):
        upper, lower = (_mixed(e, rows[start], rows[start + 1], choice) for start in (0, 2))
        result += [_mixed(e, upper, lower, half) for half in ((0, 1, 4, 5), (2, 3, 6, 7))]
    return result


def _mixed(e: Emitter, a: Value, b: Value, pattern: tuple[int, ...]) -> Value:
    """The same choice of elements of two vectors in every piece; those of ``b`` count on."""
    piece = len(pattern)
    numbers = [
        start + number if number < piece else a.lanes + start + number - piece
        for start in range(0, a.lanes, piece)
        for number in pattern
    ]
    mask = ", ".join(f"i32 {number}" for number in numbers)
    text = f"shufflevector {a.typed}, {b.typed}, <{a.lanes} x i32> <{mask}>"
    return e.define(text, a.elem, a.lanes)
