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
