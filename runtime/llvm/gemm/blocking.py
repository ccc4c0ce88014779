"""How a product is cut into units for threads, and into blocks for the caches."""

from __future__ import annotations

import math
from dataclasses import dataclass

from graphc.runtime.llvm.gemm.outer import UNROLL
from graphc.runtime.llvm.gemm.problem import Problem
from graphc.runtime.llvm.gemm.tiling import CYCLES_PER_NANOSECOND, Tile, outer_cycles, outer_tile
from graphc.runtime.llvm.target import Target

_PACKED_BYTES = 640 * 1024
"""Of a packed block of ``b``: it stays in the second cache beside what streams through."""

_DEEPEST = 4096
"""Terms of a sum that are added without a break; longer ones are cut into blocks."""

_UNIT_NANOSECONDS = 15_000.0
"""Work that is worth a thread's attention."""

_MOST_UNITS = 32

_ALIGNMENT = 64


@dataclass(frozen=True, slots=True)
class Blocking:
    """The blocks of one product by outer products.

    A unit is a block of columns times a block of rows of one batch; the rows run fastest, so that
    units in a row share the packed columns.

    Args:
        problem: what is computed.
        lanes: elements of a vector.
        tile: the tile of the kernel.
        packed: whether ``b`` is copied, panel by panel.
        depth: terms of the sum in one block.
        unit_tiles: tiles of rows in a unit.
        unit_panels: panels of columns in a unit.
    """

    problem: Problem
    lanes: int
    tile: Tile
    packed: bool
    depth: int
    unit_tiles: int
    unit_panels: int

    @property
    def width(self) -> int:
        """Columns of a panel."""
        return self.tile.vectors * self.lanes

    @property
    def row_tiles(self) -> int:
        """Tiles from top to bottom."""
        return -(-self.problem.m // self.tile.rows)

    @property
    def panels(self) -> int:
        """Panels from left to right."""
        return -(-self.problem.n // self.width)

    @property
    def row_blocks(self) -> int:
        """Units from top to bottom."""
        return -(-self.row_tiles // self.unit_tiles)

    @property
    def column_blocks(self) -> int:
        """Units from left to right."""
        return -(-self.panels // self.unit_panels)

    @property
    def units(self) -> int:
        """All units."""
        return self.row_blocks * self.column_blocks * math.prod(self.problem.batch)

    @property
    def blocks(self) -> int:
        """Blocks of the sum."""
        return max(1, -(-self.problem.k // self.depth))

    @property
    def panel_bytes(self) -> int:
        """One packed panel."""
        terms = min(self.depth, self.problem.k)
        return _aligned(terms * self.width * self.problem.a.dtype.itemsize)

    @property
    def packed_bytes(self) -> int:
        """All packed panels of a unit."""
        return self.panel_bytes * self.unit_panels if self.packed else 0

    @property
    def tile_bytes(self) -> int:
        """The partial sums of one tile."""
        return self.tile.rows * self.width * self.problem.a.dtype.itemsize

    @property
    def scratch_bytes(self) -> int:
        """Packed panels, then the partial sums of the tiles in a block of columns."""
        partial = self.tile_bytes * self.row_tiles * self.unit_panels if self.blocks > 1 else 0
        return self.packed_bytes + partial

    @property
    def nanoseconds(self) -> float:
        """All units on one core."""
        cycles = outer_cycles(self.problem, self.tile, self.lanes, self.packed)
        return cycles * math.prod(self.problem.batch) / CYCLES_PER_NANOSECOND


def blocking_of(target: Target, problem: Problem, lanes: int) -> Blocking:
    """Choose the tile and cut the product."""
    tile = outer_tile(target, problem, lanes)
    packed = _worth_packing(problem, tile, lanes)
    blocks = max(1, -(-problem.k // _DEEPEST))
    depth = max(lanes, -(-problem.k // (blocks * lanes)) * lanes)
    depth = -(-depth // UNROLL) * UNROLL
    row_tiles, panels = -(-problem.m // tile.rows), -(-problem.n // (tile.vectors * lanes))
    whole = Blocking(problem, lanes, tile, packed, depth, row_tiles, panels)
    most = min(panels, _most_panels(whole))
    wanted = max(1, min(_MOST_UNITS, round(whole.nanoseconds / _UNIT_NANOSECONDS)))
    wanted = -(-wanted // math.prod(problem.batch))
    column_blocks = max(-(-panels // most), min(panels, wanted))
    unit_panels = -(-panels // column_blocks)
    row_blocks = min(row_tiles, -(-wanted // -(-panels // unit_panels)))
    unit_tiles = -(-row_tiles // row_blocks)
    return Blocking(problem, lanes, tile, packed, depth, unit_tiles, unit_panels)


def _most_panels(whole: Blocking) -> int:
    """Panels that stay in the cache, with their partial sums."""
    most = max(1, _PACKED_BYTES // whole.panel_bytes) if whole.problem.k else whole.panels
    if whole.blocks > 1:
        most = min(most, max(1, 2 * _PACKED_BYTES // (whole.tile_bytes * whole.row_tiles)))
    return most


def _worth_packing(problem: Problem, tile: Tile, lanes: int) -> bool:
    """Whether panels of ``b`` are copied: always where vectors cannot be read from it."""
    if problem.n > 1 and problem.b.column != 1:
        return True
    if problem.m < 4 * tile.rows:
        return False
    size = problem.a.dtype.itemsize
    far = abs(problem.b.row) * size >= 1024 and problem.n > tile.vectors * lanes
    return far and problem.k * problem.n * size > 128 * 1024


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
