"""What is the same in every step of a loop."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from graphc.graph import has_trait, may_fail, topological
from graphc.node import Node
from graphc.opdef import Trait
from graphc.types import TupleType


def shared_values(roots: Sequence[Node], captured: Collection[Node]) -> list[Node]:
    """What is worth computing before a loop: the last nodes that are the same in every step.

    Args:
        roots: what a step computes.
        captured: the inputs that are the same in every step.
    """
    order = topological(roots)
    shared = invariants(order, captured)
    inside = {*order} - {*shared}
    read = {operand for node in inside for operand in node.inputs}
    return [node for node in shared if node in read or node in roots]


def invariants(order: Iterable[Node], captured: Collection[Node]) -> list[Node]:
    """The nodes of a body that cost something and need only what is captured.

    Computed before the loop, they are computed once, and even if the loop makes no step; so what
    may raise is none of them. Views and constants cost nothing where they are.

    Args:
        order: the nodes of the body, operands first.
        captured: those of its inputs that are the same in every step.

    Returns:
        The nodes, operands first.
    """
    same = set(captured)
    found = []
    for node in order:
        if node in same or has_trait(node, Trait.LEAF):
            continue
        if all(operand in same for operand in node.inputs) and not may_fail(node):
            same.add(node)
            found.append(node)
    return [node for node in found if _is_worth_it(node)]


def _is_worth_it(node: Node) -> bool:
    if isinstance(node.result_type, TupleType) or not node.inputs:
        return False
    return not has_trait(node, Trait.VIEW)
