"""The plan of a product for people: operands, registers, blocks, loops, units."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from graphc.graph import has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.gemm.blocking import Blocking, blocking_of
from graphc.runtime.llvm.gemm.build import lanes_of, plan_of
from graphc.runtime.llvm.gemm.factors import Factor
from graphc.runtime.llvm.gemm.problem import Epilogue, Problem
from graphc.runtime.llvm.gemm.strips import Strips
from graphc.runtime.llvm.gemm.sums import schedule_of_sums
from graphc.runtime.llvm.gemm.tiling import chains_of, registers
from graphc.runtime.llvm.kernels.schedule import describe


def describe_gemm(target: Target, problem: Problem, epilogue: Epilogue | None) -> str:
    """How a product is computed on a processor, as indented lines.

    Args:
        target: the processor.
        problem: what is computed.
        epilogue: what the problem was made with.
    """
    if problem.is_empty:
        return "an empty product"
    product = _product(target, problem)
    if epilogue is None or not problem.body.sums:
        return product
    tiles = blocking_of(target, problem, lanes_of(target, problem)).row_tiles
    behind = describe([schedule_of_sums(target, problem, epilogue, tiles)])
    return f"phase 1: {product}\n{behind.replace('phase 1', 'phase 2', 1)}"


def _product(target: Target, problem: Problem) -> str:
    """The product itself."""
    chosen = plan_of(target, problem)
    lines = _of_strips(target, chosen) if isinstance(chosen, Strips) else _of_blocks(target, chosen)
    head = (
        f"{_count(chosen.units, 'unit')}, about {chosen.nanoseconds / 1000:,.1f} us",
        f"c[{problem.m}, {problem.n}] = a[{problem.m}, {problem.k}] @ b[{problem.k}, {problem.n}]"
        f"{_batches(problem)}, summed in {problem.dtype.name}",
    )
    return "\n  ".join([*head, *lines])


def _batches(problem: Problem) -> str:
    return f", {math.prod(problem.batch)} times" if problem.batch else ""


def _of_blocks(target: Target, plan: Blocking) -> Iterator[str]:
    problem, tile = plan.problem, plan.tile
    depth = min(plan.depth, problem.k)
    rows = plan.slab * tile.rows
    yield f"a: {_factor(problem.a)}; " + _copies(rows, "rows", depth, plan.slab_bytes)
    columns = plan.width if plan.packed else 0
    lies = _copies(columns, "columns", depth, plan.panel_bytes)
    if problem.form.panels:
        lies = f"in panels of {plan.width} columns, copied before"
    yield f"b: {_factor(problem.b)}; {lies}"
    yield _outputs(problem)
    sums, row = tile.rows * tile.vectors, tile.vectors
    chains = chains_of(target, sums)
    used = sums * chains + row + 1
    yield (
        f"tile {tile.rows} x {plan.width}: {sums * chains} registers of sums, {row} of b, 1 of a: "
        f"{used} of {registers(target)}, each {plan.lanes} x {problem.dtype.name}"
    )
    level = _Indent()
    if problem.batch:
        yield level.loop(f"each of {_count(math.prod(problem.batch), 'batch', 'batches')}")
    panels = f"{_count(plan.unit_panels, 'panel')} of {plan.width} columns"
    if plan.column_blocks > 1:
        yield level.loop(f"each of {plan.column_blocks} blocks of columns: {panels}")
    if plan.blocks > 1:
        yield level.loop(f"each of {plan.blocks} blocks of the sum: {depth} terms")
    if plan.packed:
        yield level.line(f"copy b: {panels} x {_count(depth, 'term')}")
    unit = f"{_count(plan.unit_tiles, 'tile')} of {_count(tile.rows, 'row')}, a unit"
    yield level.loop(unit if plan.row_blocks == 1 else f"each of {plan.row_blocks} times {unit}")
    if plan.slab:
        beside = ", beside the tiles before" if plan.alternating else ""
        copies = f"copy a: {rows} rows x {_count(depth, 'term')}{beside}"
        yield level.loop(f"each {plan.slab} tiles: {copies}")
    yield level.loop("each tile of rows, each panel")
    yield level.line(f"sums of {_count(depth, 'outer product')}{_ends(problem, plan.blocks)}")


def _of_strips(target: Target, plan: Strips) -> Iterator[str]:
    problem, tile = plan.problem, plan.tile
    yield f"a: {_factor(problem.a)}; read in vectors along k"
    yield f"b: {_factor(problem.b)}; read in vectors along k"
    yield _outputs(problem)
    sums = tile.rows * tile.vectors * chains_of(target, tile.rows * tile.vectors)
    yield (
        f"tile {tile.rows} x {tile.vectors}: {sums} registers of sums, {tile.rows} of a, 1 of b: "
        f"{sums + tile.rows + 1} of {registers(target)}, each {plan.lanes} x {problem.dtype.name}"
    )
    level = _Indent()
    if problem.batch:
        yield level.loop(f"each of {_count(math.prod(problem.batch), 'batch', 'batches')}")
    columns = plan.unit_tiles * tile.vectors
    yield level.loop(f"each of {_count(plan.strips, 'strip')} of {columns} columns, a unit")
    yield level.loop("each tile")
    yield level.line(f"dot products of {_count(problem.k, 'term')}{_ends(problem, 1)}")


class _Indent:
    """Lines of nested loops."""

    def __init__(self) -> None:
        self._level = 0

    def line(self, text: str) -> str:
        """A line inside the loops so far."""
        return "  " * self._level + text

    def loop(self, text: str) -> str:
        """The head of one more loop."""
        line = self.line(f"for {text}")
        self._level += 1
        return line


def _factor(factor: Factor) -> str:
    """Where a factor comes from."""
    parts = [
        f"%p{each.parameter} {each.dtype.name} in {_order(each.row, each.column)}"
        for each in factor.matrices
    ]
    names = _names(factor.nodes)
    return f"{', '.join(names)} of {', '.join(parts)}" if names else ", ".join(parts)


def _order(row: int, column: int) -> str:
    if row and column and column != 1:
        return "columns" if row == 1 else f"steps of {row} and {column}"
    if row and column:
        return "rows"
    return "one row" if column else "one column" if row else "one element"


def _copies(count: int, what: str, depth: int, nbytes: int) -> str:
    if not count:
        return "read as it lies"
    return f"copied by {count} {what} x {_count(depth, 'term')}, {nbytes / 1024:.1f} KiB"


def _outputs(problem: Problem) -> str:
    stored = ", ".join(
        f"%p{each.parameter} {each.dtype.name} in {_order(each.row, each.column)}"
        for each in problem.outputs
    )
    return f"stored: {stored}"


def _ends(problem: Problem, blocks: int) -> str:
    """What happens to the sums of a tile."""
    ends = ", ".join([*_names(problem.body.nodes), "store"])
    if problem.body.sums:
        ends += f"; each tile's rows added up, {_count(len(problem.body.sums), 'sum')} a column"
    if blocks > 1:
        return f"; partial sums wait in memory; after the last block {ends}"
    return f"; then {ends}"


def _names(nodes: Sequence[Node]) -> list[str]:
    """The operations of a body."""
    return [node.op.name for node in nodes if has_trait(node, Trait.ELEMENTWISE)]


def _count(number: int, noun: str, several: str = "") -> str:
    """A number and its noun."""
    return f"{number} {noun if number == 1 else several or noun + 's'}"
