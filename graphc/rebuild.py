"""Rebuild a graph with some nodes replaced; the way every transformation changes a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphc.dims import Dim
from graphc.graph import Graph, topological
from graphc.node import Node, make_node, remake_node
from graphc.provenance import made_for, origins_of
from graphc.types import TensorType


def substitute(roots: tuple[Node, ...], known: Mapping[Node, Node]) -> dict[Node, Node]:
    """Copy the nodes that the roots need, with ``known`` nodes replaced; origins are kept.

    Returns:
        The new node of every old node that was visited.
    """
    new = dict(known)
    for node in topological(roots):
        if node not in new:
            new[node] = with_inputs(node, tuple(new[operand] for operand in node.inputs))
    return new


def with_inputs(node: Node, inputs: tuple[Node, ...]) -> Node:
    """The same operation on other inputs; the same node if the inputs are the same."""
    if inputs == node.inputs:
        return node
    return remake_node(node, inputs)


def with_attrs(node: Node, attrs: Mapping[str, Any]) -> Node:
    """The same operation on the same inputs, with some attributes changed."""
    with made_for(origins_of(node)):
        return make_node(node.op, node.inputs, {**node.attrs, **attrs})


def bind_dims(graph: Graph, sizes: Mapping[str, int]) -> Graph:
    """Give unknown sizes their values; types are inferred anew, so misfits raise here.

    Args:
        graph: the program.
        sizes: values by the unknowns' names.

    Raises:
        ShapeError: if the shapes do not fit with these sizes.
    """
    return _map_attrs(graph, lambda value: _bind(value, sizes))


def _map_attrs(graph: Graph, change: Callable[[Any], Any]) -> Graph:
    new: dict[Node, Node] = {}
    for node in graph.nodes:
        attrs = {name: change(value) for name, value in node.attrs.items()}
        with made_for(origins_of(node)):
            new[node] = make_node(node.op, tuple(new[operand] for operand in node.inputs), attrs)
    return Graph(
        (new[node] for node in graph.inputs),
        {name: new[node] for name, node in graph.outputs.items()},
        {new[variable]: new[node] for variable, node in graph.updates.items()},
    )


def _bind(value: Any, sizes: Mapping[str, int]) -> Any:
    if isinstance(value, Dim):
        return value.bind(sizes)
    if isinstance(value, TensorType):
        return TensorType(_bind(value.shape, sizes), value.dtype)
    if isinstance(value, tuple):
        return tuple(_bind(item, sizes) for item in value)
    if isinstance(value, Graph):
        return bind_dims(value, sizes)
    return value
