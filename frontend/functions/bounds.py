"""The bounds of a slice within a size that is known only at run time."""

from __future__ import annotations

import operator
from typing import Any

from graphc.dims import Dim, Size, larger, smaller
from graphc.errors import ArgumentError
from graphc.provenance import user_location_text


def symbolic_bounds(item: slice, size: Dim, step: int) -> tuple[Size, Size, int, bool]:
    """Start, stop and positive step, limited to the size as Python does, and whether to flip.

    Raises:
        ArgumentError: for a negative step over a part of the dim.
    """
    if step < 0:
        if item.start is None and item.stop is None and step == -1:
            return 0, size, 1, True
        raise ArgumentError(
            "a negative step over an unknown size needs the whole dim", got=str(item),
            fix="use x.flip(dim) and then a slice", where=user_location_text(),
        )  # fmt: skip
    start = 0 if item.start is None else _within(item.start, size)
    if item.stop is None:
        return start, size, step, False
    return start, larger(start, _within(item.stop, size)), step, False


def _within(bound: Any, size: Dim) -> Size:
    """A bound from 0 to the size; a negative number counts from the end."""
    at = bound if isinstance(bound, Dim) else operator.index(bound)
    return larger(size + at, 0) if isinstance(at, int) and at < 0 else smaller(at, size)
