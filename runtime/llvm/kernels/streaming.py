"""Stores that go past the caches.

A store to memory that is not in a cache first reads the line that it overwrites. Where a whole
vector or more of each line is written at once, and more than the caches keep, stores that go
straight to memory save that, and half the time: measured with 64 MB, ``x + y`` took 7.5 ms instead
of 11.7, a map of one array 4.5 instead of 8.8; from 4 MB on they pay even if the result is read
next. They do not pay where the line was read anyway, because the result takes an operand's place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.memory import CACHE_LINE
from graphc.runtime.llvm.ir.values import Value, constant
from graphc.runtime.llvm.kernels.analysis import Analysis, Place

STREAMED_BYTES = 1 << 22
"""From this size on a result is stored past the caches."""

SMALLEST = 16
"""Bytes of the smallest store that can go past the caches."""


def streamed_places(analysis: Analysis, lanes: Sequence[int], target: Target) -> frozenset[int]:
    """The numbers of the places that are stored past the caches, if they begin a cache line.

    Args:
        analysis: the values of a phase.
        lanes: widths of the vectors that are stored.
        target: the processor.
    """
    if not target.triple.startswith("x86_64"):
        return frozenset()
    return frozenset(
        number
        for numbers in analysis.stores
        for number in numbers
        if _is_streamed(analysis, number, min(lanes))
    )


def _is_streamed(analysis: Analysis, number: int, lanes: int) -> bool:
    place, vector = analysis.places[number], analysis.space.vector
    itemsize = place.layout.dtype.itemsize
    if not place.fresh or place.layout.size * itemsize < STREAMED_BYTES:
        return False
    if vector is None or vector.strides[number] != 1 or lanes * itemsize < SMALLEST:
        return False
    others = (axis.strides[number] for axis in analysis.space.axes if axis is not vector)
    return all(stride * itemsize % CACHE_LINE == 0 for stride in others)


def begin_lines(e: Emitter, places: Iterable[Place]) -> Value:
    """Whether all these places begin a cache line."""
    bits = constant("i64", 0)
    for place in places:
        address = e.define(f"ptrtoint ptr {place.base.text} to i64", "i64", 1)
        bits = e.binary("or", address, bits)
    return e.cmp("eq", e.binary("and", bits, CACHE_LINE - 1), 0)


def finish_stores(e: Emitter) -> None:
    """Make all that went past the caches visible to other threads before what follows."""
    e.module.declare("llvm.x86.sse.sfence", "declare void @llvm.x86.sse.sfence()")
    e.emit("call void @llvm.x86.sse.sfence()")
