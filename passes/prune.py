"""Drop what a graph computes for nothing."""

from __future__ import annotations

from dataclasses import dataclass

from graphc.graph import Graph
from graphc.passes.base import journal


@dataclass(frozen=True)
class Prune:
    """Remove updates that leave their variable as it is.

    A graph holds only nodes that its roots need, so nothing else can be dead.
    """

    name: str = "prune"
    requires: tuple[str, ...] = ()
    ensures: tuple[str, ...] = ()

    def run(self, graph: Graph) -> Graph:
        """The graph without idle updates; the same object if there are none."""
        notes = journal()
        idle = {
            variable
            for variable, value in graph.updates.items()
            if value is variable and notes.fire("idle update", variable)
        }
        if not idle:
            return graph
        kept = {var: value for var, value in graph.updates.items() if var not in idle}
        return Graph(graph.inputs, graph.outputs, kept)
