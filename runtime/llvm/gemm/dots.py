"""The kernel of one tile where both operands lie along k: dot products, in vectors along k.

Nothing is packed, so each element of ``b`` is read once and used for a few rows: right for products
of few rows, whose time is that of reading ``b``.
"""

from __future__ import annotations

from dataclasses import dataclass

from graphc.runtime.llvm.gemm.factors import Factor, Matrix
from graphc.runtime.llvm.gemm.finish import Columns, Finish
from graphc.runtime.llvm.gemm.problem import Problem
from graphc.runtime.llvm.gemm.tiling import chains_of
from graphc.runtime.llvm.ir import memory
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.function import define_helper, parameters
from graphc.runtime.llvm.ir.loops import repeat_with
from graphc.runtime.llvm.ir.memory import moved
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import Value, constant


@dataclass(frozen=True, slots=True)
class Dots:
    """One such kernel.

    Args:
        problem: what is computed.
        rows: rows of the tile.
        columns: columns of the tile, a power of two and at most ``lanes``.
        lanes: elements of a vector.
    """

    problem: Problem
    rows: int
    columns: int
    lanes: int


def define_dots(module: Module, kernel: Dots) -> str:
    """Add ``void(ptr a..., ptr b..., ptr operand..., ptr output...)``, which does one tile.

    All are addresses of the tile's first elements.

    The sums of every lane are added pair by pair, and the rest of k is one vector with zeros.
    """
    return _Writer(module, kernel).write()


class _Writer:
    def __init__(self, module: Module, kernel: Dots) -> None:
        self.e, self.kernel = Emitter(module), kernel
        self.dtype = kernel.problem.dtype
        elem = memory.computed_elem(self.dtype)
        self.zero = constant(elem, 0.0, kernel.lanes)
        self.chains = chains_of(module.target, kernel.rows * kernel.columns)

    def write(self) -> str:
        """Emit everything and define the function."""
        e, kernel = self.e, self.kernel
        problem = kernel.problem
        count = len(problem.operands) + len(problem.outputs)
        pointers = parameters(count)
        sums = self._sums()
        rows = []
        for number in range(kernel.rows):
            row = sums[number * kernel.columns : (number + 1) * kernel.columns]
            rows.append([across(e, row)])
        columns = [Columns(0, kernel.columns, kernel.columns)]
        Finish(e, problem, pointers, columns).tile(rows)
        factors = [("a", problem.a), ("b", problem.b)]
        sources = [
            f"ptr noalias readonly %{name}{number}"
            for name, factor in factors
            for number in range(len(factor.matrices))
        ]
        given = [*sources, *(pointer.typed for pointer in pointers)]
        return define_helper(e, "gemm.dots", ", ".join(given))

    def _sums(self) -> list[Value]:
        """A vector of partial sums for each element of the tile."""
        kernel = self.kernel
        step = kernel.lanes * self.chains
        rounds, rest = divmod(kernel.problem.k, step)
        size = kernel.rows * kernel.columns
        start = [self.zero] * (size * self.chains)

        def one_round(index: Value, sums: list[Value]) -> list[Value]:
            for chain in range(self.chains):
                first = (index, step), (constant("i64", chain * kernel.lanes), 1)
                sums = self._add(sums, chain, first, kernel.lanes)
            return sums

        sums = repeat_with(self.e, constant("i64", rounds), start, one_round)
        for chain in range(-(-rest // kernel.lanes)):
            begin = rounds * step + chain * kernel.lanes
            active = min(kernel.lanes, kernel.problem.k - begin)
            sums = self._add(sums, chain, ((constant("i64", begin), 1),), active)
        while len(sums) > size:
            half = len(sums) // 2
            sums = [self.e.add(x, y) for x, y in zip(sums[:half], sums[half:], strict=True)]
        return sums

    def _add(
        self, sums: list[Value], chain: int, first: tuple[tuple[Value, int], ...], active: int
    ) -> list[Value]:
        """Multiply one vector along k of every row with one of every column."""
        e, kernel, result = self.e, self.kernel, list(sums)
        rows = [
            self._load("%a", kernel.problem.a, first, number, active)
            for number in range(kernel.rows)
        ]
        for number in range(kernel.columns):
            column = self._load("%b", kernel.problem.b.transposed, first, number, active)
            for position, row in enumerate(rows):
                place = (chain * kernel.rows + position) * kernel.columns + number
                result[place] = e.multiply_add(row, column, result[place])
        return result

    def _load(
        self,
        name: str,
        factor: Factor,
        first: tuple[tuple[Value, int], ...],
        number: int,
        active: int,
    ) -> Value:
        """One vector along k: of a row, as which columns of ``b`` are seen here."""
        e, lanes, row = self.e, self.kernel.lanes, constant("i64", number)

        def load(matrix: Matrix, which: int) -> Value:
            steps = [(index, count * matrix.column) for index, count in first]
            base = Value(f"{name}{which}", "ptr", 1)
            place = moved(e, base, matrix.dtype.itemsize, *steps, (row, matrix.row))
            return memory.load(e, place, matrix.dtype, matrix.column, lanes, active)

        value = factor.value(e, load, lanes)
        if active == lanes or factor.plain:
            return value
        return e.select(memory.active_mask(lanes, active), value, self.zero)


def across(e: Emitter, sums: list[Value]) -> Value:
    """The sum over the lanes of each vector; one lane per vector, in their order."""
    count = len(sums)
    while len(sums) > 1:
        sums = [_neighbours(e, a, b) for a, b in zip(sums[::2], sums[1::2], strict=True)]
    total = sums[0]
    while total.lanes > count:
        even = e.shuffle(total, range(0, total.lanes, 2))
        total = e.add(even, e.shuffle(total, range(1, total.lanes, 2)))
    return total


def _neighbours(e: Emitter, a: Value, b: Value) -> Value:
    """Sums of neighbouring lanes, those of ``a`` first."""
    parts = []
    for start in (0, 1):
        mask = ", ".join(f"i32 {number}" for number in range(start, 2 * a.lanes, 2))
        text = f"shufflevector {a.typed}, {b.typed}, <{a.lanes} x i32> <{mask}>"
        parts.append(e.define(text, a.elem, a.lanes))
    return e.add(*parts)
