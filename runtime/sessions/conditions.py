"""What must hold for a native call, besides all that concerns inputs and variables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Watched = tuple[object, str, object]
"""An object with ``__slots__``, the name of an attribute, and the object that it must have."""


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """What must hold for a native call.

    Args:
        watched: attributes that must be as they are now.
        flagged: positions of inputs of which boxes must have their flag set; boxes for all others
            must not. Arrays are taken for every input.
    """

    watched: Sequence[Watched] = ()
    flagged: frozenset[int] = frozenset()


def watch_same(some: Sequence[Watched], others: Sequence[Watched]) -> bool:
    """Whether the same attributes of as many objects must be the same objects, in this order."""
    return len(some) == len(others) and all(
        a[0] is b[0] and a[2] is b[2] for a, b in zip(some, others, strict=True)
    )
