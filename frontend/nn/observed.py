"""Objects whose attributes traces note, and what tells quickly that one of them has changed."""

from __future__ import annotations

from typing import Any, Self, TypeVar

T = TypeVar("T")

MISSING = object()
"""What ``peek`` gives for an attribute that is not there."""


class Observed:
    """The base of objects whose attributes are noted when a trace reads them."""

    def peek(self, name: str) -> Any:
        """An attribute's value, found without running any code of a property or method."""
        own = object.__getattribute__(self, "__dict__")
        return own[name] if name in own else getattr(type(self), name, MISSING)


class _Changes:
    """The latest change of any observed object: a new object for each, so that none is missed."""

    def __init__(self) -> None:
        self.latest = object()


changes = _Changes()


def mark_changed() -> None:
    """Note that an attribute of some observed object has another value now."""
    changes.latest = object()


class OwnedDict(dict[str, T]):
    """A dict whose every change counts as one of the object that owns it.

    Attributes:
        version: another object after each change.
    """

    version = object()

    def touch(self) -> None:
        """Note that a value has changed in place."""
        self.version = object()
        mark_changed()

    def __setitem__(self, key: str, value: T) -> None:
        super().__setitem__(key, value)
        self.touch()

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.touch()

    def __ior__(self, other: Any) -> Self:  # type: ignore[misc, override]  # | gives a dict
        self.update(other)
        return self

    def clear(self) -> None:
        """Take all out."""
        super().clear()
        self.touch()

    def pop(self, *args: Any) -> Any:
        """Take one value out; see ``dict.pop``."""
        value = super().pop(*args)
        self.touch()
        return value

    def popitem(self) -> tuple[str, Any]:
        """Take the last pair out."""
        pair = super().popitem()
        self.touch()
        return pair

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of a key, which gets the default if it has none."""
        value = super().setdefault(key, default)
        self.touch()
        return value

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Take over other pairs; see ``dict.update``."""
        super().update(*args, **kwargs)
        self.touch()
