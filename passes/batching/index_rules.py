"""Batching reads and writes at integer positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ops.elementwise import sub
from graphc.ops.scan import cumsum
from graphc.ops.shape import expand, reshape
from graphc.passes.batching.application import Application, later, moved_first, moved_from_first


def read(call: Application) -> Any:
    """``index``: the examples' own dim is read at the examples' own numbers."""
    dims = later(call.attrs["dims"])
    count = _index_rank(call, 1)
    if not any(operand.is_batched for operand in call.operands[1:]):
        indices = [operand.value for operand in call.operands[1:]]
        return moved_first(call.again(call.value(0), *indices, dims=dims), count)
    indices = _aligned_indices(call, 1, count)
    if not call.is_batched(0):
        return call.again(call.value(0), *indices)
    numbers = _numbers(call, indices[0], count)
    return call.again(call.value(0), numbers, *indices, dims=(0, *dims))


def added(call: Application) -> Any:
    """``index_add``: each example adds into a result of its own."""
    dims, shape = later(call.attrs["dims"]), (call.size, *call.attrs["shape"])
    count = _index_rank(call, 1)
    if not any(operand.is_batched for operand in call.operands[1:]):
        indices = [operand.value for operand in call.operands[1:]]
        values = moved_from_first(call.value(0), count)
        return call.again(values, *indices, shape=shape, dims=dims)
    indices = _aligned_indices(call, 1, count)
    numbers = _numbers(call, indices[0], count)
    return call.again(call.front(0), numbers, *indices, shape=shape, dims=(0, *dims))


def put(call: Application) -> Any:
    """``index_put``: each example writes into a copy of its own."""
    dims, count = later(call.attrs["dims"]), _index_rank(call, 2)
    if not any(operand.is_batched for operand in call.operands[2:]):
        indices = [operand.value for operand in call.operands[2:]]
        values = moved_from_first(call.front(1), count)
        return call.again(call.front(0), values, *indices, dims=dims)
    indices = _aligned_indices(call, 2, count)
    numbers = _numbers(call, indices[0], count)
    return call.again(call.front(0), call.front(1), numbers, *indices, dims=(0, *dims))


def _index_rank(call: Application, first: int) -> int:
    """How many dims the indices have together."""
    return max(type.rank for type in call.types[first:])


def _aligned_indices(call: Application, first: int, count: int) -> list[Any]:
    return [call.aligned(i, count) for i in range(first, len(call.operands))]


def _numbers(call: Application, like: Any, count: int) -> Any:
    """0, 1, ... for the examples, to broadcast with indices of ``count`` dims."""
    shape = (call.size, *(1,) * count)
    if isinstance(call.size, int):
        return like.__literal__(np.arange(call.size).reshape(shape))
    one = like.__literal__(np.asarray(1, np.int64))
    counted = cumsum(expand(one, shape=(call.size,)), dim=0)
    return reshape(sub(counted, one), shape=shape)
