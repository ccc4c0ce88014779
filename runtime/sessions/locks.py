"""Locks between runs that share variables, and their renewal in a forked process."""

from __future__ import annotations

import ctypes
import itertools
import os
import threading
from collections.abc import Iterable, Sequence
from typing import Protocol
from weakref import WeakKeyDictionary, WeakSet

from graphc.errors import SessionError
from graphc.storage import Version


class Forkable(Protocol):
    """Something with locks."""

    def renew_locks(self) -> None:
        """Make new, free locks: in a forked child nobody is left to free the old ones."""
        ...


_forkables: WeakSet[Forkable] = WeakSet()


def renew_after_fork(thing: Forkable) -> None:
    """Have ``thing.renew_locks()`` called in every forked child."""
    _forkables.add(thing)


def _in_child() -> None:
    global _registry_lock
    _registry_lock = threading.Lock()
    for thing in list(_forkables):
        thing.renew_locks()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)

_serial = itertools.count()

_PATIENCE = 0.5
"""Seconds until a waiting thread looks by itself: an interrupt may cut the call to it short."""


READERS, WRITER, ENTERING, NATIVE_READERS, NATIVE_WRITER = range(5)
"""The words of a group's state.

Python changes the first three while it has the group's mutex: how many readers there are, the
thread that writes, and how many threads are about to enter. Native calls change the last two
while they have the GIL, and begin only where ``ENTERING`` is 0: a thread that enters through
Python announces itself there before it looks at the state, so neither overlooks the other.
"""


class Group:
    """A lock for variables that are used together: many readers, or one writer."""

    def __init__(self) -> None:
        self.serial = next(_serial)
        self.state = (ctypes.c_int64 * 5)()
        self.renew_locks()
        renew_after_fork(self)

    def renew_locks(self) -> None:
        """Forget all holders."""
        self._changed = threading.Condition()
        self._waiting_writers = 0
        self.state[:] = [0] * 5

    def acquire(self, exclusive: bool) -> None:
        """Keep writers out, or everybody; waiting writers go before new readers."""
        state = self.state
        with self._changed:
            if state[WRITER] == threading.get_ident():
                raise SessionError(
                    "a session was run inside a run that writes the same variables",
                    fix="fetch what you need as an output of the outer graph",
                )
            state[ENTERING] += 1
            self._waiting_writers += exclusive
            try:
                while self._is_occupied(exclusive):
                    self._changed.wait(_PATIENCE)
                if exclusive:
                    state[WRITER] = threading.get_ident()
                else:
                    state[READERS] += 1
            finally:
                self._waiting_writers -= exclusive
                state[ENTERING] -= 1  # only now: a native call must not slip in between

    def release(self, exclusive: bool) -> None:
        """Let others in."""
        with self._changed:
            if exclusive:
                self.state[WRITER] = 0
            else:
                self.state[READERS] -= 1
            self._changed.notify_all()

    def wake(self) -> None:
        """Let those who wait look again; native calls ask for it when they are over."""
        with self._changed:
            self._changed.notify_all()

    def _is_occupied(self, exclusive: bool) -> bool:
        state = self.state
        if state[WRITER] or state[NATIVE_WRITER]:
            return True
        if exclusive:
            return bool(state[READERS] or state[NATIVE_READERS])
        return self._waiting_writers > 0


_groups: WeakKeyDictionary[Version, Group] = WeakKeyDictionary()
_registry_lock = threading.Lock()


class RunLocks:
    """The locks that each run of one session takes, always in the same order: ``with locks:``.

    Args:
        read: the versions of the variables that it only reads.
        written: the versions of the variables that it writes.
    """

    def __init__(self, read: Iterable[Version], written: Iterable[Version]) -> None:
        exclusive, shared = _groups_of(written), _groups_of(read)
        self._groups = sorted(
            ((group, group in exclusive) for group in {*exclusive, *shared}),
            key=lambda pair: pair[0].serial,
        )

    @property
    def groups(self) -> Sequence[tuple[Group, bool]]:
        """The groups in their order, and whether each is held exclusively."""
        return self._groups

    def __enter__(self) -> None:
        taken = 0
        try:
            for group, exclusive in self._groups:
                group.acquire(exclusive)
                taken += 1
        except BaseException:
            self._release(taken)
            raise

    def __exit__(self, *_: object) -> None:
        self._release(len(self._groups))

    def _release(self, count: int) -> None:
        for group, exclusive in reversed(self._groups[:count]):
            group.release(exclusive)


def reading(versions: Iterable[Version]) -> RunLocks:
    """Locks that keep sessions from writing variables; those of no session need none.

    Args:
        versions: the variables' versions.
    """
    with _registry_lock:
        known = [version for version in versions if version in _groups]
    return RunLocks(known, ())


def _groups_of(versions: Iterable[Version]) -> set[Group]:
    """The groups of these variables; those that have none get one together."""
    with _registry_lock:
        found = set()
        new: Group | None = None
        for version in versions:
            group = _groups.get(version)
            if group is None:
                new = new or Group()
                _groups[version] = group = new
            found.add(group)
        return found
