"""Python values as keys: two keys are equal only where the values cannot be told apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Identity:
    """A key for an object that is equal to itself only; it keeps the object alive.

    Args:
        value: the object.
    """

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def fingerprint(value: Any, leaf: Callable[[Any], Any] = Identity) -> Any:
    """A key for a value, by content for lists, tuples, dicts, numbers and texts.

    Args:
        value: anything.
        leaf: makes the key of a value that is none of these.

    Example:
        >>> fingerprint([1, 2]) == fingerprint([1, 2])
        True
        >>> fingerprint(0.0) == fingerprint(-0.0), fingerprint(1) == fingerprint(True)
        (False, False)
    """
    if isinstance(value, dict):
        pairs = ((fingerprint(key, leaf), fingerprint(item, leaf)) for key, item in value.items())
        return ("dict", tuple(pairs))
    if isinstance(value, list | tuple):
        return (type(value), tuple(fingerprint(item, leaf) for item in value))
    if isinstance(value, float | complex):  # text tells 0.0 from -0.0; NaN is the same as NaN
        return (type(value), repr(value))
    if value is None or isinstance(value, int | str | bytes):
        return (type(value), value)
    return leaf(value)
