"""Nested lists, tuples, dicts and dataclasses of tensors: taken apart and put together again."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError
from graphc.frontend.base import TensorBase
from graphc.frontend.guards.observed import Observed

Rebuild = Callable[[Sequence[Any]], Any]


def flatten(structure: Any, name: str = "") -> tuple[list[str], list[Any], Rebuild]:
    """Take a nested structure of tensors apart.

    Args:
        structure: a tensor, or lists, tuples (also named ones), dicts and dataclasses of
            structures; anything else is kept as it is and is no leaf.
        name: the name of this part, prefix of its leaves' names.

    Returns:
        The leaves' names, the leaves, and a function that puts other leaves in their places.
    """
    if isinstance(structure, TensorBase):
        return [name or "output"], [structure], lambda leaves: leaves[0]
    if isinstance(structure, dict):
        keys = list(structure)
        parts = [(str(key), structure[key]) for key in keys]
        return _join(parts, name, _dict_maker(structure, keys))
    if isinstance(structure, list | tuple):
        parts = [(str(position), part) for position, part in enumerate(structure)]
        return _join(parts, name, _sequence_maker(structure))
    if fields := tensor_fields(structure):
        return _join(list(fields.items()), name, _record_maker(structure, list(fields)))
    return [], [], lambda leaves: structure


def tensor_fields(value: Any) -> dict[str, Any]:
    """The fields of a dataclass that holds tensors or arrays; empty for everything else."""
    if not dataclasses.is_dataclass(value) or isinstance(value, type | Observed):
        return {}
    fields = {
        each.name: getattr(value, each.name)
        for each in dataclasses.fields(value)
        if hasattr(value, each.name)
    }
    return fields if any(map(_holds_arrays, fields.values())) else {}


def _holds_arrays(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_arrays, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_holds_arrays, value))
    return isinstance(value, TensorBase | np.ndarray) or bool(tensor_fields(value))


def _dict_maker(like: dict[Any, Any], keys: list[Any]) -> Callable[[list[Any]], Any]:
    if type(like) is dict:
        return lambda parts: dict(zip(keys, parts, strict=True))

    def make(parts: list[Any]) -> Any:
        made = copy.copy(like)  # an OrderedDict, a defaultdict with its function ...
        made.update(zip(keys, parts, strict=True))
        return made

    return make


def _record_maker(like: Any, names: list[str]) -> Callable[[list[Any]], Any]:
    def make(parts: list[Any]) -> Any:
        made = copy.copy(like)
        for name, part in zip(names, parts, strict=True):
            object.__setattr__(made, name, part)  # also where it is frozen
        return made

    return make


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
        structure: lists, tuples and dicts of anything, and dataclasses that hold tensors.
        name: the name of this part.
        change: ``change(name, leaf)``; leaves are called ``name``, ``name.key``, ``name.0``.
    """
    if isinstance(structure, dict):
        changed = [map_leaves(part, _child(name, key), change) for key, part in structure.items()]
        return _dict_maker(structure, list(structure))(changed)
    if isinstance(structure, list | tuple):
        parts = [
            map_leaves(part, _child(name, position), change)
            for position, part in enumerate(structure)
        ]
        return _sequence_maker(structure)(parts)
    if fields := tensor_fields(structure):
        parts = [map_leaves(part, _child(name, key), change) for key, part in fields.items()]
        return _record_maker(structure, list(fields))(parts)
    return change(name, structure)


def records_as_dicts(structure: Any) -> Any:
    """The same nested structure with plain dicts in place of dataclasses that hold tensors."""
    if isinstance(structure, dict):
        parts = list(map(records_as_dicts, structure.values()))
        return _dict_maker(structure, list(structure))(parts)
    if isinstance(structure, list | tuple):
        return _sequence_maker(structure)(list(map(records_as_dicts, structure)))
    fields = tensor_fields(structure)
    return records_as_dicts(fields) if fields else structure


def _child(name: str, key: Any) -> str:
    return f"{name}.{key}" if name else str(key)
