"""How a product is cut into units for threads, and into blocks for the caches."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from graphc.errors import CompileError
from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.gemm.problem import Problem
from graphc.runtime.llvm.gemm.tiling import Tile, nanoseconds, outer_cycles, outer_tile

_BLOCK_BYTES = 600 * 1024
"""Of a block of ``b``: it stays in the second cache beside what streams through."""

_SMALL_BYTES = 256 * 1024
"""Of rows of ``a`` that may be read once for each panel."""

_DEEPEST = 512
"""Terms of a block of the sum: rows of ``a`` that long stay in the first cache."""

_DEEPEST_APART = 256
"""The same where neighbours of ``a`` along k are apart, each in a cache line of its own."""

_DEEPEST_FEW = 1024
"""The same for so few rows that a block's ends take their share of its time."""

_SHALLOW = 128
"""Where rows of ``b`` compete for the same places of the caches."""

_STREAMED = 16
"""Rows of ``b`` read side by side where all of it is read just once."""

_STREAMED_PANELS = 8

_DEPTH_STEP = 16
"""Blocks of the sum are multiples of it: of a vector, and of a round of the kernel's loop."""

_FEW_ROWS = 192
"""Fewer rows than these do not repay a copy of a block that can be used as it lies."""

_PAGE = 4096
"""Rows that are a multiple of it apart lie at the same places of the caches."""

_SLAB_ROWS = 48
"""Most rows of ``a`` that are copied together."""

_SLAB_PANELS = 4
"""Panels that repay such a copy."""

_SLAB_TERMS = 64
"""Fewer terms than these are soon read wherever they are."""

_FAR = 1024
"""Bytes from one k to the next over which processors do not see what is needed soon."""

_UNIT_NANOSECONDS = 60_000.0
"""Work that is worth a thread's attention."""

_UNIT_ROWS = 128
"""Rows of a unit that repay its packing."""

_COMPUTED_ROWS = 32
"""The same where the columns are few and a block of rows is computed first."""

