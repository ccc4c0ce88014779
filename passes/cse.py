"""Merge nodes that hold the same value.

Interning merges equal expressions when they are made. What it cannot see is left to this pass:
large constants with equal content, and variables with different names over one storage.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass

from graphc.graph import Graph
from graphc.literal import INTERN_LIMIT, Literal
from graphc.node import CONSTANT, Node
from graphc.ops.leaf import VARIABLE
from graphc.passes.base import journal
from graphc.provenance import add_origins, origins_of
from graphc.rebuild import substitute


@dataclass(frozen=True)
class MergeEqual:
    """Common subexpression elimination for leaves; equal leaves make equal expressions."""

    name: str = "cse"
    requires: tuple[str, ...] = ()
    ensures: tuple[str, ...] = ()

    def run(self, graph: Graph) -> Graph:
        """The graph with equal leaves merged; the same object if there are none."""
        notes = journal()
        first: dict[Hashable, Node] = {}
        merged: dict[Node, Node] = {}
        for node in graph.nodes:
            key = _content(node)
            if key is None:
                continue
            kept = first.setdefault(key, node)
            if kept is not node and notes.fire(f"equal {node.op.name}s", node):
                merged[node] = kept
                add_origins(kept, origins_of(node))
        return graph.replace_roots(substitute(graph.roots, merged)) if merged else graph


def _content(node: Node) -> Hashable:
    """What makes two leaves equal; None for nodes that interning has seen already."""
    if node.op is VARIABLE:
        return id(node.attrs["source"]), node.type
    if node.op is not CONSTANT:
        return None
    literal: Literal = node.attrs["value"]
    array = literal.array
    if array.nbytes <= INTERN_LIMIT:
        return None
    return literal.type, array.strides, hashlib.sha256(array.tobytes()).digest()
