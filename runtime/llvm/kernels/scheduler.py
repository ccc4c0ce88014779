"""Decides the schedule of a phase from its values and the layouts of its operands.

Only shapes, layouts and the target count, never the number of threads: the order in which numbers
are added is part of a program's result.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from graphc.graph import has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.ordering import operands_first
from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.ir.memory import computed_elem, stored_bytes
from graphc.runtime.llvm.kernels.analysis import Analysis
from graphc.runtime.llvm.kernels.costs import CACHED_BYTES, duration, load_weight, nanoseconds
from graphc.runtime.llvm.kernels.iteration import Axis, Space
from graphc.runtime.llvm.kernels.schedule import WHOLE, Pass, Saved, Schedule, Tile, Units
from graphc.runtime.llvm.kernels.streaming import streamed_places
from graphc.runtime.llvm.kernels.vectors import widths
from graphc.runtime.llvm.scalar_ops import weight

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

HEAVY = 8
"""A value that takes this many instructions is kept for the next pass, not computed again."""

SCRATCH_LIMIT = 1 << 18
"""Bytes of values that passes may keep for each other."""

FETCHED_ROW = 256
"""Rows of at least so many elements are fetched ahead."""

TILE_BYTES = 256
"""The length of a tile's row."""


def schedule_of(analysis: Analysis, target: Target) -> Schedule:
    """The loops of a phase whose rows are each reduced in one piece."""
    lanes = widths(analysis, target)
    time = duration(analysis, lanes[0])
    passes = _passes(analysis)
    passes, saved, scratch = _with_saved(analysis, passes, lanes[-1])
    passes = _with_fetches(analysis, _with_lanes(analysis, passes, target))
    tile = None if analysis.space.reduced else _tile_of(analysis, lanes[0])
    if tile is not None:
        scratch = tile.nbytes
        lanes = widths(analysis, target, transposed=tile.offsets)
        lanes = tuple(width for width in lanes if tile.size % width == 0)
    units = _units_of(analysis.space, lanes[-1], time, tile)
    streams = streamed_places(analysis, lanes, target)
    return Schedule(analysis, lanes, units, passes, saved, tile, scratch, streams, time)


def chunked_schedule_of(analysis: Analysis, target: Target) -> Schedule:
    """The loops of a phase that reduces chunks of each row."""
    lanes = widths(analysis, target)
    units = chunks_of(analysis, lanes)
    time = duration(analysis, lanes[0])
    passes = _with_lanes(analysis, _passes(analysis), target)
    return Schedule(analysis, lanes, units, passes, {}, None, 0, frozenset(), time)


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
        if wide and space.rounds * rows * _element_bytes(analysis) > CACHED_BYTES:
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


def _passes(analysis: Analysis) -> tuple[Pass, ...]:
    """One pass for each depth of reductions, and one for results that vary inside a row."""
    passes = []
    for depth in range(1, analysis.passes + 1):
        reductions = tuple(
            node
            for node in analysis.nodes
            if analysis.is_reduction(node) and analysis.depth[node] == depth
        )
        passes.append(Pass(reductions, ()))
    last = Pass((), ())
    if not analysis.raw and _roots(analysis, last):
        passes.append(last)
    return tuple(replace(each, wanted=_needed(analysis, _roots(analysis, each))) for each in passes)


def _roots(analysis: Analysis, each: Pass) -> list[Node]:
    """The values that a pass is for: what it reduces, or the results inside a row."""
    if each.reductions:
        return [node.inputs[0] for node in each.reductions]
    return [
        node
        for number, node in enumerate(analysis.results)
        if any(axis.reduced for axis in analysis.spans(number))
    ]


def _needed(
    analysis: Analysis, roots: Sequence[Node], known: Sequence[Node] = ()
) -> tuple[Node, ...]:
    """The values of the row's points that the roots need."""

    def operands(node: Node) -> tuple[Node, ...]:
        if node in analysis.leaves or analysis.is_reduction(node) or node in known:
            return ()
        return node.inputs

    return tuple(operands_first(roots, operands))


