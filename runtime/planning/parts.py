"""Values whose operands are computed in their place, although they are no views of them.

Concat, and pad without gaps between the elements, are written in parts. An operand that nobody else
reads is computed where it belongs in the larger value, also through views between the two; what
cannot be computed there is copied there. A reshape that no strides can say, such as heads of an
attention side by side, is a value of one part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from graphc.graph import Graph, has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.ops.fused import ITEM
from graphc.ops.fused_matmul import FUSED_MATMUL
from graphc.ops.linalg import matmul
from graphc.ops.shape import concat, flip, pad, permute, reshape
from graphc.runtime.layout import Layout, contiguous, is_contiguous, reshaped, view_layout
from graphc.runtime.planning.hazards import may_write_with_gaps
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
    if not any(has_parts(node) or node.op is reshape for node in graph.nodes):
        return places
    uses = _uses(graph)
    for node in reversed(graph.nodes):
        if node.op is reshape and node.type.numel != 0:
            _place_reshaped(node, uses, places)
        elif has_parts(node) and node.type.numel != 0:
            _place_parts(node, uses, places)
    return places


def _place_parts(node: Node, uses: dict[Node, int], places: Places) -> None:
    """Let what a value is put together of be computed where it lies in the value."""
    own = places.get((node, 0))
    owner = node if own is None else own.owner
    layout = contiguous(node.type.static_shape) if own is None else own.layout
    for operand, inside in parts_of(node, layout):
        found = None if 0 in inside.shape else _producer(operand, inside, uses)
        if found is not None:
            places[found.node, found.number] = Place(owner, found.layout)


def _place_reshaped(node: Node, uses: dict[Node, int], places: Places) -> None:
    """Let a result be computed in the order that a reshape behind it asks for."""
    operand = node.inputs[0]
    layout = reshaped(contiguous(node.type.static_shape), operand.type.static_shape)
    found = None if layout is None else _producer(operand, layout, uses)
    if found is None or (found.node, found.number) in places or is_contiguous(found.layout):
        return
    usual: Layout | None = contiguous(found.layout.shape)
    for view in reversed([node, *found.views]):
        usual = None if usual is None else view_layout(view, usual)
    if usual is None:
        places[found.node, found.number] = Place(node, found.layout)


def _uses(graph: Graph) -> dict[Node, int]:
    uses = dict.fromkeys(graph.nodes, 0)
    for node in graph.nodes:
        for operand in node.inputs:
            uses[operand] += 1
    for root in graph.roots:
        uses[root] += 1
    return uses


@dataclass(frozen=True, slots=True)
class _Result:
    """A result that becomes a value, and where it must lie for that.

    Args:
        node: what computes it.
        number: which of its results it is.
        layout: of the result.
        views: between the value and the result, the last one first.
    """

    node: Node
    number: int
    layout: Layout
    views: tuple[Node, ...]


def _producer(node: Node, layout: Layout, uses: dict[Node, int]) -> _Result | None:
    """The result that becomes the value of a node, if it may be written in this layout."""
    views: list[Node] = []
    while uses[node] == 1:
        if node.op is ITEM:
            found = _Result(node.inputs[0], node.attrs["index"], layout, tuple(views))
            return found if _may_write(found.node, layout) else None
        if not has_trait(node, Trait.VIEW):
            found = _Result(node, 0, layout, tuple(views))
            return found if node.inputs and _may_write(node, layout) else None
        before = _before_view(node, layout)
        if before is None:
            return None
        views.append(node)
        (node,), layout = node.inputs, before
    return None


def _may_write(node: Node, layout: Layout) -> bool:
    """True if results may lie like this; those of products have rows or columns in one piece."""
    if is_contiguous(layout) or has_parts(node):
        return True
    in_lines = 1 in layout.strides[-2:]
    return may_write_with_gaps(node) and (in_lines or node.op not in (matmul, FUSED_MATMUL))


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
