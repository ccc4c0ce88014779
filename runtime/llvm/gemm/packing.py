"""Copies of one column panel of ``b`` in which the kernel's vectors lie one after the other.

A panel is ``width`` columns wide. Its copy has all columns of one k next to each other; columns
that do not exist are zeros there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from graphc.runtime.llvm import memory
from graphc.runtime.llvm.emitter import Emitter
from graphc.runtime.llvm.gemm.control import moved, repeat, when
from graphc.runtime.llvm.gemm.finish import vectors
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
        width: columns of the copy, whole vectors.
        lanes: elements of a vector.
        k: terms of the whole sum.
    """

    matrix: Matrix
    columns: int
    width: int
    lanes: int
    k: int

    @property
    def group(self) -> int:
        """Neighbours along k that are copied in one round."""
        return self.lanes if self.transposing else 4

    @property
    def transposing(self) -> bool:
        """Whether neighbours in memory are neighbours along k."""
        return self.matrix.row == 1 and self.matrix.column != 1


def define_packing(module: Module, packing: Packing) -> str:
    """Add ``void(ptr source, ptr target, i64 rounds, i1 last)``.

    It copies ``rounds`` groups of neighbours along k and, in the last block, those that are left.
    """
    e = Emitter(module)
    copy = _transpose if packing.transposing else _copy
    size, group = packing.matrix.dtype.itemsize, packing.group
    rest = packing.k % group

    def at(group_index: Value) -> tuple[Value, Value]:
        source = moved(e, _SOURCE, size, (group_index, group * packing.matrix.row))
        return source, moved(e, _TARGET, size, (group_index, group * packing.width))

    rounds = Value("%rounds", "i64", 1)
    repeat(e, rounds, lambda index: copy(e, packing, *at(index), group))
    if rest:
        when(e, Value("%last", "i1", 1), lambda: copy(e, packing, *at(rounds), rest))
    code = "\n".join([*e.lines, "  ret void"])
    head = "ptr noalias readonly %source, ptr noalias %target, i64 %rounds, i1 %last"
    text = f"({head}) nounwind noinline {{\nentry:\n{code}\n}}"
    symbol = f"gemm.pack.{hashlib.sha256(text.encode()).hexdigest()[:24]}"
    module.define(symbol, f"define internal void @{symbol}{text}")
    return symbol


def _copy(e: Emitter, packing: Packing, source: Value, target: Value, count: int) -> None:
    """Vector by vector, or element by element where columns are apart."""
    matrix, lanes = packing.matrix, packing.lanes
    active = packing.columns - (packing.width - lanes)
    for term in range(count):
        for columns in vectors(packing.width // lanes, lanes, active):
            start, number = constant("i64", columns.start), constant("i64", term)
            size = matrix.dtype.itemsize
            place = moved(e, source, size, (number, matrix.row), (start, matrix.column))
            value = memory.load(e, place, matrix.dtype, matrix.column, lanes, columns.active)
            there = moved(e, target, size, (number, packing.width), (start, 1))
            wide = e.splat(value, lanes)
            memory.store(e, wide, there, matrix.dtype, 1, lanes)


def _transpose(e: Emitter, packing: Packing, source: Value, target: Value, count: int) -> None:
    """Square blocks whose rows become columns in registers."""
    matrix, lanes = packing.matrix, packing.lanes
    size = matrix.dtype.itemsize

    def block(index: Value, active: int) -> None:
        start = moved(e, source, size, (index, lanes * matrix.column))
        goal = moved(e, target, size, (index, lanes))
        for term, value in enumerate(_turned(e, packing, start, active, count)):
            there = moved(e, goal, size, (constant("i64", term), packing.width))
            memory.store(e, value, there, matrix.dtype, 1, lanes)

    whole, rest = divmod(packing.columns, lanes)
    repeat(e, constant("i64", whole), lambda index: block(index, lanes))
    if rest:
        block(constant("i64", whole), rest)


def _turned(e: Emitter, packing: Packing, block: Value, active: int, count: int) -> Sequence[Value]:
    """The first ``count`` columns of a block of ``active`` rows.

    Pieces of rows that are ``piece`` apart are loaded side by side into one register; then only
    elements within pieces must move.
    """
    matrix, lanes = packing.matrix, packing.lanes
    piece = _PIECE_BITS // (8 * matrix.dtype.itemsize)
    elem = memory.computed_elem(matrix.dtype)
    result: list[Value] = []
    for first in range(0, count, piece):
        wanted = min(piece, count - first)
        rows = []
        for row in range(piece):
            parts = []
            for number in range(row, lanes, piece):
                if number >= active:
                    parts.append(constant(elem, 0, piece))
                    continue
                steps = (constant("i64", number), matrix.column), (constant("i64", first), 1)
                place = moved(e, block, matrix.dtype.itemsize, *steps)
                parts.append(memory.load(e, place, matrix.dtype, 1, piece, wanted))
            rows.append(_side_by_side(e, parts))
        result += _turned_pieces(e, rows, piece)[:wanted]
    return result


def _side_by_side(e: Emitter, parts: list[Value]) -> Value:
    while len(parts) > 1:
        parts = [e.join(*pair) for pair in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0]


def _turned_pieces(e: Emitter, rows: list[Value], piece: int) -> list[Value]:
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
