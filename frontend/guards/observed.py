"""Objects whose attributes traces note, and what tells quickly that one of them has changed."""

from __future__ import annotations

from typing import Any, TypeVar

from graphc.frontend.guards.changes import Changes
from graphc.frontend.guards.containers import ObservableDict

T = TypeVar("T")

MISSING = object()
"""What ``peek`` gives for an attribute that is not there."""


class Observed:
    """The base of objects whose attributes are noted when a trace reads them."""

    def peek(self, name: str) -> Any:
        """An attribute's value, found without running any code of a property or method."""
        own = object.__getattribute__(self, "__dict__")
        return own[name] if name in own else getattr(type(self), name, MISSING)


observed_changes = Changes()
"""The latest change of any observed object."""


class OwnedDict(ObservableDict[str, T]):
    """A dict whose every change counts as one of the object that owns it.

    Attributes:
        version: another object after each change.
    """

    version = object()

    def changed(self) -> None:
        """Note that a value is another one, or has changed in place."""
        self.version = object()
        observed_changes.mark()
