"""Reductions over dims. Reduced dims stay as size 1; dropping them is a reshape of the frontend's.

Every evaluation reads a C-contiguous array, so the order of additions depends on the shape only.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from graphc.dims import Shape, Size
from graphc.dtypes import int64
from graphc.errors import IndexShapeError, ShapeError
from graphc.opdef import Call, OpDef, Rule, Saves, Trait
from graphc.ops.comparison import eq, logical_or, ne
from graphc.ops.elementwise import div, mul
from graphc.ops.elementwise_parts import conjugated
from graphc.ops.infer import ANY, NUMBER, REAL, require_category, require_dims
from graphc.ops.scan import cumprod, shifted
from graphc.ops.select import cast
from graphc.ops.shape import expand, flip, permute, reshape
from graphc.shapes import inverse_order
from graphc.storage import Array
from graphc.types import TensorType

Dims = tuple[int, ...]


def _reduced(op: str, x: TensorType, dims: Dims) -> TensorType:
    require_dims(op, dims, x.rank)
    return x.with_shape(tuple(1 if dim in dims else size for dim, size in enumerate(x.shape)))


def _reduction(
    name: str,
    compute: Callable[[Array, Dims], Array],
    vjp: Rule | None,
    accepts: frozenset[int],
    saves: Saves = Saves.NOTHING,
    *,
    has_identity: bool,
) -> OpDef:
    def infer(x: TensorType, *, dims: Dims) -> TensorType:
        require_category(name, (x,), accepts)
        result = _reduced(name, x, dims)
        if not has_identity:
            _require_elements(name, x, dims)
        return result

    def evaluate(x: Array, *, dims: Dims) -> Array:
        if not x.flags.c_contiguous:
            x = np.ascontiguousarray(x)
        return compute(x, dims)

    return OpDef(name, infer, evaluate, vjp, Trait.REDUCE, saves)


def _require_elements(op: str, x: TensorType, dims: Dims) -> None:
    if any(x.shape[dim] == 0 for dim in dims):
        raise IndexShapeError(
            f"{op}: no elements to reduce, and it has no value for none",
            got=str(x),
            fix="reduce over a dim that is not empty",
        )


SUM_BLOCK = 256
"""Rows that are added one after the other before their sum joins the others."""


def _sum(x: Array, dims: Dims) -> Array:
    if x.dtype.kind in "iub":
        return np.asarray(np.add.reduce(x, dims, dtype=x.dtype, keepdims=True))
    order = _order(x.shape, dims)
    x = x.reshape(order.shape)
    wide = x.astype(np.float32) if x.dtype.itemsize == 2 else x
    for dim in order.outer:
        while wide.shape[dim] > SUM_BLOCK:
            wide = _block_sums(wide, dim)
    return np.asarray(np.add.reduce(wide, order.dims), x.dtype).reshape(order.kept)


class _Order(NamedTuple):
    """In which order elements are added.

    Args:
        shape: neighbouring reduced dims as one, likewise kept ones, and no kept 1s: so the order
            does not depend on how a reshape splits or merges such dims.
        dims: the reduced ones of these.
        outer: those before a kept one: numpy adds along them row by row, not pairwise.
        kept: the result's shape.
    """

    shape: tuple[int, ...]
    dims: Dims
    outer: Dims
    kept: tuple[int, ...]


@functools.lru_cache(maxsize=1024)
def _order(sizes: tuple[int, ...], dims: Dims) -> _Order:
    shape: list[int] = []
    reduced: list[bool] = []
    for dim, size in enumerate(sizes):
        if size == 1 and dim not in dims:
            continue
        if reduced and reduced[-1] == (dim in dims):
            shape[-1] *= size
        else:
            shape.append(size)
            reduced.append(dim in dims)
    merged = tuple(dim for dim, folds in enumerate(reduced) if folds)
    outer = tuple(dim for dim in merged if dim < len(shape) - 1)
    kept = tuple(1 if dim in dims else size for dim, size in enumerate(sizes))
    return _Order(tuple(shape), merged, outer, kept)


def _block_sums(x: Array, dim: int) -> Array:
    """The sums of whole blocks along a dim, and of the rest, so that long sums stay accurate."""
    lead, trail = x.shape[:dim], x.shape[dim + 1 :]
    blocks = x.shape[dim] // SUM_BLOCK
    x = np.moveaxis(x, dim, 0)
    head = x[: blocks * SUM_BLOCK].reshape((blocks, SUM_BLOCK, *lead, *trail)).sum(1)
    rest = x[blocks * SUM_BLOCK :]
    sums = np.concatenate([head, rest.sum(0, keepdims=True)]) if len(rest) else head
    return np.ascontiguousarray(np.moveaxis(sums, 0, dim))


def _prod(x: Array, dims: Dims) -> Array:
    if x.dtype.itemsize == 2 and x.dtype.kind not in "iu":
        return np.asarray(x.astype(np.float32).prod(dims, keepdims=True), x.dtype)
    return np.asarray(np.multiply.reduce(x, dims, dtype=x.dtype, keepdims=True))


def _sum_vjp(call: Call, g: Any) -> tuple[Any]:
    return (expand(g, shape=call.inputs[0].type.shape),)


def _extremum_vjp(call: Call, g: Any) -> tuple[Any]:
    """Equal extrema share the gradient evenly (``torch.amax``), and so do the NaN."""
    (x,) = call.inputs
    is_chosen = eq(x, call.output)
    if x.type.dtype.is_floating_point:
        is_chosen = logical_or(is_chosen, ne(x, x))
    chosen = cast(is_chosen, dtype=g.type.dtype)
    share = div(g, sum_(chosen, dims=call.attrs["dims"]))
    return (mul(chosen, share),)


def _prod_vjp(call: Call, g: Any) -> tuple[Any]:
    """The product of the others: those before times those after, so that zeros need no care."""
    (x,) = call.inputs
    shape, dims = x.type.shape, call.attrs["dims"]
    kept = tuple(dim for dim in range(len(shape)) if dim not in dims)
    order = (*kept, *dims)
    count = math.prod(shape[dim] for dim in dims)
    lanes = reshape(permute(x, dims=order), shape=(*(shape[dim] for dim in kept), count))
    last = len(kept)
    behind = shifted(cumprod(flip(lanes, dims=(last,)), dim=last), last, 1.0)
    others = mul(shifted(cumprod(lanes, dim=last), last, 1.0), flip(behind, dims=(last,)))
    wide = reshape(others, shape=tuple(shape[dim] for dim in order))
    back = permute(wide, dims=inverse_order(order))
    return (mul(g, conjugated(back)),)


sum_ = _reduction("sum", _sum, _sum_vjp, ANY, has_identity=True)
prod = _reduction("prod", _prod, _prod_vjp, NUMBER, Saves.INPUTS, has_identity=True)
amax = _reduction(
    "amax",
    lambda x, dims: np.asarray(np.maximum.reduce(x, dims, keepdims=True)),
    _extremum_vjp,
    REAL,
    Saves.INPUTS | Saves.OUTPUT,
    has_identity=False,
)
amin = _reduction(
    "amin",
    lambda x, dims: np.asarray(np.minimum.reduce(x, dims, keepdims=True)),
    _extremum_vjp,
    REAL,
    Saves.INPUTS | Saves.OUTPUT,
    has_identity=False,
)


def _arg_reduction(name: str, function: Callable[..., Any]) -> OpDef:
    def infer(x: TensorType, *, dims: Dims) -> TensorType:
        require_category(name, (x,), REAL)
        _require_elements(name, x, dims)
        if len(dims) != 1:
            raise ShapeError(f"{name}: it reduces one dim", got=str(dims))
        return _reduced(name, x, dims).with_dtype(int64)

    def evaluate(x: Array, *, dims: Dims) -> Array:
        return np.asarray(
            function(np.ascontiguousarray(x).reshape(x.shape), dims[0], keepdims=True)
        )

    return OpDef(name, infer, evaluate, traits=Trait.REDUCE)


argmax = _arg_reduction("argmax", np.argmax)
argmin = _arg_reduction("argmin", np.argmin)


def reduced_count(shape: Shape, dims: Dims) -> Size:
    """How many elements go into each result."""
    count: Size = 1
    for dim in dims:
        count = count * shape[dim]
    return count
