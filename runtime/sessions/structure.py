"""The shape in which users want their outputs: one name, or lists, tuples and dicts of names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from graphc.errors import ArgumentError, did_you_mean

Structure: TypeAlias = (
    "str | list[Structure] | tuple[Structure, ...] | Mapping[str, Structure] | None"
)
"""Leaves are names of outputs; None stands for None."""


def leaves(structure: Structure) -> Iterator[str]:
    """The names in a structure, in order."""
    if isinstance(structure, str):
        yield structure
    elif isinstance(structure, Mapping):
        for part in structure.values():
            yield from leaves(part)
    elif structure is not None:
        for part in structure:
            yield from leaves(part)


def fill(structure: Structure, values: Mapping[str, Any]) -> Any:
    """The structure with every name replaced by its value.

    Example:
        >>> fill({"loss": "a", "rest": ["b", ("a",)]}, {"a": 1, "b": 2})
        {'loss': 1, 'rest': [2, (1,)]}
    """
    if structure is None:
        return None
    if isinstance(structure, str):
        return values[structure]
    if isinstance(structure, Mapping):
        return {key: fill(part, values) for key, part in structure.items()}
    parts = [fill(part, values) for part in structure]
    return tuple(parts) if isinstance(structure, tuple) else parts


def require_known(structure: Structure, names: Mapping[str, Any]) -> None:
    """Raise ArgumentError if the structure names an output that does not exist."""
    for name in leaves(structure):
        if name not in names:
            raise ArgumentError(
                f"the program has no output {name!r}",
                expected=", ".join(map(repr, names)) or "nothing",
                fix=did_you_mean(name, names),
            )
