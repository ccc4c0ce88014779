"""What a schedule must respect besides data flow: in-place writes and steps that may raise."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.graph import Graph, has_trait, may_fail, topological
from graphc.node import Node
from graphc.opdef import Trait
from graphc.ops.fused import FUSED
from graphc.ops.fused_matmul import FUSED_MATMUL, factor_operands
from graphc.ops.index import gather, index, index_add, scatter_add
from graphc.ops.linalg import matmul
from graphc.runtime.planning.inside import carries_in_place

Check = tuple[Node, Any]


def may_overwrite(node: Node, operands: Sequence[int], result: int) -> bool:
    """True if a result may replace operands of its own shape, point by point.

    A fused node with reductions reads its operands again after each of them. A result of the full
    shape comes late enough if it depends on all reductions and is the only one of that shape. A
    result with one element per row comes late enough if all that is computed from the operands has
    one element per row, too, and waits for no more reductions than the result does. A product
    reads its two factors until its last tile, but the extras of a fused one only once. A loop reads
    the first values of its carries before anything else; if it may raise, they have to stay.

    Args:
        node: what is computed.
        operands: positions of the inputs that lie where the result is written; they have the
            result's shape but for leading dims of size 1.
        result: which of the node's results.
    """
    if has_trait(node, Trait.ELEMENTWISE):
        return True
    if node.op is FUSED_MATMUL:
        return min(operands) >= factor_operands(node)
    if result in carries_in_place(node):
        return list(operands) == [result] and not may_fail(node)
    if node.op is not FUSED:
        return False
    body: Graph = node.attrs["body"]
    output = tuple(body.outputs.values())[result]
    space = _space_of(body)
    if output.type.static_shape == space.rows:
        replaced = [body.inputs[number] for number in operands]
        if _read_in_time(body, replaced, output, space):
            return True
    return output.type.static_shape == space.points and _is_last(body, output, space)


@dataclass(frozen=True, slots=True)
class _Space:
    """What a kernel runs over.

    Args:
        points: its full shape.
        rows: the same with size 1 in the dims that reductions run along.
        depth: how many reductions in a row each node waits for.
    """

    points: tuple[int, ...]
    rows: tuple[int, ...]
    depth: Mapping[Node, int]


@functools.lru_cache(maxsize=64)
def _space_of(body: Graph) -> _Space:
    depth: dict[Node, int] = {}
    reduced: set[int] = set()
    shapes = {(), *(node.type.static_shape for node in body.nodes)}
    points = functools.reduce(np.broadcast_shapes, shapes)
    for node in body.nodes:
        reduces = has_trait(node, Trait.REDUCE)
        depth[node] = max((depth[each] for each in node.inputs), default=0) + reduces
        if reduces:
            reduced.update(node.attrs["dims"])
    rows = tuple(1 if dim in reduced else size for dim, size in enumerate(points))
    return _Space(points, rows, depth)


def _is_last(body: Graph, output: Node, space: _Space) -> bool:
    """True if a full result depends on all reductions and no other result is full."""
    reductions = {node for node in body.nodes if has_trait(node, Trait.REDUCE)}
    if not reductions:
        return True
    points = math.prod(space.points)  # leading dims of size 1 may be missing
    full = [node for node in body.outputs.values() if node.type.numel == points]
    return len(full) == 1 and reductions <= set(topological(full))


def _read_in_time(body: Graph, operands: Sequence[Node], output: Node, space: _Space) -> bool:
    """True if all that is computed from the operands is a row's, and known with the result."""
    reached = set(operands)
    for node in body.nodes:
        if not reached.isdisjoint(node.inputs):
            reached.add(node)
    return all(
        np.broadcast_shapes(node.type.static_shape, space.rows) == space.rows
        and space.depth[node] <= space.depth[output]
        for node in reached
    )


def may_write_with_gaps(node: Node) -> bool:
    """True if the results of a node may lie in any layout without repetitions.

    Other results are C-contiguous.
    """
    return has_trait(node, Trait.ELEMENTWISE) or node.op in (FUSED, FUSED_MATMUL, matmul)


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
        if node is None or not may_fail(node):
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
