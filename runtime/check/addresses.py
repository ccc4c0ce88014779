"""Which buffers lie near an address of the arena, without a look at all of them."""

from __future__ import annotations

from collections.abc import Iterable

from graphc.runtime.plan import Buffer

RANGES = 1024
"""Ranges of addresses that are kept apart."""


class NearBuffers:
    """Buffers of an arena by the ranges of addresses that they have a part in.

    Args:
        nbytes: the size of the arena; what lies behind it counts as its last range.
    """

    def __init__(self, nbytes: int) -> None:
        self._bytes = -(-nbytes // RANGES) or 1
        self._ranges: list[dict[int, Buffer]] = [{} for _ in range(RANGES + 1)]

    def add(self, buffer: Buffer) -> None:
        """Note a buffer."""
        numbers = self._numbers(buffer.offset, buffer.offset + buffer.nbytes)
        if buffer.id not in self._ranges[numbers[0]]:
            for number in numbers:
                self._ranges[number][buffer.id] = buffer

    def remove(self, buffer: Buffer) -> None:
        """Forget a buffer, if it was noted."""
        for number in self._numbers(buffer.offset, buffer.offset + buffer.nbytes):
            self._ranges[number].pop(buffer.id, None)

    def near(self, low: int, high: int) -> Iterable[Buffer]:
        """At least the noted buffers with a byte in ``low:high``, each once."""
        found: dict[int, Buffer] = {}
        for number in self._numbers(low, high):
            found |= self._ranges[number]
        return found.values()

    def _numbers(self, low: int, high: int) -> range:
        first = min(max(low // self._bytes, 0), RANGES)
        return range(first, min(max((high - 1) // self._bytes, first), RANGES) + 1)
