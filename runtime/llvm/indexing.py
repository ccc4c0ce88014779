"""Kernels that read or add at integer positions: index, gather, index_add, scatter_add.

Such a kernel looks at all indices first and returns 1, having written nothing, if one is out of
range; the caller then asks the definition for the error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from graphc.dtypes import BOOLEAN, DType
from graphc.errors import CompileError
from graphc.runtime.llvm import memory
from graphc.runtime.llvm.casts import is_signed
from graphc.runtime.llvm.emitter import Emitter
from graphc.runtime.llvm.function import define_function, parameters
from graphc.runtime.llvm.iteration import Layout
from graphc.runtime.llvm.loops import loop
from graphc.runtime.llvm.module import Module
from graphc.runtime.llvm.native_step import NativeStep, Phase
from graphc.runtime.llvm.values import BITS, Value, constant
from graphc.runtime.llvm.vectors import segments
from graphc.runtime.plan import Step

OPERATIONS = ("index", "gather", "index_add", "scatter_add")

Indices = list[Value]


def build_indexing(
    module: Module, step: Step, inputs: Sequence[Layout], output: Layout
) -> NativeStep:
    """Add the kernel of an indexing step to a module.

    Raises:
        CompileError: if there is no native code for the dtype.
    """
    dtype = output.dtype
    memory.computed_elem(dtype)
    adding = step.node.op.name in ("index_add", "scatter_add")
    if adding and (memory.is_half(dtype) or dtype.category == BOOLEAN):
        raise CompileError(f"{step.node.op.name}: no native code for {dtype.name}")
    writer = _Writer(module, tuple(inputs), output)
    if step.node.op.name == "gather":
        writer.gather(step.node.attrs["dim"])
    elif step.node.op.name == "scatter_add":
        writer.scatter_add(step.node.attrs["dim"])
    elif step.node.op.name == "index":
        writer.index(step.node.attrs["dims"])
    else:
        writer.index_add(step.node.attrs["dims"])
    return writer.finish()


class _Writer:
    """The code of one kernel; operand ``k`` starts at ``%pk``, the output is the last one."""

    def __init__(self, module: Module, inputs: tuple[Layout, ...], output: Layout) -> None:
        self.e = Emitter(module)
        self.layouts = (*inputs, output)
        self.pointers = parameters(len(self.layouts))
        self.out = len(inputs)

    def gather(self, dim: int) -> None:
        """out[p] = x[p with index[p] at dim]."""
        size = self.layouts[0].shape[dim]
        self._require([(1, size)])

        def point(at: Indices) -> None:
            source = list(at)
            source[dim] = self._read_index(1, at)
            self._move(self._address(0, source), self._address(self.out, at), (), (), (), False)

        self._nest(self.layouts[1].shape, point)

    def scatter_add(self, dim: int) -> None:
        """out = x, then out[p with index[p] at dim] += source[p]."""
        x, out = self.layouts[0], self.layouts[self.out]
        self._require([(1, x.shape[dim])])
        start, target = self.pointers[0], self.pointers[self.out]
        self._move(start, target, x.shape, x.strides, out.strides, False)

        def point(at: Indices) -> None:
            goal = list(at)
            goal[dim] = self._read_index(1, at)
            self._move(self._address(2, at), self._address(self.out, goal), (), (), (), True)

        self._nest(self.layouts[1].shape, point)

    def index(self, dims: tuple[int, ...]) -> None:
        """out[i, kept] = x[indices[i] at dims, kept]."""
        self._blocks(0, 1, self.out, dims, self.layouts[0].shape, False)

    def index_add(self, dims: tuple[int, ...]) -> None:
        """out = 0, then out[indices[i] at dims, kept] += values[i, kept]."""
        out = self.layouts[self.out]
        self._blocks(self.out, 1, 0, dims, out.shape, True)

    def _blocks(
        self, indexed: int, first: int, plain: int, dims: tuple[int, ...],
        shape: tuple[int, ...], adding: bool,
    ) -> None:  # fmt: skip
        """Move a block of kept dims for each index, between the indexed and the plain operand."""
        numbers = range(first, first + len(dims))
        self._require([(number, shape[dim]) for number, dim in zip(numbers, dims, strict=True)])
        if adding:
            self._zero(self.layouts[self.out])
        kept = [dim for dim in range(len(shape)) if dim not in dims]
        sizes = tuple(shape[dim] for dim in kept)
        there = self.layouts[indexed]
        here = self.layouts[plain]
        lead = len(here.shape) - len(kept)
        inner = tuple(there.strides[dim] for dim in kept), here.strides[lead:]

        def block(at: Indices) -> None:
            place = [constant("i64", 0)] * len(shape)
            for number, dim in zip(numbers, dims, strict=True):
                own = len(self.layouts[number].shape)
                place[dim] = self._read_index(number, at[len(at) - own :])
            far = self._address(indexed, place)
            near = self._address(plain, [*at, *[constant("i64", 0)] * len(kept)])
            if adding:
                self._move(near, far, sizes, inner[1], inner[0], True)
            else:
                self._move(far, near, sizes, inner[0], inner[1], False)

        self._nest(here.shape[:lead], block)

    def finish(self) -> NativeStep:
        """Define the function."""
        symbol = define_function(self.e.module, len(self.layouts), self.e.lines)
        moved = sum(math.prod(layout.shape) for layout in self.layouts)
        return NativeStep((Phase(symbol, 1, moved * 0.5),), fallible=True)

    # ------------------------------------------------------------------ parts

    def _require(self, checks: Sequence[tuple[int, int]]) -> None:
        """Return 1 if an index of one of these operands is not in 0 .. size - 1."""
        e = self.e
        slot = e.define("alloca i1", memory.POINTER, 1)
        e.emit(f"store i1 false, ptr {slot.text}")
        for number, size in checks:

            def look(at: Indices, number: int = number, size: int = size) -> None:
                outside = e.cmp("uge", self._read_index(number, at), size)
                known = e.define(f"load i1, ptr {slot.text}", "i1", 1)
                e.emit(f"store {e.binary('or', known, outside).typed}, ptr {slot.text}")

            self._nest(self.layouts[number].shape, look)
        bad = e.define(f"load i1, ptr {slot.text}", "i1", 1)
        e.emit(f"br {bad.typed}, label %outside, label %inside")
        e.label("outside")
        e.emit("ret i32 1")
        e.label("inside")

    def _read_index(self, number: int, at: Indices) -> Value:
        dtype = self.layouts[number].dtype
        value = memory.load(self.e, self._address(number, at), dtype, 0, 1, 1)
        return self.e.resize(value, "i64", is_signed(dtype))

    def _address(self, number: int, at: Indices) -> Value:
        """Where an element of an operand is; broadcast dims do not count."""
        e, layout = self.e, self.layouts[number]
        pointer = self.pointers[number]
        for index, size, stride in zip(at, layout.shape, layout.strides, strict=True):
            if size != 1 and index.text != "0":
                pointer = memory.element(e, pointer, layout.dtype, e.mul(index, stride))
        return pointer

    def _nest(self, sizes: Sequence[int], body: Callable[[Indices], None]) -> None:
        """Loops over all sizes, the last one innermost."""

        def inside(at: Indices) -> None:
            if len(at) == len(sizes):
                body(at)
            else:
                loop(self.e, sizes[len(at)], lambda index: inside([*at, index]))

        inside([])

    def _zero(self, layout: Layout) -> None:
        """Fill the (contiguous) output with zeros."""
        size, dtype = math.prod(layout.shape), layout.dtype
        width = self._width(dtype)
        nothing = memory.computed_elem(dtype)
        for segment in segments(size, (width,)):

            def fill(index: Value, start: int = segment.start, lanes: int = segment.lanes,
                     active: int = segment.active) -> None:  # fmt: skip
                place = self.e.add(self.e.mul(index, lanes), start)
                pointer = memory.element(self.e, self.pointers[self.out], dtype, place)
                zeros = constant(nothing, 0, lanes)
                memory.store(self.e, zeros, pointer, dtype, 1, active)

            loop(self.e, segment.count, fill)

    def _move(
        self, source: Value, target: Value, sizes: tuple[int, ...],
        source_strides: tuple[int, ...], target_strides: tuple[int, ...], adding: bool,
    ) -> None:  # fmt: skip
        """Copy or add a block; the last dim in vectors where both sides have it in one piece."""
        e, dtype = self.e, self.layouts[self.out].dtype
        if not sizes:
            self._transfer(source, target, 1, 1, adding)
            return
        if len(sizes) > 1:

            def outer(index: Value) -> None:
                far = memory.element(e, source, dtype, e.mul(index, source_strides[0]))
                near = memory.element(e, target, dtype, e.mul(index, target_strides[0]))
                self._move(far, near, sizes[1:], source_strides[1:], target_strides[1:], adding)

            loop(e, sizes[0], outer)
            return
        together = source_strides[0] == target_strides[0] == 1
        for segment in segments(sizes[0], (self._width(dtype) if together else 1,)):

            def piece(index: Value, start: int = segment.start, lanes: int = segment.lanes,
                      active: int = segment.active) -> None:  # fmt: skip
                place = e.add(e.mul(index, lanes), start)
                far = memory.element(e, source, dtype, e.mul(place, source_strides[0]))
                near = memory.element(e, target, dtype, e.mul(place, target_strides[0]))
                self._transfer(far, near, lanes, active, adding)

            loop(e, segment.count, piece)

    def _transfer(
        self, source: Value, target: Value, lanes: int, active: int, adding: bool
    ) -> None:
        e, dtype = self.e, self.layouts[self.out].dtype
        value = memory.load(e, source, dtype, 1, lanes, active)
        if adding:
            value = e.add(memory.load(e, target, dtype, 1, lanes, active), value)
        memory.store(e, value, target, dtype, 1, active)

    def _width(self, dtype: DType) -> int:
        return self.e.target.lanes(BITS[memory.stored_elem(dtype)])
