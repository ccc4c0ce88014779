"""The order of elements along a dim, and the middle of all."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.dtypes import int64
from graphc.errors import ShapeError
from graphc.opdef import Call, OpDef, Saves
from graphc.ops.comparison import eq, logical_and, logical_or, ne
from graphc.ops.elementwise import div
from graphc.ops.index import scatter_add
from graphc.ops.infer import REAL, require_category, require_dim
from graphc.ops.orders import some_positions, sorted_values, stable_order
from graphc.ops.reduce import sum_
from graphc.ops.select import cast, scalar, where
from graphc.ops.shape import expand, reshape
from graphc.storage import Array
from graphc.types import TensorType


def _infer_argsort(x: TensorType, *, dim: int, descending: bool) -> TensorType:
    require_category("argsort", (x,), REAL)
    require_dim("argsort", dim, x.rank)
    return x.with_dtype(int64)


def _eval_argsort(x: Array, *, dim: int, descending: bool) -> Array:
    return stable_order(x, dim, descending)


argsort = OpDef("argsort", _infer_argsort, _eval_argsort)
"""The positions that sort; equal elements keep their order, NaN counts as the largest."""


def _infer_sort(x: TensorType, *, dim: int, descending: bool) -> TensorType:
    require_category("sort", (x,), REAL)
    require_dim("sort", dim, x.rank)
    return x


def _eval_sort(x: Array, *, dim: int, descending: bool) -> Array:
    return sorted_values(x, dim, descending)


def _sort_vjp(call: Call, g: Any) -> tuple[Any]:
    (x,) = call.inputs
    zeros = expand(scalar(g, 0), shape=x.type.shape)
    return (scatter_add(zeros, argsort(x, **call.attrs), g, dim=call.attrs["dim"]),)


sort = OpDef("sort", _infer_sort, _eval_sort, _sort_vjp, saves=Saves.INPUTS)
"""The elements at the places of ``argsort``."""


def _infer_argsort_part(
    x: TensorType, *, dim: int, descending: bool, start: int, stop: int
) -> TensorType:
    require_category("argsort_part", (x,), REAL)
    require_dim("argsort_part", dim, x.rank)
    size = x.shape[dim]
    if not 0 <= start <= stop or (isinstance(size, int) and stop > size):
        raise ShapeError(
            "argsort_part: bounds do not fit", got=f"{start}:{stop} of size {size}",
            expected="0 <= start <= stop <= size",
        )  # fmt: skip
    shape = (*x.shape[:dim], stop - start, *x.shape[dim + 1 :])
    return x.with_shape(shape).with_dtype(int64)


def _eval_argsort_part(x: Array, *, dim: int, descending: bool, start: int, stop: int) -> Array:
    return some_positions(x, dim, start, stop, descending)


argsort_part = OpDef("argsort_part", _infer_argsort_part, _eval_argsort_part)
"""Some neighbours of ``argsort``, along its dim from ``start`` to ``stop``."""


def _infer_median(x: TensorType, *, skip_nan: bool) -> TensorType:
    require_category("median", (x,), REAL)
    if x.rank == 0 or (x.shape[-1] == 0 and not x.dtype.is_floating_point):
        raise ShapeError("median: expected vectors with one element or more", got=str(x))
    return x.with_shape(x.shape[:-1])


def _eval_median(x: Array, *, skip_nan: bool) -> Array:
    if x.shape[-1] == 0:
        return np.full(x.shape[:-1], np.nan, x.dtype)
    result = np.empty(x.shape[:-1], x.dtype)
    for place in np.ndindex(*result.shape):
        result[place] = _median_of(x[place], skip_nan)
    return result


def _median_of(x: Array, skip_nan: bool) -> Any:
    missing = x != x
    if missing.any():
        if not skip_nan or missing.all():
            return x[np.argmax(missing)]
        x = x[~missing]
    middle = (len(x) - 1) // 2
    return np.partition(x, middle)[middle]


def _median_vjp(call: Call, g: Any) -> tuple[Any]:
    """Equal elements share the gradient."""
    (x,) = call.inputs
    last = len(g.type.shape)
    column = (*g.type.shape, 1)
    middle, grad = reshape(call.output, shape=column), reshape(g, shape=column)
    both_nan = logical_and(ne(x, x), ne(middle, middle))
    chosen = logical_or(eq(x, middle), both_nan)
    count = sum_(cast(chosen, dtype=g.type.dtype), dims=(last,))
    return (where(chosen, div(grad, reshape(count, shape=column)), scalar(g, 0)),)


median = OpDef("median", _infer_median, _eval_median, _median_vjp,
               saves=Saves.INPUTS | Saves.OUTPUT)  # fmt: skip
"""The lower middle element of each vector along the last dim; NaN of no elements."""
