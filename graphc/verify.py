"""The invariants of a graph, checked after every pass in tests and under GRAPHC_CHECK."""

from __future__ import annotations

from graphc.errors import GraphcError, VerifyError
from graphc.graph import Graph
from graphc.node import Node
from graphc.provenance import describe


def verify(graph: Graph) -> None:
    """Raise if the graph breaks an invariant.

    Checked: types equal what inference gives, inputs are placeholders with unique names and the
    only placeholders, updates go from variables to values of the same type, sub-graphs hold too.

    Raises:
        VerifyError: it names the node and its place in the user's program.
    """
    _verify_inputs(graph)
    for node in graph.nodes:
        _verify_type(node)
        for value in node.attrs.values():
            if isinstance(value, Graph):
                verify(value)
    for variable, value in graph.updates.items():
        if variable.op.name != "variable":
            raise VerifyError(f"only variables have next values, not {variable!r}")
        if variable.type != value.type:
            raise VerifyError(
                f"the next value of {variable.attrs['name']!r} has another type",
                got=str(value.type),
                expected=str(variable.type),
                where=describe(value),
            )


def _verify_inputs(graph: Graph) -> None:
    names = [node.attrs["name"] for node in graph.inputs]
    for node in graph.inputs:
        if node.op.name != "placeholder":
            raise VerifyError(f"a graph's inputs must be placeholders, not {node!r}")
        if names.count(node.attrs["name"]) > 1:
            raise VerifyError(f"two inputs are called {node.attrs['name']!r}")
    for node in graph.nodes:
        if node.op.name == "placeholder" and node not in graph.inputs:
            raise VerifyError(
                f"placeholder {node.attrs['name']!r} is used but is no input of the graph",
                where=describe(node),
            )


def _verify_type(node: Node) -> None:
    try:
        inferred = node.op.infer(*(operand.result_type for operand in node.inputs), **node.attrs)
    except GraphcError as error:
        raise VerifyError(f"{node.op.name} is ill-typed: {error}", where=describe(node)) from error
    if inferred != node.result_type:
        raise VerifyError(
            f"{node.op.name} has a wrong type",
            got=str(node.result_type),
            expected=str(inferred),
            where=describe(node),
        )
