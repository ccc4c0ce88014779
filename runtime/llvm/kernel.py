"""Code of one kernel: elementwise chains and reductions over one iteration space.

The loops are those of ``graphc.runtime.llvm.iteration``. Every value is computed at the outermost
loop in which all that it depends on is known. Reductions that need each other run one after the
other over the same row, and point values that several of these passes need are computed again.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from graphc.graph import Graph, has_trait, topological
from graphc.node import Node
from graphc.opdef import Trait
from graphc.runtime.llvm import memory
from graphc.runtime.llvm.accumulator import Accumulator
from graphc.runtime.llvm.analysis import Analysis, analyze
from graphc.runtime.llvm.emitter import Emitter
from graphc.runtime.llvm.function import define_function, parameters
from graphc.runtime.llvm.iteration import Axis, Layout
from graphc.runtime.llvm.loops import chunked_loop, loop
from graphc.runtime.llvm.module import Module
from graphc.runtime.llvm.native_step import NativeStep, Phase
from graphc.runtime.llvm.reductions import reduction_of
from graphc.runtime.llvm.scalar_ops import weight
from graphc.runtime.llvm.scopes import Scope, Scopes
from graphc.runtime.llvm.values import Value, constant
from graphc.runtime.llvm.vectors import Segment, segments, widths

CHUNK = 256
"""Rounds after which a sum starts a new partial sum; the partial sums are added with care."""


def build_kernel(
    module: Module, body: Graph, inputs: Sequence[Layout], outputs: Sequence[Layout]
) -> NativeStep:
    """Add a kernel to a module, unless it is there.

    Its functions take the address of each operand's first element. An output may share memory with
    an input of the same layout. Equal kernels are one.

    Args:
        module: where the code goes.
        body: the scalar graph, as ``graphc.ops.fused`` describes it.
        inputs: how each input lies in memory.
        outputs: how each output lies in memory.

    Raises:
        CompileError: if there is no native code for something in the body; says for what.
    """
    key = (body.inputs, tuple(body.outputs.values()), tuple(inputs), tuple(outputs))
    if key not in module.kernels:
        analysis = analyze(body, tuple(inputs), tuple(outputs))
        module.kernels[key] = _Kernel(module, analysis).build()
    return module.kernels[key]


_Part = tuple[Segment | None, dict[Node, Accumulator]]
"""A piece of the innermost reduced axis and the state of each reduction over it."""


class _Kernel:
    """The code of one kernel while it is being written."""

    def __init__(self, module: Module, analysis: Analysis) -> None:
        self.e = Emitter(module)
        self.body = analysis
        self.space = analysis.space
        self.scopes = Scopes(self.e, analysis)
        self.lanes = widths(analysis.nodes, analysis.space, module.target)
        self.slots: list[str] = []

    # ------------------------------------------------------------------ the function

    def build(self) -> NativeStep:
        """Emit everything and define the function."""
        operands = self.body.first_output + len(self.body.results)
        pointers = parameters(operands)
        pointers += [Value(self._global(node), memory.POINTER, 1) for node in self.body.arrays]
        if not self.space.is_empty:
            top = Scope({}, tuple(pointers), {}, frozenset(), frozenset())
            self._walk(self.space.kept, top, self._row, self.body.nodes)
        symbol = define_function(self.e.module, operands, [*self.slots, *self.e.lines])
        return NativeStep((Phase(symbol, 1, self._nanoseconds()),))

    def _nanoseconds(self) -> float:
        """A coarse estimate: one instruction per vector of elements takes a third of one."""
        points = math.prod(axis.size for axis in (*self.space.kept, *self.space.reduced))
        work = sum(
            weight(node) for node in self.body.nodes if has_trait(node, Trait.ELEMENTWISE)
        ) + len(self.body.loads)
        return points * work / self.lanes[0] / 3

    def _global(self, node: Node) -> str:
        """The address of a constant array's copy in the module."""
        dtype = node.type.dtype
        data = np.ascontiguousarray(node.attrs["value"].array).tobytes()
        name = f"@constant.{hashlib.sha256(data).hexdigest()[:24]}"
        escaped = "".join(f"\\{byte:02X}" for byte in data)
        kind = f"[{len(data)} x i8]"
        align = max(dtype.itemsize, 1)
        text = f'{name} = private unnamed_addr constant {kind} c"{escaped}", align {align}'
        self.e.module.define(name, text)
        return name

    # ------------------------------------------------------------------ loops

    def _walk(
        self,
        axes: Sequence[Axis],
        scope: Scope,
        leaf: Callable[[Scope], None],
        wanted: Iterable[Node],
    ) -> None:
        """Loop over the axes; at each level compute what can be computed there."""
        wanted = tuple(wanted)
        scope = self.scopes.store(self.scopes.settle(scope, wanted))
        if not axes:
            leaf(scope)
            return
        axis, *rest = axes
        if axis is self.space.vector:
            for segment in segments(axis.size, self.lanes):
                self._round(axis, segment, rest, scope, leaf, wanted)
        else:
            self._round(axis, None, rest, scope, leaf, wanted)

    def _round(
        self,
        axis: Axis,
        segment: Segment | None,
        rest: Sequence[Axis],
        scope: Scope,
        leaf: Callable[[Scope], None],
        wanted: tuple[Node, ...],
    ) -> None:
        """One loop, over an axis or a segment of it, and all that is inside."""
        enter = self.scopes.entering(axis, segment)
        count = axis.size if segment is None else segment.count
        loop(self.e, count, lambda index: self._walk(rest, enter(scope, index), leaf, wanted))

    # ------------------------------------------------------------------ rows and reductions

    def _row(self, scope: Scope) -> None:
        """All kept indices are known: run the passes over the reduced axes, then store."""
        for depth in range(1, self.body.passes + 1):
            reductions = [
                node
                for node in self.body.nodes
                if has_trait(node, Trait.REDUCE) and self.body.depth[node] == depth
            ]
            self._reduce(scope, reductions)
        scope = self.scopes.store(self.scopes.settle(scope, self.body.nodes))
        points = [
            node for number, node in enumerate(self.body.results) if number not in scope.stored
        ]
        if points:
            needed = tuple(topological(points))
            self._walk(self.space.reduced, scope, lambda inner: None, needed)

    def _reduce(self, scope: Scope, reductions: list[Node]) -> None:
        """One pass: every reduction of one depth over the reduced axes; fills ``scope.values``."""
        wanted = tuple(topological([node.inputs[0] for node in reductions]))
        totals = {node: list[Accumulator]() for node in reductions}
        axes = self.space.reduced
        inner = axes[-1] if axes else None
        in_vector = inner is not None and inner is self.space.vector
        cuts: list[Segment | None] = [None]
        if inner is not None and in_vector:
            cuts = list(segments(inner.size, self.lanes))
        parts: list[_Part] = []
        for segment in cuts:
            part = {node: self._accumulator(node, scope, segment) for node in reductions}
            parts.append((segment, part))
            for node, accumulator in part.items():
                totals[node].append(accumulator)
        self._reduce_outer(axes[:-1], scope, wanted, inner, parts)
        for node, accumulators in totals.items():
            scope.values[node] = self._total(node, accumulators, in_vector)

    def _reduce_outer(
        self,
        axes: Sequence[Axis],
        scope: Scope,
        wanted: tuple[Node, ...],
        inner: Axis | None,
        parts: list[_Part],
    ) -> None:
        scope = self.scopes.settle(replace(scope, values=dict(scope.values)), wanted)
        if axes:
            enter = self.scopes.entering(axes[0], None)
            loop(
                self.e,
                axes[0].size,
                lambda index: self._reduce_outer(
                    axes[1:], enter(scope, index), wanted, inner, parts
                ),
            )
            return
        for segment, part in parts:
            self._reduce_inner(scope, wanted, inner, segment, part)

    def _reduce_inner(
        self,
        scope: Scope,
        wanted: tuple[Node, ...],
        inner: Axis | None,
        segment: Segment | None,
        part: dict[Node, Accumulator],
    ) -> None:
        def gather(point: Scope) -> None:
            for node, accumulator in part.items():
                accumulator.add(
                    point.values[node.inputs[0]], self._position(node, point), point.active
                )

        def fold() -> None:
            for accumulator in part.values():
                accumulator.fold()

        if inner is None:
            gather(scope)
            fold()
            return
        enter = self.scopes.entering(inner, segment)
        count = inner.size if segment is None else segment.count

        def body(index: Value) -> None:
            gather(self.scopes.settle(enter(scope, index), wanted))

        chunked_loop(self.e, count, CHUNK, body, fold)

    def _accumulator(self, node: Node, scope: Scope, segment: Segment | None) -> Accumulator:
        rounds = self.space.rounds
        if segment is not None:
            inner = self.space.reduced[-1]
            rounds = rounds // max(inner.size, 1) * segment.count
            lanes = segment.lanes
        else:
            vector = self.space.vector
            lanes = scope.lanes if vector in self.body.varying[node.inputs[0]] else 1
        return Accumulator(self.e, self.slots, reduction_of(node), lanes, rounds > CHUNK)

    def _total(self, node: Node, accumulators: list[Accumulator], across: bool) -> Value:
        """The result of all parts, in order; across lanes if the vector axis is reduced."""
        reduction = reduction_of(node)
        states = [accumulator.total(across) for accumulator in accumulators]
        if not states:
            states = [reduction.identity(1)]
        state = states[0]
        for other in states[1:]:
            state = reduction.combine(self.e, state, other)
        result = reduction.finish(self.e, state)
        if self.space.rounds == 0 and result.is_float and node.op.name == "sum":
            return constant(result.elem, 0.0, result.lanes)
        return result

    def _position(self, node: Node, scope: Scope) -> Value | None:
        """The index along the reduced dim, for argmax and argmin."""
        if node.op.name not in ("argmax", "argmin"):
            return None
        (dim,) = node.attrs["dims"]
        return self.e.resize(self.scopes.index(dim, scope), "i32")
