"""How long a phase takes: rough estimates of its instructions and of the memory that it moves."""

from __future__ import annotations

import math

from graphc.graph import has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.runtime.llvm.ir.memory import CACHE_LINE
from graphc.runtime.llvm.kernels.analysis import Analysis
from graphc.runtime.llvm.scalar.scalar_ops import weight

CACHED_BYTES = 1 << 20
"""What is larger does not stay in the cache from one pass, or one phase, to the next."""

_INSTRUCTION = 0.3
"""Nanoseconds that an instruction takes, as several run at once."""

_FROM_CACHE = 64.0
_FROM_MEMORY = 16.0
"""Bytes in a nanosecond that one core reads and writes: measured with sums and maps of one and two
arrays of 256 KB and of 64 MB."""


def duration(analysis: Analysis, lanes: int) -> float:
    """Nanoseconds of all work on one core, whichever takes longer: instructions or memory."""
    nbytes = moved_bytes(analysis)
    rate = _FROM_CACHE if nbytes <= CACHED_BYTES else _FROM_MEMORY
    return max(nanoseconds(analysis, lanes), nbytes / rate)


def moved_bytes(analysis: Analysis) -> int:
    """Bytes of all that is read or written, each element once, in whole lines of the cache.

    Columns of an image are few elements, but a line each.
    """
    return sum(place_bytes(analysis, number) for number in range(len(analysis.places)))


def place_bytes(analysis: Analysis, number: int) -> int:
    """The bytes of the lines in which the elements of one place lie."""
    itemsize = analysis.places[number].layout.dtype.itemsize
    walked = [(axis.strides[number], axis.size) for axis in analysis.space.axes]
    steps = sorted((abs(stride) * itemsize, size) for stride, size in walked if stride)
    if any(size == 0 for _, size in steps):
        return 0
    reach, apart = itemsize, 1
    for step, size in steps:
        if step - reach < CACHE_LINE:
            reach += (size - 1) * step
        else:
            apart *= size
    return reach if apart == 1 else apart * max(reach, CACHE_LINE)


def nanoseconds(analysis: Analysis, lanes: int) -> float:
    """The instructions' part; it decides how sums are cut, so their order never changes.

    Args:
        analysis: the values.
        lanes: the width of vectors.
    """
    total = 0.0
    for node in analysis.nodes:
        varying = analysis.varying[node]
        instructions = 0.0
        if node in analysis.leaves:
            instructions = load_weight(analysis, node, lanes)
            if node in analysis.partials:
                instructions *= 4 * analysis.partials[node].chunks
        elif has_trait(node, Trait.REDUCE):
            varying = analysis.varying[node.inputs[0]]
            instructions = 2
        elif has_trait(node, Trait.ELEMENTWISE):
            instructions = weight(node)
        points = float(math.prod(axis.size for axis in varying))
        if analysis.space.vector in varying:
            points /= lanes
        total += points * instructions * _INSTRUCTION
    return total


def load_weight(analysis: Analysis, node: Node, lanes: int) -> float:
    """About how many instructions reading a vector takes."""
    vector = analysis.space.vector
    if vector is None:
        return 1
    return 1 if vector.strides[analysis.leaves[node][0]] in (0, 1) else lanes


def element_bytes(analysis: Analysis) -> int:
    """Bytes that are read for each point of the space."""
    axes = set(analysis.space.axes)
    return sum(
        analysis.places[numbers[0]].layout.dtype.itemsize
        for node, numbers in analysis.leaves.items()
        if analysis.varying[node] == axes
    )
