"""Merge nodes that hold the same value.

Interning merges equal expressions when they are made. What it cannot see is left to this pass:
large constants with equal content, variables with different names over one storage, and
commutative operations whose operands are in another order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass

from graphc.graph import Graph, has_trait
from graphc.literal import INTERN_LIMIT, Literal
from graphc.node import CONSTANT, Node
from graphc.opdef import Trait
from graphc.ops.leaf import VARIABLE
from graphc.passes.base import journal
from graphc.provenance import add_origins, origins_of
from graphc.rebuild import with_inputs


@dataclass(frozen=True)
class MergeEqual:
    """Common subexpression elimination for what interning has not merged."""

    name: str = "cse"
    requires: tuple[str, ...] = ()
    ensures: tuple[str, ...] = ()

    def run(self, graph: Graph) -> Graph:
        """The graph with equal nodes merged; the same object if there are none."""
        notes = journal()
        first: dict[Hashable, Node] = {}
        new: dict[Node, Node] = {}
        for node in graph.nodes:
            current = with_inputs(node, tuple(new[operand] for operand in node.inputs))
            key = _content(current)
            kept = current if key is None else first.setdefault(key, current)
            if kept is not current and notes.fire(f"equal {node.op.name} nodes", node):
                add_origins(kept, origins_of(current))
                current = kept
            new[node] = current
        return graph.replace_roots(new) if notes.firings else graph


def _content(node: Node) -> Hashable:
    """What makes two nodes equal; None where interning has seen all there is to see."""
    if has_trait(node, Trait.COMMUTATIVE):
        return node.op, frozenset(node.inputs)
    if node.op is VARIABLE:
        return id(node.attrs["source"]), node.type
    if node.op is not CONSTANT:
        return None
    literal: Literal = node.attrs["value"]
    array = literal.array
    if array.nbytes <= INTERN_LIMIT:
        return None
    return literal.type, array.strides, hashlib.sha256(array.tobytes()).digest()
