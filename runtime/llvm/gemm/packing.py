"""Copies of one column panel of ``b`` in which the kernel's vectors lie one after the other.

A copy has all columns of one k next to each other, as whole vectors: columns that do not exist are
zeros there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from graphc.runtime.llvm import memory
from graphc.runtime.llvm.emitter import Emitter
from graphc.runtime.llvm.gemm.control import moved, repeat, when
from graphc.runtime.llvm.gemm.finish import vectors
from graphc.runtime.llvm.gemm.outer import UNROLL
from graphc.runtime.llvm.gemm.problem import Matrix
from graphc.runtime.llvm.module import Module
from graphc.runtime.llvm.values import Value, constant

_SOURCE, _TARGET = Value("%source", "ptr", 1), Value("%target", "ptr", 1)
_PIECE_BITS = 128
"""The part of a register within which elements move cheaply."""


@dataclass(frozen=True, slots=True)
class Packing:
    """How a panel is copied.

    Args:
        matrix: where it comes from.
        columns: the number of columns that exist.
        step: distance between neighbours along k in the copy.
        lanes: elements of a vector.
        k: terms of the whole sum.
    """

    matrix: Matrix
    columns: int
    step: int
    lanes: int
    k: int

    @property
    def transposing(self) -> bool:
        """Whether neighbours in memory are neighbours along k."""
        return self.matrix.row == 1 and self.matrix.column != 1

    @property
    def count(self) -> int:
        """Vectors next to each other."""
        return -(-self.columns // self.lanes)


def define_packing(module: Module, packing: Packing) -> str:
    """Add ``void(ptr source, ptr target, i64 rounds, i1 last)``.

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
    code = "\n".join([*e.lines, "  ret void"])
    head = "ptr noalias readonly %source, ptr noalias %target, i64 %rounds, i1 %last"
    text = f"({head}) nounwind noinline {{\nentry:\n{code}\n}}"
    symbol = f"gemm.pack.{hashlib.sha256(text.encode()).hexdigest()[:24]}"
    module.define(symbol, f"define internal void @{symbol}{text}")
    return symbol


_Part = Callable[[Emitter, Packing, Value, Value, int, int], None]


def _down(e: Emitter, packing: Packing, part: _Part, vector: Value, active: int) -> None:
    """From the first k to the last one, from a vector of columns on."""
    size, matrix = packing.matrix.dtype.itemsize, packing.matrix
    source = moved(e, _SOURCE, size, (vector, packing.lanes * matrix.column))
    target = moved(e, _TARGET, size, (vector, packing.lanes))

    def copy(index: Value, count: int) -> None:
        here = moved(e, source, size, (index, UNROLL * matrix.row))
        there = moved(e, target, size, (index, UNROLL * packing.step))
        part(e, packing, here, there, active, count)

    rounds = Value("%rounds", "i64", 1)
    repeat(e, rounds, lambda index: copy(index, UNROLL))
    if packing.k % UNROLL:
        when(e, Value("%last", "i1", 1), lambda: copy(rounds, packing.k % UNROLL))


def _copy(
    e: Emitter, packing: Packing, source: Value, target: Value, active: int, count: int
) -> None:
    """Rows of the panel, vector by vector, or element by element where columns are apart."""
    matrix, lanes = packing.matrix, packing.lanes
    size = matrix.dtype.itemsize
    for term in range(count):
        for columns in vectors(packing.count, lanes, active):
            start, number = constant("i64", columns.start), constant("i64", term)
            place = moved(e, source, size, (number, matrix.row), (start, matrix.column))
            value = memory.load(e, place, matrix.dtype, matrix.column, lanes, columns.active)
            there = moved(e, target, size, (number, packing.step), (start, 1))
            memory.store(e, e.splat(value, lanes), there, matrix.dtype, 1, lanes)


def _turn(
    e: Emitter, packing: Packing, source: Value, target: Value, active: int, count: int
) -> None:
    """One vector of columns: pieces of columns become rows, in registers.

    Pieces that are ``piece`` columns apart are loaded side by side into one register; then only
    elements within pieces must move.
    """
    matrix, lanes = packing.matrix, packing.lanes
    size = matrix.dtype.itemsize
    piece = _PIECE_BITS // (8 * size)
    for first in range(0, count, piece):
        wanted = min(piece, count - first)
        registers = []
        for column in range(piece):
            parts = [
                _piece(e, packing, source, (number, first), wanted if number < active else 0)
                for number in range(column, lanes, piece)
            ]
            registers.append(_side_by_side(e, parts))
        for term, value in enumerate(_turned(e, registers, piece)[:wanted]):
            there = moved(e, target, size, (constant("i64", first + term), packing.step))
            memory.store(e, value, there, matrix.dtype, 1, lanes)


def _piece(e: Emitter, packing: Packing, source: Value, at: tuple[int, int], active: int) -> Value:
    """Neighbours along k of one column, from a column and a k on."""
    matrix = packing.matrix
    size = matrix.dtype.itemsize
    piece = _PIECE_BITS // (8 * size)
    if not active:
        return constant(memory.computed_elem(matrix.dtype), 0, piece)
    column, term = (constant("i64", number) for number in at)
    place = moved(e, source, size, (column, matrix.column), (term, 1))
    return memory.load(e, place, matrix.dtype, 1, piece, active)


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
