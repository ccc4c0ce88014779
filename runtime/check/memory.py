"""Whose value lies where, while the checker follows a plan step by step."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from graphc.errors import VerifyError
from graphc.graph import has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.ops.fused import ITEM
from graphc.provenance import describe
from graphc.runtime.check.addresses import NearBuffers
from graphc.runtime.check.geometry import (
    box,
    contiguous,
    same_place,
    share_elements,
    unviewed,
    viewed,
)
from graphc.runtime.layout import Layout
from graphc.runtime.plan import Buffer, Operand, Plan, Step
from graphc.storage import Array
from graphc.types import TensorType

Value = tuple[Node, int | str]
"""One result of one node, or the ``border`` of a pad."""
Lost = Callable[[Operand], bool]


class Memory:
    """What each buffer holds: values, and the operands that say where their elements are.

    Args:
        plan: the plan.
        layouts: where the elements of variables and inputs lie; C order if missing.
    """

    def __init__(self, plan: Plan, layouts: Mapping[Node, Layout]) -> None:
        self._plan = plan
        self._layouts = layouts
        self._holds: dict[int, dict[Value, list[Operand]]] = {}
        self._in_arena = NearBuffers(plan.arena_bytes)
        for buffer in plan.buffers:
            if buffer.kind in ("input", "variable"):
                self._add(self.whole(buffer.id, buffer.node), (buffer.node, 0))
            elif buffer.kind == "constant" and not buffer.node.inputs:
                self._add(_constant_at(buffer), (buffer.node, 0))

    def whole(self, number: int, node: Node) -> Operand:
        """Where a node's value lies if it has a buffer for itself."""
        buffer = self._plan.buffers[number]
        given = buffer.kind in ("variable", "input")
        layout = self._layouts.get(buffer.node) if given else None
        if layout is None:
            return contiguous(number, node)
        return Operand(number, layout.offset, layout.shape, layout.strides, node.type.dtype)

    def demand(self, node: Node, operand: Operand) -> None:
        """Raise unless an operand is a node's value, element by element."""
        if self.is_held(node, operand):
            return
        held = self._holds.get(operand.buffer)
        if not held:
            raise VerifyError(
                f"buffer {operand.buffer} is read, but its value was never written or is "
                "overwritten"
            )
        raise VerifyError(
            f"buffer {operand.buffer} holds another value there",
            got="; ".join(f"{value[0]!r} at {places}" for value, places in held.items()),
            expected=f"{node!r} from {describe(node)} at {operand}",
        )

    def is_held(self, node: Node, operand: Operand) -> bool:
        """True if an operand is a node's value: written as such, seen through views, or in parts.

        Args:
            node: the value's node.
            operand: where it should be.
        """
        if operand.size == 0:
            return True
        held = self._holds.get(operand.buffer, {})
        views: list[Node] = []
        while True:
            value = (node.inputs[0], node.attrs["index"]) if node.op is ITEM else (node, 0)
            if any(_seen(views, place, operand) for place in held.get(value, ())):
                return True
            if value in held and self._plan.buffers[operand.buffer].kind == "constant":
                return _same_values(self._plan.buffers[operand.buffer], views, operand)
            if _has_parts(node):
                return any(
                    _seen(views, place, operand) and self._has_all_parts(node, place)
                    for place in self._places_below(views, node, operand)
                )
            if not has_trait(node, Trait.VIEW):
                return False
            views.append(node)
            (node,) = node.inputs

    def _places_below(
        self, views: Sequence[Node], node: Node, operand: Operand
    ) -> Iterator[Operand]:
        """Where a node's value may lie of which views make an operand; the last view comes first.

        It lies in the order of the operand, or in that of a view in between which has the buffer
        for itself: its elements cannot be told from an operand that is a slice of it.
        """
        if views:
            yield self.whole(operand.buffer, node)
        yield from _below(views, operand)
        for number, view in enumerate(views):
            yield from _below(views[number:], self.whole(operand.buffer, view))

    def write(self, operand: Operand, *values: Value) -> None:
        """Note values that are the same elements, and forget all that lay there."""
        self._forget(operand)
        for value in values:
            self._add(operand, value)

    def copied(self, step: Step) -> list[Value]:
        """What a copy step copies: its node's value, or parts of that with the same elements.

        Raises:
            VerifyError: if its source holds neither.
        """
        (source,) = step.inputs
        node = step.node
        found: list[Value] = []
        for candidate in (node, *node.inputs):
            fits = candidate.result_type == TensorType(source.shape, source.dtype)
            if fits and self.is_held(candidate, source):
                item = candidate.op is ITEM
                found.append(
                    (candidate.inputs[0], candidate.attrs["index"]) if item else (candidate, 0)
                )
        if found:
            return found
        if _has_parts(node) and self._is_border(node, source):
            return [(node, "border")]
        self.demand(node, source)
        raise VerifyError("it copies something else than its node's value", got=str(source))

    def forget_buffer(self, number: int) -> None:
        """Forget a buffer that nobody reads any more."""
        self._holds.pop(number, None)
        if self._plan.buffers[number].kind == "arena":
            self._in_arena.remove(self._plan.buffers[number])

    def _has_all_parts(self, node: Node, place: Operand) -> bool:
        if node.op.name == "concat":
            start = 0
            for operand in node.inputs:
                low = [0] * len(place.shape)
                low[node.attrs["dim"]] = start
                start += operand.type.static_shape[node.attrs["dim"]]
                if not self.is_held(operand, box(place, low, operand.type.static_shape)):
                    return False
            return True
        (operand,) = node.inputs
        inside = box(place, node.attrs["low"], operand.type.static_shape)
        return self.is_held(operand, inside) and self._has_border(node, place, inside)

    def _has_border(self, node: Node, place: Operand, inside: Operand) -> bool:
        """True if the elements outside of a box have the pad's value: they add up to all of it."""
        borders = self._holds.get(place.buffer, {}).get((node, "border"), [])
        within = all(self._lies_in(each, place, inside) for each in borders)
        apart = all(
            not share_elements(one, other)
            for number, one in enumerate(borders)
            for other in borders[:number]
        )
        return within and apart and sum(b.size for b in borders) + inside.size == place.size

    @staticmethod
    def _lies_in(border: Operand, place: Operand, inside: Operand) -> bool:
        """True if a border is a box of the whole, and has nothing of the inside."""
        rest = border.offset - place.offset
        for stride, size, own in zip(place.strides, place.shape, border.shape, strict=True):
            first, rest = divmod(rest, stride) if size > 1 else (0, rest)
            if first < 0 or first + own > size:
                return False
        return not rest and border.strides == place.strides and not share_elements(border, inside)

    def _is_border(self, node: Node, source: Operand) -> bool:
        """True if a copy's source is the value that a pad has around its operand."""
        array = self._plan.buffers[source.buffer].array
        if node.op.name != "pad" or array is None or array.size != 1 or any(source.strides):
            return False
        value = np.full((), node.attrs["value"], node.type.dtype.numpy)
        return array.dtype == value.dtype and array.tobytes() == value.tobytes()

    def _add(self, operand: Operand, value: Value) -> None:
        self._holds.setdefault(operand.buffer, {}).setdefault(value, []).append(operand)
        buffer = self._plan.buffers[operand.buffer]
        if buffer.kind == "arena":
            self._in_arena.add(buffer)

    def _forget(self, target: Operand) -> None:
        """Drop every value that has an element where the target has one."""
        self._drop(target.buffer, lambda place: share_elements(place, target))
        own = self._plan.buffers[target.buffer]
        if own.kind != "arena":
            return
        low, high = (own.offset + byte for byte in target.span)
        for buffer in self._in_arena.near(low, high):
            start, stop = buffer.offset, buffer.offset + buffer.nbytes
            if buffer.id != own.id and max(low, start) < min(high, stop):
                self._drop(buffer.id, functools.partial(_overlap, start, low, high))

    def _drop(self, number: int, lost: Lost) -> None:
        held = self._holds.get(number)
        if held is None:
            return
        for value, places in [*held.items()]:
            places[:] = [place for place in places if not lost(place)]
            if not places:
                del held[value]


