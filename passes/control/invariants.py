"""What is the same in every step of a loop."""

from __future__ import annotations

from collections.abc import Collection

from graphc.graph import Graph, has_trait, may_fail
from graphc.node import Node
from graphc.opdef import Trait
from graphc.types import TupleType


def invariants(body: Graph, captured: Collection[Node]) -> list[Node]:
    """The nodes of a body that cost something and need only what is captured.

    Computed before the loop, they are computed once, and even if the loop makes no step; so what
    may raise is none of them. Views and constants cost nothing where they are.

    Args:
        body: the body.
        captured: those of its inputs that are the same in every step.

    Returns:
        Nodes that need no other ones of the list, as far as values go.
    """
    same = set(captured)
    found = []
    for node in body.nodes:
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
