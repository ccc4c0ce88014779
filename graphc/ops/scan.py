"""Running results along a dim: sums, products, recurrences, and where running extrema are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.dims import Dim
from graphc.dtypes import int64
from graphc.errors import ShapeError
from graphc.opdef import Call, OpDef, Saves, V
from graphc.ops.comparison import eq
from graphc.ops.elementwise import exp, mul, sub
from graphc.ops.elementwise_parts import conjugated
from graphc.ops.infer import (
    ANY,
    FLOAT,
    FLOAT_OR_COMPLEX,
    NUMBER,
    REAL,
    require_category,
    require_dim,
    require_same_dtype,
)  # fmt: skip
from graphc.ops.select import scalar, where
from graphc.ops.shape import flip, narrow, pad
from graphc.shapes import unify
from graphc.storage import Array
from graphc.types import TensorType


def _scan(
    name: str,
    accumulate: Callable[[Array, int], Array],
    vjp: Callable[[Call, Any], tuple[Any]],
    accepts: frozenset[int],
    saves: Saves = Saves.NOTHING,
) -> OpDef:
    """A running result of the operand's type; floats are accumulated in float64."""

    def infer(x: TensorType, *, dim: int) -> TensorType:
        require_category(name, (x,), accepts)
        require_dim(name, dim, x.rank)
        return x

    def evaluate(x: Array, *, dim: int) -> Array:
        wide = x if x.dtype.kind in "biuc" else x.astype(np.float64)
        return np.asarray(accumulate(wide, dim), dtype=x.dtype, order="C")

    return OpDef(name, infer, evaluate, vjp, saves=saves)


def _backwards(x: V, dim: int) -> V:
    return flip(x, dims=(dim,))


def shifted(x: V, dim: int, value: float) -> V:
    """The elements one place later: ``value`` first, and without the last."""
    return _moved(x, dim, value, later=True)


def _moved(x: V, dim: int, value: float, *, later: bool) -> V:
    size = x.type.shape[dim]
    if size == 0:
        return x
    none = (0,) * len(x.type.shape)
    one = tuple(int(axis == dim) for axis in range(len(none)))
    low, high = (one, none) if later else (none, one)
    if isinstance(size, Dim):  # may be 0: then there is nothing to leave out
        longer = pad(x, low=low, high=high, interior=none, value=value)
        return narrow(longer, dim, 0, size) if later else narrow(longer, dim, 1, size + 1)
    kept = narrow(x, dim, 0, size - 1) if later else narrow(x, dim, 1, size)
    return pad(kept, low=low, high=high, interior=none, value=value)


def _cumsum_vjp(call: Call, g: Any) -> tuple[Any]:
    dim = call.attrs["dim"]
    return (_backwards(cumsum(_backwards(g, dim), dim=dim), dim),)


def _cumprod_vjp(call: Call, g: Any) -> tuple[Any]:
    """Without a division, so that zeros are elements like others."""
    (x,) = call.inputs
    dim = call.attrs["dim"]
    others = conjugated(shifted(call.output, dim, 1.0))
    return (mul(_from_behind(conjugated(x), g, dim), others),)


def _from_behind(factor: V, g: V, dim: int) -> V:
    """``s[i] = g[i] + factor[i + 1] * s[i + 1]``."""
    following = _moved(factor, dim, 0.0, later=False)
    return _backwards(recurrence(_backwards(following, dim), _backwards(g, dim), dim=dim), dim)


cumsum: OpDef = _scan("cumsum", lambda x, dim: np.cumsum(x, dim, x.dtype), _cumsum_vjp, ANY)
"""Running sums; of bools: whether one was True."""

cumprod = _scan(
    "cumprod", lambda x, dim: np.cumprod(x, dim, x.dtype), _cumprod_vjp,
    NUMBER, Saves.INPUTS | Saves.OUTPUT,
)  # fmt: skip


def _logcumsumexp_vjp(call: Call, g: Any) -> tuple[Any]:
    """Sums of ``g exp(x - out)`` from behind, by factors of 1 or less: the results never fall."""
    (x,) = call.inputs
    dim = call.attrs["dim"]
    before = shifted(call.output, dim, -np.inf)
    total = _from_behind(_ratio(before, call.output), g, dim)
    return (mul(total, _ratio(x, call.output)),)


def _ratio(part: V, whole: V) -> V:
    """``exp(part - whole)``, and 0 for a part of nothing."""
    nothing, zero = scalar(part, -np.inf), scalar(part, 0)
    is_nothing = eq(part, nothing)
    exponent = where(is_nothing, zero, sub(part, where(is_nothing, zero, whole)))
    return where(is_nothing, zero, exp(exponent))


logcumsumexp: OpDef = _scan(
    "logcumsumexp", np.logaddexp.accumulate, _logcumsumexp_vjp,
    FLOAT, Saves.INPUTS | Saves.OUTPUT,
)  # fmt: skip


def _infer_recurrence(a: TensorType, b: TensorType, *, dim: int) -> TensorType:
    require_same_dtype("recurrence", (a, b))
    require_category("recurrence", (a, b), FLOAT_OR_COMPLEX)
    require_dim("recurrence", dim, a.rank)
    if a.rank != b.rank or any(
        unify(one, other) is None for one, other in zip(a.shape, b.shape, strict=True)
    ):
        raise ShapeError("recurrence: operands must have one shape", got=f"{a} and {b}")
    return a


def _eval_recurrence(a: Array, b: Array, *, dim: int) -> Array:
    wide = np.result_type(b.dtype, np.float64)
    factors, terms = (np.moveaxis(x, dim, 0).astype(wide) for x in (a, b))
    for place in range(1, len(terms)):
        terms[place] += factors[place] * terms[place - 1]
    return np.asarray(np.moveaxis(terms, 0, dim), dtype=b.dtype, order="C")


def _recurrence_vjp(call: Call, g: Any) -> tuple[Any, Any]:
    dim = call.attrs["dim"]
    total = _from_behind(conjugated(call.inputs[0]), g, dim)
    return mul(total, conjugated(shifted(call.output, dim, 0.0))), total


recurrence: OpDef = OpDef(
    "recurrence", _infer_recurrence, _eval_recurrence, _recurrence_vjp,
    saves=Saves.INPUTS | Saves.OUTPUT,
)  # fmt: skip
"""``h[i] = a[i] * h[i - 1] + b[i]`` along a dim, from 0: what gradients of scans are made of."""


def _where_extremum(name: str, running: np.ufunc) -> OpDef:
    """The place of the running extremum: the last of equal ones, as in PyTorch; NaN wins."""

    def infer(x: TensorType, *, dim: int) -> TensorType:
        require_category(name, (x,), REAL)
        require_dim(name, dim, x.rank)
        return x.with_dtype(int64)

    def evaluate(x: Array, *, dim: int) -> Array:
        wide = x.astype(np.float32) if x.dtype.itemsize == 2 and x.dtype.kind not in "iu" else x
        taken = (wide == running.accumulate(wide, dim)) | (wide != wide)
        places = np.arange(x.shape[dim]).reshape(-1, *(1,) * (x.ndim - dim - 1))
        return np.ascontiguousarray(np.maximum.accumulate(np.where(taken, places, 0), dim))

    return OpDef(name, infer, evaluate)


cumargmax = _where_extremum("cumargmax", np.maximum)
cumargmin = _where_extremum("cumargmin", np.minimum)
