"""Locks that no forked child inherits from a thread that it does not have."""

from __future__ import annotations

import os
from threading import RLock


def lock_over_forks() -> RLock:
    """A lock that each forking thread takes first, so that its child gets it free.

    What it guards is therefore whole in the child. The holder may fork too, and take it again.

    Returns:
        A new re-entrant lock; it is for modules, as it is kept forever.

    Example:
        >>> with lock_over_forks():
        ...     pass
    """
    lock = RLock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
        )
    return lock
