"""What a kernel must know about its body: which value varies along which loops, and what waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphc.errors import CompileError
from graphc.graph import Graph, has_trait, topological
from graphc.node import Node
from graphc.opdef import Trait
from graphc.runtime.llvm.iteration import Axis, Layout, Space, space_of
from graphc.runtime.llvm.memory import computed_elem
from graphc.runtime.llvm.reductions import reduction_of
from graphc.runtime.llvm.scalar_ops import require_native

ALIASES = ("expand", "reshape", "detach")
"""Operations inside a body that only change which dims a value spans."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """A body and where each of its values belongs.

    Args:
        nodes: all nodes that the results need, operands first.
        results: the nodes to store.
        loads: operand number of each node that is read from memory.
        operands: layouts of inputs, then outputs, then constant arrays.
        first_output: operand number of the first result.
        arrays: nodes whose value is a constant array.
        space: the loops.
        varying: the axes along which each value differs.
        depth: how many reductions follow each other up to each node.
    """

    nodes: tuple[Node, ...]
    results: tuple[Node, ...]
    loads: Mapping[Node, int]
    operands: tuple[Layout, ...]
    first_output: int
    arrays: tuple[Node, ...]
    space: Space
    varying: Mapping[Node, frozenset[Axis]]
    depth: Mapping[Node, int]

    @property
    def passes(self) -> int:
        """How many times a row is walked for its reductions."""
        return max(self.depth.values(), default=0)

    def spans(self, result: int) -> frozenset[Axis]:
        """The axes along which a result is stored."""
        operand = self.first_output + result
        axes = self.space.kept + self.space.reduced
        return frozenset(axis for axis in axes if axis.strides[operand])


def analyze(body: Graph, inputs: tuple[Layout, ...], outputs: tuple[Layout, ...]) -> Analysis:
    """Look through a body.

    Args:
        body: the scalar graph.
        inputs: layout of each input.
        outputs: layout of each output.

    Raises:
        CompileError: if there is no native code for something; says for what.
    """
    results = tuple(body.outputs.values())
    nodes = topological(results)
    loads = {node: number for number, node in enumerate(body.inputs)}
    for node in nodes:
        if node not in loads:
            _require_supported(node)
        computed_elem(node.type.dtype)
    arrays = tuple(node for node in nodes if _is_array_constant(node))
    constants = (Layout.contiguous(node.type.static_shape, node.type.dtype) for node in arrays)
    operands = (*inputs, *outputs, *constants)
    space = space_of(body, operands)
    loads |= {node: len(inputs) + len(outputs) + k for k, node in enumerate(arrays)}
    varying: dict[Node, frozenset[Axis]] = {}
    depth: dict[Node, int] = {}
    for node in nodes:
        varying[node] = _varying(node, loads, space, varying)
        reducing = int(has_trait(node, Trait.REDUCE))
        depth[node] = reducing + max((depth[operand] for operand in node.inputs), default=0)
    return Analysis(nodes, results, loads, operands, len(inputs), arrays, space, varying, depth)


def iota_dim(node: Node, rank: int) -> int:
    """The dim of the full shape that an iota counts along."""
    dim: int = node.attrs["dim"]
    return dim + rank - len(node.type.shape)


def _varying(
    node: Node, loads: Mapping[Node, int], space: Space, known: Mapping[Node, frozenset[Axis]]
) -> frozenset[Axis]:
    axes = space.kept + space.reduced
    if node in loads:
        return frozenset(axis for axis in axes if axis.strides[loads[node]])
    if node.op.name == "iota":
        return frozenset(axis for axis in axes if axis.dim == iota_dim(node, space.rank))
    union = frozenset[Axis]().union(*(known[operand] for operand in node.inputs))
    if has_trait(node, Trait.REDUCE):
        return frozenset(axis for axis in union if not axis.reduced)
    return union


def _require_supported(node: Node) -> None:
    if has_trait(node, Trait.ELEMENTWISE):
        require_native(node)
    elif has_trait(node, Trait.REDUCE):
        reduction_of(node)
    elif node.op.name == "reshape":
        _require_alignment(node)
    elif node.op.name not in (*ALIASES, "constant", "iota"):
        raise CompileError(f"{node.op.name}: no native code")


def _require_alignment(node: Node) -> None:
    """A reshape inside a body may only add or drop leading dims of size 1."""
    before, after = node.inputs[0].type.static_shape, node.type.static_shape
    rank = max(len(before), len(after))
    if (1,) * (rank - len(before)) + before != (1,) * (rank - len(after)) + after:
        raise CompileError("reshape: no native code where it moves dims")


def _is_array_constant(node: Node) -> bool:
    return node.op.name == "constant" and bool(node.attrs["value"].array.size != 1)
