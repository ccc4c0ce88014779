"""Running a recorded program of one example on many, with each operation's batching rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphc.dims import Size
from graphc.graph import topological
from graphc.node import Node
from graphc.ops.bodies import results
from graphc.ops.fused import ITEM
from graphc.passes.batching.application import Application, Batched
from graphc.passes.batching.control_rules import CONTROL_RULES
from graphc.passes.batching.table import apply_rule
from graphc.provenance import made_for, origins_of
from graphc.types import TupleType


def batch(
    roots: Sequence[Node],
    known: Mapping[Node, Batched],
    size: Size,
    leaf: Callable[[Node], Any],
) -> list[Batched]:
    """Compute nodes for many examples at once; the result is made of operations.

    What does not depend on the example is computed once. The values may be nodes or tensors: the
    operations are applied in their world, so the result can be batched or differentiated again.

    Args:
        roots: what is computed, for one example.
        known: values of placeholders; the batched ones have the batch dim first.
        size: how many examples there are.
        leaf: gives the value of a node without operands, such as a constant.

    Returns:
        One value per root.

    Example:
        >>> import numpy as np
        >>> from graphc.dtypes import float32
        >>> from graphc.ops.leaf import placeholder
        >>> from graphc.ops.linalg import matmul
        >>> from graphc.types import TensorType
        >>> x = placeholder("x", TensorType((2, 3), float32))
        >>> w = placeholder("w", TensorType((3, 4), float32))
        >>> many = placeholder("many", TensorType((5, 2, 3), float32))
        >>> given = {x: Batched(many, True), w: Batched(w, False)}
        >>> batch([matmul(x, w)], given, 5, lambda node: node)
        [Batched(value=<reshape: f32[5,2,4]>, is_batched=True)]
    """
    values: dict[Node, Any] = dict(known)
    order = [node for node in topological(tuple(roots)) if node not in known]
    uses = Counter(operand for node in order for operand in node.inputs)
    uses.update(roots)
    for node in order:
        values[node] = _value(node, values, size, leaf)
        for operand in node.inputs:
            uses[operand] -= 1
            if not uses[operand]:
                del values[operand]  # dynamic values need memory
    return [values[root] for root in roots]


def _value(node: Node, values: Mapping[Node, Any], size: Size, leaf: Callable[[Node], Any]) -> Any:
    """The batched value of one node: a tuple of them where it has several results."""
    if not node.inputs:
        return Batched(leaf(node), False)
    operands = [values[operand] for operand in node.inputs]
    if node.op is ITEM:
        return operands[0][node.attrs["index"]]
    is_batched = any(operand.is_batched for operand in operands)
    with made_for(origins_of(node)):
        if not is_batched and isinstance(node.result_type, TupleType):
            made = results(node.op, [each.value for each in operands], node.attrs)
            return [Batched(value, False) for value in made]
        if not is_batched:
            return Batched(node.op(*(each.value for each in operands), **node.attrs), False)
        types = [operand.type for operand in node.inputs]
        call = Application(node.op, operands, types, node.attrs, node.result_type, size)
        if node.op in CONTROL_RULES:
            return CONTROL_RULES[node.op](call, batch)
        return Batched(apply_rule(call), True)
