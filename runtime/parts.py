"""Values that are written in parts: concat, and pad without gaps between the elements.

An operand that nobody else reads is computed where it belongs in the larger value, also through
views between the two; what cannot be computed there is copied there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from graphc.graph import Graph, has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.ops.fused import ITEM
from graphc.ops.shape import concat, flip, pad, permute, reshape
from graphc.runtime.hazards import may_write_with_gaps
from graphc.runtime.layout import Layout, contiguous, is_contiguous, reshaped
from graphc.storage import Array


@dataclass(frozen=True, slots=True)
class Place:
    """Where a result lies inside a larger value.

    Args:
        owner: the node whose value the memory is for.
        layout: the result's elements, from the start of that memory.
    """

    owner: Node
    layout: Layout


Places = dict[tuple[Node, int], Place]
"""The place of a result, by its node and number."""


def has_parts(node: Node) -> bool:
    """True if the value of a node consists of its operand's values, side by side, and borders."""
    return node.op is concat or (node.op is pad and not any(node.attrs["interior"]))


def parts_of(node: Node, layout: Layout) -> Iterator[tuple[Node, Layout]]:
    """The operands, and where in the node's value each of them lies."""
    if node.op is concat:
        start = 0
        for operand in node.inputs:
            shape = operand.type.static_shape
            low = [0] * len(shape)
            low[node.attrs["dim"]] = start
            start += shape[node.attrs["dim"]]
            yield operand, _box(layout, tuple(low), shape)
    else:
        (operand,) = node.inputs
        yield operand, _box(layout, node.attrs["low"], operand.type.static_shape)


def fill_of(node: Node, layout: Layout) -> tuple[Array, list[Layout]]:
    """What is around the parts: the value, and boxes that have no element in common."""
    if node.op is concat:
        return np.empty((), np.int8), []
    boxes = []
    low, sizes = [0] * len(layout.shape), list(layout.shape)
    for dim, (before, after) in enumerate(zip(node.attrs["low"], node.attrs["high"], strict=True)):
        for start, size in ((low[dim], before), (low[dim] + sizes[dim] - after, after)):
            corner, shape = [*low], [*sizes]
            corner[dim], shape[dim] = start, size
            boxes.append(_box(layout, tuple(corner), tuple(shape)))
        low[dim] += before
        sizes[dim] -= before + after
    value = np.full((), node.attrs["value"], node.type.dtype.numpy)
    return value, [box for box in boxes if 0 not in box.shape]


def find_places(graph: Graph) -> Places:
    """Decide which results are computed inside larger values."""
    places: Places = {}
    if not any(has_parts(node) for node in graph.nodes):
        return places
    uses = _uses(graph)
    for node in reversed(graph.nodes):
        if not has_parts(node) or node.type.numel == 0:
            continue
        own = places.get((node, 0))
        owner = node if own is None else own.owner
        layout = contiguous(node.type.static_shape) if own is None else own.layout
        for operand, inside in parts_of(node, layout):
            producer = _producer(operand, inside, uses)
            if producer is not None and 0 not in inside.shape:
                made, result, there = producer
                places[made, result] = Place(owner, there)
    return places


def _uses(graph: Graph) -> dict[Node, int]:
    uses = dict.fromkeys(graph.nodes, 0)
    for node in graph.nodes:
        for operand in node.inputs:
            uses[operand] += 1
    for root in graph.roots:
        uses[root] += 1
    return uses


def _producer(node: Node, layout: Layout, uses: dict[Node, int]) -> tuple[Node, int, Layout] | None:
    """The result that becomes the value of a node, and its layout, if it may be written there."""
    while uses[node] == 1:
        if node.op is ITEM:
            made = node.inputs[0]
            return (made, node.attrs["index"], layout) if _may_write(made, layout) else None
        if not has_trait(node, Trait.VIEW):
            return (node, 0, layout) if node.inputs and _may_write(node, layout) else None
        before = _before_view(node, layout)
        if before is None:
            return None
        (node,), layout = node.inputs, before
    return None


def _may_write(node: Node, layout: Layout) -> bool:
    return is_contiguous(layout) or has_parts(node) or may_write_with_gaps(node)


def _before_view(node: Node, layout: Layout) -> Layout | None:
    """Where the operand of a view lies if its result has this layout; None if that is unknown."""
    (operand,) = node.inputs
    if node.op is permute:
        back = np.argsort(node.attrs["dims"])
        shape, strides = layout.shape, layout.strides
        return Layout(layout.offset, tuple(shape[k] for k in back), tuple(strides[k] for k in back))
    if node.op is reshape:
        return reshaped(layout, operand.type.static_shape)
    return layout if node.op is not flip and operand.type == node.type else None


def _box(layout: Layout, low: tuple[int, ...], shape: tuple[int, ...]) -> Layout:
    """Some neighbouring elements."""
    start = sum(first * stride for first, stride in zip(low, layout.strides, strict=True))
    return Layout(layout.offset + start, shape, layout.strides)
