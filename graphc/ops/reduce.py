"""Reductions over dims. Reduced dims stay as size 1; dropping them is a reshape of the frontend's.

Every evaluation reads a C-contiguous array, so the order of additions depends on the shape only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.dims import Size
from graphc.dtypes import int64
from graphc.errors import ShapeError
from graphc.opdef import Call, OpDef, Rule, Saves, Trait
from graphc.ops.comparison import eq
from graphc.ops.elementwise import div, mul
from graphc.ops.elementwise_parts import conjugated
from graphc.ops.infer import ANY, NUMBER, REAL, require_category, require_dims
from graphc.ops.scan import cumprod, shifted
from graphc.ops.select import cast
from graphc.ops.shape import expand, flip, permute, reshape
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
        return compute(np.ascontiguousarray(x).reshape(x.shape), dims)

    return OpDef(name, infer, evaluate, vjp, Trait.REDUCE, saves)


def _require_elements(op: str, x: TensorType, dims: Dims) -> None:
    if any(x.shape[dim] == 0 for dim in dims):
        raise ShapeError(
            f"{op}: no elements to reduce, and it has no value for none",
            got=str(x),
            fix="reduce over a dim that is not empty",
        )


SUM_BLOCK = 256
"""Rows that are added one after the other before their sum joins the others."""


def _sum(x: Array, dims: Dims) -> Array:
    if x.dtype.kind in "iub":
        return np.asarray(np.add.reduce(x, dims, dtype=x.dtype, keepdims=True))
    kept = tuple(1 if dim in dims else size for dim, size in enumerate(x.shape))
    x, dims = _with_merged_dims(x, dims)
    wide = x.astype(np.float32) if x.dtype.itemsize == 2 else x
    for dim in _outer(dims, x.ndim):
        while wide.shape[dim] > SUM_BLOCK:
            wide = _block_sums(wide, dim)
    return np.asarray(np.add.reduce(wide, dims), x.dtype).reshape(kept)


def _with_merged_dims(x: Array, dims: Dims) -> tuple[Array, Dims]:
    """The array with neighbouring reduced dims as one, likewise kept ones, and no kept 1s.

    So the order of additions does not depend on how a reshape splits or merges such dims.
    """
    shape: list[int] = []
    reduced: list[bool] = []
    for dim, size in enumerate(x.shape):
        if size == 1 and dim not in dims:
            continue
        if reduced and reduced[-1] == (dim in dims):
            shape[-1] *= size
        else:
            shape.append(size)
            reduced.append(dim in dims)
    return x.reshape(shape), tuple(dim for dim, folds in enumerate(reduced) if folds)


def _outer(dims: Dims, rank: int) -> Dims:
    """The reduced dims before a kept one: numpy adds along them row by row, not pairwise."""
    return tuple(dim for dim in dims if dim < rank - 1)


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
    """Equal extrema share the gradient evenly (``torch.amax``)."""
    (x,) = call.inputs
    chosen = cast(eq(x, call.output), dtype=g.type.dtype)
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
    back = permute(wide, dims=tuple(sorted(range(len(order)), key=order.__getitem__)))
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


def reduced_count(x: TensorType, dims: Dims) -> Size:
    """How many elements go into each result."""
    count: Size = 1
    for dim in dims:
        count = count * x.shape[dim]
    return count
