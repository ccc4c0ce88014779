"""Forks while other threads compile: a child must not inherit LLVM half-way through a call.

Before a fork the forking thread waits for the calls into LLVM that are under way and takes the
locks that nobody would free in the child; afterwards both processes free them. All of them may
be taken again by the thread that has them: a signal handler may fork wherever it is called.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

IMPORTING = threading.RLock()
"""Taken to import and initialize llvmlite."""

LINKING = threading.RLock()
"""Taken to link and to unload libraries, before llvmlite's own lock."""


class Calls:
    """The calls into LLVM that llvmlite's lock does not know of."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside: list[int] = []  # the calling threads
        self._stopping: list[int] = []  # the threads that wait until no other is inside

    @contextmanager
    def one(self) -> Iterator[None]:
        """Call LLVM, once no other thread wants to fork."""
        me = threading.get_ident()
        with self._changed:
            self._changed.wait_for(lambda: not _others(self._stopping, me))
            self._inside.append(me)
        try:
            yield
        finally:
            with self._changed:
                self._inside.remove(me)
                self._changed.notify_all()

    @contextmanager
    def none(self) -> Iterator[None]:
        """Wait for the calls of other threads, and let them begin no new ones."""
        me = threading.get_ident()
        with self._changed:
            self._stopping.append(me)
            try:
                self._changed.wait_for(lambda: not _others(self._inside, me))
            finally:
                self._stopping.remove(me)
                self._changed.notify_all()
            yield

    def forget_other_threads(self) -> None:
        """In a forked child there are none."""
        me = threading.get_ident()
        with self._changed:
            self._inside = [thread for thread in self._inside if thread == me]
            self._stopping = [thread for thread in self._stopping if thread == me]


def _others(threads: list[int], me: int) -> bool:
    return any(thread != me for thread in threads)


CALLS = Calls()
"""The calls of this process."""


class _Forks(threading.local):
    """What this thread holds for each fork that it is in."""

    def __init__(self) -> None:
        self.held: list[ExitStack] = []


_forks = _Forks()


def _before() -> None:
    held = ExitStack()
    _forks.held.append(held)
    held.enter_context(CALLS.none())
    held.enter_context(LINKING)
    held.enter_context(IMPORTING)
    lib = getattr(sys.modules.get("llvmlite.binding.ffi"), "lib", None)
    if lib is not None:  # somebody has imported llvmlite
        held.enter_context(lib._lock)


def _after() -> None:
    _forks.held.pop().close()


def _after_in_child() -> None:
    CALLS.forget_other_threads()
    _after()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after_in_child)
