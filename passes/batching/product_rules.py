"""Batching matrix products, equations and convolutions: examples become more rows or groups."""

from __future__ import annotations

from typing import Any

from graphc.errors import ShapeError
from graphc.ops.linalg import linear, matmul, swap_last
from graphc.ops.select import scalar
from graphc.ops.shape import expand, permute, reshape
from graphc.passes.batching.application import Application, joined, moved_first


def on_matrices(call: Application) -> Any:
    """Dims before the matrices broadcast, as in ``matmul`` and ``solve``."""
    rank = max(type.rank for type in call.types)
    return call.again(*(call.aligned(i, rank) for i in range(len(call.operands))))


def product(call: Application) -> Any:
    """Examples that share the right matrix are more rows of the left one."""
    a, b = call.types
    if call.is_batched(1) or b.rank > 2:
        return on_matrices(call)
    rows = reshape(call.value(0), shape=(call.size * joined(a.shape[:-1]), a.shape[-1]))
    return reshape(matmul(rows, call.value(1)), shape=(call.size, *call.result.shape))


def linear_map(call: Application) -> Any:
    """Examples that share the rows have weights side by side, else one product each."""
    x, weight = call.types
    if not call.is_batched(1):
        return linear(call.value(0), call.value(1))
    lead, out = x.shape[:-1], weight.shape[0]
    if not call.is_batched(0):
        together = reshape(call.value(1), shape=(call.size * out, weight.shape[1]))
        beside = linear(call.value(0), together)
        return moved_first(reshape(beside, shape=(*lead, call.size, out)), len(lead))
    rows = reshape(call.value(0), shape=(call.size, joined(lead), x.shape[-1]))
    each = matmul(rows, swap_last(call.value(1)))
    return reshape(each, shape=(call.size, *lead, out))


def convolution(call: Application) -> Any:
    """Examples that share the weight are one batch; others are groups of channels."""
    if not call.is_batched(1):
        x = call.types[0]
        together = reshape(call.value(0), shape=(call.size * x.shape[0], *x.shape[1:]))
        return reshape(call.again(together, call.value(1)), shape=(call.size, *call.result.shape))
    if call.is_batched(0):
        return _grouped(call)
    return _beside(call)


def _beside(call: Application) -> Any:
    """One input, several weights: they are more channels of each group's result."""
    out, *window = call.types[1].shape
    groups, size = call.attrs["groups"], call.size
    batch, _, *space = call.result.shape
    each = out // groups
    split = reshape(call.value(1), shape=(size, groups, each, *window))
    weight = reshape(_swapped(split, 0, 1), shape=(groups * size * each, *window))
    made = reshape(call.again(call.value(0), weight), shape=(batch, groups, size, each, *space))
    return reshape(moved_first(made, 2), shape=(size, *call.result.shape))


def _grouped(call: Application) -> Any:
    """Several inputs with a weight each: one group of channels, or more, for each example."""
    size, groups = call.size, call.attrs["groups"]
    if not isinstance(size, int):
        raise ShapeError(
            "vmap of a convolution with one weight per example needs a known number of examples",
            got=str(size), fix="record with a fixed batch size",
        )  # fmt: skip
    if size == 0:
        return expand(scalar(call.value(0), 0), shape=(0, *call.result.shape))
    batch, channels, *inside = call.types[0].shape
    out, *window = call.types[1].shape
    _, _, *space = call.result.shape
    x = reshape(_swapped(call.value(0), 0, 1), shape=(batch, size * channels, *inside))
    weight = reshape(call.value(1), shape=(size * out, *window))
    made = call.again(x, weight, groups=groups * size)
    return _swapped(reshape(made, shape=(batch, size, out, *space)), 0, 1)


def _swapped(x: Any, one: int, other: int) -> Any:
    order = list(range(len(x.type.shape)))
    order[one], order[other] = other, one
    return permute(x, dims=tuple(order))
