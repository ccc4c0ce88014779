"""Convolutions with long sums and few results, such as the gradient of a weight.

The sum is cut into chunks of channels, each a unit of work with partial sums of all results. A
chunk goes through its channels piece by piece: it copies the weights of a piece, then goes over all
tiles, so that the copy is read from the cache. At last the partial sums are added in fixed order.
"""

from __future__ import annotations

from dataclasses import dataclass

from graphc.runtime.llvm.convolution.blocking import Blocking
from graphc.runtime.llvm.convolution.channels import define_channel_tile
from graphc.runtime.llvm.convolution.items import by_part, item_of
from graphc.runtime.llvm.convolution.stores import Across, Partial
from graphc.runtime.llvm.convolution.tile import OUT, Column, Tile, piece_of
from graphc.runtime.llvm.convolution.weights import Copy, copies_of, define_copy
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.function import (
    BEGIN,
    END,
    SCRATCH,
    SHARED,
    define_function,
    define_helper,
    parameters,
)
from graphc.runtime.llvm.ir.loops import loop, loop_between, repeat_with
from graphc.runtime.llvm.ir.memory import moved
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import Value, constant
from graphc.runtime.llvm.native_step import NativeStep, Phase

_PIECE_BYTES = 256 * 1024
"""Of the copied weights of a piece: they stay in the second cache."""

