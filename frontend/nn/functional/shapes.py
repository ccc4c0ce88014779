"""Comparing shapes whose sizes may be unknown."""

from __future__ import annotations

from graphc.dims import Shape
from graphc.shapes import unify


def agree(first: Shape, second: Shape) -> bool:
    """True unless the shapes certainly differ; unknown sizes are checked at run time."""
    return len(first) == len(second) and all(
        unify(own, other) is not None for own, other in zip(first, second, strict=True)
    )
