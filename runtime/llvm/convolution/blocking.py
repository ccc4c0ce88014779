"""Which way vectors run, and how large the tiles are: what costs least.

Along *places*, vectors are read from the input and weights are repeated: right where the result has
few channels. Along *channels*, vectors are read from a copy of the weights, and elements of the
input are repeated: right for any stride, and where images are small. *Chunks* are the same with
a long sum cut into pieces: right for the gradient of a weight.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.convolution.cuts import Cut, cuts_of
from graphc.runtime.llvm.convolution.problem import Dim, Problem
from graphc.runtime.llvm.gemm.tiling import LATENCY, registers

Way = Literal["places", "channels", "chunks"]

_CYCLES_PER_NANOSECOND = 3.0
_MOST_VECTORS = 8
_MOST_ROWS = 32
_CALL = 25.0
"""Cycles of a tile's call and of the first operands' way."""

_FIRST_CACHE = 32 * 1024
_BYTES_PER_CYCLE = 28
"""Copied weights that are larger come from the second cache, at this rate."""

_TURN = 6.0
_STORE = 2.0
_GATHER = 20.0
"""Cycles per vector: to turn and store it, to store it, to read it where elements are apart."""

_SPARE = {"avx512": 0, "avx2": 0, "baseline": 1, "neon": 4}
"""Registers left to the compiler, besides those that products leave: it loads vectors early. A
mask takes one more where it is no register of its own kind."""

_LONG = 4
"""Sums that are so many times longer than there are of them are cut into pieces."""

_TERMS = (4, 3, 2)
"""Channels of one round of a tile's loop."""


@dataclass(frozen=True, slots=True)
class Blocking:
    """The tiles of a convolution.

    Args:
        problem: what is computed.
        lanes: elements of a vector.
        way: which way vectors run.
        cut: the results in a tile: along places, vectors of them.
        vectors: vectors of channels in a tile; along places the number of channels.
        cycles: what it costs.
    """

    problem: Problem
    lanes: int
    way: Way
    cut: Cut
    vectors: int
    cycles: float

    @property
    def nanoseconds(self) -> float:
        """All work on one core."""
        return self.cycles / _CYCLES_PER_NANOSECOND

    @property
    def together(self) -> int:
        """Channels in one round of a tile's loop."""
        size = self.problem.channel.size
        return next((number for number in _TERMS if size % number == 0), 1)

    @property
    def window(self) -> int:
        """Elements of a window."""
        return math.prod(term.size for term in self.problem.kernel)


def blocking_of(target: Target, problem: Problem, lanes: int) -> Blocking:
    """Choose the way and the tiles."""
    best = min(blockings(target, problem, lanes), key=lambda each: each.cycles)
    long = problem.terms > _LONG * problem.results and problem.channel.size > 1
    return replace(best, way="chunks") if best.way == "channels" and long else best


def blockings(target: Target, problem: Problem, lanes: int) -> Iterator[Blocking]:
    """All tiles, along channels and along places."""
    yield from _along_channels(target, problem, lanes)
    yield from _along_places(target, problem, lanes)


def row_dims(problem: Problem) -> list[Dim]:
    """The loops over results of one channel."""
    batch = [problem.batch] if problem.batch.size != 1 else []
    return [*batch, *problem.places] or [Dim(1, 0, 0)]


def _along_channels(target: Target, problem: Problem, lanes: int) -> Iterator[Blocking]:
    total = -(-problem.made.size // lanes)
    size = problem.dtype.itemsize
    for cut in cuts_of(row_dims(problem), _MOST_ROWS):
        for vectors in range(1, min(total, _MOST_VECTORS) + 1):
            if not _fits(target, cut.block * cut.inside, vectors, False):
                continue
            large = problem.terms * vectors * lanes * size > _FIRST_CACHE
            streamed = lanes * size / _BYTES_PER_CYCLE if large else 0.0

            def tile(rows: int, wide: int, streamed: float = streamed) -> float:
                loads = max((rows + wide) / 2, wide * streamed)
                return _tile(problem, rows * wide, loads, _TURN)

            cycles = _cycles(problem, cut, (total, vectors), tile)
            yield Blocking(problem, lanes, "channels", cut, vectors, cycles)


def _along_places(target: Target, problem: Problem, lanes: int) -> Iterator[Blocking]:
    if not problem.places:
        return
    *lines, last = row_dims(problem)
    dims = [*lines, Dim(-(-last.size // lanes), lanes * last.x, lanes * last.y)]
    load = 0.5 if last.x in (0, 1) else _GATHER

    def tile(wide: int, rows: int) -> float:
        return _tile(problem, rows * wide, rows / 2 + load * wide, _STORE)

    for cut in cuts_of(dims, _MOST_ROWS, last.size % lanes > 0):
        for made in range(1, min(problem.made.size, _MOST_ROWS) + 1):
            if _fits(target, made, cut.block * cut.inside, last.size % lanes > 0):
                cycles = _cycles(problem, cut, (problem.made.size, made), tile)
                yield Blocking(problem, lanes, "places", cut, made, cycles)


def _cycles(
    problem: Problem, cut: Cut, other: tuple[int, int], tile: Callable[[int, int], float]
) -> float:
    """What all tiles cost.

    Args:
        problem: what is computed.
        cut: the results, in blocks.
        other: the size in the other direction, and how much of it a tile has.
        tile: the cycles of one tile by its two sizes.
    """
    across, most = other
    whole, rest = divmod(across, most)
    cycles = 0.0
    for size, blocks in _sizes(cut):
        for width, count in ((most, whole), (rest, int(rest > 0))):
            cycles += blocks * count * (tile(size, width) if width else 0.0)
    return cycles * problem.group.size


def _sizes(cut: Cut) -> Iterator[tuple[int, int]]:
    """The sizes of blocks, and how many there are of each."""
    outside = math.prod(dim.size for dim in cut.outer)
    yield cut.block * cut.inside, cut.whole * outside
    if cut.rest:
        yield cut.rest * cut.inside, outside


def _fits(target: Target, rows: int, vectors: int, masked: bool) -> bool:
    """Whether a tile's sums, the vectors of one term and an element stay in registers."""
    spare = _SPARE[target.isa] + (masked and target.isa != "avx512")
    return rows * vectors + vectors + 1 <= registers(target) - spare


def _tile(problem: Problem, sums: int, loads: float, end: float) -> float:
    """Cycles of one tile."""
    return _CALL + end * sums + problem.terms * (max(sums / 2, loads, LATENCY) + 0.3)