def _seen(views: list[Node], place: Operand, operand: Operand) -> bool:
    """True if views make this operand of a place; the views' last one comes first."""
    seen: Operand | None = place
    for node in reversed(views):
        seen = None if seen is None else viewed(node, seen)
    return seen is not None and same_place(seen, operand)


def _below(views: Sequence[Node], operand: Operand) -> list[Operand]:
    """Where the value below views lies if that can be told; the views' last one comes first."""
    place: Operand | None = operand
    for node in views:
        place = None if place is None else unviewed(node, place)
    return [] if place is None else [place]


def _has_parts(node: Node) -> bool:
    return node.op.name == "concat" or (node.op.name == "pad" and not any(node.attrs["interior"]))


def _overlap(start: int, low: int, high: int, place: Operand) -> bool:
    first, stop = (start + byte for byte in place.span)
    return max(first, low) < min(stop, high)


def _constant_at(buffer: Buffer) -> Operand:
    """Where a constant's elements lie if its memory is its node's own array."""
    value: Array = buffer.node.op.eval(**buffer.node.attrs)
    itemsize = value.itemsize
    own = contiguous(buffer.id, buffer.node)
    if value.size == 0 or not value.flags.aligned or any(s % itemsize for s in value.strides):
        return own
    strides = tuple(step // itemsize for step in value.strides)
    reach = zip(value.shape, strides, strict=True)
    offset = sum(-(size - 1) * stride for size, stride in reach if stride < 0)
    return replace(own, offset=offset, strides=strides)


def _same_values(buffer: Buffer, views: list[Node], operand: Operand) -> bool:
    """True if a constant's memory, seen through an operand, has its node's values."""
    value: Array = buffer.node.op.eval(**buffer.node.attrs)
    for node in reversed(views):
        value = node.op.eval(value, **node.attrs)
    assert buffer.array is not None
    flat = buffer.array.reshape(-1)
    itemsize = flat.itemsize
    strides = tuple(stride * itemsize for stride in operand.strides)
    found: Array = np.ndarray(operand.shape, flat.dtype, flat, operand.offset * itemsize, strides)
    return found.dtype == value.dtype and found.tobytes() == value.tobytes()
