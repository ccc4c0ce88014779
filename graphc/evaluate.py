"""The meaning of a graph: every node through ``OpDef.eval``, nothing planned, nothing reused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from graphc.errors import FeedError, GraphcError
from graphc.graph import Graph, topological
from graphc.node import Node
from graphc.opdef import Trait
from graphc.provenance import describe
from graphc.storage import Array


def evaluate_node(node: Node, operands: Iterable[Any]) -> Any:
    """Compute one node from the values of its inputs.

    Args:
        node: any node but a placeholder.
        operands: one array per input.

    Returns:
        An array, or a tuple of arrays for a node with several results.
    """
    with np.errstate(all="ignore"):
        return _value(node, operands)


def _value(node: Node, operands: Iterable[Any]) -> Any:
    try:
        return node.op.eval(*operands, **node.attrs)
    except GraphcError as error:
        raise error.located(describe(node)) from None


def evaluate_nodes(roots: Iterable[Node], known: Mapping[Node, Any]) -> dict[Node, Any]:
    """Compute all nodes that the roots need.

    Args:
        roots: what to compute.
        known: values of placeholders (and of any other node that shall not be computed).

    Returns:
        The value of every node that was needed, including the known ones.

    Raises:
        FeedError: if a placeholder has no value.
    """
    return evaluate_in_order(topological(roots), known)


def evaluate_in_order(nodes: Iterable[Node], known: Mapping[Node, Any]) -> dict[Node, Any]:
    """Like ``evaluate_nodes``, for nodes that come after their operands."""
    values = dict(known)
    with np.errstate(all="ignore"):
        for node in nodes:
            if node in values:
                continue
            if not node.inputs and _is_placeholder(node):
                raise FeedError(f"no value for placeholder {node.attrs.get('name')!r}")
            values[node] = _value(node, [values[operand] for operand in node.inputs])
    return values


def _is_placeholder(node: Node) -> bool:
    return bool(node.op.traits & Trait.LEAF) and "source" not in node.attrs


def evaluate(graph: Graph, feed: Mapping[str, Array]) -> tuple[dict[str, Any], dict[Node, Any]]:
    """Compute a graph without changing any variable.

    Args:
        graph: the program.
        feed: arrays by placeholder name.

    Returns:
        The outputs by name, and the next value of each updated variable.
    """
    known = {node: feed[node.attrs["name"]] for node in graph.inputs if node.attrs["name"] in feed}
    values = evaluate_nodes(graph.roots, known)
    outputs = {name: values[node] for name, node in graph.outputs.items()}
    return outputs, {variable: values[node] for variable, node in graph.updates.items()}