_MOST_UNITS = 16

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
        slab: tiles of rows whose part of ``a`` is copied together; 0 if ``a`` is used as it lies.
    """

    problem: Problem
    lanes: int
    tile: Tile
    packed: bool
    depth: int
    unit_tiles: int
    unit_panels: int
    slab: int = 0

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
        return _rounded(terms * self.width * self.problem.dtype.itemsize, _ALIGNMENT)

    @property
    def packed_bytes(self) -> int:
        """All packed panels of a unit."""
        return self.panel_bytes * self.unit_panels if self.packed else 0

    @property
    def slab_tiles(self) -> int:
        """Tiles of rows that are done one after the other for one block of ``a``."""
        return max(1, self.slab)

    @property
    def slab_width(self) -> int:
        """Rows of a copied block of ``a``, whole vectors."""
        return _rounded(self.slab * self.tile.rows, self.lanes)

    @property
    def slab_bytes(self) -> int:
        """A copied block of ``a``."""
        terms = min(self.depth, self.problem.k)
        return _rounded(terms * self.slab_width * self.problem.dtype.itemsize, _ALIGNMENT)

    @property
    def alternating(self) -> bool:
        """Whether rows of ``a`` are copied while those before them are used."""
        a, slabs = self.problem.a, self.row_tiles // self.slab_tiles
        return self.slab > 0 and a.plain and a.row == 1 and slabs > 1

    @property
    def partial_offset(self) -> int:
        """Where the partial sums begin."""
        return self.packed_bytes + self.slab_bytes * (2 if self.alternating else 1)

    @property
    def tile_bytes(self) -> int:
        """The partial sums of one tile."""
        return self.tile.rows * self.width * self.problem.dtype.itemsize

    @property
    def scratch_bytes(self) -> int:
        """Packed panels, then the partial sums of the tiles in a block of columns."""
        partial = self.tile_bytes * self.row_tiles * self.unit_panels if self.blocks > 1 else 0
        return self.partial_offset + partial

    @property
    def nanoseconds(self) -> float:
        """All units on one core."""
        cycles = outer_cycles(self.problem, self.tile, self.lanes, self.packed)
        return nanoseconds(self.problem, cycles)


def blocking_of(target: Target, problem: Problem, lanes: int) -> Blocking:
    """Choose the tile and cut the product.

    Args:
        target: the processor.
        problem: what is computed.
        lanes: elements of a vector.

    Raises:
        CompileError: if the product cannot have the wanted form.
    """
    tile = outer_tile(target, problem, lanes)
    packed = not problem.form.panels and _worth_packing(problem, tile)
    depth = _depth(problem, tile, packed)
    row_tiles, panels = -(-problem.m // tile.rows), -(-problem.n // (tile.vectors * lanes))
    whole = Blocking(problem, lanes, tile, packed, depth, row_tiles, panels)
    if problem.form.rows:
        return _of_rows(whole)
    row_blocks, unit_panels = _unit(whole)
    unit_tiles, slab = -(-row_tiles // row_blocks), 0
    if not problem.a.plain or (unit_panels >= _SLAB_PANELS and _hard_to_read(problem)):
        slab = min(unit_tiles, _slab_tiles(tile, lanes))
        unit_tiles = _rounded(unit_tiles, slab)
    return replace(whole, unit_tiles=unit_tiles, unit_panels=unit_panels, slab=slab)


def _of_rows(whole: Blocking) -> Blocking:
    """Units that are rows, as wanted."""
    problem, tile = whole.problem, whole.tile
    if whole.packed:
        raise CompileError("matmul: units of rows would each copy the right factor")
    tiles, slab = problem.form.rows // tile.rows, 0
    if _competing(problem, problem.a.column) or not problem.a.plain:
        most = _slab_tiles(tile, whole.lanes)
        slab = max(number for number in range(1, most + 1) if tiles % number == 0)
    return replace(whole, unit_tiles=tiles, unit_panels=whole.panels, slab=slab)


def _slab_tiles(tile: Tile, lanes: int) -> int:
    """Tiles whose rows together fill vectors best: then copies read whole cache lines."""
    numbers = range(1, max(2, _SLAB_ROWS // tile.rows + 1))
    return min(numbers, key=lambda number: (-number * tile.rows % lanes / number, -number))


def _unit(whole: Blocking) -> tuple[int, int]:
    """Blocks of rows, and panels of a unit: large units share more, small ones balance better."""
    problem, panels = whole.problem, whole.panels
    wanted = max(1, min(_MOST_UNITS, round(whole.nanoseconds / _UNIT_NANOSECONDS)))
    wanted = -(-wanted // math.prod(problem.batch))
    if whole.depth == _STREAMED:
        return 1, max(_STREAMED_PANELS, -(-panels // wanted))
    size = problem.dtype.itemsize
    if not problem.a.plain:
        return _unit_of_computed(whole, wanted)
    if whole.packed and problem.m * whole.depth * size <= _SMALL_BYTES:
        return 1, 1
    most = max(1, min(panels, _BLOCK_BYTES // max(1, whole.panel_bytes)))
    column_blocks = -(-panels // most)
    row_blocks = min(-(-wanted // column_blocks), max(1, problem.m // _UNIT_ROWS))
    if not problem.b.plain and panels >= wanted:
        row_blocks = 1  # each of its elements is computed once
    column_blocks = max(column_blocks, min(panels, -(-wanted // row_blocks)))
    return row_blocks, -(-panels // column_blocks)


def _unit_of_computed(whole: Blocking, wanted: int) -> tuple[int, int]:
    """The same where rows of ``a`` are computed again for each block of columns."""
    most = max(1, min(whole.panels, _BLOCK_BYTES // max(1, whole.panel_bytes)))
    column_blocks = -(-whole.panels // most)
    row_blocks = min(-(-wanted // column_blocks), max(1, whole.problem.m // _COMPUTED_ROWS))
    return row_blocks, -(-whole.panels // column_blocks)


def _worth_packing(problem: Problem, tile: Tile) -> bool:
    """Whether panels of ``b`` are copied: always where vectors cannot be read from it."""
    if not problem.b.plain or (problem.n > 1 and problem.b.column != 1):
        return True
    if problem.m < 4 * tile.rows or not problem.b.row:
        return False
    return problem.m > _FEW_ROWS or _competing(problem, problem.b.row)


def _depth(problem: Problem, tile: Tile, packed: bool) -> int:
    """Terms of one block of the sum: equal blocks of whole vectors and rounds."""
    near = problem.a.column in (0, 1) or not problem.a.plain
    deepest = _DEEPEST if near else _DEEPEST_APART
    in_place = not packed and not problem.form.panels
    if in_place and problem.m <= tile.rows:
        large = problem.k * problem.n * problem.dtype.itemsize > 2 * _BLOCK_BYTES
        deepest = (
            _STREAMED if large and problem.n * problem.dtype.itemsize >= _PAGE else _DEEPEST_FEW
        )
    elif in_place and _competing(problem, problem.b.row):
        deepest = _SHALLOW
    blocks = max(1, -(-problem.k // max(1, deepest)))
    return max(1, -(-problem.k // (blocks * _DEPTH_STEP))) * _DEPTH_STEP


def _hard_to_read(problem: Problem) -> bool:
    """Whether tiles of rows of ``a`` would wait for memory if they read it as it lies."""
    a, size = problem.a, problem.dtype.itemsize
    far = a.row == 1 and a.column * size >= _FAR and problem.k >= _SLAB_TERMS
    return far or _competing(problem, a.column)


def _competing(problem: Problem, step: int) -> bool:
    """Whether elements that far apart lie at the same places of the caches."""
    return step != 0 and step * problem.dtype.itemsize % _PAGE == 0


def _rounded(size: int, step: int) -> int:
    return -(-size // step) * step
