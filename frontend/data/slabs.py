"""Shared memory between a worker process and its loader: slabs that have no name.

A name could outlive its processes. The memory here is an open file without one, whose descriptor
a worker hands over; it is gone when both have let go of it, however they ended.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from collections.abc import Sequence

import numpy as np

from graphc.storage import Array

ALIGNMENT = 64
"""Where arrays start in a slab: at cache lines, as vector loads like it."""


def make_slab(size: int) -> tuple[mmap.mmap, int]:
    """New shared memory of this many bytes, and a descriptor for the other process."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("graphc-batch", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, size)
    return mmap.mmap(descriptor, size), descriptor


def spans_of(sizes: Sequence[int]) -> tuple[list[tuple[int, int]], int]:
    """Where to put buffers of these sizes, and the end of the last one.

    Example:
        >>> spans_of([4, 100])
        ([(0, 4), (64, 164)], 164)
    """
    spans, end = [], 0
    for size in sizes:
        start = -(-end // ALIGNMENT) * ALIGNMENT
        end = start + size
        spans.append((start, end))
    return spans, end


def rounded(size: int) -> int:
    """A slab's size for so many bytes: up to a quarter more, so that similar batches share one.

    Example:
        >>> rounded(1), rounded(70_000), rounded(1_000_000)
        (65536, 81920, 1048576)
    """
    step = 1 << (max(size - 1, 65535).bit_length() - 3)
    return max(-(-size // step) * step, 65536)


class OwnSlabs:
    """A worker's slabs, those that are not lent first."""

    def __init__(self) -> None:
        self._all: dict[int, mmap.mmap] = {}
        self._free: set[int] = set()
        self._made = 0

    def take(self, size: int) -> tuple[int, mmap.mmap, int | None, list[int]]:
        """Lend a slab of this size or more.

        Returns:
            Its number; its memory; the descriptor if it is new, to be closed once it is sent; and
            the numbers of smaller ones that are no more.
        """
        fitting = [number for number in self._free if len(self._all[number]) >= size]
        if fitting:
            number = min(fitting, key=lambda one: len(self._all[one]))
            self._free.remove(number)
            return number, self._all[number], None, []
        retired = sorted(self._free)
        for number in retired:
            self._all.pop(number).close()
        self._free.clear()
        memory, descriptor = make_slab(rounded(size))
        self._made += 1
        self._all[self._made] = memory
        return self._made, memory, descriptor, retired

    def give_back(self, numbers: Sequence[int], dropped: Sequence[int]) -> None:
        """Let slabs be used again, and forget those that the loader dropped."""
        self._free.update(numbers)
        for number in dropped:
            self._all.pop(number).close()


class LentSlabs:
    """One worker's slabs as its loader has them."""

    def __init__(self) -> None:
        self._all: dict[int, mmap.mmap] = {}
        self._out: set[int] = set()
        self._returned: list[int] = []
        self._dropped: list[int] = []
        _known.add(self)

    def add(self, number: int, descriptor: int, size: int) -> None:
        """Take over a new slab and its descriptor."""
        try:
            self._all[number] = mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)

    def forget(self, numbers: Sequence[int]) -> None:
        """Drop slabs that the worker retired; who still reads them keeps their memory."""
        for number in numbers:
            self._all.pop(number, None)

    def forget_all(self) -> None:
        """Drop all slabs, as the worker has ended."""
        self._all.clear()

    def lend(self, number: int) -> Array:
        """A slab's bytes; it comes back when nobody has an array in it any more."""
        whole = np.frombuffer(self._all[number], np.uint8)
        self._out.add(number)
        weakref.finalize(whole, self._returned.append, number).atexit = False
        return whole

    def copy(self, number: int, end: int) -> Array:
        """A slab's first bytes in memory of their own; the slab is back at once."""
        copied = np.frombuffer(self._all[number], np.uint8, end).copy()
        self.release(number)
        return copied

    def release(self, number: int) -> None:
        """Give back a slab that nobody reads."""
        self._returned.append(number)

    @property
    def in_use(self) -> int:
        """How many slabs are lent to somebody."""
        return len(self._out.difference(self._returned))

    def take_returned(self) -> tuple[list[int], list[int]]:
        """The slabs that came back since the last call, and those that never will."""
        count = len(self._returned)  # others may come back meanwhile, from any thread
        numbers = self._returned[:count]
        del self._returned[:count]
        self._out.difference_update(numbers)
        dropped, self._dropped = self._dropped, []
        return numbers, dropped

    def keep_for_child(self) -> None:
        """Never use again what is lent now: a child that is about to be forked reads it, too."""
        self._returned = list(self._returned)  # what comes back later goes to the old list
        lost = self._out.difference(self._returned)
        self._out -= lost
        self._dropped.extend(lost)
        self.forget(list(lost))


_known: weakref.WeakSet[LentSlabs] = weakref.WeakSet()


def _before_fork() -> None:
    for slabs in list(_known):
        slabs.keep_for_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork)
