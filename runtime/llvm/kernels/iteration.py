"""The iteration space of a kernel: its loops, their order, and which one runs in vectors."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from graphc.dtypes import DType
from graphc.errors import CompileError
from graphc.node import Node

SHORT_ROW = 12
"""Rows up to this size do not fill a vector well enough to be reduced in one."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How an operand lies in memory.

    Args:
        shape: its sizes.
        strides: distance between neighbours along each dim, in elements; 0 and negative are fine.
        dtype: type of its elements.
    """

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: DType

    @staticmethod
    def contiguous(shape: tuple[int, ...], dtype: DType) -> Layout:
        """The layout of a C-contiguous array."""
        strides = tuple(math.prod(shape[dim + 1 :]) for dim in range(len(shape)))
        return Layout(shape, strides, dtype)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def distinct(self) -> Layout:
        """Every element once: dims that repeat elements have size 1."""
        sizes = zip(self.shape, self.strides, strict=True)
        once = tuple(1 if stride == 0 < size else size for size, stride in sizes)
        return Layout(once, self.strides, self.dtype)

    def along(self, dim: int, rank: int) -> int:
        """The stride along one dim of a space of ``rank`` dims; 0 where the operand is repeated."""
        own = dim - (rank - len(self.shape))
        return 0 if own < 0 or self.shape[own] == 1 else self.strides[own]


@dataclass(frozen=True, slots=True)
class Axis:
    """One loop: some neighbouring dims of the space that every operand can walk as one.

    Args:
        size: the number of rounds.
        reduced: whether reductions run along it.
        strides: one per operand, in elements.
        dim: the dim of the space if it is just one.
    """

    size: int
    reduced: bool
    strides: tuple[int, ...]
    dim: int


@dataclass(frozen=True, slots=True)
class Space:
    """The loops of a kernel, outermost first: the kept axes, then the reduced ones.

    Args:
        kept: axes that results are stored along.
        reduced: axes that reductions run along.
        vector: the axis that is walked in vectors, or None when there is no axis; it is the last
            of its group.
        rounds: number of elements that one reduction takes in.
        rank: number of dims of the full shape.
    """

    kept: tuple[Axis, ...]
    reduced: tuple[Axis, ...]
    vector: Axis | None
    rounds: int
    rank: int

    @property
    def axes(self) -> tuple[Axis, ...]:
        """All axes, outermost first."""
        return self.kept + self.reduced

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to store at all."""
        return any(axis.size == 0 for axis in self.kept)


def space_of(
    nodes: Sequence[Node], reductions: Collection[Node], operands: Sequence[Layout]
) -> Space:
    """Plan the loops.

    Args:
        nodes: the values that are computed or read.
        reductions: those of them that are reductions to compute.
        operands: layouts of all that is read or written; strides of an axis are in this order.

    Raises:
        CompileError: if no kernel can be made for these values.
    """
    shape, reduced = _shape_of(nodes, reductions)
    axes = [
        Axis(
            size,
            dim in reduced,
            tuple(layout.along(dim, len(shape)) for layout in operands),
            dim,
        )
        for dim, size in enumerate(shape)
        if size != 1
    ]
    axes = list(_merged(axes, set(_indexed_dims(nodes, len(shape)))))
    vector = _vector_of(axes)
    kept = [axis for axis in axes if not axis.reduced and axis is not vector]
    inner = [axis for axis in axes if axis.reduced and axis is not vector]
    if vector is not None:
        (inner if vector.reduced else kept).append(vector)
    rounds = math.prod(shape[dim] for dim in reduced)
    return Space(tuple(kept), tuple(inner), vector, rounds, len(shape))


def _shape_of(
    nodes: Sequence[Node], reductions: Collection[Node]
) -> tuple[tuple[int, ...], frozenset[int]]:
    """The full shape, and the dims that are reduced."""
    sizes = _broadcast([node.type.static_shape for node in nodes])
    rank = len(sizes)
    dims: frozenset[int] = frozenset()
    for node in reductions:
        found = frozenset(node.attrs["dims"])
        if len(node.inputs[0].type.shape) != rank or (dims and found != dims):
            raise CompileError("reductions of one kernel run over different dims")
        dims = found
    for node in reductions:
        if any(node.inputs[0].type.shape[dim] != sizes[dim] for dim in dims):
            raise CompileError("reductions of one kernel have different sizes")
    return sizes, dims


def _broadcast(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape that all of these broadcast to."""
    rank = max((len(shape) for shape in shapes), default=0)
    sizes = [1] * rank
    for shape in shapes:
        for dim, size in enumerate(shape, rank - len(shape)):
            if size == 1:
                continue
            if sizes[dim] not in (1, size):
                raise CompileError("values of one kernel have shapes that do not broadcast")
            sizes[dim] = size
    return tuple(sizes)


def _indexed_dims(nodes: Sequence[Node], rank: int) -> Iterator[int]:
    """Dims whose index is itself a value; they stay loops of their own."""
    for node in nodes:
        if node.op.name == "iota":
            yield node.attrs["dim"] + rank - len(node.type.shape)
        elif node.op.name in ("argmax", "argmin"):
            yield from node.attrs["dims"]


def _merged(axes: list[Axis], single: set[int]) -> Iterator[Axis]:
    """Join neighbours that every operand walks as one."""
    pending: Axis | None = None
    for axis in axes:
        if pending is None:
            pending = axis
        elif _mergeable(pending, axis) and not {pending.dim, axis.dim} & single:
            pending = Axis(pending.size * axis.size, axis.reduced, axis.strides, axis.dim)
        else:
            yield pending
            pending = axis
    if pending is not None:
        yield pending


def _mergeable(outer: Axis, inner: Axis) -> bool:
    pairs = zip(outer.strides, inner.strides, strict=True)
    return outer.reduced == inner.reduced and all(a == b * inner.size for a, b in pairs)


def _vector_of(axes: Sequence[Axis]) -> Axis | None:
    """The axis to walk in vectors: many short rows side by side, not one after the other."""
    best = max(axes, key=_vector_scores(axes), default=None)
    if best is not None and best.reduced and best.size <= SHORT_ROW:
        return next((axis for axis in reversed(axes) if _holds_rows(axis)), best)
    return best


def _holds_rows(axis: Axis) -> bool:
    return not axis.reduced and axis.size > SHORT_ROW


def _vector_scores(axes: Sequence[Axis]) -> Callable[[Axis], tuple[bool, int, int]]:
    """Neighbouring elements are best, repeated ones do no harm, others cost a load each.

    Each operand counts by its elements: many values per channel do not outweigh one per pixel.
    """
    operands = range(len(axes[0].strides) if axes else 0)
    sizes = [math.prod(axis.size for axis in axes if axis.strides[k]) for k in operands]

    def score(axis: Axis) -> tuple[bool, int, int]:
        pairs = zip(sizes, axis.strides, strict=True)
        gain = sum(size * (2 if stride == 1 else -3) for size, stride in pairs if stride)
        return axis.size > 1, gain, axis.dim

    return score
