"""``in_dims`` and ``out_dims``: a dim for every leaf of a structure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from graphc.errors import ArgumentError
from graphc.provenance import user_location_text

Axis = int | None


def leaves_of(structure: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """All that is in nested lists, tuples and dicts, and a function that puts others there."""
    leaves = list(_leaves(structure))

    def rebuild(values: list[Any]) -> Any:
        return _rebuilt(structure, iter(values))

    return leaves, rebuild


def _leaves(structure: Any) -> Iterator[Any]:
    if isinstance(structure, dict):
        for part in structure.values():
            yield from _leaves(part)
    elif isinstance(structure, list | tuple):
        for part in structure:
            yield from _leaves(part)
    else:
        yield structure


def _rebuilt(structure: Any, values: Iterator[Any]) -> Any:
    if isinstance(structure, dict):
        return {key: _rebuilt(part, values) for key, part in structure.items()}
    if isinstance(structure, list | tuple):
        parts = [_rebuilt(part, values) for part in structure]
        if isinstance(structure, list):
            return parts
        return type(structure)(*parts) if hasattr(structure, "_fields") else tuple(parts)
    return next(values)


def axes_of(what: str, axes: Any, structure: Any) -> list[Axis]:
    """The dim of each leaf, given one for all, or a structure that ends where they agree.

    Args:
        what: ``in_dims`` or ``out_dims``.
        axes: int, None, or nested lists, tuples and dicts of them.
        structure: what they are for.

    Raises:
        ArgumentError: if they are something else, or do not fit the structure.

    Example:
        >>> axes_of("in_dims", (0, None), ("x", {"a": "y", "b": "z"}))
        [0, None, None]
    """
    is_axis = axes is None or type(axes) is int
    if not is_axis and not isinstance(axes, tuple | list | dict):
        raise ArgumentError(
            f"vmap: {what} must be an int, None or a structure of them",
            got=repr(axes), where=user_location_text(),
        )  # fmt: skip
    return list(_spread(what, axes, structure, axes, structure))


def _spread(what: str, axes: Any, structure: Any, all_axes: Any, whole: Any) -> Iterator[Axis]:
    if axes is None or type(axes) is int:
        for _ in _leaves(structure):
            yield axes
        return
    if isinstance(axes, dict) and isinstance(structure, dict) and axes.keys() == structure.keys():
        for key, part in structure.items():
            yield from _spread(what, axes[key], part, all_axes, whole)
        return
    are_sequences = isinstance(axes, list | tuple) and isinstance(structure, list | tuple)
    if not are_sequences or len(axes) != len(structure):
        raise ArgumentError(
            f"vmap: {what} do not have the structure of the "
            + ("arguments" if what == "in_dims" else "results"),
            got=f"{all_axes!r} for {_outline(whole)}", where=user_location_text(),
        )  # fmt: skip
    for axis, part in zip(axes, structure, strict=True):
        yield from _spread(what, axis, part, all_axes, whole)


def _outline(structure: Any) -> str:
    if isinstance(structure, dict):
        inside = ", ".join(f"{key!r}: {_outline(part)}" for key, part in structure.items())
        return f"{{{inside}}}"
    if isinstance(structure, list | tuple):
        inside = ", ".join(map(_outline, structure))
        return f"[{inside}]" if isinstance(structure, list) else f"({inside})"
    return type(structure).__name__
