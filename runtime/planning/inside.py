"""The programs inside nodes: what of a scan, a loop or a branch is planned as a program of its own.

A carry is memory that the body updates, like a variable: where possible its next value is computed
in its place. But where a scan stacks the next value of a carry, too, the next iteration reads it
from the stack, and nothing is copied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from graphc.graph import Graph
from graphc.node import Node
from graphc.runtime.layout import Layout, from_lowest

SCAN, COND, WHILE = "scan", "cond", "while_loop"
_GRAPHS = {SCAN: ("body",), COND: ("true", "false"), WHILE: ("condition", "body")}


def has_programs(node: Node) -> bool:
    """True if a node runs other programs: a scan, a loop or a branch."""
    return node.op.name in _GRAPHS


def program_names(node: Node) -> tuple[str, ...]:
    """The names of the graphs inside a node that run as programs; none for most nodes."""
    return _GRAPHS.get(node.op.name, ())


def bodies(node: Node) -> tuple[Graph, ...]:
    """The graphs inside a node that run as programs; none for most nodes."""
    return tuple(node.attrs[name] for name in program_names(node))


def stacked_carries(node: Node) -> Mapping[int, int]:
    """The carries of a scan whose next values it stacks, too, and the first such result of each.

    Such a carry is read from where the iteration before has put it.
    """
    if node.op.name != SCAN or node.attrs["length"] == 0:
        return MappingProxyType({})
    carries = node.attrs["carries"]
    results = [*node.attrs["body"].outputs.values()]
    return MappingProxyType(
        {
            number: results.index(value, carries) - carries
            for number, value in enumerate(results[:carries])
            if value in results[carries:]
        }
    )


def carries_in_place(node: Node) -> tuple[int, ...]:
    """The carries that live in the memory of the node's results, from the start to the end."""
    if node.op.name not in (SCAN, WHILE):
        return ()
    stacked = stacked_carries(node)
    return tuple(number for number in range(node.attrs["carries"]) if number not in stacked)


def programs(node: Node) -> tuple[Graph, ...]:
    """The graphs inside a node as they are planned: carries in place are updated, like variables.

    Those of a scan return what is stacked, the condition of a loop its answer, and its body
    nothing; branches return their results.
    """
    graphs = bodies(node)
    if node.op.name == COND:
        return graphs
    *conditions, body = graphs
    results = [*body.outputs.items()]
    carries = node.attrs["carries"]
    updates = {body.inputs[number]: results[number][1] for number in carries_in_place(node)}
    return (*conditions, Graph(body.inputs, dict(results[carries:]), updates))


def input_layouts(node: Node, operands: Sequence[Layout]) -> tuple[Mapping[Node, Layout], ...]:
    """Where the elements of the inputs of each program lie, from the lowest address that they use.

    Carries are in C order.

    Args:
        node: what runs the programs.
        operands: where its operands lie, or their copies.
    """
    carries = node.attrs.get("carries", 0)
    items = carries + node.attrs.get("sequences", 0)
    given = operands[1:] if node.op.name == COND else operands
    found = []
    for graph in programs(node):
        layouts = {}
        for number, (place, operand) in enumerate(zip(graph.inputs, given, strict=True)):
            if number >= carries:
                first = 1 if number < items else 0
                layouts[place] = from_lowest(operand.shape[first:], operand.strides[first:])
        found.append(layouts)
    return tuple(found)
