"""Nested lists, tuples and dicts of tensors: taken apart into leaves and put together again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.errors import ArgumentError
from graphc.frontend.base import TensorBase

Rebuild = Callable[[Sequence[Any]], Any]


def flatten(structure: Any, name: str = "") -> tuple[list[str], list[Any], Rebuild]:
    """Take a nested structure of tensors apart.

    Args:
        structure: a tensor, or lists, tuples (also named ones) and dicts of structures; anything
            else is kept as it is and is no leaf.
        name: the name of this part, prefix of its leaves' names.

    Returns:
        The leaves' names, the leaves, and a function that puts other leaves in their places.
    """
    if isinstance(structure, TensorBase):
        return [name or "output"], [structure], lambda leaves: leaves[0]
    if isinstance(structure, dict):
        keys = list(structure)
        return _join([(str(key), structure[key]) for key in keys], name, _dict_maker(keys))
    if isinstance(structure, list | tuple):
        parts = [(str(position), part) for position, part in enumerate(structure)]
        return _join(parts, name, _sequence_maker(structure))
    return [], [], lambda leaves: structure


def _dict_maker(keys: list[Any]) -> Callable[[list[Any]], Any]:
    return lambda parts: dict(zip(keys, parts, strict=True))


def _sequence_maker(like: Sequence[Any]) -> Callable[[list[Any]], Any]:
    if hasattr(like, "_fields"):
        return lambda parts: type(like)(*parts)
    return list if isinstance(like, list) else tuple


def _join(
    parts: list[tuple[str, Any]], name: str, make: Callable[[list[Any]], Any]
) -> tuple[list[str], list[Any], Rebuild]:
    names: list[str] = []
    leaves: list[Any] = []
    builders: list[tuple[int, int, Rebuild]] = []
    for label, part in parts:
        part_names, part_leaves, build = flatten(part, f"{name}.{label}" if name else label)
        builders.append((len(leaves), len(leaves) + len(part_leaves), build))
        names += part_names
        leaves += part_leaves
    if len(set(names)) < len(names):
        raise ArgumentError("two results have one name", got=", ".join(names))

    def rebuild(values: Sequence[Any]) -> Any:
        return make([build(values[start:stop]) for start, stop, build in builders])

    return names, leaves, rebuild


def map_leaves(structure: Any, name: str, change: Callable[[str, Any], Any]) -> Any:
    """The same nested structure with every leaf changed.

    Args:
        structure: lists, tuples and dicts of anything.
        name: the name of this part.
        change: ``change(name, leaf)``; leaves are called ``name``, ``name.key``, ``name.0``.
    """
    if isinstance(structure, dict):
        return {key: map_leaves(part, _child(name, key), change) for key, part in structure.items()}
    if isinstance(structure, list | tuple):
        parts = [
            map_leaves(part, _child(name, position), change)
            for position, part in enumerate(structure)
        ]
        return _sequence_maker(structure)(parts)
    return change(name, structure)


def _child(name: str, key: Any) -> str:
    return f"{name}.{key}" if name else str(key)
