"""What is known inside each loop of a kernel, and how values are computed and stored there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from graphc.dtypes import DType, int64
from graphc.node import Node
from graphc.runtime.llvm.ir import memory
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.function import SCRATCH
from graphc.runtime.llvm.ir.loops import affine, loop, number
from graphc.runtime.llvm.ir.values import Value, constant
from graphc.runtime.llvm.kernels.accumulator import Accumulator
from graphc.runtime.llvm.kernels.analysis import ALIASES, iota_dim, is_zero_iota
from graphc.runtime.llvm.kernels.fetching import AHEAD
from graphc.runtime.llvm.kernels.iteration import Axis
from graphc.runtime.llvm.kernels.reductions import State, reduction_of
from graphc.runtime.llvm.kernels.schedule import Schedule
from graphc.runtime.llvm.kernels.vectors import Segment
from graphc.runtime.llvm.scalar import uniform_division
from graphc.runtime.llvm.scalar.casts import convert
from graphc.runtime.llvm.scalar.scalar_ops import emit_elementwise
from graphc.runtime.llvm.scalar.uniform_division import Divisor

LONG = 128
"""From this size on, dividing along the vector axis is worth preparing."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is known inside a loop.

    Args:
        values: the values computed so far.
        divisors: what is known of values that many others are divided by.
        pointers: where each place stands.
        scratch: where each kept value stands in scratch memory.
        reads: values that are read from scratch memory, not computed.
        indices: the index along each dim that a loop runs over.
        axes: the axes whose index is known.
        blocks: which block of an axis the loop over this axis does.
        stored: results that are stored already.
        vector: whether the vector axis is among the axes.
        lanes: the width of vectors.
        active: how many of the lanes exist.
    """

    values: dict[Node, Value]
    pointers: tuple[Value, ...]
    scratch: dict[Node, Value]
    reads: frozenset[Node] = frozenset()
    divisors: dict[Node, Divisor] = field(default_factory=dict)
    indices: dict[int, Value] = field(default_factory=dict)
    axes: frozenset[Axis] = frozenset()
    blocks: dict[Axis, Value] = field(default_factory=dict)
    stored: frozenset[int] = frozenset()
    vector: bool = False
    lanes: int = 1
    active: int = 1


class Scopes:
    """Computes the values of one phase inside its loops.

    Args:
        e: where to emit.
        schedule: the loops.
        streams: the numbers of places that are stored past the caches.
    """

    def __init__(self, e: Emitter, schedule: Schedule, streams: frozenset[int]) -> None:
        self.e, self.schedule, self._streams = e, schedule, streams
        self.body = schedule.analysis
        self.space = schedule.analysis.space
        self._transposed = {} if schedule.tile is None else schedule.tile.offsets
        self._divisors = [node.inputs[1] for node in self.body.nodes if self._divides_by_one(node)]

    def outermost(self) -> Scope:
        """What is known before all loops."""
        pointers = [
            memory.further(self.e, place.base, constant("i64", place.offset))
            for place in self.body.places
        ]
        scratch = {
            node: memory.further(self.e, SCRATCH, constant("i64", saved.offset))
            for node, saved in self.schedule.saved.items()
        }
        return Scope({}, tuple(pointers), scratch)

    # ------------------------------------------------------------------ loops

    def entering(self, axis: Axis, segment: Segment | None) -> Callable[[Scope, Value], Scope]:
        """How the scope changes inside one round of an axis."""

        def enter(scope: Scope, index: Value) -> Scope:
            if segment is not None:
                index = affine(self.e, index, segment.lanes, segment.start)
                scope = replace(scope, vector=True, lanes=segment.lanes, active=segment.active)
            pointers = [
                self._moved(pointer, place.layout.dtype, index, self.stride(number, axis))
                for number, (pointer, place) in enumerate(
                    zip(scope.pointers, self.body.places, strict=True)
                )
            ]
            scratch = {
                node: self._moved(pointer, _held(node), index, self._kept_stride(node, axis))
                for node, pointer in scope.scratch.items()
            }
            return replace(
                scope,
                values=dict(scope.values),
                divisors=dict(scope.divisors),
                pointers=tuple(pointers),
                scratch=scratch,
                indices={**scope.indices, axis.dim: index},
                axes=scope.axes | {axis},
            )

        return enter

    def stride(self, place: int, axis: Axis) -> int:
        """Elements from one index to the next; in the tile for what is transposed."""
        tile = self.schedule.tile
        if tile is not None and place in self._transposed and axis in (tile.outer, tile.inner):
            return tile.size if axis is tile.outer else 1
        return axis.strides[place]

    def _kept_stride(self, node: Node, axis: Axis) -> int:
        return self.schedule.saved[node].strides.get(axis, 0)

    def _moved(self, pointer: Value, dtype: DType, index: Value, stride: int) -> Value:
        offset = affine(self.e, index, stride, 0) if stride else constant("i64", 0)
        return pointer if number(offset) == 0 else memory.element(self.e, pointer, dtype, offset)

    def index(self, dim: int, scope: Scope) -> Value:
        """The index along a dim: a vector if it is the vector axis."""
        index = scope.indices.get(dim, constant("i64", 0))
        vector = self.space.vector
        if vector is None or not scope.vector or vector.dim != dim or scope.lanes == 1:
            return index
        steps = ", ".join(f"i64 {lane}" for lane in range(scope.lanes))
        return self.e.add(self.e.splat(index, scope.lanes), Value(f"<{steps}>", "i64", scope.lanes))

    # ------------------------------------------------------------------ values

    def settle(self, scope: Scope, wanted: Iterable[Node]) -> Scope:
        """Compute what is wanted and can be known here."""
        for node in wanted:
            if node not in scope.values and self._is_known(node, scope):
                scope.values[node] = self._value(node, scope)
        for node in self._divisors:
            value = scope.values.get(node)
            if value is not None and value.lanes == 1 and node not in scope.divisors:
                scope.divisors[node] = uniform_division.prepare(self.e, value)
        return scope

    def _divides_by_one(self, node: Node) -> bool:
        """Whether a long vector axis is divided by one number."""
        if node.op.name != "div" or node in self.body.leaves or memory.is_half(node.type.dtype):
            return False
        vector, (above, below) = self.space.vector, node.inputs
        if below.op.name == "constant":  # LLVM multiplies where that is exact
            return False
        if vector is None or vector.size < LONG or vector in self.body.varying[below]:
            return False
        elem = memory.computed_elem(node.type.dtype)
        return vector in self.body.varying[above] and uniform_division.is_possible(self.e, elem)

    def _is_known(self, node: Node, scope: Scope) -> bool:
        if not self.body.varying[node] <= scope.axes or self.body.is_reduction(node):
            return False
        if node in self.body.leaves or node in scope.reads:
            return True
        return all(operand in scope.values for operand in node.inputs)

    def _value(self, node: Node, scope: Scope) -> Value:
        if node in scope.reads:
            stride = int(self.space.vector in self.body.varying[node] and scope.vector)
            pointer = scope.scratch[node]
            return memory.load(self.e, pointer, _held(node), stride, scope.lanes, scope.active)
        if node in self.body.partials:
            return self._combined(node, scope)
        if node in self.body.leaves:
            (place,) = self.body.leaves[node]
            return self._load(place, scope.pointers[place], scope)
        if node.op.name == "constant":
            elem = memory.computed_elem(node.type.dtype)
            scalar = node.attrs["value"].array.reshape(-1)[0]
            return constant(
                elem, float(scalar) if node.type.dtype.is_floating_point else int(scalar)
            )
        if is_zero_iota(node):
            return convert(self.e, constant("i64", 0), int64, node.type.dtype)
        if node.op.name == "iota":
            dim = iota_dim(node, self.space.rank)
            return convert(self.e, self.index(dim, scope), int64, node.type.dtype)
        operands = [scope.values[operand] for operand in node.inputs]
        if node.op.name in ALIASES:
            return operands[0]
        lanes = max(operand.lanes for operand in operands)
        if lanes > 1 and self._divides_by_one(node) and node.inputs[1] in scope.divisors:
            return uniform_division.divide(self.e, operands[0], scope.divisors[node.inputs[1]])
        wide = [self.e.splat(operand, lanes) for operand in operands]
        return emit_elementwise(self.e, node, wide)

    def _combined(self, node: Node, scope: Scope) -> Value:
        """A reduction of which the states of all chunks lie in memory."""
        partial, places = self.body.partials[node], self.body.leaves[node]
        reduction = reduction_of(node)
        strides = [self._vector_stride(place, scope) for place in places]
        lanes = scope.lanes if any(strides) else 1
        accumulator = Accumulator(self.e, reduction, lanes, long=True)

        def merge(chunk: Value) -> None:
            state: list[Value] = []
            for place in places:
                distance = affine(self.e, chunk, partial.distance, 0)
                pointer = memory.further(self.e, scope.pointers[place], distance)
                state.append(self._load(place, pointer, scope))
            accumulator.merge(tuple(state))
            accumulator.fold()

        loop(self.e, partial.chunks, merge)
        return reduction.finish(self.e, accumulator.total(across=False))

    def _load(self, place: int, pointer: Value, scope: Scope) -> Value:
        dtype = self.body.places[place].layout.dtype
        stride = self._vector_stride(place, scope)
        return memory.load(self.e, pointer, dtype, stride, scope.lanes, scope.active)

    def _vector_stride(self, place: int, scope: Scope) -> int:
        if self.space.vector is None or not scope.vector:
            return 0
        return self.stride(place, self.space.vector)

    # ------------------------------------------------------------------ results

    def store(self, scope: Scope) -> Scope:
        """Store every result whose axes are all known and whose value is."""
        if self.body.raw:
            return scope
        ready = [
            result
            for result, node in enumerate(self.body.results)
            if result not in scope.stored
            and node in scope.values
            and self.body.spans(result) <= scope.axes
        ]
        for result in ready:
            (place,) = self.body.stores[result]
            self._write(scope.values[self.body.results[result]], place, scope)
        return replace(scope, stored=scope.stored | set(ready))

    def store_states(self, scope: Scope, states: dict[Node, State]) -> None:
        """Store the states of all reductions, for the phase that combines them."""
        for node, places in zip(self.body.results, self.body.stores, strict=True):
            for value, place in zip(states[node], places, strict=True):
                self._write(value, place, scope)

    def save(self, scope: Scope, nodes: Iterable[Node]) -> None:
        """Keep values in scratch memory."""
        for node in nodes:
            value = scope.values[node]
            stride = int(value.lanes > 1)
            active = scope.active if stride else 1
            memory.store(self.e, value, scope.scratch[node], _held(node), stride, active)

    def fetch_ahead(self, scope: Scope) -> None:
        """Ask for operands that later vectors are read from."""
        for place in sorted(self.schedule.ahead):
            itemsize = self.body.places[place].layout.dtype.itemsize
            pointer = memory.further(self.e, scope.pointers[place], constant("i64", AHEAD))
            memory.fetch(self.e, pointer, scope.lanes * itemsize, writing=False)

    def fetch_row(self, scope: Scope) -> None:
        """Ask for the memory of the next row's operands and of this row's results."""
        row = self.space.kept[-1]
        loads = [number for numbers in self.body.leaves.values() for number in numbers]
        stores = [number for numbers in self.body.stores for number in numbers]
        for place in (*loads, *stores):
            dtype = self.body.places[place].layout.dtype
            if self._vector_stride(place, scope) != 1 or place in self._streams:
                continue
            distance = 0 if place in stores else row.strides[place]
            pointer = self._moved(scope.pointers[place], dtype, constant("i64", 1), distance)
            memory.fetch(self.e, pointer, scope.lanes * dtype.itemsize, place in stores)

    def _write(self, value: Value, place: int, scope: Scope) -> None:
        stride = self._vector_stride(place, scope)
        if stride:
            value = self.e.splat(value, scope.lanes)
        dtype = self.body.places[place].layout.dtype
        streamed = place in self._streams
        pointer = scope.pointers[place]
        memory.store(self.e, value, pointer, dtype, stride, scope.active, streamed=streamed)


def _held(node: Node) -> DType:
    """The dtype of scratch memory that holds a value in computed form."""
    return memory.dtype_of(memory.computed_elem(node.type.dtype))
