"""Kernels that read or add at integer positions: index, gather, index_add, scatter_add.

The first phase looks at all indices and returns 1, having written nothing, if one is out of range;
the caller then asks the definition for the error. Additions to one element come in the order of the
indices whatever the division of the units: a unit adds to elements of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from graphc.errors import CompileError
from graphc.graph import Graph
from graphc.node import Node
from graphc.node import constant as literal
from graphc.ops.leaf import placeholder
from graphc.ops.shape import expand
from graphc.runtime.llvm.ir import memory
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import Value, constant
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.runtime.llvm.kernels.kernel import build_kernel
from graphc.runtime.llvm.lowering.indexed_loops import Block, IndexedLoops, Indices
from graphc.runtime.llvm.native_step import NativeStep, Phase
from graphc.runtime.plan import Step
from graphc.types import TensorType

OPERATIONS = ("index", "gather", "index_add", "scatter_add")

UNIT_NANOSECONDS = 2_000.0
"""How long a unit of work takes, roughly."""

_NANOSECONDS = 0.5
"""What an element costs, roughly."""

_ENOUGH_UNITS = 64
"""So many units are enough for all threads, however long they take."""

Layouts = tuple[Layout, ...]


def build_indexing(
    module: Module, step: Step, inputs: Sequence[Layout], output: Layout
) -> NativeStep:
    """Add the kernels of an indexing step to a module.

    Raises:
        CompileError: if there is no native code for the dtype.
    """
    name, attrs = step.node.op.name, step.node.attrs
    memory.computed_elem(output.dtype)
    if name == "index_add" and memory.is_half(output.dtype):  # it adds up in float32
        raise CompileError(f"index_add: no native code for {output.dtype.name}")
    layouts = (*inputs, output)
    if name == "gather":
        return _native(_gather(module, layouts, attrs["dim"]), None)
    if name == "scatter_add":
        return _native(_scatter_add(module, layouts, attrs["dim"]), _copy(module, layouts))
    if name == "index":
        return _native(_index(module, layouts, attrs["dims"]), None)
    return _native(_index_add(module, layouts, attrs["dims"]), _zeros(module, layouts))


def _native(phases: tuple[Phase, Phase], start: NativeStep | None) -> NativeStep:
    """The check of the indices, what the output starts with, and the work itself."""
    check, work = phases
    if start is None:
        return NativeStep((check, work), fallible=True)
    return NativeStep(
        (check, *start.phases, work), start.shared_bytes, start.scratch_bytes, fallible=True
    )


def _gather(module: Module, layouts: Layouts, dim: int) -> tuple[Phase, Phase]:
    """out[p] = x[p with index[p] at dim]."""
    code, shape = IndexedLoops(module, layouts), layouts[1].shape
    divided, block = _division(shape, range(len(shape)), math.prod(shape))

    def point(at: Indices) -> None:
        source = code.address(0, {**at, dim: code.read_index(1, at)})
        code.move(Block(source, code.address(2, at), (), (), ()), False)

    code.nest(shape, point, divided, block)
    check = _check(module, layouts, {1: layouts[0].shape[dim]})
    return check, _finish(code, shape, divided, block, math.prod(shape))


def _scatter_add(module: Module, layouts: Layouts, dim: int) -> tuple[Phase, Phase]:
    """out[p with index[p] at dim] += source[p]; a unit has all that goes to its elements."""
    code, shape = IndexedLoops(module, layouts), layouts[1].shape
    others = [other for other in range(len(shape)) if other != dim]
    divided, block = _division(shape, others, math.prod(shape))

    def point(at: Indices) -> None:
        goal = code.address(3, {**at, dim: code.read_index(1, at)})
        code.move(Block(code.address(2, at), goal, (), (), ()), True)

    code.nest(shape, point, divided, block)
    check = _check(module, layouts, {1: layouts[0].shape[dim]})
    return check, _finish(code, shape, divided, block, math.prod(shape))


def _index(module: Module, layouts: Layouts, dims: tuple[int, ...]) -> tuple[Phase, Phase]:
    """out[i, kept] = x[indices[i] at dims, kept]."""
    code, out = IndexedLoops(module, layouts), layouts[-1]
    numbers = range(1, 1 + len(dims))
    kept = [dim for dim in range(len(layouts[0].shape)) if dim not in dims]
    lead = out.shape[: len(out.shape) - len(kept)]
    divided, block = _division(lead, range(len(lead)), out.size)

    def rows(at: Indices) -> None:
        places = _places(code, numbers, dims, lead, at)
        far, near = code.address(0, places), code.address(len(layouts) - 1, at)
        code.move(_block(far, near, layouts[0], out, kept), False)

    code.nest(lead, rows, divided, block)
    sizes = {number: layouts[0].shape[dim] for number, dim in zip(numbers, dims, strict=True)}
    return _check(module, layouts, sizes), _finish(code, lead, divided, block, out.size)


def _index_add(module: Module, layouts: Layouts, dims: tuple[int, ...]) -> tuple[Phase, Phase]:
    """out[indices[i] at dims, kept] += values[i, kept]; a unit has some of the kept elements."""
    code, values, out = IndexedLoops(module, layouts), layouts[0], layouts[-1]
    numbers = range(1, 1 + len(dims))
    kept = [dim for dim in range(len(out.shape)) if dim not in dims]
    sizes = tuple(out.shape[dim] for dim in kept)
    lead = values.shape[: len(values.shape) - len(kept)]
    grain = 4 * module.target.lanes(8 * out.dtype.itemsize)
    divided, block = _division(sizes, range(len(sizes)), values.size, grain)

    def add(start: Value, size: int) -> None:
        def rows(at: Indices) -> None:
            places = _places(code, numbers, dims, lead, at)
            far, near = code.address(0, at), code.address(len(layouts) - 1, places)
            whole = _block(near, far, out, values, kept).reversed
            if divided is not None:
                whole = whole.part(code.e, divided, start, size, out.dtype)
            code.move(whole, True)

        code.nest(lead, rows)

    if divided is None:
        add(constant("i64", 0), 0)
    else:
        code.blocks(sizes[divided], block, add)
    limits = {number: out.shape[dim] for number, dim in zip(numbers, dims, strict=True)}
    return _check(module, layouts, limits), _finish(code, sizes, divided, block, values.size)


def _check(module: Module, layouts: Layouts, limits: Mapping[int, int]) -> Phase:
    """Whether the elements of these operands are below their limits."""
    code = IndexedLoops(module, layouts)
    for number, size in limits.items():
        code.require(number, size)
    return code.finish(1, sum(layouts[number].distinct.size for number in limits) * 0.3)


def _places(
    code: IndexedLoops,
    numbers: Sequence[int],
    dims: Sequence[int],
    lead: Sequence[int],
    at: Indices,
) -> Indices:
    """The index along each of these dims, read from the operands that broadcast to ``lead``."""
    places = {}
    for number, dim in zip(numbers, dims, strict=True):
        missing = len(lead) - len(code.layouts[number].shape)
        own = {axis - missing: index for axis, index in at.items() if axis >= missing}
        places[dim] = code.read_index(number, own)
    return places


def _block(
    source: Value, target: Value, indexed: Layout, plain: Layout, kept: Sequence[int]
) -> Block:
    """The kept dims of the indexed operand; the other one has them last."""
    near = plain.strides[len(plain.shape) - len(kept) :]
    far = tuple(indexed.strides[dim] for dim in kept)
    return Block(source, target, tuple(indexed.shape[dim] for dim in kept), far, near)


def _division(
    sizes: Sequence[int], dims: Iterable[int], points: int, grain: int = 1
) -> tuple[int | None, int]:
    """The dim whose blocks are units, and their size; no dim where the work is small.

    It is the first dim with indices enough for all units, since a unit then has neighbours.
    """
    units = points * _NANOSECONDS / UNIT_NANOSECONDS
    if units < 2:
        return None, 1
    candidates = list(dims)
    largest = max(candidates, key=lambda dim: sizes[dim], default=None)
    enough = (dim for dim in candidates if sizes[dim] >= min(units, _ENOUGH_UNITS))
    best = next(enough, largest)
    if best is None:
        return None, 1
    block = max(1, round(sizes[best] / units))
    block = -(-block // grain) * grain
    return (None, 1) if block >= sizes[best] else (best, block)


def _finish(
    code: IndexedLoops, sizes: Sequence[int], divided: int | None, block: int, points: int
) -> Phase:
    units = 1 if divided is None else -(-sizes[divided] // block)
    return code.finish(units, points * _NANOSECONDS)


def _copy(module: Module, layouts: Layouts) -> NativeStep:
    """out = x."""
    inputs = _inputs(layouts)
    return build_kernel(module, Graph(inputs, {"r0": inputs[0]}), layouts[:-1], layouts[-1:])


def _zeros(module: Module, layouts: Layouts) -> NativeStep:
    """out = 0."""
    out = layouts[-1]
    nothing = expand(literal(np.zeros((), out.dtype.numpy)), shape=out.shape)
    return build_kernel(
        module, Graph(_inputs(layouts), {"r0": nothing}), layouts[:-1], layouts[-1:]
    )


def _inputs(layouts: Layouts) -> tuple[Node, ...]:
    return tuple(
        placeholder(f"a{number}", TensorType(layout.shape, layout.dtype))
        for number, layout in enumerate(layouts[:-1])
    )
