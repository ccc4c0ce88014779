"""From the units of a call to batches and their operands."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from graphc.runtime.llvm.gemm.factors import Matrix
from graphc.runtime.llvm.gemm.problem import Problem
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.function import BEGIN, END, parameters
from graphc.runtime.llvm.ir.loops import repeat
from graphc.runtime.llvm.ir.memory import moved
from graphc.runtime.llvm.ir.values import Value, constant


def repeat_groups(e: Emitter, size: int, body: Callable[[Value, Value, Value], None]) -> None:
    """Emit ``body(group, low, high)`` for each group of ``size`` units that a call takes part in.

    ``low`` and ``high`` bound the units of the group that are the call's.
    """
    first = e.binary("udiv", BEGIN, size)
    behind = e.binary("udiv", e.add(END, size - 1), size)

    def step(index: Value) -> None:
        group = e.add(first, index)
        start = e.mul(group, size)
        low = e.intrinsic("smax", e.sub(BEGIN, start), constant("i64", 0))
        high = e.intrinsic("smin", e.sub(END, start), constant("i64", size))
        body(group, low, high)

    repeat(e, e.sub(behind, first), step)


def batch_pointers(
    e: Emitter, problem: Problem, matrices: Sequence[Matrix], batch: Value
) -> list[Value]:
    """The first element of each operand in one batch."""
    addresses = parameters(problem.parameters)
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


def along_rows(
    e: Emitter, pointers: Sequence[Value], matrices: Sequence[Matrix], index: Value, count: int
) -> list[Value]:
    """The addresses ``index * count`` rows further down."""
    return [
        moved(e, pointer, matrix.dtype.itemsize, (index, count * matrix.row))
        for pointer, matrix in zip(pointers, matrices, strict=True)
    ]


def along_columns(
    e: Emitter, pointers: Sequence[Value], matrices: Sequence[Matrix], index: Value, count: int
) -> list[Value]:
    """The addresses ``index * count`` columns further to the right."""
    return along_rows(e, pointers, [matrix.transposed for matrix in matrices], index, count)
