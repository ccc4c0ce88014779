"""What a schedule must respect besides data flow: in-place writes and steps that may raise."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from graphc.graph import Graph, has_trait, topological
from graphc.node import Node
from graphc.opdef import Trait
from graphc.ops.fused import FUSED
from graphc.ops.fused_matmul import FUSED_MATMUL
from graphc.ops.index import gather, index, index_add, scatter_add

Check = tuple[Node, Any]


def may_overwrite(node: Node, shape: tuple[int, ...], positions: Sequence[int] = ()) -> bool:
    """True if a result of this shape may replace an operand of the same shape, point by point.

    A fused node with reductions reads its operands again after each of them, so only a result
    that depends on all of them, and is alone in being written point by point, comes late enough.
    A product reads its two factors until its last tile, but the extras of a fused one only once.

    Args:
        node: what is computed.
        shape: the result's shape.
        positions: where the operand stands among the node's inputs.
    """
    if has_trait(node, Trait.ELEMENTWISE):
        return True
    if node.op is FUSED_MATMUL:
        return min(positions, default=0) >= 2
    return node.op is FUSED and _fused_may_overwrite(node.attrs["body"], shape)


def _fused_may_overwrite(body: Graph, shape: tuple[int, ...]) -> bool:
    shapes = {node.type.static_shape for node in body.nodes}
    if functools.reduce(np.broadcast_shapes, shapes) != shape:
        return False
    reductions = {node for node in body.nodes if has_trait(node, Trait.REDUCE)}
    if not reductions:
        return True
    full = [node for node in body.outputs.values() if node.type.shape == shape]
    return len(full) == 1 and reductions <= set(topological(full))


def positions_that_may_raise(order: Iterable[Node | None]) -> list[int]:
    """The positions of nodes that may raise on bad data, given that all earlier ones did not.

    The gradient of an embedding checks the same indices against the same size as the lookup did;
    it cannot fail any more, and does not hold back the in-place updates before it.

    Args:
        order: the computed nodes in the order of execution; None for copies.
    """
    passed: set[Check] = set()
    positions = []
    for position, node in enumerate(order):
        if node is None or not has_trait(node, Trait.FALLIBLE | Trait.OPAQUE):
            continue
        checks = _checks(node)
        if checks is None or not checks <= passed:
            positions.append(position)
        passed |= checks or set()
    return positions


def _checks(node: Node) -> set[Check] | None:
    """What an indexing node demands, as (index, size) pairs; None if it is not known."""
    attrs: Mapping[str, Any] = node.attrs
    if node.op is index:
        x, *indices = node.inputs
        return {(i, x.type.shape[dim]) for i, dim in zip(indices, attrs["dims"], strict=True)}
    if node.op is index_add:
        _, *indices = node.inputs
        return {(i, attrs["shape"][dim]) for i, dim in zip(indices, attrs["dims"], strict=True)}
    if node.op in (gather, scatter_add):
        return {(node.inputs[1], node.inputs[0].type.shape[attrs["dim"]])}
    return None
