"""Sessions as bytes: the graph as a flat list, so that its depth is no limit."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

from graphc.errors import SessionError
from graphc.graph import Graph
from graphc.node import Node, make_node
from graphc.provenance import made_for, origins_of
from graphc.storage import HostValue


class FlatGraph:
    """A graph that pickles node by node, with origins.

    Args:
        graph: the graph; variables keep their storages, which pickle by value.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def __getstate__(self) -> dict[str, Any]:
        nodes = self.graph.nodes
        position = {node: index for index, node in enumerate(nodes)}
        return {
            "nodes": [
                (node.op, tuple(position[one] for one in node.inputs), _flattened(node.attrs),
                 origins_of(node))
                for node in nodes
            ],
            "inputs": [position[node] for node in self.graph.inputs],
            "outputs": {name: position[node] for name, node in self.graph.outputs.items()},
            "updates": [
                (position[variable], position[node])
                for variable, node in self.graph.updates.items()
            ],
        }  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        nodes: list[Node] = []
        for op, inputs, attrs, origins in state["nodes"]:
            with made_for(origins):
                operands = tuple(nodes[index] for index in inputs)
                nodes.append(make_node(op, operands, _restored(attrs)))
        self.graph = Graph(
            [nodes[index] for index in state["inputs"]],
            {name: nodes[index] for name, index in state["outputs"].items()},
            {nodes[variable]: nodes[index] for variable, index in state["updates"]},
        )


def _flattened(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes with graphs inside the node as flat lists, too."""
    return {
        name: FlatGraph(value) if isinstance(value, Graph) else value
        for name, value in attrs.items()
    }


def _restored(attrs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.graph if isinstance(value, FlatGraph) else value
        for name, value in attrs.items()
    }


def require_picklable(graph: Graph, options: dict[str, Any]) -> None:
    """Raise SessionError that names what cannot be pickled: a local function, most often."""
    parts = {f"option {name!r}": value for name, value in options.items()}
    for node in graph.variables:
        if isinstance(node.attrs["source"], HostValue):
            parts[f"the host value {node.attrs['name']!r}"] = node.attrs["source"]
    for name, value in parts.items():
        try:
            pickle.dumps(value)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise SessionError(
                f"this session cannot be pickled because of {name}",
                got=str(error),
                fix="use a function of a module instead of a lambda or a local function",
            ) from None
