"""The user's places in kept programs: names for them that hold in another recording, too.

The same graph may be recorded from lines that have moved, or with nodes that another program of
the process has, and has given its places to. So a file does not hold places; it says at which node
of the recorded graph each stands, and a process that loads it has its own place there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from graphc.graph import Graph
from graphc.node import Node
from graphc.provenance import Origin, ordered_origins

PlaceName = tuple[int, int, bool]
"""The position of a node, how many of its places are later, and whether it is its gradient's."""

UNKNOWN = Origin("unknown", 0)


class Places:
    """The places of one recording, as they are before anything is made of it.

    Args:
        graph: the recorded graph.
    """

    def __init__(self, graph: Graph) -> None:
        self._at = [ordered_origins(node) for node in with_bodies(graph.nodes)]
        self._names: dict[Origin, PlaceName] = {}
        found = [
            (later, len(origins), position, origin)
            for position, origins in enumerate(self._at)
            for later, origin in enumerate(reversed(origins))
        ]
        # a node's only place is surely its own; of several, some may be another program's
        for later, _, position, origin in sorted(found, key=lambda item: item[:3]):
            self._names.setdefault(origin, (position, later, False))

    def name(self, origin: Origin) -> PlaceName | None:
        """Where a place stands, or None if this recording has no such place."""
        if origin in self._names or not origin.backward:
            return self._names.get(origin)
        forward = self._names.get(replace(origin, backward=False))
        return None if forward is None else (*forward[:2], True)

    def find(self, name: PlaceName) -> Origin:
        """The place with this name, ``UNKNOWN`` if the node was made nowhere this time."""
        position, later, is_gradient = name
        origins = self._at[position]
        if not origins:
            return UNKNOWN
        origin = origins[max(-1 - later, -len(origins))]
        return replace(origin, backward=True) if is_gradient else origin


def with_bodies(nodes: Iterable[Node]) -> list[Node]:
    """These nodes, and before each those of the graphs inside it."""
    found: dict[Node, None] = {}

    def collect(nodes: Iterable[Node]) -> None:
        for node in nodes:
            if node in found:
                continue
            for _, value in sorted(node.attrs.items()):
                if isinstance(value, Graph):
                    collect(value.nodes)
            found[node] = None

    collect(nodes)
    return list(found)
