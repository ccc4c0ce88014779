"""Large weights that a loop multiplies by: copied once before it, in the panels that kernels read.

A product of few rows reads most of its time. Panels are read from the first byte to the last; lines
of a large matrix that are far apart cost a page each, and a product that goes across them copies
the matrix first, in every iteration. What a panel is, native code decides; plans only keep memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphc.graph import Graph
from graphc.node import Node
from graphc.runtime.layout import Layout
from graphc.runtime.planning.inside import SCAN, WHILE
from graphc.runtime.planning.turned import FEWEST, FEWEST_ROWS, LARGEST
from graphc.runtime.planning.weights import Use, uses_of

WIDEST = 512
"""Bytes of the longest row of a panel."""


def packed_inputs(node: Node, operands: Sequence[Layout]) -> Mapping[int, int]:
    """The bytes to keep for panels, by the numbers of a loop's operands that may be copied.

    Args:
        node: what runs programs.
        operands: where its operands lie.
    """
    if node.op.name not in (SCAN, WHILE):
        return {}
    body: Graph = node.attrs["body"]
    found = {}
    for number in range(node.attrs["carries"] + node.attrs.get("sequences", 0), len(body.inputs)):
        weight = body.inputs[number]
        if weight.type.nbytes > LARGEST and _is_unread_elsewhere(node, number):
            uses = uses_of(body, weight, operands[number])
            if uses and _is_worth_it(node, uses):
                found[number] = panels_bytes(uses[0].factor)
    return found


def panels_bytes(factor: Node) -> int:
    """The most bytes that a factor needs in panels, the last of which may not be full."""
    terms, columns = factor.type.static_shape
    return terms * (columns * factor.type.dtype.itemsize + WIDEST)


def _is_unread_elsewhere(node: Node, number: int) -> bool:
    """Whether the condition of a loop does not look at an operand."""
    if node.op.name == SCAN:
        return True
    condition: Graph = node.attrs["condition"]
    place = condition.inputs[number]
    return place not in condition.roots and not condition.users[place]


def _is_worth_it(node: Node, uses: Sequence[Use]) -> bool:
    """Many iterations are; one is where products would copy the weight themselves."""
    alike = len({(use.factor, use.across) for use in uses}) == 1
    often = node.attrs.get("length", 0) >= FEWEST
    across = node.op.name == WHILE and uses[0].across
    return alike and (often or across) and all(use.rows >= FEWEST_ROWS for use in uses)
