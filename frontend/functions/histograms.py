"""How often values occur (``torch.histc``, ``torch.bincount`` and the like)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from graphc.dtypes import INTEGER, float32, float64, int64
from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.frontend.functions import choosing, logic, pointwise, reduction
from graphc.frontend.functions.convert import cast, require_tensor, scalar_tensor
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.making import concrete
from graphc.ops import elementwise, select
from graphc.ops.index import index_add
from graphc.provenance import user_location_text
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["bincount", "histc", "histogram"]


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each integer from 0 on occurs; dynamic mode only.

    Args:
        input: a vector of integers of 0 or more.
        weights: what each occurrence counts; 1 without.
        minlength: the result has at least this many elements.

    Raises:
        SymbolicValueError: while recording, since the largest integer is the result's size.

    Source: ``torch.bincount``.

    Example:
        >>> import graphc as gc
        >>> gc.bincount(gc.tensor([1, 3, 1]))
        tensor([0, 2, 0, 1])
    """
    x = require_tensor("bincount", input)
    if x.ndim != 1 or x.dtype.category != INTEGER:
        raise DTypeError("bincount: expected a vector of integers", got=str(x.type),
                         where=user_location_text())  # fmt: skip
    values = x.array("the largest integer")
    if minlength < 0 or (values.size and values.min() < 0):
        raise ArgumentError(
            "bincount: integers and minlength must not be negative",
            got=f"minlength={minlength}, least {values.min(initial=0)}",
            where=user_location_text(),
        )  # fmt: skip
    if weights is None:
        return concrete(np.bincount(values, minlength=minlength).astype(np.int64))
    given = require_tensor("bincount", weights).array("the weights")
    if given.shape != values.shape:
        raise ShapeError("bincount: expected one weight per integer", got=str(weights.type),
                         expected=str(x.shape), where=user_location_text())  # fmt: skip
    of = np.float32 if weights.dtype is float32 else np.float64
    return concrete(np.bincount(values, given.astype(np.float64), minlength).astype(of))


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements lie in each of the equal parts of a range.

    Args:
        input: floating point tensor, taken as a vector.
        bins: the number of parts.
        min: where the range begins; elements outside of it do not count.
        max: where it ends; if both are equal, the range is that of the elements.

    Returns:
        ``(bins,)``, of the input's dtype.

    Raises:
        ArgumentError: unless ``min <= max`` and both are finite.

    Source: ``torch.histc``.
    """
    x = require_tensor("histc", input)
    reduction.require_float("histc", x)
    _require_bins("histc", bins)
    if min > max or not np.isfinite([min, max]).all():
        raise ArgumentError("histc: expected finite min <= max", got=f"{min}, {max}",
                            where=user_location_text())  # fmt: skip
    flat = reshape(x, (-1,) if x.type.numel != 0 else (0,)).detach()
    low, high = scalar_tensor(min, x.dtype), scalar_tensor(max, x.dtype)
    if min == max and x.type.numel != 0:
        low, high = reduction.amin(flat), reduction.amax(flat)
    flat_range = pointwise.eq(low, high)
    low = select.where(flat_range, low - 1, low)
    high = select.where(flat_range, high + 1, high)
    inside = logic.logical_and(pointwise.ge(flat, low), pointwise.le(flat, high))
    share = elementwise.div(elementwise.sub(flat, low), elementwise.sub(high, low))
    place = cast(pointwise.mul(select.where(inside, share, scalar_tensor(0, x.dtype)), bins), int64)
    place = choosing.clamp(place, max=bins - 1)
    return index_add(cast(inside, x.dtype), place, shape=(bins,), dims=(0,))


def _require_bins(function: str, bins: object) -> None:
    if isinstance(bins, bool) or not isinstance(bins, int) or bins < 1:
        raise ArgumentError(f"{function}: expected one bin or more", got=repr(bins),
                            where=user_location_text())  # fmt: skip


class Histogram(NamedTuple):
    """How much lies in each bin, and the bins' edges, one more than bins."""

    hist: Tensor
    bin_edges: Tensor


def histogram(
    input: Tensor, bins: int | Tensor, *, range: Sequence[float] | None = None,
    weight: Tensor | None = None, density: bool = False,
) -> Histogram:  # fmt: skip
    """How many elements lie in each bin, in dynamic mode only.

    Args:
        input: float32 or float64 tensor, taken as a vector.
        bins: their number, or their edges in rising order.
        range: where the first bin begins and the last ends; without, those of the elements.
        weight: what each element counts; 1 without.
        density: divide such that the integral is 1.

    Raises:
        SymbolicValueError: while recording; ``gc.histc`` can be recorded.

    Source: ``torch.histogram``.
    """
    x = require_tensor("histogram", input)
    if x.dtype not in (float32, float64):
        raise DTypeError("histogram: expected float32 or float64", got=x.dtype.name,
                         where=user_location_text())  # fmt: skip
    values = x.array("a histogram").reshape(-1)
    edges = _edges(values, bins, range)
    shares = None if weight is None else weight.array("the weights").reshape(-1)
    counts, _ = np.histogram(values, edges, weights=shares)
    if density:
        counts = counts / (counts.sum() * np.diff(edges))
    return Histogram(concrete(counts.astype(x.dtype.numpy)), concrete(edges))


def _edges(values: Array, bins: int | Tensor, range: Sequence[float] | None) -> Array:
    if not isinstance(bins, int):
        edges = require_tensor("histogram", bins).array("the edges")
        if range is not None or edges.ndim != 1 or edges.dtype != values.dtype:
            raise ArgumentError(
                "histogram: edges are a vector of the input's dtype, and leave no range to choose",
                got=f"{bins.type}, range={range}", where=user_location_text(),
            )  # fmt: skip
        return edges
    _require_bins("histogram", bins)
    if range is not None:
        low, high = range
    elif values.size:
        low, high = float(values.min()), float(values.max())
    else:
        low, high = 0.0, 1.0
    if not np.isfinite([low, high]).all() or low > high:
        raise ArgumentError("histogram: expected a finite range", got=f"{low}, {high}",
                            where=user_location_text())  # fmt: skip
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1).astype(values.dtype)
