"""How large the tiles are: as many sums as the registers hold, in the shape that fits the result.

The costs are cycles of a processor with two multiply-adds and two loads per cycle. They decide
between shapes of tiles and between kernels, and tell threads how much work there is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from graphc.errors import CompileError
from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.gemm.problem import Problem

LATENCY = 4
"""Cycles until a multiply-add's result can be used."""

_CYCLES_PER_NANOSECOND = 3.0
"""About what processors do under such load."""

_BYTES_PER_CYCLE = 16
"""What comes from a cache that holds a large operand."""

_MOST_VECTORS = 8
_MOST_CHAINS = 4
_EDGE = 0.01

_TILE_OVERHEAD = 30.0
"""Cycles of a kernel's call, its loop's ends and the first operands' way."""


@dataclass(frozen=True, slots=True)
class Tile:
    """The tile of a kernel.

    Args:
        rows: its rows.
        vectors: vectors of one row.
    """

    rows: int
    vectors: int


def registers(target: Target) -> int:
    """Vector registers that a kernel may use.

    One is left to the compiler; more where it orders instructions for processors that do not
    reorder them, and where multiplying and adding are two instructions with a value in between.
    """
    if target.isa in ("avx512", "neon"):
        return 31 if target.isa == "avx512" else 28
    return 15 if target.fma else 12


def fits(target: Target, tile: Tile) -> bool:
    """Whether a tile's sums, one row of ``b`` and an element of ``a`` stay in registers."""
    return tile.rows * tile.vectors + tile.vectors + 1 <= registers(target)


def chains_of(target: Target, size: int) -> int:
    """How many sums to keep for each of so few elements that one sum each would wait for itself."""
    chains = 1
    while chains < _MOST_CHAINS and size * chains < 2 * LATENCY:
        if 2 * size * chains > registers(target) // 2:
            break
        chains *= 2
    return chains


def outer_tile(target: Target, problem: Problem, lanes: int) -> Tile:
    """The tile with which outer products cost least.

    Raises:
        CompileError: if no tile fits the wanted form.
    """
    form = problem.form
    tiles = [
        tile
        for tile in _tiles(target, problem, lanes)
        if form.allows(tile.rows, tile.vectors * lanes)
    ]
    if not tiles:
        raise CompileError("matmul: no product of such rows and panels")
    return min(tiles, key=lambda tile: _rank(problem, tile, lanes))


def nanoseconds(problem: Problem, cycles: float) -> float:
    """All batches on one core: ``cycles`` each, or at least the time of reading ``b``."""
    reading = problem.k * problem.n * problem.dtype.itemsize / _BYTES_PER_CYCLE
    return max(cycles, reading) * math.prod(problem.batch) / _CYCLES_PER_NANOSECOND


def outer_cycles(problem: Problem, tile: Tile, lanes: int, packed: bool) -> float:
    """What one batch costs with outer products."""
    row_tiles = _parts(problem.m, tile.rows)
    columns = _parts(-(-problem.n // lanes), tile.vectors)
    cycles = sum(
        rows_count * columns_count * _tile_cycles(rows, vectors, problem.k)
        for rows, rows_count in row_tiles
        for vectors, columns_count in columns
    )
    return cycles + (0.2 * problem.k * problem.n if packed else 0.0)


def dots_tile(target: Target, problem: Problem, lanes: int) -> Tile:
    """The tile of dot products; its ``vectors`` are columns, each with vectors along k."""
    tiles = []
    columns = lanes
    while columns:
        for rows in range(1, problem.m + 1):
            tile = Tile(rows, columns)
            if columns <= problem.n and _dots_fit(target, tile):
                tiles.append(tile)
        columns //= 2
    return min(tiles, key=lambda tile: (dots_cycles(problem, tile, lanes), -tile.vectors))


def dots_cycles(problem: Problem, tile: Tile, lanes: int) -> float:
    """What one batch costs with dot products."""
    steps = -(-problem.k // lanes)
    total = 0.0
    for rows, row_count in _parts(problem.m, tile.rows):
        for columns, column_count in _parts(problem.n, tile.vectors):
            loop = steps * max(rows * columns / 2, (rows + columns) / 2, LATENCY / 2)
            sums = 4.0 * rows * columns
            total += row_count * column_count * (loop + sums + _TILE_OVERHEAD)
    return total


def _dots_fit(target: Target, tile: Tile) -> bool:
    return tile.rows * tile.vectors + tile.rows + 1 <= registers(target)


def _tiles(target: Target, problem: Problem, lanes: int) -> Iterator[Tile]:
    columns = -(-problem.n // lanes)
    for vectors in range(1, min(columns, _MOST_VECTORS) + 1):
        rows = 1
        while rows <= problem.m and fits(target, Tile(rows, vectors)):
            yield Tile(rows, vectors)
            rows += 1


def _rank(problem: Problem, tile: Tile, lanes: int) -> tuple[float, int]:
    """Cycles, a little more for every kernel at an edge: it must be compiled, too."""
    edges = (problem.m % tile.rows > 0) + (problem.n % (tile.vectors * lanes) > 0)
    cycles = outer_cycles(problem, tile, lanes, packed=False)
    return cycles * (1 + _EDGE * edges), -tile.rows * tile.vectors


def _tile_cycles(rows: int, vectors: int, k: int) -> float:
    """One tile: multiply-adds, loads, or waiting for the sums; and a little for each operand."""
    arithmetic = rows * vectors / 2
    loads = (rows + vectors) / 2
    waiting = LATENCY / 4
    operands = 0.05 * rows + 0.14 * vectors
    stores = 1.5 * rows * vectors + 4 * rows
    return _TILE_OVERHEAD + stores + k * (max(arithmetic, loads, waiting) + operands)


def _parts(size: int, part: int) -> list[tuple[int, int]]:
    """Whole parts and the rest, each with how often it occurs."""
    whole, rest = divmod(size, part)
    return [(part, whole)] * (whole > 0) + [(rest, 1)] * (rest > 0)
