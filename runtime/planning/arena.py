"""Offsets in one piece of memory for blocks that live at different times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graphc.runtime.plan import ALIGNMENT

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Block:
    """Memory that is needed from step ``start`` to step ``stop``, both included."""

    nbytes: int
    start: int
    stop: int

    @property
    def padded(self) -> int:
        """The size, rounded up so that the next block is aligned."""
        return padded(self.nbytes)


def padded(nbytes: int) -> int:
    """A size, rounded up so that the next block is aligned."""
    return -(-nbytes // ALIGNMENT) * ALIGNMENT


def lower_bound(blocks: Sequence[Block]) -> int:
    """The most bytes that are needed at one time."""
    changes: dict[int, int] = {}
    for block in blocks:
        changes[block.start] = changes.get(block.start, 0) + block.padded
        changes[block.stop + 1] = changes.get(block.stop + 1, 0) - block.padded
    live = most = 0
    for time in sorted(changes):
        live += changes[time]
        most = max(most, live)
    return most


_ORDERS: tuple[Callable[[Block], tuple[int, ...]], ...] = (
    lambda block: (-block.padded, block.start),
    lambda block: (-block.padded * (block.stop - block.start + 1), block.start),
    lambda block: (block.start, -block.padded),
    lambda block: (block.start - block.stop, -block.padded),
)


def pack(blocks: Sequence[Block]) -> tuple[list[int], int]:
    """Find an offset for each block such that blocks that live together do not overlap.

    Greedy best fit, in several orders of placing; the best result is kept.

    Returns:
        The offsets, and the bytes that they need together.

    Example:
        >>> pack([Block(64, 0, 1), Block(64, 1, 2), Block(64, 2, 3)])
        ([0, 64, 0], 128)
    """
    enough = lower_bound(blocks)
    best: tuple[list[int], int] | None = None
    for order in _ORDERS:
        found = _place(blocks, sorted(range(len(blocks)), key=lambda i: order(blocks[i])))
        if best is None or found[1] < best[1]:
            best = found
        if best[1] == enough:
            break
    assert best is not None
    return best


def _place(blocks: Sequence[Block], order: Sequence[int]) -> tuple[list[int], int]:
    count = len(blocks)
    starts, stops, lows, highs = (np.zeros(count, np.int64) for _ in range(4))
    offsets = [0] * count
    peak = 0
    for placed, which in enumerate(order):
        block = blocks[which]
        together = (starts[:placed] <= block.stop) & (stops[:placed] >= block.start)
        offset = _best_gap(lows[:placed][together], highs[:placed][together], block.padded)
        offsets[which] = offset
        starts[placed], stops[placed] = block.start, block.stop
        lows[placed], highs[placed] = offset, offset + block.padded
        peak = max(peak, offset + block.padded)
    return offsets, peak


def _best_gap(lows: Numbers, highs: Numbers, wanted: int) -> int:
    """The start of the smallest gap that fits, or the end of everything."""
    if not len(lows) or not wanted:
        return 0
    order = np.argsort(lows, kind="stable")
    ends = np.maximum.accumulate(np.concatenate(([0], highs[order])))
    gaps = lows[order] - ends[:-1]
    fits = np.flatnonzero(gaps >= wanted)
    if len(fits):
        return int(ends[fits[np.argmin(gaps[fits])]])
    return int(ends[-1])
