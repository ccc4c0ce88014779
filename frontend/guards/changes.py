"""When something has last changed, so that nobody has to compare what has not."""

from __future__ import annotations


class Changes:
    """The latest change of many objects: a new object for each, so that none is missed.

    Attributes:
        latest: stays the same object as long as none of them has changed.
    """

    __slots__ = ("latest",)

    def __init__(self) -> None:
        self.latest = object()

    def mark(self) -> None:
        """Note a change that has happened."""
        self.latest = object()


announced_changes = Changes()
"""The latest change of state that announces its changes: guards need not look at it before one.

See ``graphc.frontend.guards.guards.Guard``.
"""
