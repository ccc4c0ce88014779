"""The one walk over everything that depends on something: nodes, and steps of the tape."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def operands_first(roots: Iterable[T], operands: Callable[[T], Sequence[T]]) -> list[T]:
    """What the roots need and the roots, operands before what uses them.

    The order depends on the structure only: operands come in their own order, depth first. It is
    iterative, so depth is no limit.

    Args:
        roots: where to start.
        operands: what one item needs directly.

    Example:
        >>> needs = {"c": ["a", "b"], "b": ["a"], "a": []}
        >>> operands_first(["c"], needs.__getitem__)
        ['a', 'b', 'c']
    """
    order: dict[T, None] = {}
    stack = [(root, False) for root in reversed(tuple(roots))]
    while stack:
        item, ready = stack.pop()
        if item in order:
            continue
        if ready:
            order[item] = None
            continue
        stack.append((item, True))
        stack.extend((each, False) for each in reversed(operands(item)) if each not in order)
    return list(order)
