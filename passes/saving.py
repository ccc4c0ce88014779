"""Which values of a program to keep for a later one that continues it, e.g. its gradient."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from graphc.dims import Dim
from graphc.graph import has_trait, topological
from graphc.node import Node
from graphc.opdef import Trait
from graphc.shapes import bind_shape

TYPICAL = 64
"""What an unknown size counts for."""


def values_to_keep(
    later: Sequence[Node], arriving: Collection[Node], at_hand: Collection[Node]
) -> list[Node]:
    """The values of an earlier program that a later one reads, in few bytes.

    What is cheap to compute again from values that are kept anyway, or from no more bytes, is
    computed again: chains of elementwise operations end at the operand that takes least memory.

    Args:
        later: the results of the later program.
        arriving: its own inputs; what depends on them can only be computed later.
        at_hand: what the later program can read without being given it.

    Returns:
        The nodes, operands first. ``later`` depends on nothing else but constants, ``arriving``
        and ``at_hand``.

    Example:
        >>> from graphc.dtypes import float32
        >>> from graphc.ops.elementwise import exp, mul, tanh
        >>> from graphc.ops.leaf import placeholder
        >>> from graphc.types import TensorType
        >>> x, grad = (placeholder(name, TensorType((8,), float32)) for name in ("x", "grad"))
        >>> slope = mul(grad, exp(tanh(x)))
        >>> values_to_keep([slope], {grad}, set())
        [<placeholder: f32[8]>]
    """
    order = topological(tuple(later))
    only_later = set(arriving)
    for node in order:
        if any(operand in only_later for operand in node.inputs):
            only_later.add(node)
    wanted = {node for node in later if node not in only_later}
    for node in order:
        if node in only_later:
            wanted |= {operand for operand in node.inputs if operand not in only_later}
    users = _users(order)
    kept: dict[Node, None] = {}
    for node in reversed(order):
        if node in only_later or node in at_hand or _is_free(node):
            continue
        if node not in wanted:
            parts = [each for each in users[node] if each in kept and _is_cheap(each)]
            if not parts or sum(map(_bytes, parts)) < _bytes(node):
                continue
            for each in parts:  # they are all views of this, or as large together
                missing = set(each.inputs) - wanted - {node} - set(at_hand)
                if all(map(_is_free, missing)):
                    del kept[each]
            wanted.add(node)
        missing = {each for each in node.inputs if each not in wanted and each not in at_hand}
        if _is_cheap(node) and sum(map(_bytes, missing)) <= _bytes(node):
            wanted |= missing
        else:
            kept[node] = None
    fewer = _without_the_derived(list(kept)[::-1], at_hand)
    needed = _needed(order, only_later, later, {*fewer, *at_hand})
    return list(
        dict.fromkeys(_further(node, users, needed, {*later, *only_later}) for node in fewer)
    )


def _needed(
    order: Sequence[Node], only_later: Collection[Node], later: Sequence[Node],
    known: Collection[Node],
) -> set[Node]:  # fmt: skip
    """What the later program reads or computes of the earlier one."""
    found = {node for node in later if node not in only_later}
    for node in reversed(order):
        if node in only_later or (node in found and node not in known):
            found |= {operand for operand in node.inputs if operand not in only_later}
    return found


def _further(
    node: Node, users: Mapping[Node, Sequence[Node]], needed: Collection[Node],
    last: Collection[Node],
) -> Node:  # fmt: skip
    """What is computed of a value at once, if that is all that it is read for."""
    while node not in last and not has_trait(node, Trait.LEAF):
        readers = [each for each in users[node] if each in last or each in needed]
        if len(readers) != 1 or readers[0] in last:
            break
        (reader,) = readers
        if not has_trait(reader, Trait.ELEMENTWISE) or _bytes(reader) > _bytes(node):
            break
        node = reader
    return node


def _users(order: Sequence[Node]) -> dict[Node, list[Node]]:
    users: dict[Node, list[Node]] = {node: [] for node in order}
    for node in order:
        for operand in dict.fromkeys(node.inputs):
            users[operand].append(node)
    return users


def _without_the_derived(kept: list[Node], at_hand: Collection[Node]) -> list[Node]:
    """Leave out what is cheap to compute from the others."""
    left = dict.fromkeys(kept)
    for node in reversed(kept):
        del left[node]
        if not _is_derived(node, left, at_hand):
            left[node] = None
    return [node for node in kept if node in left]


def _is_derived(node: Node, kept: Collection[Node], at_hand: Collection[Node]) -> bool:
    known: set[Node] = set()
    stack = [node]
    while stack:
        each = stack.pop()
        if each in known or each in kept or each in at_hand or _is_free(each):
            continue
        if not _is_cheap(each):
            return False
        known.add(each)
        stack.extend(each.inputs)
    return True


def _is_free(node: Node) -> bool:
    """Whether a program can have this without being given anything."""
    return not node.inputs and not has_trait(node, Trait.LEAF)


def _is_cheap(node: Node) -> bool:
    return has_trait(node, Trait.ELEMENTWISE | Trait.VIEW) and not has_trait(
        node, Trait.FALLIBLE | Trait.RANDOM
    )


def _bytes(node: Node) -> int:
    """How many bytes a value takes, with some number for each unknown size."""
    if _is_free(node):
        return 0
    shape = node.type.shape
    names = {name for size in shape if isinstance(size, Dim) for name in size.names}
    return node.type.with_shape(bind_shape(shape, dict.fromkeys(names, TYPICAL))).nbytes
