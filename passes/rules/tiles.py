"""Sums of values that stand in different places, such as the gradients of the pieces of a split.

So do the gradients of strided convolutions: places that no window reaches are zeros, and the sum of
two of them need not read these.
"""

from __future__ import annotations

import math

import numpy as np

from graphc.node import Node, constant
from graphc.ops.elementwise import add
from graphc.ops.shape import concat, expand, pad, reshape
from graphc.passes.pattern import var
from graphc.passes.rewrite import rule
from graphc.shapes import is_static

_LIMIT = 64
"""How many additions are looked through; more would take long in chains of them."""


def _summands(node: Node) -> list[Node]:
    """The operands of additions of additions; none if there are too many."""
    waiting = list(node.inputs)
    found: list[Node] = []
    for _ in range(2 * _LIMIT):
        if not waiting:
            return found
        each = waiting.pop()
        if each.op is add:
            waiting += each.inputs
        elif each.op is pad:
            found.append(each)
        else:
            break
    return []


def _is_sum_of_pads(node: Node) -> bool:
    return node.op is add and len(_summands(node)) > 1


@rule(var("node", _is_sum_of_pads))
def sum_of_tiles(node: Node) -> Node | None:
    """pad(a, 0, n) + pad(b, m, 0) = concat(a + 0, b + 0) where a ends, b begins"""
    summands, tiles = _summands(node), {}
    for each in summands:
        dim = _direction(each)
        if dim is None:
            return None
        tiles[dim, each.attrs["low"][dim]] = each.inputs[0]
    dims = {dim for dim, _ in tiles}
    places = sorted(tiles)
    if len(dims) > 1 or len(places) < len(summands):
        return None
    (dim,) = dims
    end = 0
    for place in places:
        size = tiles[place].type.shape[dim]
        if place[1] != end or not isinstance(size, int) or size == 0:
            return None
        end += size
    if end != node.type.shape[dim]:
        return None
    zero = constant(np.zeros((), node.type.dtype.numpy))
    made: Node = concat(*(add(tiles[place], zero) for place in places), dim=dim)
    return made


def _direction(padded: Node) -> int | None:
    """The only dim that is padded, with zeros around the operand; None if there is no such."""
    attrs = padded.attrs
    if attrs["value"] != 0 or math.copysign(1, attrs["value"]) < 0 or any(attrs["interior"]):
        return None
    if not is_static((*attrs["low"], *attrs["high"])):
        return None
    amounts = zip(attrs["low"], attrs["high"], strict=True)
    dims = [dim for dim, (low, high) in enumerate(amounts) if (low, high) != (0, 0)]
    return dims[0] if len(dims) == 1 else None


def _is_sum_of_gaps(node: Node) -> bool:
    """True for a sum of two values of parts, where one has a part that is the same everywhere."""
    if node.op is not add or len({each.type for each in node.inputs}) > 1:
        return False
    return any(map(_has_gap, node.inputs)) and _match(*map(_joined, node.inputs))


def _joined(node: Node) -> Node:
    """The value below a reshape."""
    return node.inputs[0] if node.op is reshape else node


def _has_gap(node: Node) -> bool:
    """True if a part, or a part of a part, is the same everywhere."""
    below = _joined(node)
    if below.op is not concat:
        return False
    return any(each.op is expand or _has_gap(each) for each in below.inputs)


def _match(first: Node, second: Node) -> bool:
    """True for concatenations of equal sizes."""
    return (
        first.op is second.op is concat
        and first.attrs == second.attrs
        and [each.type for each in first.inputs] == [each.type for each in second.inputs]
    )


@rule(var("node", _is_sum_of_gaps))
def sum_of_gaps(node: Node) -> Node:
    """concat(a, 0) + concat(b, c) = concat(a + b, 0 + c)"""
    first, second = map(_joined, node.inputs)
    parts = zip(first.inputs, second.inputs, strict=True)
    made: Node = concat(*(add(one, other) for one, other in parts), dim=first.attrs["dim"])
    return made if made.type == node.type else reshape(made, shape=node.type.shape)
