"""Other names of arguments that PyTorch accepts, too."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from graphc.errors import ArgumentTypeError
from graphc.provenance import user_location_text

Function = TypeVar("Function", bound=Callable[..., Any])


def also_called(**names: str) -> Callable[[Function], Function]:
    """A decorator that accepts other names of arguments.

    Args:
        names: the name of the function's own argument, by the other name.

    Example:
        >>> @also_called(axis="dim")
        ... def pick(dim):
        ...     return dim
        >>> pick(axis=3), pick(dim=3), pick(3)
        (3, 3, 3)
    """

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def call(*args: Any, **given: Any) -> Any:
            if given:
                given = renamed(function.__name__, given, names)
            return function(*args, **given)

        return cast("Function", call)

    return decorate


def renamed(function: str, given: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Arguments by the function's own names; ArgumentTypeError if one is given by two."""
    own = {names.get(name, name): value for name, value in given.items()}
    if len(own) < len(given):
        raise ArgumentTypeError(
            f"{function}: an argument is given by two names", got=", ".join(given),
            where=user_location_text(),
        )  # fmt: skip
    return own
