"""Where the elements of operands lie, for the checker: worked out from the views' definitions.

The planner lets numpy find strides; here they are computed, so that one checks the other.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from graphc.node import Node
from graphc.runtime.plan import Operand

Ints = tuple[int, ...]


def viewed(node: Node, source: Operand) -> Operand | None:
    """The operand that a view node makes of its input's, or None if strides cannot say it."""
    attrs = node.attrs
    shape, strides = source.shape, source.strides
    if node.op.name == "detach":
        return source
    if node.op.name == "permute":
        dims = attrs["dims"]
        return replace(
            source, shape=tuple(shape[d] for d in dims), strides=tuple(strides[d] for d in dims)
        )
    if node.op.name == "expand":
        lead = len(attrs["shape"]) - len(shape)
        grown = [0 if n == 1 else s for n, s in zip(shape, strides, strict=True)]
        return replace(source, shape=tuple(attrs["shape"]), strides=(*(0,) * lead, *grown))
    if node.op.name == "flip":
        turned = [dim in attrs["dims"] and shape[dim] > 0 for dim in range(len(shape))]
        start = sum((n - 1) * s for n, s, turn in zip(shape, strides, turned, strict=True) if turn)
        flipped = tuple(-s if turn else s for s, turn in zip(strides, turned, strict=True))
        return replace(source, offset=source.offset + start, strides=flipped)
    if node.op.name == "slice":
        start = sum(first * s for first, s in zip(attrs["starts"], strides, strict=True))
        apart = tuple(s * step for s, step in zip(strides, attrs["steps"], strict=True))
        return replace(
            source, offset=source.offset + start, shape=node.type.static_shape, strides=apart
        )
    if node.op.name == "diagonal":
        one, other, offset = attrs["dim1"], attrs["dim2"], attrs["offset"]
        wanted = node.type.static_shape
        start = max(-offset, 0) * strides[one] + max(offset, 0) * strides[other]
        rest = [s for dim, s in enumerate(strides) if dim not in (one, other)]
        return replace(
            source, offset=source.offset + (start if wanted[-1] else 0), shape=wanted,
            strides=(*rest, strides[one] + strides[other]),
        )  # fmt: skip
    if node.op.name == "reshape":
        reshaped = _reshaped(shape, strides, attrs["shape"])
        return None if reshaped is None else replace(source, shape=attrs["shape"], strides=reshaped)
    return None


def unviewed(node: Node, result: Operand) -> Operand | None:
    """An operand of which a view node makes this one, or None if it is not known."""
    if node.op.name == "permute":
        dims = node.attrs["dims"]
        back = sorted(range(len(dims)), key=dims.__getitem__)
        return replace(
            result,
            shape=tuple(result.shape[d] for d in back),
            strides=tuple(result.strides[d] for d in back),
        )
    shape = node.inputs[0].type.static_shape
    if node.op.name == "reshape":
        strides = _reshaped(result.shape, result.strides, shape)
        return None if strides is None else replace(result, shape=shape, strides=strides)
    return result if node.op.name in ("detach", "expand") and result.shape == shape else None


def box(source: Operand, low: Sequence[int], shape: Ints) -> Operand:
    """The elements from one corner on."""
    start = sum(first * s for first, s in zip(low, source.strides, strict=True))
    return replace(source, offset=source.offset + start, shape=shape)


def same_place(one: Operand, other: Operand) -> bool:
    """True if both are the same elements, index by index; dims of size 1 have no stride."""
    return one.size == other.size == 0 or one.same_elements(other)


def repeats(operand: Operand) -> bool:
    """True if two indices may mean one element."""
    reach = 0
    for stride, size in sorted(
        (abs(s), n) for n, s in zip(operand.shape, operand.strides, strict=True) if n > 1
    ):
        if stride <= reach:
            return operand.size > 0
        reach += (size - 1) * stride
    return False


def share_elements(one: Operand, other: Operand) -> bool:
    """True if two operands of one buffer have bytes in common."""
    (a, b), (c, d) = one.span, other.span
    if max(a, c) >= min(b, d):
        return False
    if one.dtype.itemsize != other.dtype.itemsize:
        return True
    steps = sorted({abs(s) for view in (one, other) for n, s in _loops(view)}, reverse=True)
    boxes = [_box_in(view, steps) for view in (one, other)]
    if boxes[0] is None or boxes[1] is None or any(x % y for x, y in itertools.pairwise(steps)):
        return bool(np.isin(_addresses(one), _addresses(other)).any())
    return all(
        max(low, start) < min(high, stop) for (low, high), (start, stop) in zip(*boxes, strict=True)
    )


def _loops(view: Operand) -> list[tuple[int, int]]:
    return [(n, s) for n, s in zip(view.shape, view.strides, strict=True) if n > 1 and s]


def _box_in(view: Operand, steps: Sequence[int]) -> list[tuple[int, int]] | None:
    """The ranges of digits if addresses are written with these steps as the places' values.

    None if some address has a digit too large for its place.
    """
    sizes = dict.fromkeys(steps, 1)
    for size, stride in _loops(view):
        if sizes[abs(stride)] != 1:
            return None
        sizes[abs(stride)] = size
    rest = view.span[0] // view.dtype.itemsize
    ranges = []
    above: int | None = None
    for step in steps:
        low, rest = divmod(rest, step)
        ranges.append((low, low + sizes[step]))
        if above is not None and (low + sizes[step]) * step > above:
            return None
        above = step
    return [*ranges, (rest, rest + 1)]


def _addresses(view: Operand) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    parts = [np.arange(n) * s for n, s in zip(view.shape, view.strides, strict=True)]
    grid = functools.reduce(np.add.outer, parts, np.asarray(view.offset))
    return np.asarray(grid, np.int64).reshape(-1)


def _reshaped(shape: Ints, strides: Ints, wanted: Ints) -> Ints | None:
    """Strides of the same elements in another shape: each new dim is inside one run of old ones."""
    if 0 in shape:
        return (0,) * len(wanted)
    runs: list[tuple[int, int]] = []
    for size, stride in zip(shape, strides, strict=True):
        if size != 1:
            outer = runs[-1] if runs else (1, 0)
            together = bool(runs) and outer[1] == size * stride
            runs[len(runs) - together :] = [(outer[0] * size if together else size, stride)]
    found = []
    left, step = 1, 1
    for size in reversed(wanted):
        if left == 1 and size != 1:
            left, step = runs.pop()
        if left % size:
            return None
        found.append(step)
        left, step = left // size, step * size
    return tuple(reversed(found))


def contiguous(buffer: int, like: Node) -> Operand:
    """A node's value at the start of a buffer in C order."""
    shape = like.type.static_shape
    strides = tuple(math.prod(shape[dim + 1 :]) for dim in range(len(shape)))
    return Operand(buffer, 0, shape, strides, like.type.dtype)
