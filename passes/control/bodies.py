"""The pipeline for the graphs inside loops and branches."""

from __future__ import annotations

from dataclasses import dataclass

from graphc.graph import Graph
from graphc.node import Node
from graphc.ops.control import COND, SCAN, WHILE_LOOP
from graphc.passes.base import Journal, journal
from graphc.rebuild import with_attrs, with_inputs

CONTROL = (SCAN, COND, WHILE_LOOP)


@dataclass(frozen=True)
class OptimizeBodies:
    """Run the passes of this run of the pipeline on the bodies, and on the bodies inside them.

    They keep their inputs and the names of their outputs. The pass runs where nothing moves into
    a body or out of it any more.
    """

    name: str = "bodies"
    requires: tuple[str, ...] = ()
    ensures: tuple[str, ...] = ()

    def run(self, graph: Graph) -> Graph:
        """The graph with better bodies; the same object if there are none."""
        notes = journal()
        if not any(node.op in CONTROL for node in graph.nodes):
            return graph
        known: dict[Graph, Graph] = {}
        new: dict[Node, Node] = {}
        for node in graph.nodes:
            current = with_inputs(node, tuple(new[operand] for operand in node.inputs))
            if node.op in CONTROL:
                current = _optimized(current, known, notes)
            new[node] = current
        return graph.replace_roots(new) if notes.firings else graph


def _optimized(node: Node, known: dict[Graph, Graph], notes: Journal) -> Node:
    attrs = {}
    for name, body in node.attrs.items():
        if isinstance(body, Graph):
            if body not in known:
                known[body] = notes.optimized(body)
            attrs[name] = known[body]
    changed = any(attrs[name] is not node.attrs[name] for name in attrs)
    if not changed or not notes.fire(f"passes inside {node.op.name}", node, notes.numerics):
        return node
    return with_attrs(node, attrs)
