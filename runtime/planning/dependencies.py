"""Which actions must come before which, and an order of all actions that keeps to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from graphc.runtime.planning.actions import Action, Cell


class Dependencies:
    """Actions by number, edges between them, and a present order that respects every edge.

    A new edge moves only the actions between its two ends, so that most edges cost nothing.

    Args:
        actions: in program order; who writes a cell comes before who reads it.
    """

    def __init__(self, actions: Sequence[Action]) -> None:
        self.actions: list[Action] = []
        self.numbers: dict[Action, int] = {}
        self.after: list[dict[int, None]] = []
        self.before: list[dict[int, None]] = []
        self.writers: dict[Cell, list[int]] = {}
        self.readers: dict[Cell, list[int]] = {}
        self._position: list[int] = []
        for action in actions:
            self.append(action)

    def append(self, action: Action) -> int:
        """Add an action behind all others, and the edges from those that write what it reads.

        A variable is read before it is written; those edges are for the caller to demand.
        """
        number = len(self.actions)
        self.actions.append(action)
        self.numbers[action] = number
        self._position.append(number)
        self.after.append({})
        self.before.append({})
        for cell in dict.fromkeys(view.cell for view in action.reads):
            self.readers.setdefault(cell, []).append(number)
            if cell.kind != "variable":
                for writer in self.writers.get(cell, ()):
                    self._link(writer, number)
        for cell in dict.fromkeys(view.cell for view in action.writes):
            self.writers.setdefault(cell, []).append(number)
        return number

    def put_before(self, firsts: Iterable[int], last: int) -> bool:
        """Demand that all of ``firsts`` come before ``last``; False if that is impossible."""
        return all(self._put(first, last) for first in firsts)

    @property
    def order(self) -> list[int]:
        """All actions, in the present order."""
        return sorted(range(len(self.actions)), key=self._position.__getitem__)

    def _put(self, first: int, last: int) -> bool:
        if first == last:
            return False
        if self._position[first] > self._position[last]:
            later = self._reach(last, self.after, self._position[first], 1)
            if first in later:
                return False
            self._move(self._reach(first, self.before, self._position[last], -1), later)
        self._link(first, last)
        return True

    def _link(self, first: int, last: int) -> None:
        self.after[first][last] = None
        self.before[last][first] = None

    def _reach(
        self, start: int, edges: Sequence[dict[int, None]], limit: int, sign: int
    ) -> dict[int, None]:
        """What can be reached without passing a position."""
        seen = {start: None}
        stack = [start]
        while stack:
            for number in edges[stack.pop()]:
                if number not in seen and sign * (limit - self._position[number]) >= 0:
                    seen[number] = None
                    stack.append(number)
        return seen

    def _move(self, earlier: Iterable[int], later: Iterable[int]) -> None:
        """Share out the positions of both groups anew: first the one, then the other."""
        groups = [sorted(group, key=self._position.__getitem__) for group in (earlier, later)]
        moved = [*groups[0], *groups[1]]
        places = sorted(self._position[number] for number in moved)
        for number, place in zip(moved, places, strict=True):
            self._position[number] = place
