"""``argnums``: which arguments a function is differentiated by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.errors import ArgumentError
from graphc.provenance import user_location_text

Argnums = int | tuple[int, ...]


def positions(what: str, argnums: Argnums, count: int) -> tuple[int, ...]:
    """The chosen arguments, counted from 0.

    Raises:
        ArgumentError: for positions that are not there or named twice, or no integers.
    """
    chosen: Any = (argnums,) if isinstance(argnums, int) else argnums
    if not isinstance(chosen, tuple) or not all(type(each) is int for each in chosen):
        raise ArgumentError(
            f"{what}: argnums must be an int or a tuple of ints", got=repr(argnums),
            where=user_location_text(),
        )  # fmt: skip
    if not chosen or any(not -count <= each < count for each in chosen):
        raise ArgumentError(
            f"{what}: argnums out of range", got=repr(argnums),
            expected=f"{-count}..{count - 1} for {count} positional arguments"
            if chosen else "at least one position",
            where=user_location_text(),
        )  # fmt: skip
    found = tuple(each % count for each in chosen)
    if len(set(found)) < len(found):
        raise ArgumentError(
            f"{what}: argnums names an argument twice", got=repr(argnums),
            where=user_location_text(),
        )  # fmt: skip
    return found


def replaced(args: Sequence[Any], places: Sequence[int], values: Sequence[Any]) -> list[Any]:
    """The arguments with others at some positions."""
    made = list(args)
    for place, value in zip(places, values, strict=True):
        made[place] = value
    return made


def by_argnums(argnums: Argnums, values: Sequence[Any]) -> Any:
    """One value for an int, a tuple for a tuple."""
    return values[0] if isinstance(argnums, int) else tuple(values)


def of_chosen(
    function: Callable[..., Any], args: Sequence[Any], places: Sequence[int], kwargs: dict[str, Any]
) -> Callable[..., Any]:
    """The function of the chosen arguments alone."""

    def call(*values: Any) -> Any:
        return function(*replaced(args, places, values), **kwargs)

    return call
