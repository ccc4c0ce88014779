"""Shapes: sizes that must agree, broadcasting, and questions about all sizes of a shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from graphc.dims import Dim, Shape, Size


@dataclass(frozen=True, slots=True)
class Constraint:
    """Two sizes that must be equal at run time."""

    left: Size
    right: Size


_collector: ContextVar[Callable[[Constraint], None] | None] = ContextVar("collector", default=None)


@contextmanager
def collect_constraints(into: Callable[[Constraint], None]) -> Iterator[None]:
    """Report each equality that type inference assumes inside the ``with`` block."""
    token = _collector.set(into)
    try:
        yield
    finally:
        _collector.reset(token)


def unify(left: Size, right: Size) -> Size | None:
    """The common size of two that must agree, or None if they certainly differ.

    Two sizes that may agree, such as ``N`` and ``M`` or ``N`` and ``3``, unify; the equality is
    reported to ``collect_constraints`` and checked at run time.
    """
    if left == right:
        return left
    if isinstance(left, int) and isinstance(right, int):
        return None
    if isinstance(left - right, int):
        return None
    report = _collector.get()
    if report is not None:
        report(Constraint(left, right))
    return left if isinstance(left, int) else right if isinstance(right, int) else left


def broadcast_shapes(*shapes: Shape) -> Shape | None:
    """The shape that all broadcast to by numpy's rules, or None if they do not.

    A ``Dim`` broadcasts against a literal 1 only.

    Example:
        >>> broadcast_shapes((4, 1), (3,))
        (4, 3)
    """
    rank = max((len(shape) for shape in shapes), default=0)
    result: list[Size] = []
    for axis in range(-rank, 0):
        common: Size = 1
        for shape in shapes:
            size = shape[axis] if -axis <= len(shape) else 1
            if isinstance(size, int) and size == 1:
                continue
            if isinstance(common, int) and common == 1:
                common = size
                continue
            unified = unify(common, size)
            if unified is None:
                return None
            common = unified
        result.append(common)
    return tuple(result)


def numel(shape: Shape) -> Size:
    """The number of elements of a shape."""
    product: Size = 1
    for size in shape:
        product = product * size
    return product


def is_static(shape: Shape) -> bool:
    """True if every size is known."""
    return all(isinstance(size, int) for size in shape)


def bind_shape(shape: Shape, sizes: Mapping[str, int]) -> Shape:
    """Replace the unknowns that ``sizes`` names in every size of the shape."""
    return tuple(size.bind(sizes) if isinstance(size, Dim) else size for size in shape)


def shape_text(shape: Shape) -> str:
    """The text form of a shape, e.g. ``[N,10]``."""
    return "[" + ",".join(map(str, shape)) + "]"


def inverse_order(order: Sequence[int]) -> tuple[int, ...]:
    """The order that takes permuted dims back to where they were."""
    return tuple(sorted(range(len(order)), key=order.__getitem__))
