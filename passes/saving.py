"""Which values of a program to keep for a later one that continues it, e.g. its gradient."""

from __future__ import annotations

from collections.abc import Collection, Sequence

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
    kept = []
    for node in reversed(order):
        if node not in wanted or node in at_hand or _is_free(node):
            continue
        missing = [each for each in set(node.inputs) if each not in wanted and each not in at_hand]
        if _is_cheap(node) and sum(map(_bytes, missing)) <= _bytes(node):
            wanted |= set(missing)
        else:
            kept.append(node)
    return kept[::-1]


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
