"""Kernels of scalar graphs: elementwise chains and reductions over one iteration space.

A kernel is one phase, or several: results of different extent follow each other, and large
reductions are done in chunks, whose states a later phase combines. The chunks depend on shapes
only, so the result has the same bits however the units of the phases are divided.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from graphc.graph import Graph, has_trait, topological
from graphc.node import Node
from graphc.opdef import Trait
from graphc.runtime.llvm.ir.function import SHARED, parameters
from graphc.runtime.llvm.ir.memory import dtype_of
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import Value
from graphc.runtime.llvm.kernels.analysis import (
    Analysis,
    Partial,
    Place,
    analyze,
    is_array_constant,
)
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.runtime.llvm.kernels.phase import emit_phase
from graphc.runtime.llvm.kernels.reductions import reduction_of
from graphc.runtime.llvm.kernels.row_units import RowUnits
from graphc.runtime.llvm.kernels.schedule import Schedule
from graphc.runtime.llvm.kernels.scheduler import chunked_schedule_of, needs_chunks, schedule_of
from graphc.runtime.llvm.native_step import NativeStep
from graphc.runtime.plan import ALIGNMENT


def build_kernel(
    module: Module,
    body: Graph,
    inputs: Sequence[Layout],
    outputs: Sequence[Layout],
    overwriting: Collection[int] = (),
    rows: RowUnits | None = None,
) -> NativeStep:
    """Add a kernel to a module, unless it is there.

    Its functions take the address of each operand's first element. An output may share memory with
    an input of the same layout. Equal kernels are one.

    Args:
        module: where the code goes.
        body: the scalar graph, as ``graphc.ops.fused`` describes it.
        inputs: how each input lies in memory.
        outputs: how each output lies in memory.
        overwriting: the numbers of the outputs that take the place of an input.
        rows: how units are cut, if that is not for the kernel to say.

    Raises:
        CompileError: if there is no native code for something in the body; says for what.
    """
    layouts = tuple(inputs), tuple(outputs)
    key = (body.inputs, tuple(body.outputs.values()), *layouts, frozenset(overwriting), rows)
    if key not in module.kernels:
        phases = phases_of(module, body, inputs, outputs, overwriting, rows)
        module.kernels[key] = phases.build(len(inputs) + len(outputs))
    return module.kernels[key]


def phases_of(
    module: Module,
    body: Graph,
    inputs: Sequence[Layout],
    outputs: Sequence[Layout],
    overwriting: Collection[int] = (),
    rows: RowUnits | None = None,
) -> Phases:
    """The phases of a kernel.

    Args:
        module: where constant arrays go.
        body: the scalar graph.
        inputs: how each input lies in memory.
        outputs: how each output lies in memory.
        overwriting: the numbers of the outputs that take the place of an input.
        rows: how units are cut, if that is not for the kernel to say.

    Raises:
        CompileError: if there is no native code for something in the body; says for what.
    """
    addresses = parameters(len(inputs) + len(outputs))
    sources = zip(body.inputs, addresses[: len(inputs)], inputs, strict=True)
    loads = {node: Place(address, layout) for node, address, layout in sources}
    for node in topological(body.outputs.values()):
        if is_array_constant(node):
            layout = Layout.contiguous(node.type.static_shape, node.type.dtype)
            loads[node] = Place(_global(module, node), layout)
    targets = zip(body.outputs.values(), addresses[len(inputs) :], outputs, strict=True)
    results = [
        (node, Place(address, layout, fresh=number not in overwriting))
        for number, (node, address, layout) in enumerate(targets)
    ]
    phases = Phases(module, loads, rows)
    for group in _groups(results):
        phases.add(group)
    return phases


def _groups(results: Sequence[tuple[Node, Place]]) -> list[list[tuple[Node, Place]]]:
    """Results that are stored along the same kept dims, those along most dims first.

    A smaller result may lie where an input lay that the larger ones still read.
    """
    reduced = {
        dim - len(node.inputs[0].type.shape)
        for node in topological([node for node, _ in results])
        if has_trait(node, Trait.REDUCE)
        for dim in node.attrs["dims"]
    }
    groups: dict[frozenset[int], list[tuple[Node, Place]]] = {}
    for node, place in results:
        shape = node.type.static_shape
        dims = {dim - len(shape) for dim, size in enumerate(shape) if size != 1}
        groups.setdefault(frozenset(dims - reduced), []).append((node, place))
    return [groups[dims] for dims in sorted(groups, key=len, reverse=True)]


class Phases:
    """The phases of one kernel, in the order of execution.

    Args:
        module: where the code will go.
        loads: the values that lie in memory from the start.
        rows: how units are cut, if that is not for the kernel to say.
    """

    def __init__(
        self, module: Module, loads: Mapping[Node, Place], rows: RowUnits | None = None
    ) -> None:
        self.schedules: list[Schedule] = []
        self.shared_bytes = 0
        self._module, self._rows = module, rows
        self._loads = dict(loads)

    def build(self, operands: int) -> NativeStep:
        """Add the functions of all phases to the module.

        Args:
            operands: the number of the kernel's inputs and outputs.
        """
        return NativeStep(
            tuple(emit_phase(self._module, schedule, operands) for schedule in self.schedules),
            self.shared_bytes,
            max(schedule.scratch_bytes for schedule in self.schedules),
        )

    def add(self, results: Sequence[tuple[Node, Place]]) -> None:
        """Append what computes these results, all stored along the same kept dims."""
        nodes, stores = [node for node, _ in results], [[place] for _, place in results]
        whole = analyze(nodes, self._loads, stores, {})
        if self._rows is None and needs_chunks(whole, self._module.target):
            self._add_chunked(results, whole)
        else:
            self.schedules.append(schedule_of(whole, self._module.target, self._rows))

    def _add_chunked(self, results: Sequence[tuple[Node, Place]], whole: Analysis) -> None:
        """Chunks of the reductions of each depth, then what follows from them for each row."""
        target = self._module.target
        rows_only = not any(
            axis.reduced for number in range(len(results)) for axis in whole.spans(number)
        )
        for depth in range(1, whole.passes + 1):
            partials = self._reduce_chunks(whole, depth)
            if rows_only and depth == whole.passes:
                self._add_last(results, partials)
                return
            known = _rows_for_later(whole, depth)
            places = {node: self._shared_row(node) for node in known}
            combining = analyze(
                known, self._loads, [[place] for place in places.values()], partials
            )
            self.schedules.append(schedule_of(combining, target))
            self._loads |= places
        self._add_last(results, {})

    def _add_last(
        self, results: Sequence[tuple[Node, Place]], partials: Mapping[Node, Partial]
    ) -> None:
        """The phase that stores the results."""
        nodes, stores = [node for node, _ in results], [[place] for _, place in results]
        last = analyze(nodes, self._loads, stores, partials)
        self.schedules.append(schedule_of(last, self._module.target))

    def _reduce_chunks(self, whole: Analysis, depth: int) -> dict[Node, Partial]:
        """The phase that reduces chunks; gives where their states are."""
        reductions = [
            node for node in whole.nodes if whole.is_reduction(node) and whole.depth[node] == depth
        ]
        start = self.shared_bytes
        stores = [self._shared_states(node) for node in reductions]
        distance = self.shared_bytes - start
        chunked = analyze(reductions, self._loads, stores, {}, distance)
        schedule = chunked_schedule_of(chunked, self._module.target)
        self.schedules.append(schedule)
        chunks = schedule.units.blocks
        self.shared_bytes = start + chunks * distance
        return {
            node: Partial(places, chunks, distance)
            for node, places in zip(reductions, stores, strict=True)
        }

    def _shared_states(self, node: Node) -> tuple[Place, ...]:
        """Places for each component of a reduction's state."""
        shape = node.type.static_shape
        return tuple(
            self._shared(Layout.contiguous(shape, dtype_of(value.elem)))
            for value in reduction_of(node).identity(1)
        )

    def _shared_row(self, node: Node) -> Place:
        """A place for a value of every row."""
        return self._shared(Layout.contiguous(node.type.static_shape, node.type.dtype))

    def _shared(self, layout: Layout) -> Place:
        """A place in shared memory."""
        place = Place(SHARED, layout, self.shared_bytes)
        self.shared_bytes += -(-layout.size * layout.dtype.itemsize // ALIGNMENT) * ALIGNMENT
        return place


def _rows_for_later(whole: Analysis, depth: int) -> list[Node]:
    """Values of rows that exist after the reductions of a depth and that later phases need."""
    rows = {node for node in whole.nodes if _is_row(whole, node)}
    needed = set(whole.results) | {
        operand
        for node in whole.nodes
        if node not in whole.leaves and (node not in rows or whole.depth[node] > depth)
        for operand in node.inputs
    }
    return [node for node in whole.nodes if node in rows & needed and whole.depth[node] == depth]


def _is_row(whole: Analysis, node: Node) -> bool:
    """Whether a value has one element per row."""
    shape, rank = node.type.static_shape, whole.space.rank
    reduced = whole.reduced_dims
    return all(size == 1 for dim, size in enumerate(shape, rank - len(shape)) if dim in reduced)


def _global(module: Module, node: Node) -> Value:
    """The address of a constant array's copy in the module."""
    dtype = node.type.dtype
    data = np.ascontiguousarray(node.attrs["value"].array).tobytes()
    name = f"@constant.{hashlib.sha256(data).hexdigest()[:24]}"
    escaped = "".join(f"\\{byte:02X}" for byte in data)
    kind = f"[{len(data)} x i8]"
    align = max(dtype.itemsize, 1)
    text = f'{name} = private unnamed_addr constant {kind} c"{escaped}", align {align}'
    module.define(name, text)
    return Value(name, "ptr", 1)
