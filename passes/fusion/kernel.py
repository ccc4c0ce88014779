"""Build the kernel node of a group: its operands, its body, its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphc.graph import Graph
from graphc.node import Node
from graphc.ops.fused import fused, item
from graphc.ops.fused_matmul import fused_matmul
from graphc.ops.leaf import placeholder
from graphc.ops.linalg import matmul, swap_last
from graphc.ops.shape import permute
from graphc.passes.fusion.parts import base_of, is_cheap
from graphc.provenance import NOWHERE, Origins, made_for, origins_of
from graphc.rebuild import with_inputs

Factors = tuple[Sequence[Node], Sequence[Node]]


def make_kernel(
    members: Sequence[Node],
    results: Sequence[Node],
    new: Mapping[Node, Node],
    factors: Factors = ((), ()),
) -> dict[Node, Node]:
    """Compute a group by one ``fused`` node, or by a ``fused_matmul`` if it has a product.

    The body holds the members as they are, with placeholders for what comes from outside, and
    repeats cheap operands and the glue below the members' operands.

    Args:
        members: the group, operands first; a product stands first, then what it is seen as.
        results: the members that are needed outside.
        new: what nodes before the group became.
        factors: the nodes that a product computes its factors with.

    Returns:
        What each result became.
    """
    if is_product(members):
        return _product_kernel(members, results, new, factors)
    with made_for(_all_origins(members)):
        operands = operands_of(members)
        kernel = fused(tuple(new[each] for each in operands), _body(members, operands, results))
    return _results(kernel, results)


def is_product(members: Sequence[Node]) -> bool:
    """True if a group computes a matrix product and what is made of it."""
    return members[0].op is matmul


def _product_kernel(
    members: Sequence[Node],
    results: Sequence[Node],
    new: Mapping[Node, Node],
    factors: Factors,
) -> dict[Node, Node]:
    product, seen, work = _parts(members)
    extras = _extras(seen, work)
    shown = list(dict.fromkeys(seen if each is product else each for each in results))
    with made_for(_all_origins([*members, *factors[0], *factors[1]])):
        body = _body(work, (seen, *extras), shown)
        (a, left), (b, right) = map(
            lambda node, unit: _factor(node, unit, new), product.inputs, factors
        )
        others = tuple(new[each] for each in extras)
        kernel = fused_matmul(
            a, b, others, body, transposed=seen is not product, left=left, right=right
        )
    made = _results(kernel, shown)
    if product in results and seen is not product:
        with made_for(origins_of(product)):
            made[product] = swap_last(made[seen])
    return made


def _factor(
    node: Node, unit: Sequence[Node], new: Mapping[Node, Node]
) -> tuple[Node | tuple[Node, ...], Graph | None]:
    """What a product reads for a factor, and how it computes it from that."""
    if not unit:
        return new[node], None
    operands, source = operands_of(unit), unit[-1]
    prologue = _body(unit, operands, [source])
    if node is not source:
        with made_for(origins_of(node)):
            (result,) = prologue.outputs.values()
            prologue = Graph(prologue.inputs, {"r0": swap_last(result)})
    return tuple(new[each] for each in operands), prologue


def _parts(members: Sequence[Node]) -> tuple[Node, Node, Sequence[Node]]:
    """The product, the product as its readers see it (perhaps transposed), and the readers."""
    turned = len(members) > 1 and members[1].op is permute
    return members[0], members[int(turned)], members[1 + turned :]


def _extras(seen: Node, work: Sequence[Node]) -> tuple[Node, ...]:
    return tuple(each for each in operands_of(work) if each is not seen)


def _results(kernel: Node, results: Sequence[Node]) -> dict[Node, Node]:
    """What each result is called from now on: the kernel itself, or one of its items."""
    if len(results) == 1:
        return {results[0]: kernel}
    made: dict[Node, Node] = {}
    for position, result in enumerate(results):
        with made_for(origins_of(result)):
            made[result] = item(kernel, position)
    return made


def _all_origins(members: Sequence[Node]) -> Origins:
    return NOWHERE.union(*map(origins_of, members))


def needs_of(members: Sequence[Node], factors: Factors = ((), ())) -> tuple[Node, ...]:
    """What must be computed before a group."""
    if not is_product(members):
        return operands_of(members)
    product, seen, work = _parts(members)
    read = [
        operands_of(unit) if unit else (node,)
        for node, unit in zip(product.inputs, factors, strict=True)
    ]
    return (*read[0], *read[1], *_extras(seen, work))


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
