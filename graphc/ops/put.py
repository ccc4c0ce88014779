"""Writing at integer positions: into a copy, or combined with what is there.

Indices must lie in ``0 .. size - 1``. Of several values for one place the last one stays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.dims import Shape
from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.opdef import Call, OpDef, Saves, Trait, V
from graphc.ops.comparison import eq
from graphc.ops.elementwise import div, mul
from graphc.ops.index import along, check_range, gather, index, index_shape, position, scatter_add
from graphc.ops.infer import require_dims, require_same_dtype
from graphc.ops.select import cast, scalar, where, zeros_like
from graphc.ops.shape import expand
from graphc.shapes import shape_text, unify
from graphc.storage import Array
from graphc.types import TensorType

Ints = tuple[int, ...]


def _filled(like: V, shape: Shape, value: float) -> V:
    return expand(scalar(like, value), shape=shape)


def _infer_index_put(
    x: TensorType, values: TensorType, *indices: TensorType, dims: Ints
) -> TensorType:
    require_same_dtype("index_put", (x, values))
    require_dims("index_put", dims, x.rank)
    if len(dims) != len(indices) or list(dims) != sorted(set(dims)):
        raise ShapeError("index_put: one index per dim, dims ascending", got=str(dims))
    kept = (size for dim, size in enumerate(x.shape) if dim not in dims)
    wanted = (*index_shape("index_put", indices), *kept)
    fits = len(wanted) == values.rank and all(
        unify(own, want) is not None for own, want in zip(values.shape, wanted, strict=False)
    )
    if not fits:
        raise ShapeError(
            "index_put: values do not have the indexed shape", got=str(values),
            expected=shape_text(wanted),
        )  # fmt: skip
    return x


def _eval_index_put(x: Array, values: Array, *indices: Array, dims: Ints) -> Array:
    for dim, each in zip(dims, indices, strict=True):
        check_range("index_put: index", each, x.shape[dim])
    result = np.array(x, order="C")
    order, places = position(x.ndim, dims, indices)
    result.transpose(order)[places] = values
    return result


def _index_put_vjp(call: Call, g: Any) -> tuple[Any, ...]:
    _, values, *indices = call.inputs
    dims = call.attrs["dims"]
    none = _filled(g, values.type.shape, 0)
    untouched = None if 0 in call.unwanted else index_put(g, none, *indices, dims=dims)
    put = None if 1 in call.unwanted else index(g, *indices, dims=dims)
    return (untouched, put, *(None for _ in indices))


index_put = OpDef(
    "index_put", _infer_index_put, _eval_index_put, _index_put_vjp, Trait.FALLIBLE, Saves.POSITIONS
)
"""The array with values at positions along ``dims``; values are shaped as ``index`` gives them."""


def _infer_scatter(x: TensorType, index: TensorType, source: TensorType, *, dim: int) -> TensorType:
    require_same_dtype("scatter", (x, source))
    gather.infer(x, index, dim=dim)
    if source.rank != index.rank or not all(
        unify(own, size) is not None for own, size in zip(source.shape, index.shape, strict=True)
    ):
        raise ShapeError(
            "scatter: the source must have the index's shape", got=f"index {index}, source {source}"
        )
    return x


def _eval_scatter(x: Array, index: Array, source: Array, *, dim: int) -> Array:
    check_range("scatter: index", index, x.shape[dim])
    result = np.array(x, order="C")
    result[along(index, dim)] = source
    return result


def _scatter_vjp(call: Call, g: Any) -> tuple[Any, None, Any]:
    index, dim = call.inputs[1], call.attrs["dim"]
    untouched = scatter(g, index, _filled(g, index.type.shape, 0), dim=dim)
    return untouched, None, gather(g, index, dim=dim)


scatter = OpDef(
    "scatter", _infer_scatter, _eval_scatter, _scatter_vjp, Trait.FALLIBLE, Saves.POSITIONS
)
"""``out[index[i][j]][j] = source[i][j]`` for ``dim=0``, and so on."""

_COMBINES = {"prod": np.multiply, "amax": np.maximum, "amin": np.minimum}


def _infer_scatter_reduce(
    x: TensorType, index: TensorType, source: TensorType, *, dim: int, reduce: str
) -> TensorType:
    if reduce not in _COMBINES:
        raise ArgumentError(
            "scatter_reduce: unknown reduction", got=repr(reduce), expected=", ".join(_COMBINES)
        )
    if x.dtype.is_complex and reduce != "prod":
        raise DTypeError(f"scatter_reduce: complex numbers have no {reduce}", got=x.dtype.name)
    return _infer_scatter(x, index, source, dim=dim)


def _eval_scatter_reduce(
    x: Array, index: Array, source: Array, *, dim: int, reduce: str
) -> Array:  # fmt: skip
    check_range("scatter_reduce: index", index, x.shape[dim])
    narrow = x.dtype.itemsize <= 2 and x.dtype.kind not in "iub"
    wide = np.dtype(np.float32) if narrow else x.dtype
    result = np.array(x, wide, order="C")
    _COMBINES[reduce].at(result, along(index, dim), source.astype(wide, copy=False))
    return result.astype(x.dtype, copy=False)


def _scatter_reduce_vjp(call: Call, g: Any) -> tuple[Any, None, Any]:
    grads = _prod_grads if call.attrs["reduce"] == "prod" else _extreme_grads
    to_x, to_source = grads(call, g)
    return to_x, None, to_source


def _extreme_grads(call: Call, g: Any) -> tuple[Any, Any]:
    """All that have the extreme value share the gradient."""
    x, index, source = call.inputs
    dim = call.attrs["dim"]
    own = cast(eq(x, call.output), dtype=g.type.dtype)
    theirs = cast(eq(source, gather(call.output, index, dim=dim)), dtype=g.type.dtype)
    shared = div(g, scatter_add(own, index, theirs, dim=dim))
    return mul(own, shared), mul(theirs, gather(shared, index, dim=dim))


def _prod_grads(call: Call, g: Any) -> tuple[Any, Any]:
    """The product of the other factors, also where one factor is zero."""
    x, index, source = call.inputs
    dim, one = call.attrs["dim"], scalar(g, 1)
    nonzero_x = where(eq(x, scalar(x, 0)), one, x)
    others = scatter_reduce(nonzero_x, index, source, dim=dim, reduce="prod")
    to_x = div(mul(g, others), nonzero_x)
    is_zero = eq(source, scalar(source, 0))
    zeros = scatter_add(zeros_like(x), index, cast(is_zero, dtype=g.type.dtype), dim=dim)
    only_zero = where(is_zero, eq(gather(zeros, index, dim=dim), one), is_zero)
    rest = scatter_reduce(x, index, where(only_zero, one, source), dim=dim, reduce="prod")
    beside_zero = gather(mul(g, rest), index, dim=dim)
    beside = div(
        gather(mul(g, call.output), index, dim=dim), where(is_zero, one, source)
    )  # fmt: skip
    return to_x, where(only_zero, beside_zero, beside)


scatter_reduce = OpDef(
    "scatter_reduce", _infer_scatter_reduce, _eval_scatter_reduce, _scatter_reduce_vjp,
    Trait.FALLIBLE, Saves.INPUTS | Saves.OUTPUT,
)  # fmt: skip
"""Products or extremes of what is there and the sources; ``reduce`` is prod, amax or amin."""
