"""The iteration space of a kernel: the full shape, and the dims that its reductions fold.

Every value in a kernel is at point level (the full shape) or at row level (the full shape with
the reduced dims 1), up to leading dims of size 1. A kernel without reductions has one level.
"""

from __future__ import annotations

from dataclasses import dataclass

from graphc.dims import Shape
from graphc.graph import has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.passes.layout import is_unit

DIFFERENT_DIMS = "different reduction dims"
DIFFERENT_SHAPES = "different shapes"


@dataclass(frozen=True, slots=True)
class Space:
    """What a kernel loops over.

    Args:
        full: the shape of its points.
        dims: the dims of ``full`` that all its reductions fold; None for a kernel without any.
    """

    full: Shape
    dims: tuple[int, ...] | None = None

    @property
    def row(self) -> Shape:
        """The shape of reduced values."""
        folded = self.dims or ()
        return tuple(1 if dim in folded else size for dim, size in enumerate(self.full))


def space_of(node: Node) -> Space:
    """The space of one elementwise or reduce node."""
    if has_trait(node, Trait.REDUCE):
        return Space(node.inputs[0].type.shape, tuple(sorted(node.attrs["dims"])))
    return Space(node.type.shape)


def join(first: Space, second: Space) -> Space | str:
    """The space of both together, or the reason why there is none."""
    if first.dims is None and second.dims is None:
        if trimmed(first.full) != trimmed(second.full):
            return DIFFERENT_SHAPES
        return first if len(first.full) >= len(second.full) else second
    if first.dims is not None and second.dims is not None:
        if first.full != second.full:
            return DIFFERENT_SHAPES
        return first if first.dims == second.dims else DIFFERENT_DIMS
    folding, mapping = (first, second) if first.dims is not None else (second, first)
    fits = len(mapping.full) <= len(folding.full) and trimmed(mapping.full) in (
        trimmed(folding.full),
        trimmed(folding.row),
    )
    return folding if fits else DIFFERENT_SHAPES


def trimmed(shape: Shape) -> Shape:
    """The shape without leading dims of size 1: what right alignment makes equal."""
    lead = 0
    while lead < len(shape) and is_unit(shape[lead]):
        lead += 1
    return shape[lead:]
