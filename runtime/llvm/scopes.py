"""What is known inside each loop of a kernel, and how values are computed and stored there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from graphc.dtypes import int64
from graphc.graph import has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.runtime.llvm import memory
from graphc.runtime.llvm.analysis import ALIASES, Analysis, iota_dim
from graphc.runtime.llvm.casts import convert
from graphc.runtime.llvm.emitter import Emitter
from graphc.runtime.llvm.iteration import Axis
from graphc.runtime.llvm.scalar_ops import emit_elementwise
from graphc.runtime.llvm.values import Value, constant
from graphc.runtime.llvm.vectors import Segment


@dataclass(frozen=True, slots=True)
class Scope:
    """What is known inside a loop: values, where each operand stands, and the loops' indices."""

    values: dict[Node, Value]
    pointers: tuple[Value, ...]
    indices: dict[int, Value]
    axes: frozenset[Axis]
    stored: frozenset[int]
    vector: bool = False
    lanes: int = 1
    active: int = 1


class Scopes:
    """Computes the values of one body inside its loops.

    Args:
        e: where to emit.
        body: the analysed body.
    """

    def __init__(self, e: Emitter, body: Analysis) -> None:
        self.e, self.body, self.space = e, body, body.space
        self._reductions = {node for node in body.nodes if has_trait(node, Trait.REDUCE)}

    def entering(self, axis: Axis, segment: Segment | None) -> Callable[[Scope, Value], Scope]:
        """How the scope changes inside one round of an axis."""

        def enter(scope: Scope, index: Value) -> Scope:
            if segment is not None:
                index = self._affine(index, segment.lanes, segment.start)
                scope = replace(scope, vector=True, lanes=segment.lanes, active=segment.active)
            pointers = [
                memory.element(self.e, pointer, layout.dtype, self._affine(index, stride, 0))
                if stride and index.text != "0"
                else pointer
                for pointer, layout, stride in zip(
                    scope.pointers, self.body.operands, axis.strides, strict=True
                )
            ]
            return replace(
                scope,
                values=dict(scope.values),
                pointers=tuple(pointers),
                indices={**scope.indices, axis.dim: index},
                axes=scope.axes | {axis},
            )

        return enter

    def _affine(self, index: Value, factor: int, offset: int) -> Value:
        """index * factor + offset, computed now where the index is a constant."""
        if not index.text.startswith("%"):
            return constant("i64", int(index.text) * factor + offset)
        scaled = self.e.mul(index, factor) if factor != 1 else index
        return self.e.add(scaled, offset) if offset else scaled

    def index(self, dim: int, scope: Scope) -> Value:
        """The index along a dim: a vector if it is the vector axis."""
        index = scope.indices.get(dim, constant("i64", 0))
        vector = self.space.vector
        if vector is None or not scope.vector or vector.dim != dim or scope.lanes == 1:
            return index
        steps = ", ".join(f"i64 {lane}" for lane in range(scope.lanes))
        return self.e.add(self.e.splat(index, scope.lanes), Value(f"<{steps}>", "i64", scope.lanes))

    def settle(self, scope: Scope, wanted: Iterable[Node]) -> Scope:
        """Compute what is wanted and can be known here."""
        for node in wanted:
            if node not in scope.values and self._is_known(node, scope):
                scope.values[node] = self._value(node, scope)
        return scope

    def _is_known(self, node: Node, scope: Scope) -> bool:
        if node in self._reductions or not self.body.varying[node] <= scope.axes:
            return False
        return all(operand in scope.values for operand in node.inputs)

    def _value(self, node: Node, scope: Scope) -> Value:
        number = self.body.loads.get(node)
        if number is not None:
            stride = self._vector_stride(number, scope)
            layout = self.body.operands[number]
            pointer = scope.pointers[number]
            return memory.load(self.e, pointer, layout.dtype, stride, scope.lanes, scope.active)
        if node.op.name == "constant":
            elem = memory.computed_elem(node.type.dtype)
            scalar = node.attrs["value"].array.reshape(-1)[0]
            return constant(
                elem, float(scalar) if node.type.dtype.is_floating_point else int(scalar)
            )
        if node.op.name == "iota":
            dim = iota_dim(node, self.space.rank)
            return convert(self.e, self.index(dim, scope), int64, node.type.dtype)
        operands = [scope.values[operand] for operand in node.inputs]
        if node.op.name in ALIASES:
            return operands[0]
        lanes = max(operand.lanes for operand in operands)
        wide = [self.e.splat(operand, lanes) for operand in operands]
        return emit_elementwise(self.e, node, wide)

    def _vector_stride(self, number: int, scope: Scope) -> int:
        if self.space.vector is None or not scope.vector:
            return 0
        return self.space.vector.strides[number]

    def store(self, scope: Scope) -> Scope:
        """Store every output whose axes are all known and whose value is."""
        ready = [
            number
            for number, node in enumerate(self.body.results)
            if number not in scope.stored
            and node in scope.values
            and self.body.spans(number) <= scope.axes
        ]
        for number in ready:
            self._write_when_last(scope, number)
        return replace(scope, stored=scope.stored | set(ready))

    def _write(self, scope: Scope, number: int) -> None:
        """Store one result."""
        operand = self.body.first_output + number
        stride = self._vector_stride(operand, scope)
        value = scope.values[self.body.results[number]]
        if stride:
            value = self.e.splat(value, scope.lanes)
        dtype = self.body.operands[operand].dtype
        memory.store(self.e, value, scope.pointers[operand], dtype, stride, scope.active)

    def _write_when_last(self, scope: Scope, number: int) -> None:
        """Store a result that is smaller than the loops around it in their last round only.

        It may lie where an input lay that all earlier rounds still read.
        """
        condition: Value | None = None
        for axis in sorted(scope.axes - self.body.spans(number), key=lambda axis: axis.dim):
            index = scope.indices[axis.dim]
            if axis is not self.space.vector and index.text.startswith("%"):
                last = self.e.cmp("eq", index, axis.size - 1)
                condition = last if condition is None else self.e.binary("and", condition, last)
        if condition is None:
            self._write(scope, number)
            return
        name = self.e.fresh("last")
        self.e.emit(f"br i1 {condition.text}, label %{name}, label %{name}.end")
        self.e.label(name)
        self._write(scope, number)
        self.e.emit(f"br label %{name}.end")
        self.e.label(f"{name}.end")
