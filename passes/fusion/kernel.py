"""Build the kernel node of a group: its operands, its body, its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphc.graph import Graph
from graphc.node import Node
from graphc.ops.fused import fused, item
from graphc.ops.leaf import placeholder
from graphc.passes.fusion.parts import base_of, is_cheap
from graphc.provenance import NOWHERE, made_for, origins_of
from graphc.rebuild import with_inputs


def make_kernel(
    members: Sequence[Node], results: Sequence[Node], new: Mapping[Node, Node]
) -> dict[Node, Node]:
    """Compute a group by one ``fused`` node.

    The body holds the members as they are, with placeholders for what comes from outside, and
    repeats cheap operands and the glue below the members' operands.

    Args:
        members: the group, operands first.
        results: the members that are needed outside.
        new: what nodes before the group became.

    Returns:
        What each result became.
    """
    origins = NOWHERE.union(*map(origins_of, members))
    operands = operands_of(members)
    body = _body(members, operands, results)
    with made_for(origins):
        kernel = fused(tuple(new[operand] for operand in operands), body)
        if len(results) == 1:
            return {results[0]: kernel}
    made: dict[Node, Node] = {}
    for position, result in enumerate(results):
        with made_for(origins_of(result)):
            made[result] = item(kernel, position)
    return made


def operands_of(members: Sequence[Node]) -> tuple[Node, ...]:
    """What a group reads from outside, in the order of its first use."""
    inside = set(members)
    found: dict[Node, None] = {}
    for member in members:
        for operand in member.inputs:
            base = base_of(operand)
            if base not in inside and not is_cheap(base):
                found.setdefault(base)
    return tuple(found)


def _body(members: Sequence[Node], operands: Sequence[Node], results: Sequence[Node]) -> Graph:
    values: dict[Node, Node] = {}
    with made_for(NOWHERE):
        for position, operand in enumerate(operands):
            values[operand] = placeholder(f"a{position}", operand.type)
    inputs = tuple(values.values())
    for member in members:
        for operand in member.inputs:
            _add_glue(operand, values)
        values[member] = with_inputs(member, tuple(values[each] for each in member.inputs))
    return Graph(inputs, {f"r{position}": values[node] for position, node in enumerate(results)})


def _add_glue(operand: Node, values: dict[Node, Node]) -> None:
    """Put an operand's glue, and the cheap node below it, into the body."""
    missing: list[Node] = []
    while operand not in values:
        missing.append(operand)
        if not operand.inputs:
            break
        operand = operand.inputs[0]
    for node in reversed(missing):
        values[node] = with_inputs(node, tuple(values[each] for each in node.inputs))
