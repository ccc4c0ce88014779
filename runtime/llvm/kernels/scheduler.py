"""Decides the schedule of a phase from its values and the layouts of its operands.

Only shapes, layouts and the target count, never the number of threads: the order in which numbers
are added is part of a program's result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.kernels.analysis import Analysis
from graphc.runtime.llvm.kernels.costs import CACHED_BYTES, duration, element_bytes, nanoseconds
from graphc.runtime.llvm.kernels.fetching import places_ahead
from graphc.runtime.llvm.kernels.iteration import Axis, Space
from graphc.runtime.llvm.kernels.row_passes import plain_passes, saving_passes
from graphc.runtime.llvm.kernels.row_units import RowUnits, lanes_within, units_of_rows
from graphc.runtime.llvm.kernels.schedule import WHOLE, Schedule, Tile, Units, padded
from graphc.runtime.llvm.kernels.streaming import streamed_places
from graphc.runtime.llvm.kernels.vectors import widths

UNIT_NANOSECONDS = 2_000.0
"""How long a unit of work takes, roughly: long beside the cost of claiming it."""

MANY_UNITS = 256
"""So many units are enough for any number of threads."""

FEW_UNITS = 8
"""With fewer rows than this, a large reduction is cut along what it reduces."""

CHUNK_ROUNDS = 256
"""How many elements a lane adds up before a partial sum ends."""

OUTER_BLOCK = 16
"""Rows that a unit of a large sum over rows reads side by side."""

OUTER_WIDTH = 32_768
"""Rows longer than this are cut into columns instead: each piece is long enough to stream."""

TILE_BYTES = 256
"""The length of a tile's row."""


def schedule_of(analysis: Analysis, target: Target, rows: RowUnits | None = None) -> Schedule:
    """The loops of a phase whose rows are each reduced in one piece.

    Args:
        analysis: the values.
        target: the processor.
        rows: how units are cut, if that is not for the phase to say.

    Raises:
        CompileError: if units cannot be such rows.
    """
    lanes = widths(analysis, target)
    if rows is not None:
        lanes = lanes_within(analysis.space, units_of_rows(analysis.space, rows, None), lanes)
    time = duration(analysis, lanes[0])
    passes, saved, scratch = saving_passes(analysis, target, lanes[-1])
    tile = None if analysis.space.reduced else _tile_of(analysis, lanes[0])
    if tile is not None:
        scratch = tile.nbytes
        lanes = widths(analysis, target, transposed=tile.offsets)
        lanes = tuple(width for width in lanes if tile.size % width == 0)
    if rows is None:
        units = _units_of(analysis.space, lanes[-1], time, tile)
    else:
        units = units_of_rows(analysis.space, rows, tile)
    streams = streamed_places(analysis, lanes, target)
    ahead = places_ahead(analysis, passes, tile)
    return Schedule(analysis, lanes, units, passes, saved, tile, scratch, streams, ahead, time)


def chunked_schedule_of(analysis: Analysis, target: Target) -> Schedule:
    """The loops of a phase that reduces chunks of each row."""
    lanes = widths(analysis, target)
    units = chunks_of(analysis, lanes)
    time = duration(analysis, lanes[0])
    passes = plain_passes(analysis, target)
    ahead = places_ahead(analysis, passes)
    return Schedule(analysis, lanes, units, passes, {}, None, 0, frozenset(), ahead, time)


def needs_chunks(analysis: Analysis, target: Target) -> bool:
    """Whether a phase's reductions are too large to do each row in one piece."""
    space = analysis.space
    if not space.reduced or space.rounds == 0 or space.is_empty:
        return False
    lanes = widths(analysis, target)
    if nanoseconds(analysis, lanes[0]) < FEW_UNITS * UNIT_NANOSECONDS:
        return False
    rows = math.prod(axis.size for axis in space.kept)
    if space.vector in space.kept:
        assert space.vector is not None
        pieces = rows // space.vector.size * -(-space.vector.size // lanes[-1])
        wide = space.rounds >= 4 * OUTER_BLOCK and space.vector.size <= OUTER_WIDTH
        if wide and space.rounds * rows * element_bytes(analysis) > CACHED_BYTES:
            return True
    else:
        pieces = rows
    return pieces < FEW_UNITS


def chunks_of(analysis: Analysis, lanes: Sequence[int]) -> Units:
    """The chunks of a phase that reduces parts of rows; every other axis is walked inside."""
    space = analysis.space
    fixed = tuple(axis for axis in space.kept if axis is not space.vector)
    blocked = max(space.reduced, key=lambda axis: axis.size)
    others = space.rounds // blocked.size
    if blocked is space.vector:
        block = max(1, CHUNK_ROUNDS // others) * lanes[-1]
    elif space.vector in space.kept:
        block = OUTER_BLOCK
    else:
        block = max(1, CHUNK_ROUNDS * lanes[-1] // others)
    return Units(fixed, blocked, min(block, blocked.size))


def _units_of(space: Space, widest: int, time: float, tile: Tile | None) -> Units:
    """Units of about the same short time, from the outermost kept axes."""
    if tile is not None:
        others = tuple(axis for axis in space.kept if axis not in (tile.outer, tile.inner))
        return Units(others, tile.blocked, tile.size)
    if time < 2 * UNIT_NANOSECONDS or space.is_empty:
        return WHOLE
    fixed: list[Axis] = []
    each = time
    for axis in space.kept:
        one = each / axis.size
        if one < UNIT_NANOSECONDS or axis is space.vector:
            grain = widest if axis is space.vector else 1
            block = max(1, round(UNIT_NANOSECONDS / one / grain)) * grain
            if block < axis.size:
                return Units(tuple(fixed), axis, block)
            break
        fixed.append(axis)
        each = one
        if math.prod(axis.size for axis in fixed) >= MANY_UNITS:
            break
    return Units(tuple(fixed), None, 1)


def _tile_of(analysis: Analysis, lanes: int) -> Tile | None:
    """A tile where operands' neighbours lie along another axis than the vectors run."""
    space = analysis.space
    inner = space.vector
    if inner is None or inner.size < 8:
        return None
    stored = {number for numbers in analysis.stores for number in numbers}
    if any(inner.strides[number] != 1 for number in stored):
        return None
    best: tuple[list[int], Axis] | None = None
    for axis in space.kept:
        if axis is inner or axis.size < 8:
            continue
        numbers = [
            number
            for node, (number, *_) in analysis.leaves.items()
            if node not in analysis.partials
            and axis.strides[number] == 1
            and inner.strides[number] not in (0, 1)
        ]
        if numbers and (best is None or len(numbers) > len(best[0])):
            best = numbers, axis
    if best is None:
        return None
    numbers, outer = best
    widest = max(analysis.places[number].layout.dtype.itemsize for number in numbers)
    size = max(min(TILE_BYTES // widest, 64), lanes)
    if len(stored) == 1 and analysis.results[0] in analysis.leaves:
        return Tile(outer, inner, size, {numbers[0]: 0}, 0, stored.pop())
    offsets, offset = {}, 0
    for number in numbers:
        offsets[number] = offset
        offset += padded(size * size * analysis.places[number].layout.dtype.itemsize)
    return Tile(outer, inner, size, offsets, offset, None)
