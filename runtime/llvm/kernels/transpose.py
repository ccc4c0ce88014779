"""Transposes a part of a matrix in memory, square by square."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphc.runtime.llvm.ir import memory
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.function import define_once
from graphc.runtime.llvm.ir.loops import either, loop_between
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import Value, constant
from graphc.runtime.llvm.kernels.squares import side_of, turn

_INTEGERS = {1: "i8", 2: "i16", 4: "i32", 8: "i64"}
_ZERO = constant("i64", 0)
_COUNTS = Value("%rows", "i64", 1), Value("%columns", "i64", 1)
_AHEAD = Value("%soon", "i64", 1), Value("%later", "i64", 1)
_PARAMETERS = (
    "ptr %source, i64 %far, ptr %target, i64 %near, i64 %rows, i64 %columns, i64 %soon, i64 %later"
)


@dataclass(frozen=True, slots=True)
class Matrix:
    """Where a matrix lies.

    Args:
        start: the address of the first element.
        stride: elements from one row to the next; those of a row are neighbours.
        elem: LLVM type of an element, an integer.
    """

    start: Value
    stride: Value
    elem: str

    def at(self, e: Emitter, row: Value, column: Value) -> Value:
        """The address of an element."""
        offset = e.add(e.mul(row, self.stride), column)
        return memory.element(e, self.start, memory.dtype_of(self.elem), offset)


def transpose(
    e: Emitter,
    source: tuple[Value, Value],
    target: tuple[Value, Value],
    counts: tuple[Value, Value],
    itemsize: int,
    ahead: tuple[int, int],
    *,
    streamed: bool = False,
) -> None:
    """Emit ``target[row, column] = source[column, row]``.

    Args:
        e: where to emit.
        source: the address of the first element, and the elements from one row to the next.
        target: likewise; the two do not overlap.
        counts: the numbers of the target's rows and columns.
        itemsize: bytes of an element.
        ahead: elements from what is read to what the next call will read, and from what is written
            to what it will write.
        streamed: whether whole vectors go past the caches; all rows of the target then begin a
            cache line.
    """
    name = _function(e.module, _INTEGERS[itemsize], streamed)
    values = (*source, *target, *counts, *(constant("i64", distance) for distance in ahead))
    e.emit(f"call void @{name}({', '.join(value.typed for value in values)})")


def _function(module: Module, elem: str, streamed: bool) -> str:
    """The function that transposes elements of a size; equal ones are one in a module."""
    name = f"transpose.{elem}{'.streamed' if streamed else ''}"
    define_once(module, name, _PARAMETERS, lambda e: _Squares(e, elem, streamed).write(*_COUNTS))
    return name


class _Squares:
    """The code of all squares while it is being written."""

    def __init__(self, e: Emitter, elem: str, streamed: bool) -> None:
        self.e, self.elem, self.streamed = e, elem, streamed
        self.source = Matrix(Value("%source", "ptr", 1), Value("%far", "i64", 1), elem)
        self.target = Matrix(Value("%target", "ptr", 1), Value("%near", "i64", 1), elem)
        self.dtype, self.side = memory.dtype_of(elem), side_of(e.module, elem)

    def write(self, rows: Value, columns: Value) -> None:
        """Emit the loops over squares."""
        e, side = self.e, self.side
        part = self._buffered if e.target.isa == "avx512" else self._singly

        def one(row: Value, column: Value) -> None:
            row, column = e.mul(row, side), e.mul(column, side)
            source = Matrix(self.source.at(e, column, row), self.source.stride, self.elem)
            target = Matrix(self.target.at(e, row, column), self.target.stride, self.elem)
            left = self._left(rows, row), self._left(columns, column)
            whole = e.binary("and", *(e.cmp("eq", count, side) for count in left))
            either(
                e,
                whole,
                lambda: self._turn(source, target, self.streamed, _AHEAD),
                lambda: part(source, target, left),
            )

        self._nest(self._squares(rows), self._squares(columns), one)

    def _squares(self, count: Value) -> Value:
        return self.e.binary("udiv", self.e.add(count, self.side - 1), self.side)

    def _left(self, count: Value, start: Value) -> Value:
        """How many rows or columns the square has that starts here."""
        return self.e.intrinsic("smin", self.e.sub(count, start), constant("i64", self.side))

    def _nest(self, outer: Value, inner: Value, body: Callable[[Value, Value], None]) -> None:
        """Two loops, one in the other."""
        e = self.e
        loop_between(e, _ZERO, outer, lambda i: loop_between(e, _ZERO, inner, lambda j: body(i, j)))

    def _turn(
        self, source: Matrix, target: Matrix, streamed: bool, ahead: tuple[Value, Value]
    ) -> None:
        ends = (source.start, source.stride), (target.start, target.stride)
        turn(self.e, *ends, self.elem, ahead, streamed=streamed)

    # ------------------------------------------------------------------ squares at the border

    def _buffered(self, source: Matrix, target: Matrix, counts: tuple[Value, Value]) -> None:
        """A part of a square: it turns in a buffer, to which and from which masks copy it."""
        rows, columns = counts
        before, after = self._buffer(), self._buffer()
        self._copy(source, before, columns, rows)
        self._turn(before, after, streamed=False, ahead=(_ZERO, _ZERO))
        self._copy(after, target, rows, columns)

    def _buffer(self) -> Matrix:
        slot = self.e.slot(f"[{self.side * self.side} x {self.elem}]")
        return Matrix(slot, constant("i64", self.side), self.elem)

    def _copy(self, source: Matrix, target: Matrix, rows: Value, lanes: Value) -> None:
        """Copy the first lanes of each row."""
        e = self.e
        numbers = ", ".join(f"{self.elem} {lane}" for lane in range(self.side))
        steps = Value(f"<{numbers}>", self.elem, self.side)
        mask = e.cmp("ult", steps, e.splat(e.resize(lanes, self.elem), self.side))

        def one(row: Value) -> None:
            vector = memory.load_some(e, source.at(e, row, _ZERO), self.elem, mask)
            memory.store_some(e, vector, target.at(e, row, _ZERO), mask)

        loop_between(e, _ZERO, rows, one)

    def _singly(self, source: Matrix, target: Matrix, counts: tuple[Value, Value]) -> None:
        """A part of a square, element by element."""

        def one(row: Value, column: Value) -> None:
            value = memory.load(self.e, source.at(self.e, column, row), self.dtype, 1, 1, 1)
            memory.store(self.e, value, target.at(self.e, row, column), self.dtype, 1, 1)

        self._nest(*counts, one)
