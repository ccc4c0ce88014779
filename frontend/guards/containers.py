"""Observable containers: dicts and lists that are told of each of their changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self, SupportsIndex, TypeVar

K = TypeVar("K")
V = TypeVar("V")

ABSENT = object()
"""What ``changing`` gets for a key that is taken out."""


class ObservableDict(dict[K, V]):
    """A dict that calls ``changing`` before, and ``changed`` after it changes."""

    def changing(self, key: K, value: object) -> None:
        """A key is about to get a value, or ABSENT; may raise, then nothing changes."""

    def changed(self) -> None:
        """Something has changed."""

    def __setitem__(self, key: K, value: V) -> None:
        self.changing(key, value)
        super().__setitem__(key, value)
        self.changed()

    def __delitem__(self, key: K) -> None:
        self.changing(key, ABSENT)
        super().__delitem__(key)
        self.changed()

    def __ior__(self, other: Any) -> Self:  # type: ignore[misc, override]  # | gives a dict
        self.update(other)
        return self

    def clear(self) -> None:
        """Take all out."""
        for key in self:
            self.changing(key, ABSENT)
        super().clear()
        self.changed()

    def pop(self, key: K, *default: Any) -> Any:
        """Take one value out; see ``dict.pop``."""
        self.changing(key, ABSENT)
        value = super().pop(key, *default)
        self.changed()
        return value

    def popitem(self) -> tuple[K, V]:
        """Take the last pair out."""
        for key in [*self][-1:]:
            self.changing(key, ABSENT)
        pair = super().popitem()
        self.changed()
        return pair

    def setdefault(self, key: K, default: Any = None) -> Any:
        """The value of a key, which gets the default if it has none."""
        if key in self:
            return self[key]
        self[key] = default
        return default

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Take over other pairs; see ``dict.update``."""
        pairs: dict[Any, Any] = dict(*args, **kwargs)
        for key, value in pairs.items():
            self.changing(key, value)
        super().update(pairs)
        self.changed()


class ObservableList(list[V]):
    """A list that calls ``changed`` after it changes."""

    def changed(self) -> None:
        """Something has changed."""

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(index, value)
        self.changed()

    def __delitem__(self, index: SupportsIndex | slice) -> None:
        super().__delitem__(index)
        self.changed()

    def __iadd__(self, values: Iterable[V]) -> Self:  # type: ignore[misc, override]  # + gives a list
        self.extend(values)
        return self

    def __imul__(self, count: SupportsIndex) -> Self:
        super().__imul__(count)
        self.changed()
        return self

    def append(self, value: V) -> None:
        """Put a value at the end."""
        super().append(value)
        self.changed()

    def extend(self, values: Iterable[V]) -> None:
        """Put values at the end."""
        try:
            super().extend(values)
        finally:  # those before an error stay
            self.changed()

    def insert(self, index: SupportsIndex, value: V) -> None:
        """Put a value before the one at an index."""
        super().insert(index, value)
        self.changed()

    def remove(self, value: V) -> None:
        """Take out the first value that is equal; see ``list.remove``."""
        super().remove(value)
        self.changed()

    def pop(self, index: SupportsIndex = -1) -> V:
        """Take one value out."""
        value = super().pop(index)
        self.changed()
        return value

    def clear(self) -> None:
        """Take all out."""
        super().clear()
        self.changed()

    def reverse(self) -> None:
        """Turn the order around."""
        super().reverse()
        self.changed()

    def sort(self, *, key: Any = None, reverse: bool = False) -> None:
        """Sort in place; see ``list.sort``."""
        try:
            super().sort(key=key, reverse=reverse)
        finally:  # an error leaves it in some other order
            self.changed()
