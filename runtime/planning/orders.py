"""Orders of actions that the data flow allows, and how much memory each of them needs.

Two simple orders are the start: the program's, and one by distance from the inputs. Each is also
tried with a preference: what frees memory comes first (``shrinking``), or always what leaves the
least in use (``least``). No rule wins everywhere, so all are tried and measured.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import Literal

from graphc.runtime.planning.actions import Cell
from graphc.runtime.planning.arena import padded
from graphc.runtime.planning.dependencies import Dependencies
from graphc.runtime.planning.reuse import reusable

Order = list[int]
Preference = Literal["shrinking", "least"]


class Usage:
    """What each action needs, as numbers: which cells it reads and writes, and their sizes.

    Args:
        dependencies: the actions and their order.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self.after = [tuple(edges) for edges in dependencies.after]
        self.waits = [len(edges) for edges in dependencies.before]
        self.start = dependencies.order
        cells: dict[Cell, int] = {}
        self.sizes: list[int] = []
        for action in dependencies.actions:
            for view in (*action.reads, *action.fills):
                if view.cell not in cells:
                    cells[view.cell] = len(cells)
                    inside = view.cell.root.kind == "arena"
                    self.sizes.append(padded(view.cell.nbytes) if inside else 0)
        self.reads = [
            tuple({cells[view.cell]: None for view in action.reads if self.sizes[cells[view.cell]]})
            for action in dependencies.actions
        ]
        self.writes = [
            tuple({cells[view.cell]: None for view in action.fills if self.sizes[cells[view.cell]]})
            for action in dependencies.actions
        ]
        self.reusable = [
            tuple(
                (cells[action.writes[number].cell], cells[old])
                for number, old in reusable(action)
                if self.sizes[cells[old]] and self.sizes[cells[action.writes[number].cell]]
            )
            for action in dependencies.actions
        ]
        self.readers: list[list[int]] = [[] for _ in cells]
        for number, read in enumerate(self.reads):
            for cell in read:
                self.readers[cell].append(number)

    def peak(self, order: Sequence[int]) -> int:
        """The most bytes that are in use at one time, with results in dying operands' memory."""
        left = [len(readers) for readers in self.readers]
        live = [False] * len(left)
        used = most = 0
        for number in order:
            taken = set()
            for result, old in self.reusable[number]:
                if left[old] == 1 and not live[result] and old not in taken:
                    taken.add(old)
                    live[result] = True
            for cell in self.writes[number]:
                if not live[cell]:
                    live[cell] = True
                    used += self.sizes[cell]
            most = max(most, used)
            for cell in self.reads[number]:
                left[cell] -= 1
                if not left[cell] and cell not in taken:
                    used -= self.sizes[cell]
            for cell in self.writes[number]:
                if not left[cell]:
                    used -= self.sizes[cell]
        return most


def best_order(dependencies: Dependencies) -> Order:
    """The order that needs the least memory of those that are tried."""
    usage = Usage(dependencies)
    return min(orders(usage), key=usage.peak)


def orders(usage: Usage) -> Iterator[Order]:
    """All orders that are tried."""
    yield usage.start
    ranks = [0] * len(usage.start)
    for rank, number in enumerate(usage.start):
        ranks[number] = rank
    yield _listed(usage, ranks, "shrinking")
    yield _listed(usage, ranks, "least")
    depth = [0] * len(ranks)
    for number in usage.start:
        for follower in usage.after[number]:
            depth[follower] = max(depth[follower], depth[number] + 1)
    by_depth = sorted(range(len(ranks)), key=lambda number: (depth[number], ranks[number]))
    for rank, number in enumerate(by_depth):
        ranks[number] = rank
    yield by_depth
    yield _listed(usage, ranks, "shrinking")


def _listed(usage: Usage, ranks: Sequence[int], preference: Preference) -> Order:
    """Take ready actions one by one.

    Args:
        usage: what the actions need.
        ranks: which of two actions comes first if nothing else speaks for either.
        preference: ``shrinking``: first what leaves no more memory in use than before, the best
            first; ``least``: always what leaves the least in use.
    """
    ready = _Ready(usage, ranks, preference)
    order = []
    while (number := ready.pop()) is not None:
        order.append(number)
    assert len(order) == len(ranks), "the actions wait for each other in a circle"
    return order


class _Ready:
    """The actions that wait for nothing; knows how much each changes the memory in use."""

    def __init__(self, usage: Usage, ranks: Sequence[int], preference: Preference) -> None:
        self._usage = usage
        self._ranks = ranks
        self._limit = 0 if preference == "shrinking" else None
        self._left = [len(readers) for readers in usage.readers]
        self._waits = [*usage.waits]
        self._done = [False] * len(ranks)
        self._written = [False] * len(usage.sizes)
        sizes = usage.sizes
        self._growth = [sum(sizes[cell] for cell in cells) for cells in usage.writes]
        self._writers: dict[int, list[int]] = {}
        for number, cells in enumerate(usage.writes):
            for cell in cells:
                self._writers.setdefault(cell, []).append(number)
        for number, cells in enumerate(usage.reads):
            for cell in cells:
                if self._left[cell] == 1:
                    self._growth[number] -= sizes[cell]
        self._by_rank: list[tuple[int, int]] = []
        self._by_growth: list[tuple[int, int, int]] = []
        for number, waits in enumerate(self._waits):
            if not waits:
                self._push(number)

    def pop(self) -> int | None:
        """Take the next action and note what it does; None if there is none."""
        number = self._next()
        if number is None:
            return None
        self._done[number] = True
        usage = self._usage
        for cell in usage.reads[number]:
            self._left[cell] -= 1
            if self._left[cell] == 1:
                self._lessen([one for one in usage.readers[cell] if not self._done[one]], cell)
        for cell in usage.writes[number]:
            if not self._written[cell]:
                self._written[cell] = True
                self._lessen([one for one in self._writers[cell] if not self._done[one]], cell)
        for follower in usage.after[number]:
            self._waits[follower] -= 1
            if not self._waits[follower]:
                self._push(follower)
        return number

    def _next(self) -> int | None:
        while self._by_growth:
            _, _, number = heapq.heappop(self._by_growth)
            if not self._done[number]:
                return number
        while self._by_rank:
            _, number = heapq.heappop(self._by_rank)
            if not self._done[number]:
                return number
        return None

    def _push(self, number: int) -> None:
        growth, rank = self._growth[number], self._ranks[number]
        if self._limit is None or growth <= self._limit:
            heapq.heappush(self._by_growth, (growth, rank, number))
        else:
            heapq.heappush(self._by_rank, (rank, number))

    def _lessen(self, numbers: Sequence[int], cell: int) -> None:
        for number in numbers:
            self._growth[number] -= self._usage.sizes[cell]
            if not self._waits[number]:
                self._push(number)