def _with_saved(
    analysis: Analysis, passes: Sequence[Pass], widest: int
) -> tuple[tuple[Pass, ...], Mapping[Node, Saved], int]:
    """Let passes keep heavy values for later ones, as far as the scratch memory goes."""
    space = analysis.space
    row = space.rounds * (widest if space.vector in space.kept else 1)
    saved: dict[Node, Saved] = {}
    first: dict[Node, int] = {}
    results: list[Pass] = []
    offset = 0
    for number, each in enumerate(passes):
        roots = _roots(analysis, each)
        new = {node for node in each.wanted if node not in first}
        reads = []
        for node in each.wanted:
            frontier = node in roots or any(node in user.inputs for user in new)
            if node in new or not frontier or not _is_heavy_point(analysis, node, widest):
                continue
            nbytes = _padded(row * stored_bytes(computed_elem(node.type.dtype)))
            if node not in saved and offset + nbytes <= SCRATCH_LIMIT:
                saved[node] = Saved(offset, _row_strides(space, widest))
                offset += nbytes
                origin = results[first[node]]
                results[first[node]] = replace(origin, saves=(*origin.saves, node))
            if node in saved:
                reads.append(node)
        first |= dict.fromkeys(new, number)
        wanted = _needed(analysis, roots, reads)
        results.append(replace(each, wanted=wanted, reads=tuple(reads)))
    return tuple(results), saved, offset


def _with_lanes(analysis: Analysis, passes: Sequence[Pass], target: Target) -> tuple[Pass, ...]:
    """Passes with widths of their own: light ones keep more vectors in flight."""
    inside = analysis.space.vector in analysis.space.reduced and not analysis.raw
    results = []
    for each in passes:
        computed = set(each.wanted).difference(each.reads) if inside else ()
        results.append(replace(each, lanes=widths(analysis, target, computed)))
    return tuple(results)


def _with_fetches(analysis: Analysis, passes: tuple[Pass, ...]) -> tuple[Pass, ...]:
    """Let the pass that computes most fetch memory, where rows come one by one from far away.

    Only the first pass over a row waits for memory, and it does little else.
    """
    space = analysis.space
    if space.vector not in space.reduced or not space.kept or len(passes) < 2:
        return passes
    points = math.prod(axis.size for axis in space.axes)
    if points * _element_bytes(analysis) <= CACHED_BYTES or space.rounds < FETCHED_ROW:
        return passes
    heaviest = max(passes[:-1], key=_work)
    return tuple(replace(each, fetches=each is heaviest) for each in passes)


def _work(each: Pass) -> int:
    """About how many instructions a pass takes for each point."""
    computed = [node for node in each.wanted if has_trait(node, Trait.ELEMENTWISE)]
    return sum(weight(node) for node in computed if node not in each.reads)


def _is_heavy_point(analysis: Analysis, node: Node, lanes: int) -> bool:
    """Whether a value differs at each point of a row and is better kept than computed again."""
    if not set(analysis.space.reduced) <= analysis.varying[node]:
        return False
    return _cone_weight(analysis, node, lanes) >= HEAVY


def _cone_weight(analysis: Analysis, root: Node, lanes: int) -> float:
    """About how many instructions a value takes inside a row, from what is read."""
    total = 0.0
    for node in _needed(analysis, [root]):
        if not any(axis.reduced for axis in analysis.varying[node]):
            continue
        if node in analysis.leaves:
            load = load_weight(analysis, node, lanes)
            total += load if load > 1 else 0
        elif has_trait(node, Trait.ELEMENTWISE):
            total += weight(node)
    return total


def _row_strides(space: Space, widest: int) -> dict[Axis, int]:
    """A kept value's strides: the row's points side by side, or vectors of columns."""
    step = widest if space.vector in space.kept else 1
    strides = {}
    for axis in reversed(space.reduced):
        strides[axis] = step
        step *= axis.size
    return strides


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
        offset += _padded(size * size * analysis.places[number].layout.dtype.itemsize)
    return Tile(outer, inner, size, offsets, offset, None)


def _element_bytes(analysis: Analysis) -> int:
    """Bytes that are read for each point of the space."""
    axes = set(analysis.space.axes)
    return sum(
        analysis.places[numbers[0]].layout.dtype.itemsize
        for node, numbers in analysis.leaves.items()
        if analysis.varying[node] == axes
    )


def _padded(nbytes: int) -> int:
    return -(-nbytes // 64) * 64
