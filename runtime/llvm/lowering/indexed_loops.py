"""Loops over the positions of index operands, and the moves that a kernel makes at each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graphc.dtypes import DType
from graphc.runtime.llvm.ir import memory
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.function import BEGIN, END, define_function, parameters
from graphc.runtime.llvm.ir.loops import affine, equals, loop, loop_between, smaller, when
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import BITS, Value, constant
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.runtime.llvm.kernels.vectors import Segment, segments
from graphc.runtime.llvm.native_step import Phase
from graphc.runtime.llvm.scalar.casts import is_signed

Indices = dict[int, Value]
"""The index along each dim that a loop runs over; a dim that is missing stands at 0."""


class IndexedLoops:
    """The code of one phase; operand ``k`` starts at its ``k``-th parameter.

    Args:
        module: where the code goes.
        layouts: of the inputs, then of the output.
    """

    def __init__(self, module: Module, layouts: Sequence[Layout]) -> None:
        self.e = Emitter(module)
        self.layouts = tuple(layouts)
        self.pointers = parameters(len(layouts))

    def finish(self, units: int, nanoseconds: float) -> Phase:
        """Define the function."""
        code = [*self.e.slots, *self.e.lines]
        symbol = define_function(self.e.module, len(self.layouts), code)
        return Phase(symbol, units, nanoseconds)

    # ------------------------------------------------------------------ loops

    def nest(
        self,
        sizes: Sequence[int],
        body: Callable[[Indices], None],
        divided: int | None = None,
        block: int = 1,
    ) -> None:
        """Loops over all dims, the last one innermost.

        Args:
            sizes: their sizes.
            body: emits what happens at each position.
            divided: the dim that units are blocks of; its loop runs over this call's units.
            block: the size of these blocks.
        """

        def inside(at: Indices) -> None:
            dim = len(at)
            if dim == len(sizes):
                body(at)
                return
            first, stop = bounds[dim]
            loop_between(self.e, first, stop, lambda index: inside({**at, dim: index}))

        bounds = [(constant("i64", 0), constant("i64", size)) for size in sizes]
        if divided is not None:
            stop = smaller(self.e, affine(self.e, END, block), sizes[divided])
            bounds[divided] = affine(self.e, BEGIN, block), stop
        inside({})

    def blocks(self, size: int, block: int, body: Callable[[Value, int], None]) -> None:
        """A loop over the blocks of a dim that belong to this call's units.

        Args:
            size: the dim's size.
            block: the size of a block; the last one may be smaller.
            body: emits the work on a block from the index of its first element and its size.
        """
        last, rest = divmod(size - 1, block)

        def one(unit: Value) -> None:
            start, is_last = affine(self.e, unit, block), equals(self.e, unit, last)
            if last:
                not_last = self.e.binary("xor", is_last, 1)
                when(self.e, not_last, lambda: body(start, block))
            when(self.e, is_last, lambda: body(start, rest + 1))

        loop_between(self.e, BEGIN, END, one)

    # ------------------------------------------------------------------ operands

    def read_index(self, number: int, at: Indices) -> Value:
        """An element of an operand of integers, as a 64-bit index."""
        dtype = self.layouts[number].dtype
        value = memory.load(self.e, self.address(number, at), dtype, 0, 1, 1)
        return self.e.resize(value, "i64", is_signed(dtype))

    def address(self, number: int, at: Indices) -> Value:
        """Where an element of an operand is; broadcast dims do not count."""
        e, layout = self.e, self.layouts[number]
        pointer = self.pointers[number]
        for dim, index in at.items():
            if layout.shape[dim] != 1 and index.text != "0":
                distance = affine(e, index, layout.strides[dim])
                pointer = memory.element(e, pointer, layout.dtype, distance)
        return pointer

    def require(self, number: int, size: int) -> None:
        """Return 1 if an element of an operand is not in 0 .. size - 1."""
        layout = self.layouts[number]
        if Layout.contiguous(layout.shape, layout.dtype) != layout:
            slot = self._flag(1)
            once = layout.distinct.shape
            self.nest(once, lambda at: self._note(slot, self.read_index(number, at), size))
            self._refuse(slot, 1)
            return
        lanes = self.e.target.lanes(64)
        for segment in segments(layout.size, (lanes, 4 * lanes)):
            self._require_segment(number, size, segment)

    def _require_segment(self, number: int, size: int, segment: Segment) -> None:
        """A look at many neighbours at a time; lanes that do not exist hold 0."""
        e, dtype, lanes = self.e, self.layouts[number].dtype, segment.lanes
        slot = self._flag(lanes)

        def look(index: Value) -> None:
            place = affine(e, index, lanes, segment.start)
            pointer = memory.element(e, self.pointers[number], dtype, place)
            values = memory.load(e, pointer, dtype, 1, lanes, segment.active)
            self._note(slot, e.resize(values, "i64", is_signed(dtype)), size)

        loop(e, segment.count, look)
        self._refuse(slot, lanes)

    def _flag(self, lanes: int) -> Value:
        none = constant("i1", 0, lanes)
        slot = self.e.slot(none.type)
        self.e.emit(f"store {none.typed}, ptr {slot.text}")
        return slot

    def _note(self, slot: Value, index: Value, size: int) -> None:
        outside = self.e.cmp("uge", index, size)
        known = self.e.define(f"load {outside.type}, ptr {slot.text}", "i1", outside.lanes)
        self.e.emit(f"store {self.e.binary('or', known, outside).typed}, ptr {slot.text}")

    def _refuse(self, slot: Value, lanes: int) -> None:
        e = self.e
        kind = constant("i1", 0, lanes).type
        bad = e.any(e.define(f"load {kind}, ptr {slot.text}", "i1", lanes))
        name = e.fresh("inside")
        e.emit(f"br {bad.typed}, label %{name}.not, label %{name}")
        e.label(f"{name}.not")
        e.emit("ret i32 1")
        e.label(name)

    # ------------------------------------------------------------------ moves

    def move(self, block: Block, adding: bool) -> None:
        """Copy or add a block; the last dim in vectors where both sides have it in one piece."""
        e, dtype = self.e, self.layouts[-1].dtype
        if not block.sizes:
            self._transfer(block.source, block.target, 1, 1, adding)
            return
        far, near = block.source_strides[0], block.target_strides[0]
        if len(block.sizes) > 1:
            loop(e, block.sizes[0], lambda index: self.move(block.inside(e, index, dtype), adding))
            return
        together = far == near == 1
        width = e.target.lanes(BITS[memory.stored_elem(dtype)]) if together else 1
        for segment in segments(block.sizes[0], (width, 4 * width) if together else (1,)):

            def piece(index: Value, segment: Segment = segment) -> None:
                place = affine(e, index, segment.lanes, segment.start)
                source = memory.element(e, block.source, dtype, affine(e, place, far))
                target = memory.element(e, block.target, dtype, affine(e, place, near))
                self._transfer(source, target, segment.lanes, segment.active, adding)

            loop(e, segment.count, piece)

    def _transfer(
        self, source: Value, target: Value, lanes: int, active: int, adding: bool
    ) -> None:
        e, dtype = self.e, self.layouts[-1].dtype
        value = memory.load(e, source, dtype, 1, lanes, active)
        if adding:
            before = memory.load(e, target, dtype, 1, lanes, active)
            value = e.binary("or", before, value) if value.elem == "i1" else e.add(before, value)
        memory.store(e, value, target, dtype, 1, active)


@dataclass(frozen=True, slots=True)
class Block:
    """A block of elements to move from one place to another."""

    source: Value
    target: Value
    sizes: tuple[int, ...]
    source_strides: tuple[int, ...]
    target_strides: tuple[int, ...]

    @property
    def reversed(self) -> Block:
        """The block with source and target exchanged."""
        strides = self.target_strides, self.source_strides
        return Block(self.target, self.source, self.sizes, *strides)

    def inside(self, e: Emitter, index: Value, dtype: DType) -> Block:
        """The block at an index of the first dim."""
        source = affine(e, index, self.source_strides[0])
        target = affine(e, index, self.target_strides[0])
        return Block(
            memory.element(e, self.source, dtype, source),
            memory.element(e, self.target, dtype, target),
            self.sizes[1:],
            self.source_strides[1:],
            self.target_strides[1:],
        )

    def part(self, e: Emitter, dim: int, start: Value, size: int, dtype: DType) -> Block:
        """Some neighbours along one dim."""
        source = affine(e, start, self.source_strides[dim])
        target = affine(e, start, self.target_strides[dim])
        return Block(
            memory.element(e, self.source, dtype, source),
            memory.element(e, self.target, dtype, target),
            (*self.sizes[:dim], size, *self.sizes[dim + 1 :]),
            self.source_strides,
            self.target_strides,
        )
