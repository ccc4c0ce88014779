"""Loops cut into blocks of which a tile has one: some whole inner dims, and a part of the next."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphc.runtime.llvm.convolution.problem import Dim


@dataclass(frozen=True, slots=True)
class Cut:
    """Some nested loops, cut.

    Args:
        outer: loops over blocks, outermost first.
        dim: the loop of which a block has a part.
        block: how much of it.
        inner: what a block has as a whole.
        odd_end: whether the last round of ``dim`` is not like the others, so that the block with
            it never is a whole one.
    """

    outer: tuple[Dim, ...]
    dim: Dim
    block: int
    inner: tuple[Dim, ...]
    odd_end: bool = False

    @property
    def whole(self) -> int:
        """Blocks of the full size along ``dim``."""
        return (self.dim.size - self.odd_end) // self.block

    @property
    def rest(self) -> int:
        """The part of ``dim`` in the last block, where that is another one; else 0."""
        return self.dim.size - self.whole * self.block

    @property
    def blocks(self) -> int:
        """Blocks along ``dim``."""
        return self.whole + (self.rest > 0)

    @property
    def parts(self) -> tuple[int, ...]:
        """The different sizes of blocks along ``dim``."""
        return (self.block,) * (self.whole > 0) + (self.rest,) * (self.rest > 0)

    @property
    def count(self) -> int:
        """All blocks."""
        return math.prod(dim.size for dim in self.outer) * self.blocks

    @property
    def inside(self) -> int:
        """Elements of a block per round of ``dim``."""
        return math.prod(dim.size for dim in self.inner)

    def indices(self, part: int) -> Iterator[tuple[int, ...]]:
        """The indices of a block with so much of ``dim``, in order: of ``dim``, then inside."""
        sizes = (part, *(dim.size for dim in self.inner))
        for number in range(math.prod(sizes)):
            index: list[int] = []
            for size in reversed(sizes):
                index.insert(0, number % size)
                number //= size
            yield tuple(index)

    def x(self, part: int) -> tuple[int, ...]:
        """Distances of a block's elements from its first one, in the input."""
        steps = [dim.x for dim in (self.dim, *self.inner)]
        return tuple(_total(index, steps) for index in self.indices(part))

    def y(self, part: int) -> tuple[int, ...]:
        """The same in the result."""
        steps = [dim.y for dim in (self.dim, *self.inner)]
        return tuple(_total(index, steps) for index in self.indices(part))


def _total(index: Sequence[int], steps: Sequence[int]) -> int:
    return sum(number * step for number, step in zip(index, steps, strict=True))


def cuts_of(dims: Sequence[Dim], most: int, odd_end: bool = False) -> Iterator[Cut]:
    """All cuts into blocks of at most so many elements.

    Args:
        dims: the loops, outermost first; at least one.
        most: the largest size of a block.
        odd_end: whether the last round of the innermost loop is not like the others.
    """
    for position in reversed(range(len(dims))):
        inner = tuple(dims[position + 1 :])
        inside = math.prod(dim.size for dim in inner)
        for block in range(1, min(dims[position].size, most // max(inside, 1)) + 1):
            odd = odd_end and not inner
            yield Cut(tuple(dims[:position]), dims[position], block, inner, odd)
