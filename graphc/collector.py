"""Compiling without Python's collector of cycles, which would look at everything again and again.

A compilation makes many objects that stay, nearly all without cycles. Each of the collector's long
rounds visits all objects of the process and finds nothing.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Pauses:
    """How many threads want no collection, and whether there was any before the first."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin anew; in a forked child, the threads that paused do not exist."""
        self._lock = threading.Lock()
        self._count = 0
        self._was_enabled = False

    def begin(self) -> None:
        """One more thread wants no collection."""
        with self._lock:
            if not self._count:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._count += 1

    def end(self) -> None:
        """One of the threads is done; the last one lets collections go on, if any did before."""
        with self._lock:
            self._count -= self._count > 0
            if not self._count and self._was_enabled:
                gc.enable()

    def end_all(self) -> None:
        """Begin anew in a forked child: no thread that paused is there to end its pause."""
        enable = self._count and self._was_enabled
        self.renew()
        if enable:
            gc.enable()


_pauses = _Pauses()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pauses.end_all)


@contextmanager
def without_collection() -> Iterator[None]:
    """Let Python collect no cycles inside the block, in any thread.

    Example:
        >>> with without_collection():
        ...     gc.isenabled()
        False
        >>> gc.isenabled()
        True
    """
    _pauses.begin()
    try:
        yield
    finally:
        _pauses.end()
