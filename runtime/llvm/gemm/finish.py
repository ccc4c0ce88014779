"""What happens to a tile of the product: the epilogue's operations, then the stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphc.graph import has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.runtime.llvm.gemm.factors import Matrix, computed
from graphc.runtime.llvm.gemm.problem import Problem
from graphc.runtime.llvm.ir import memory
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.halves import rounded
from graphc.runtime.llvm.ir.loops import repeat_with
from graphc.runtime.llvm.ir.memory import moved
from graphc.runtime.llvm.ir.values import BITS, Value, constant
from graphc.runtime.llvm.scalar.scalar_ops import weight

_INLINE = 400
"""Instructions of an epilogue that are written out for a whole tile; more run in a loop."""

_Key = tuple[Node, int]
_ANY = -1
"""Stands for the column of a value that is the same in all columns."""


@dataclass(frozen=True, slots=True)
class Columns:
    """One vector of a tile's columns: ``lanes`` from ``start`` on, of which ``active`` exist."""

    start: int
    lanes: int
    active: int


def vectors(count: int, lanes: int, active: int) -> tuple[Columns, ...]:
    """``count`` vectors next to each other; of the last one's lanes, ``active`` exist."""
    return tuple(
        Columns(number * lanes, lanes, active if number == count - 1 else lanes)
        for number in range(count)
    )