_CHUNK_NANOSECONDS = 40_000.0
_MOST_CHUNKS = 16
_SHARED_BYTES = 8 << 20
"""Most memory for partial sums."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the sums are cut.

    Args:
        blocking: the tiles.
        copies: the vectors of channels, as they are copied.
        piece: rounds over channels for which weights are copied together.
        chunk: rounds of one unit.
    """

    blocking: Blocking
    copies: tuple[Copy, ...]
    piece: int
    chunk: int

    @property
    def rounds(self) -> int:
        """Rounds over all channels."""
        return self.blocking.problem.channel.size // self.blocking.together

    @property
    def chunks(self) -> int:
        """Partial sums of each result."""
        return -(-self.rounds // self.chunk)

    @property
    def items(self) -> int:
        """Blocks of results in one group."""
        return self.blocking.cut.count

    @property
    def item_elements(self) -> int:
        """Room for the partial sums of one block, and all channels."""
        cut, lanes = self.blocking.cut, self.blocking.lanes
        return max(cut.parts) * cut.inside * sum(copy.vectors for copy in self.copies) * lanes

    @property
    def chunk_elements(self) -> int:
        """Room for the partial sums of one chunk."""
        return self.items * self.item_elements

    def first(self, position: int, part: int) -> int:
        """Where the sums of a copy begin in a block's room."""
        rows = part * self.blocking.cut.inside
        return position * self.blocking.vectors * self.blocking.lanes * rows


def plan_of(blocking: Blocking) -> Plan:
    """Cut the sums: the number of chunks depends on the shapes only."""
    size = blocking.problem.dtype.itemsize
    copies = tuple(copies_of(blocking))
    rounds = blocking.problem.channel.size // blocking.together
    bytes_per_round = sum(copy.round for copy in copies) * size
    piece = max(1, min(rounds, _PIECE_BYTES // bytes_per_round))
    whole = Plan(blocking, copies, piece, rounds)
    room = max(1, _SHARED_BYTES // max(1, whole.chunk_elements * size))
    wanted = max(1, round(blocking.nanoseconds / blocking.problem.group.size / _CHUNK_NANOSECONDS))
    chunks = min(_MOST_CHUNKS, rounds, wanted, room)
    chunk = -(-rounds // chunks)
    return Plan(blocking, copies, min(piece, chunk), chunk)


def build_chunks(module: Module, blocking: Blocking) -> NativeStep:
    """Add the functions to a module: a unit is a chunk of a group, then a block of results."""
    plan = plan_of(blocking)
    groups, size = blocking.problem.group.size, blocking.problem.dtype.itemsize
    work = Phase(_define_work(module, plan), groups * plan.chunks, blocking.nanoseconds)
    partial = groups * plan.chunks * plan.chunk_elements
    total = Phase(_define_total(module, plan), groups * plan.items, partial * 0.1)
    scratch = plan.piece * sum(copy.round for copy in plan.copies) * size
    return NativeStep((work, total), shared_bytes=partial * size, scratch_bytes=scratch)


def _define_work(module: Module, plan: Plan) -> str:
    e, problem = Emitter(module), plan.blocking.problem
    size, together = problem.dtype.itemsize, plan.blocking.together
    x, w, y = parameters(3)

    def unit(number: Value) -> None:
        group, chunk = e.binary("udiv", number, plan.chunks), e.binary("urem", number, plan.chunks)
        start = e.mul(chunk, plan.chunk)
        left = e.sub(constant("i64", plan.rounds), start)
        count = e.intrinsic("smin", left, constant("i64", plan.chunk))
        channels = (start, together * problem.channel.w)
        source = moved(e, w, size, (group, problem.group.w), channels)
        first_x = moved(e, x, size, (start, together * problem.channel.x))
        sums = moved(e, SHARED, size, (number, plan.chunk_elements))

        def piece(index: Value) -> None:
            _piece(e, plan, index, (source, first_x, y, sums), group, count)

        pieces = e.binary("udiv", e.add(count, plan.piece - 1), plan.piece)
        loop_between(e, constant("i64", 0), pieces, piece)

    loop_between(e, BEGIN, END, unit)
    return define_function(module, 3, e.lines)


def _piece(
    e: Emitter,
    plan: Plan,
    index: Value,
    places: tuple[Value, Value, Value, Value],
    group: Value,
    count: Value,
) -> None:
    """Some rounds of a chunk: the copies, then all tiles."""
    blocking = plan.blocking
    problem, size = blocking.problem, blocking.problem.dtype.itemsize
    source, x, y, sums = places
    start = e.mul(index, plan.piece)
    rounds = e.intrinsic("smin", e.sub(count, start), constant("i64", plan.piece))
    source = moved(e, source, size, (start, blocking.together * problem.channel.w))
    x = moved(e, x, size, (start, blocking.together * problem.channel.x))
    fresh = e.cmp("eq", index, 0)
    offset, one = 0, constant("i64", 1)
    for position, copy in enumerate(plan.copies):
        width = blocking.vectors * blocking.lanes
        weights = moved(e, source, size, (one, position * width * problem.made.w))
        b = moved(e, SCRATCH, size, (one, offset))
        offset += plan.piece * copy.round
        name = define_copy(e, copy)
        e.emit(f"call void @{name}({weights.typed}, {b.typed}, {rounds.typed})")

        def block(at: Value, position: int = position, copy: Copy = copy, b: Value = b) -> None:
            number = e.add(e.mul(group, plan.items), at)
            item = item_of(e, blocking, number, x, y)

            def tile(part: int, _: bool) -> None:
                steps = (at, plan.item_elements), (one, plan.first(position, part))
                out = moved(e, sums, size, *steps)
                chain = piece_of(plan.piece, blocking.together * blocking.window)
                symbol = define_channel_tile(e.module, copy, part, Partial(), chain)
                arguments = (item.x, b, out, rounds, fresh)
                text = ", ".join(value.typed for value in arguments)
                e.emit(f"call void @{symbol}({text})")

            by_part(e, blocking, item.block, tile)

        loop(e, plan.items, block)


def _define_total(module: Module, plan: Plan) -> str:
    """Add up the chunks and store the results."""
    e, blocking = Emitter(module), plan.blocking
    size, one = blocking.problem.dtype.itemsize, constant("i64", 1)
    x, _, y = parameters(3)

    def unit(number: Value) -> None:
        item = item_of(e, blocking, number, x, y)
        at = e.binary("urem", number, plan.items)
        steps = (item.group, plan.chunks * plan.chunk_elements), (at, plan.item_elements)
        sums = moved(e, SHARED, size, *steps)

        def add(part: int, _: bool) -> None:
            for position, copy in enumerate(plan.copies):
                width = blocking.vectors * blocking.lanes
                out = moved(e, item.y, size, (one, position * width * blocking.problem.made.y))
                source = moved(e, sums, size, (one, plan.first(position, part)))
                symbol = _define_sum(module, plan, copy, part)
                e.emit(f"call void @{symbol}({source.typed}, {out.typed})")

        by_part(e, blocking, item.block, add)

    loop_between(e, BEGIN, END, unit)
    return define_function(module, 3, e.lines)


def _define_sum(module: Module, plan: Plan, copy: Copy, part: int) -> str:
    """Add ``void(ptr sums, ptr out)``, which adds up one tile's partial sums."""
    e, blocking = Emitter(module), plan.blocking
    problem, lanes = blocking.problem, blocking.lanes
    size = problem.dtype.itemsize
    columns = tuple(
        Column(0, 1, min(lanes, copy.made - vector * lanes)) for vector in range(copy.vectors)
    )
    tile = Tile(problem.dtype, lanes, blocking.cut.x(part), columns, (), ())
    zero = tile.zero

    def add(index: Value, now: list[Value]) -> list[Value]:
        found = []
        for number, value in enumerate(now):
            steps = (index, plan.chunk_elements), (constant("i64", number), lanes)
            place = moved(e, Value("%sums", "ptr", 1), size, *steps)
            text = f"load {zero.type}, ptr {place.text}, align 8"
            found.append(e.add(value, e.define(text, zero.elem, lanes)))
        return found

    ends = Across(blocking.cut.y(part), problem.made.y)
    ends.finish(e, tile, repeat_with(e, constant("i64", plan.chunks), tile.zeros, add))
    return define_helper(e, "conv.sum", f"ptr noalias readonly %sums, ptr noalias {OUT.text}")
