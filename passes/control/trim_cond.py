"""What a branch need not compute or read."""

from __future__ import annotations

from collections.abc import Callable, Set

from graphc.graph import Graph
from graphc.node import CONSTANT, Node
from graphc.ops.bodies import body_graph, computed, numbered, results
from graphc.ops.control import COND
from graphc.passes.control.differentiation import used as read_by

Values = dict[int, Node]
"""What stands for the results of a branch that somebody reads, by position."""


def trimmed_cond(node: Node, used: Set[int], fire: Callable[[str], bool]) -> Values | None:
    """A branch that does less and gives the same.

    Args:
        node: a cond.
        used: which of its results anybody reads.
        fire: notes a change; False if it must not be made.

    Returns:
        The new values, or None if nothing changes.
    """
    predicate, *operands = node.inputs
    branches: list[Graph] = [node.attrs["true"], node.attrs["false"]]
    if predicate.op is CONSTANT:
        if not fire("a branch that is always the same"):
            return None
        chosen = branches[0 if predicate.attrs["value"].array else 1]
        known = dict(zip(chosen.inputs, operands, strict=True))
        roots = list(chosen.outputs.values())
        return dict(enumerate(computed(roots, known, roots[0])))
    places = sorted(used)
    roots_of = [[list(each.outputs.values())[i] for i in places] for each in branches]
    needed = {
        i
        for roots, each in zip(roots_of, branches, strict=True)
        for i in read_by(roots, each.inputs)
    }
    same = len(needed) == len(operands) and len(places) == len(branches[0].outputs)
    if same or not fire("what nobody reads"):
        return None
    true, false = (
        body_graph(
            numbered(operand=[each.inputs[i] for i in sorted(needed)]), numbered(result=roots)
        )
        for roots, each in zip(roots_of, branches, strict=True)
    )
    given = [predicate, *(operands[i] for i in sorted(needed))]
    made = results(COND, given, {"true": true, "false": false})
    return dict(zip(places, made, strict=True))