class Finish:
    """Writes the end of one tile.

    Args:
        e: where to emit.
        problem: what is computed.
        pointers: the tile's first element of each operand of the body, then of each output, then
            the places of its sums over rows.
        columns: the vectors of one row.
    """

    def __init__(
        self,
        e: Emitter,
        problem: Problem,
        pointers: Sequence[Value],
        columns: Sequence[Columns],
    ) -> None:
        self.e, self._problem, self._columns = e, problem, columns
        count = len(problem.operands)
        self._sources = tuple(zip(problem.operands, pointers[:count], strict=True))
        last = count + len(problem.outputs)
        self._targets = tuple(zip(problem.outputs, pointers[count:last], strict=True))
        self._sums = tuple(zip(problem.body.sums, pointers[last:], strict=True))
        self._varies = _varying(problem)
        self._shared: dict[_Key, Value] = {}

    def tile(self, products: Sequence[Sequence[Value]]) -> None:
        """Finish a tile, given row by row."""
        self._prepare()
        totals = [
            constant(memory.computed_elem(node.type.dtype), 0.0, columns.lanes)
            for node, _ in self._sums
            for columns in self._columns
        ]
        if len(products) > 1 and self._work() * len(products) > _INLINE:
            totals = self._in_a_loop(products, totals)
        else:
            for number, row in enumerate(products):
                totals = self._row(constant("i64", number), row, totals)
        self._store_sums(totals)

    def _store_sums(self, totals: Sequence[Value]) -> None:
        """Store what the rows of the tile add up to."""
        width = len(self._columns)
        for number, (node, pointer) in enumerate(self._sums):
            dtype = node.type.dtype
            for position, columns in enumerate(self._columns):
                start = constant("i64", columns.start)
                place = moved(self.e, pointer, dtype.itemsize, (start, 1))
                total = totals[number * width + position]
                memory.store(self.e, total, place, dtype, 1, columns.active)

    def _work(self) -> int:
        """About how many instructions one row takes."""
        nodes = [node for node in self._problem.body.nodes if self._varies[node][0]]
        return len(self._columns) * sum(
            weight(node) for node in nodes if has_trait(node, Trait.ELEMENTWISE)
        )

    def _in_a_loop(self, products: Sequence[Sequence[Value]], totals: list[Value]) -> list[Value]:
        """Through memory: code written out for every row would be long, and spill."""
        e, like = self.e, products[0][0]
        name = f"%{e.fresh('tile')}"
        width = len(self._columns)
        e.slots.append(f"  {name} = alloca [{len(products) * width} x {like.type}], align 64")
        slot, step = Value(name, "ptr", 1), BITS[like.elem] // 8 * like.lanes
        for number, value in enumerate(value for row in products for value in row):
            place = moved(e, slot, step, (constant("i64", number), 1))
            e.emit(f"store {value.typed}, ptr {place.text}")

        def again(index: Value, totals: list[Value]) -> list[Value]:
            row = []
            for number in range(width):
                one = constant("i64", number)
                place = moved(e, slot, step, (index, width), (one, 1))
                row.append(e.define(f"load {like.type}, ptr {place.text}", like.elem, like.lanes))
            return self._row(index, row, totals)

        return repeat_with(e, constant("i64", len(products)), totals, again)

    # ------------------------------------------------------------------ values

    def _prepare(self) -> None:
        """Compute what is the same for all rows."""
        origin = constant("i64", 0)
        for node in self._problem.body.nodes:
            if not self._varies[node][0]:
                for number in self._places(node):
                    self._shared[node, number] = self._value(node, number, origin, self._shared)

    def _row(self, index: Value, products: Sequence[Value], totals: Sequence[Value]) -> list[Value]:
        """Compute and store one row; gives the sums up to this row."""
        known, product = dict(self._shared), self._problem.body.product
        for number, value in enumerate(products):
            dtype = product.type.dtype
            exact = rounded(self.e, value, dtype) if memory.is_half(dtype) else value
            known[product, number] = exact
        for node in self._problem.body.nodes:
            for number in self._places(node):
                if (node, number) not in known:
                    known[node, number] = self._value(node, number, index, known)
        for node, (matrix, pointer) in zip(self._problem.body.results, self._targets, strict=True):
            for number, columns in enumerate(self._columns):
                value = self.e.splat(self._find(node, number, known), columns.lanes)
                place = self._place(matrix, pointer, index, columns)
                stride = matrix.column or 1
                memory.store(self.e, value, place, matrix.dtype, stride, columns.active)
        terms = [
            self.e.splat(self._find(node.inputs[0], number, known), columns.lanes)
            for node, _ in self._sums
            for number, columns in enumerate(self._columns)
        ]
        return [self.e.add(total, term) for total, term in zip(totals, terms, strict=True)]

    def _places(self, node: Node) -> range:
        """The columns for which a node has values of its own."""
        return range(len(self._columns)) if self._varies[node][1] else range(_ANY, 0)

    def _find(self, node: Node, number: int, known: dict[_Key, Value]) -> Value:
        return known[node, number if self._varies[node][1] else _ANY]

    def _value(self, node: Node, number: int, index: Value, known: dict[_Key, Value]) -> Value:
        body = self._problem.body
        if node in body.loads:
            matrix, pointer = self._sources[body.loads[node]]
            columns = Columns(0, 1, 1) if number == _ANY else self._columns[number]
            place = self._place(matrix, pointer, index, columns)
            return memory.load(
                self.e, place, matrix.dtype, matrix.column, columns.lanes, columns.active
            )
        return computed(
            self.e, node, [self._find(operand, number, known) for operand in node.inputs]
        )

    def _place(self, matrix: Matrix, pointer: Value, index: Value, columns: Columns) -> Value:
        start = constant("i64", columns.start)
        size = matrix.dtype.itemsize
        return moved(self.e, pointer, size, (index, matrix.row), (start, matrix.column))


def _varying(problem: Problem) -> dict[Node, tuple[bool, bool]]:
    """Whether each node differs between rows, and between columns."""
    body = problem.body
    found: dict[Node, tuple[bool, bool]] = {}
    for node in body.nodes:
        if node is body.product:
            found[node] = (True, True)
        elif node in body.loads:
            matrix = problem.operands[body.loads[node]]
            found[node] = (matrix.row != 0, matrix.column != 0)
        else:
            rows, columns = zip((False, False), *(found[each] for each in node.inputs), strict=True)
            found[node] = (any(rows), any(columns))
    return found
