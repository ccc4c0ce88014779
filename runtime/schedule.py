"""The order of actions: one that the data flow allows, and that needs little memory."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from typing import Literal

from graphc.runtime.actions import Action, Cell
from graphc.runtime.arena import Block

Policy = Literal["program", "shrink", "least"]
POLICIES: tuple[Policy, ...] = ("program", "shrink", "least")
WINDOW = 12
"""How many of the ready actions are weighed against each other."""
LOOK_AHEAD = 4
"""How many actions that only wait for each other are weighed as one."""


class Dependencies:
    """Which actions must come before which.

    Args:
        actions: in program order; producers come before consumers.
    """

    def __init__(self, actions: Sequence[Action]) -> None:
        self.actions = actions
        self.index = {action: index for index, action in enumerate(actions)}
        self.producer = {view.cell: action for action in actions for view in action.writes}
        self.readers: dict[Cell, list[Action]] = {}
        self.after: dict[Action, set[Action]] = {action: set() for action in actions}
        for action in actions:
            for cell in read_cells(action):
                self.readers.setdefault(cell, []).append(action)
                if cell in self.producer:
                    self.after[self.producer[cell]].add(action)

    def put_before(self, firsts: Sequence[Action], last: Action) -> bool:
        """Demand that all of ``firsts`` come before ``last``; False if that is impossible."""
        if any(action in set(firsts) for action in self._reachable(last)):
            return False
        for action in firsts:
            self.after[action].add(last)
        return True

    def _reachable(self, start: Action) -> Iterator[Action]:
        seen = {start}
        stack = [start]
        while stack:
            for action in self.after[stack.pop()]:
                if action not in seen:
                    seen.add(action)
                    stack.append(action)
                    yield action


def read_cells(action: Action) -> dict[Cell, None]:
    """The distinct cells that an action reads, in order."""
    return dict.fromkeys(view.cell for view in action.reads)


class Scheduler:
    """Takes ready actions one by one and keeps count of who still needs which cell.

    Args:
        dependencies: what must come before what.
        kept: cells that are needed after the last action.
    """

    def __init__(self, dependencies: Dependencies, kept: set[Cell]) -> None:
        self._all = dependencies
        self._reads = {action: tuple(read_cells(action)) for action in dependencies.actions}
        self._weight = {
            view.cell: _weight(view.cell)
            for action in dependencies.actions
            for view in (*action.reads, *action.writes)
        }
        self._left = {cell: len(readers) for cell, readers in dependencies.readers.items()}
        for cell in kept:
            self._left[cell] = self._left.get(cell, 0) + 1
        self._waits = dict.fromkeys(dependencies.actions, 0)
        for followers in dependencies.after.values():
            for action in followers:
                self._waits[action] += 1
        self._ready = [
            index for index, action in enumerate(dependencies.actions) if not self._waits[action]
        ]

    def run(self, policy: Policy) -> list[Action]:
        """Order all actions.

        Args:
            policy: ``program``: keep the order in which the graph lists them; ``least``: always
                take what leaves the least memory in use; ``shrink``: take what does not need more
                memory than before, else keep the program's order.
        """
        order = []
        while self._ready:
            index = self._ready[0] if policy == "program" else self._best(policy)
            self._ready.remove(index)
            action = self._all.actions[index]
            order.append(action)
            for cell in self._reads[action]:
                self._left[cell] -= 1
            for follower in self._all.after[action]:
                self._waits[follower] -= 1
                if not self._waits[follower]:
                    bisect.insort(self._ready, self._all.index[follower])
        assert len(order) == len(self._all.actions), "the actions wait for each other in a circle"
        return order

    def _best(self, policy: Policy) -> int:
        cost, index = min((self._growth(index), index) for index in self._ready[:WINDOW])
        return self._ready[0] if policy == "shrink" and cost > 0 else index

    def _growth(self, index: int) -> int:
        """The bytes in use after this action, or after those that can only follow it, if fewer."""
        action = self._all.actions[index]
        used: dict[Cell, int] = {}
        done = {action}
        total, least = 0, None
        for _ in range(LOOK_AHEAD):
            for view in action.writes:
                if self._left.get(view.cell):
                    total += self._weight[view.cell]
            for cell in self._reads[action]:
                used[cell] = used.get(cell, 0) + 1
                if used[cell] == self._left[cell]:
                    total -= self._weight[cell]
            least = total if least is None else min(least, total)
            following = self._only_waiting_for(action, done)
            if following is None:
                break
            action = following
            done.add(action)
        assert least is not None
        return least

    def _only_waiting_for(self, action: Action, done: set[Action]) -> Action | None:
        """The first of the actions after this one that then waits for nothing else."""
        found = None
        for follower in self._all.after[action]:
            if found is not None and self._all.index[follower] > self._all.index[found]:
                continue
            met = sum(follower in self._all.after[one] for one in done)
            if follower not in done and self._waits[follower] == met:
                found = follower
        return found


def _weight(cell: Cell) -> int:
    return Block(cell.nbytes, 0, 0).padded if cell.root.kind == "arena" else 0
