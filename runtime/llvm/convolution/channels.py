"""Convolutions whose vectors run along the channels of the result.

First the weights are copied, once for all. Then each tile reads the copy from end to end, and
elements of the input from where they lie.
"""

from __future__ import annotations

import functools

from graphc.runtime.llvm.convolution.blocking import Blocking
from graphc.runtime.llvm.convolution.items import by_part, item_of
from graphc.runtime.llvm.convolution.stores import Across
from graphc.runtime.llvm.convolution.tile import (
    Column,
    Ends,
    Loop,
    Tile,
    call_tile,
    define_tile,
    piece_of,
)
from graphc.runtime.llvm.convolution.weights import Copy, copies_of, define_copy
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.function import BEGIN, END, SHARED, define_function, parameters
from graphc.runtime.llvm.ir.loops import loop_between, when
from graphc.runtime.llvm.ir.memory import moved
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import Value, constant
from graphc.runtime.llvm.native_step import NativeStep, Phase

_TOGETHER_NANOSECONDS = 20_000.0
"""Work on blocks of results that are done for one copy before the next one."""

_COPY_NANOSECONDS = 1.0
"""What an element of the copy costs, roughly."""


def build_channels(module: Module, blocking: Blocking) -> NativeStep:
    """Add the functions to a module.

    A unit of the first phase copies the weights of some channels of one group, one of the second
    computes one block of results of a group.
    """
    group, size = blocking.problem.group, blocking.problem.dtype.itemsize
    plan = Copies(blocking)
    copying = Phase(
        _define_copying(module, plan),
        group.size * len(plan.copies),
        group.size * plan.elements * _COPY_NANOSECONDS,
    )
    units = group.size * blocking.cut.count
    work = Phase(_define_work(module, plan, units), units, blocking.nanoseconds)
    return NativeStep((copying, work), shared_bytes=group.size * plan.elements * size)


class Copies:
    """Where the copied weights of a group lie.

    Args:
        blocking: the tiles.
    """

    def __init__(self, blocking: Blocking) -> None:
        self.blocking = blocking
        self.copies = copies_of(blocking)
        rounds = blocking.problem.channel.size // blocking.together
        self.rounds = rounds
        sizes = [rounds * copy.round for copy in self.copies]
        self.offsets = [sum(sizes[:number]) for number in range(len(sizes))]
        self.elements = sum(sizes)


def _define_copying(module: Module, plan: Copies) -> str:
    e, problem = Emitter(module), plan.blocking.problem
    size, count = problem.dtype.itemsize, len(plan.copies)
    _, w, _ = parameters(3)

    def unit(number: Value) -> None:
        group = e.binary("udiv", number, count)
        which = e.binary("urem", number, count)
        here = moved(e, w, size, (group, problem.group.w))
        there = moved(e, SHARED, size, (group, plan.elements))
        for position in range(len(plan.copies)):
            copy = functools.partial(_copy, e, plan, position, here, there)
            when(e, e.cmp("eq", which, position), copy)

    loop_between(e, BEGIN, END, unit)
    return define_function(module, 3, e.lines)


def _copy(e: Emitter, plan: Copies, position: int, w: Value, target: Value) -> None:
    """Make one of a group's copies."""
    problem = plan.blocking.problem
    size, one = problem.dtype.itemsize, constant("i64", 1)
    width = plan.blocking.vectors * plan.blocking.lanes
    source = moved(e, w, size, (one, position * width * problem.made.w))
    there = moved(e, target, size, (one, plan.offsets[position]))
    symbol = define_copy(e, plan.copies[position])
    e.emit(f"call void @{symbol}({source.typed}, {there.typed}, i64 {plan.rounds})")


def _define_work(module: Module, plan: Copies, units: int) -> str:
    """Some blocks of results at a time, for all copies one after the other."""
    e, blocking = Emitter(module), plan.blocking
    each = blocking.nanoseconds / max(units, 1)
    step = max(1, round(_TOGETHER_NANOSECONDS / max(each, 1e-3)))
    rounds = e.binary("udiv", e.add(e.sub(END, BEGIN), step - 1), step)

    def some(index: Value) -> None:
        start = e.add(BEGIN, e.mul(index, step))
        stop = e.intrinsic("smin", e.add(start, step), END)
        for position in range(len(plan.copies)):
            loop_between(e, start, stop, functools.partial(_item, e, plan, position))

    loop_between(e, constant("i64", 0), rounds, some)
    return define_function(module, 3, e.lines)


def _item(e: Emitter, plan: Copies, position: int, number: Value) -> None:
    """One block of results, for the channels of one copy."""
    blocking = plan.blocking
    problem, one = blocking.problem, constant("i64", 1)
    size, copy = problem.dtype.itemsize, plan.copies[position]
    x, _, y = parameters(3)
    item = item_of(e, blocking, number, x, y)
    steps = (item.group, plan.elements), (one, plan.offsets[position])
    b = moved(e, SHARED, size, *steps)
    first = position * blocking.vectors * blocking.lanes
    out = moved(e, item.y, size, (one, first * problem.made.y))
    count = constant("i64", plan.rounds)

    def tile(part: int, _: bool) -> None:
        ends = Across(blocking.cut.y(part), problem.made.y)
        terms = blocking.together * blocking.window
        symbol = define_channel_tile(e.module, copy, part, ends, piece_of(plan.rounds, terms))
        call_tile(e, symbol, item.x, b, out, count, constant("i1", 1))

    by_part(e, blocking, item.block, tile)


def define_channel_tile(module: Module, copy: Copy, part: int, ends: Ends, piece: int) -> str:
    """Add the tile of a block of results and the channels of one copy.

    Args:
        module: where the code goes.
        copy: the weights of the channels.
        part: the block's size along the loop that is cut.
        ends: where the sums go.
        piece: rounds whose sum is one chain, as in ``Tile``.
    """
    blocking = copy.blocking
    problem, lanes = blocking.problem, blocking.lanes
    columns = tuple(
        Column(vector * lanes, 1, min(lanes, copy.made - vector * lanes))
        for vector in range(copy.vectors)
    )
    room = copy.round
    loops = [Loop(None, blocking.together * problem.channel.x, room)]
    for term in problem.kernel:
        room //= term.size
        loops.append(Loop(term.size, term.x, room))
    terms = tuple(
        (number * problem.channel.x, number * copy.width) for number in range(blocking.together)
    )
    tile = Tile(problem.dtype, lanes, blocking.cut.x(part), columns, tuple(loops), terms, piece)
    return define_tile(module, tile, ends)
