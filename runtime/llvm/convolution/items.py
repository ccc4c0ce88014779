"""From the number of a block of results to where its elements are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphc.runtime.llvm.convolution.blocking import Blocking
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.loops import when
from graphc.runtime.llvm.ir.memory import moved
from graphc.runtime.llvm.ir.values import Value, constant


@dataclass(frozen=True, slots=True)
class Item:
    """One block of results.

    Args:
        group: its group of channels.
        x: address of the first element of the input that it reads.
        y: address of its first element.
        block: its number along the loop that is cut.
    """

    group: Value
    x: Value
    y: Value
    block: Value


def item_of(e: Emitter, blocking: Blocking, number: Value, x: Value, y: Value) -> Item:
    """Emit the addresses of a block; blocks of one group follow each other.

    Args:
        e: where to emit.
        blocking: the blocks.
        number: which one.
        x: address of the input.
        y: address of the result.
    """
    cut, group = blocking.cut, blocking.problem.group
    block, number = _divided(e, number, cut.blocks)
    steps = [(block, cut.block * cut.dim.x, cut.block * cut.dim.y)]
    for dim in reversed(cut.outer):
        index, number = _divided(e, number, dim.size)
        steps.append((index, dim.x, dim.y))
    steps.append((number, group.x, group.y))
    size = blocking.problem.dtype.itemsize
    return Item(
        number,
        moved(e, x, size, *((index, step) for index, step, _ in steps)),
        moved(e, y, size, *((index, step) for index, _, step in steps)),
        block,
    )


def by_part(
    e: Emitter, blocking: Blocking, block: Value, body: Callable[[int, bool], None]
) -> None:
    """Emit ``body(part, last)``.

    Args:
        e: where to emit.
        blocking: the blocks.
        block: the number of one along the loop that is cut.
        body: takes the block's size along that loop, and whether it ends the loop.
    """
    cut = blocking.cut
    if cut.whole:
        is_whole = e.cmp("slt", block, cut.whole) if cut.rest else constant("i1", 1)
        when(e, is_whole, lambda: body(cut.block, False))
    if cut.rest:
        is_rest = e.cmp("sge", block, cut.whole) if cut.whole else constant("i1", 1)
        when(e, is_rest, lambda: body(cut.rest, True))


def _divided(e: Emitter, number: Value, size: int) -> tuple[Value, Value]:
    """The rest and the quotient."""
    if size == 1:
        return constant("i64", 0), number
    return e.binary("urem", number, size), e.binary("udiv", number, size)
