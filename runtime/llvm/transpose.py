"""Transposes a tile of a matrix into scratch memory: squares of vectors turn in registers."""

from __future__ import annotations

from collections.abc import Callable

from graphc.dtypes import DType
from graphc.runtime.llvm import memory
from graphc.runtime.llvm.emitter import Emitter
from graphc.runtime.llvm.loops import loop_between
from graphc.runtime.llvm.values import Value, constant

_UNSIGNED = {1: "i8", 2: "i16", 4: "i32", 8: "i64"}


def transpose(
    e: Emitter,
    source: Value,
    source_stride: int,
    target: Value,
    target_stride: int,
    counts: tuple[Value, Value],
    dtype: DType,
) -> None:
    """Emit ``target[row * target_stride + column] = source[column * source_stride + row]``.

    Args:
        e: where to emit.
        source: address of the first element.
        source_stride: elements from one column to the next.
        target: address of the first element of the result.
        target_stride: elements from one row of the result to the next.
        counts: the numbers of rows and of columns.
        dtype: type of the elements.
    """
    name = _helper(e, dtype.itemsize)
    strides = f"i64 {source_stride}, i64 {target_stride}"
    arguments = f"{source.typed}, {target.typed}, {strides}, {counts[0].typed}, {counts[1].typed}"
    e.emit(f"call void @{name}({arguments})")


def _helper(outside: Emitter, itemsize: int) -> str:
    """The function that transposes elements of a size; equal ones are one in a module."""
    module, elem = outside.module, _UNSIGNED[itemsize]
    name = f"transpose.{elem}"
    if module.has(name):
        return name
    e = Emitter(module)
    side = min(module.target.lanes(8 * itemsize), 16)
    dtype = memory.dtype_of(elem)
    source, target = Value("%source", "ptr", 1), Value("%target", "ptr", 1)
    far, near = Value("%far", "i64", 1), Value("%near", "i64", 1)
    rows, columns = Value("%rows", "i64", 1), Value("%columns", "i64", 1)
    zero = constant("i64", 0)

    def at(base: Value, stride: Value, slow: Value, fast: Value) -> Value:
        return memory.element(e, base, dtype, e.add(e.mul(slow, stride), fast))

    def square(row: Value, column: Value) -> None:
        row, column = e.mul(row, side), e.mul(column, side)
        vectors = [
            memory.load(e, at(source, far, e.add(column, k), row), dtype, 1, side, side)
            for k in range(side)
        ]
        for k, vector in enumerate(_turned(e, vectors)):
            memory.store(e, vector, at(target, near, e.add(row, k), column), dtype, 1, side)

    def single(row: Value, column: Value) -> None:
        value = memory.load(e, at(source, far, column, row), dtype, 1, 1, 1)
        memory.store(e, value, at(target, near, row, column), dtype, 1, 1)

    row_squares, column_squares = e.binary("udiv", rows, side), e.binary("udiv", columns, side)
    row_rest, column_rest = e.mul(row_squares, side), e.mul(column_squares, side)
    for first, stop, start, end, body in (
        (zero, row_squares, zero, column_squares, square),
        (row_rest, rows, zero, columns, single),
        (zero, row_rest, column_rest, columns, single),
    ):
        _nest(e, (first, stop), (start, end), body)
    arguments = "ptr %source, ptr %target, i64 %far, i64 %near, i64 %rows, i64 %columns"
    code = "\n".join([*e.lines, "  ret void"])
    text = f"define internal void @{name}({arguments}) nounwind noinline {{\nentry:\n{code}\n}}"
    module.define(name, text)
    return name


def _nest(
    e: Emitter,
    outer: tuple[Value, Value],
    inner: tuple[Value, Value],
    body: Callable[[Value, Value], None],
) -> None:
    """Two loops, one in the other."""
    loop_between(e, *outer, lambda row: loop_between(e, *inner, lambda at: body(row, at)))


def _turned(e: Emitter, vectors: list[Value]) -> list[Value]:
    """The transpose of a square of as many vectors as each has lanes.

    Each step exchanges the off-diagonal blocks of all squares of twice the distance.
    """
    side = len(vectors)
    distance = side // 2
    while distance:
        result = list(vectors)
        for k in range(side):
            if k & distance:
                continue
            a, b = vectors[k], vectors[k + distance]
            upper = [lane & distance for lane in range(side)]
            keep = [side + i - distance if up else i for i, up in enumerate(upper)]
            swap = [side + i if up else i + distance for i, up in enumerate(upper)]
            result[k], result[k + distance] = e.merge(a, b, keep), e.merge(a, b, swap)
        vectors, distance = result, distance // 2
    return vectors
