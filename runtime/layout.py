"""Strided layouts: what a view operation does to shape, strides and offset, found by numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from graphc.node import Node
from graphc.storage import Array

Ints = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the elements of a value lie, counted in elements from the start of its memory."""

    offset: int
    shape: Ints
    strides: Ints


def contiguous_strides(shape: Ints) -> Ints:
    """The strides of C order, in elements."""
    strides = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def contiguous(shape: Ints) -> Layout:
    """The layout of a fresh array."""
    return Layout(0, shape, contiguous_strides(shape))


def is_contiguous(layout: Layout) -> bool:
    """True if the elements lie in C order without gaps."""
    wanted = contiguous_strides(layout.shape)
    return 0 in layout.shape or all(
        size == 1 or own == want
        for size, own, want in zip(layout.shape, layout.strides, wanted, strict=True)
    )


def same_elements(one: Layout, other: Layout) -> bool:
    """True if both visit the same elements, index by index; dims of size 1 have no stride."""
    return (one.offset, one.shape) == (other.offset, other.shape) and all(
        size == 1 or own == theirs
        for size, own, theirs in zip(one.shape, one.strides, other.strides, strict=True)
    )


def extent(layout: Layout) -> int:
    """Elements from the start of the memory to behind the last one that the layout reaches."""
    if 0 in layout.shape:
        return 0
    reach = sum(max(0, (n - 1) * s) for n, s in zip(layout.shape, layout.strides, strict=True))
    return layout.offset + reach + 1


def from_lowest(shape: Ints, strides: Ints) -> Layout:
    """The layout of elements with these strides, from the lowest address that they use."""
    if 0 in shape:
        return contiguous(shape)
    sizes = zip(shape, strides, strict=True)
    return Layout(sum(-(size - 1) * step for size, step in sizes if step < 0), shape, strides)


def view_layout(node: Node, layout: Layout) -> Layout | None:
    """The layout of a view node's result, or None where numpy has to copy.

    The operation runs once on bytes that stand for the elements, so the answer is numpy's own.

    Args:
        node: a node with the VIEW trait and static attributes.
        layout: where its input lies.
    """
    return _applied(layout, lambda array: node.op.eval(array, **node.attrs))


def reshaped(layout: Layout, shape: Ints) -> Layout | None:
    """The layout of the same elements in another shape, or None if strides cannot say it."""
    return _applied(layout, lambda array: array.reshape(shape))


def _applied(layout: Layout, operation: Callable[[Array], Array]) -> Layout | None:
    memory = np.empty(max(extent(layout), 1), np.int8)
    stand_in = np.ndarray(layout.shape, np.int8, memory, layout.offset, layout.strides)
    result = operation(stand_in)
    if result.size == 0:
        return contiguous(result.shape)
    if not np.may_share_memory(result, memory):
        return None
    return Layout(_address(result) - _address(memory), result.shape, result.strides)


def base_of(array: Array) -> Array | None:
    """The array with every flipped dim turned round, so that element 0 has the lowest address.

    Returns:
        A view, or None if its strides are no whole elements or its memory is not aligned.
    """
    if not array.flags.aligned or any(stride % array.itemsize for stride in array.strides):
        return None
    if array.size == 0 or not any(stride < 0 for stride in array.strides):
        return array
    forward = slice(None)
    backward = slice(None, None, -1)
    return array[tuple(backward if stride < 0 else forward for stride in array.strides)]


def array_layout(array: Array) -> Layout:
    """The layout of an array relative to its base (``base_of``), which must exist."""
    if array.size == 0:
        return contiguous(array.shape)
    return from_lowest(array.shape, tuple(stride // array.itemsize for stride in array.strides))


def _address(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address
