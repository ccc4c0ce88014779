"""Locks between runs that share variables, and their renewal in a forked process."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
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


class Group:
    """A lock for variables that are used together: many readers, or one writer."""

    def __init__(self) -> None:
        self.serial = next(_serial)
        self.renew_locks()
        renew_after_fork(self)

    def renew_locks(self) -> None:
        """Forget all holders."""
        self._changed = threading.Condition()
        self._readers = 0
        self._writer: int | None = None
        self._waiting = 0

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep writers out."""
        with self._changed:
            self._refuse_nesting()
            while self._writer is not None or self._waiting:
                self._changed.wait()
            self._readers += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep everybody out; waiting writers go before new readers."""
        with self._changed:
            self._refuse_nesting()
            self._waiting += 1
            try:
                while self._writer is not None or self._readers:
                    self._changed.wait()
            finally:
                self._waiting -= 1
            self._writer = threading.get_ident()
        try:
            yield
        finally:
            with self._changed:
                self._writer = None
                self._changed.notify_all()

    def _refuse_nesting(self) -> None:
        if self._writer == threading.get_ident():
            raise SessionError(
                "a session was run inside a run that writes the same variables",
                fix="fetch what you need as an output of the outer graph",
            )


_groups: WeakKeyDictionary[Version, Group] = WeakKeyDictionary()
_registry_lock = threading.Lock()


class RunLocks:
    """The locks that each run of one session takes, always in the same order.

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

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold all locks."""
        with ExitStack() as stack:
            for group, exclusive in self._groups:
                stack.enter_context(group.writing() if exclusive else group.reading())
            yield


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
