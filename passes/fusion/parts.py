"""How fusion sees nodes: work that kernels do, glue between it, and what is cheap to repeat."""

from __future__ import annotations

from collections.abc import Iterator

from graphc.graph import Graph, has_trait
from graphc.node import CONSTANT, Node
from graphc.opdef import Trait
from graphc.ops.leaf import IOTA
from graphc.ops.linalg import matmul
from graphc.ops.shape import expand, reshape
from graphc.passes.fusion.space import trimmed
from graphc.types import TensorType

_WORK = Trait.ELEMENTWISE | Trait.REDUCE
_NO_WORK = Trait.OPAQUE | Trait.LIBRARY


def is_work(node: Node) -> bool:
    """True for what kernels compute: elementwise operations and reductions of known shapes."""
    if has_trait(node, _NO_WORK) or not has_trait(node, _WORK):
        return False
    if has_trait(node, Trait.REDUCE) and not node.attrs["dims"]:
        return False
    return all(_is_static(each) and _has_scalar_code(each) for each in (node, *node.inputs))


def is_glue(node: Node) -> bool:
    """True for a broadcast and for added leading dims of size 1: right alignment makes it free."""
    if node.op is reshape:
        shape, operand = node.type.shape, node.inputs[0].type.shape
        leading = len(shape) >= len(operand) and trimmed(shape) == trimmed(operand)
        return leading and _is_static(node)
    return node.op is expand and _is_static(node)


def is_cheap(node: Node) -> bool:
    """True for a one-element constant and a counting range, through glue: kernels repeat them."""
    base = base_of(node)
    if base.op is CONSTANT:
        return bool(base.attrs["value"].array.size == 1)
    return base.op is IOTA and _is_static(base)


def base_of(node: Node) -> Node:
    """The node below glue."""
    while is_glue(node):
        node = node.inputs[0]
    return node


def products_of(graph: Graph) -> Iterator[Node]:
    """The matrix products of a graph that have known sizes and any element, operands first."""
    for node in graph.nodes:
        if node.op is matmul and node.type.is_static and 0 not in node.type.static_shape:
            yield node


def _has_scalar_code(node: Node) -> bool:
    """False for complex numbers: kernels have none."""
    return not node.type.dtype.is_complex


def _is_static(node: Node) -> bool:
    return isinstance(node.result_type, TensorType) and node.result_type.is_static
