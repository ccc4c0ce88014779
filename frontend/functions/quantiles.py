"""Medians and quantiles (``torch.quantile`` and the like)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.dtypes import int64
from graphc.errors import ArgumentError, DTypeError
from graphc.frontend.functions import choosing, logic, pointwise, reduction
from graphc.frontend.functions.convert import (
    cast,
    normalize_dim,
    require_tensor,
    scalar_tensor,
    to_operand,
)  # fmt: skip
from graphc.frontend.functions.reduction import ValuesAndIndices, require_float
from graphc.frontend.functions.shaping import drop_dims, expand, permute, reshape
from graphc.frontend.functions.sorting import picked, require_elements
from graphc.frontend.modes import is_recording
from graphc.ops import elementwise, select
from graphc.ops import sort as ops
from graphc.ops.index import gather
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["median", "nanmedian", "nanquantile", "quantile"]


def median(
    input: Tensor, dim: int | None = None, keepdim: bool = False
) -> Tensor | ValuesAndIndices:
    """The lower middle element, of all or along one dim with where it is; NaN wins.

    Args:
        input: tensor.
        dim: dim; None for all elements, which gives values only.
        keepdim: keep the dim with size 1.

    Source: ``torch.median``.

    Example:
        >>> import graphc as gc
        >>> gc.median(gc.tensor([3.0, 1.0, 2.0, 4.0]))
        tensor(2.)
    """
    return _median("median", input, dim, keepdim)


def nanmedian(
    input: Tensor, dim: int | None = None, keepdim: bool = False
) -> Tensor | ValuesAndIndices:
    """The lower middle of the elements that are not NaN (``torch.nanmedian``); see ``median``."""
    return _median("nanmedian", input, dim, keepdim)


def _median(
    function: str, input: Tensor, dim: int | None, keepdim: bool
) -> Tensor | ValuesAndIndices:
    x = require_tensor(function, input)
    if dim is None:
        return _median_of_all(function, x)
    axis = normalize_dim(function, dim, x.ndim)
    if x.ndim == 0:
        return ValuesAndIndices(x, scalar_tensor(0, int64))
    require_elements(function, x, axis)
    return picked(x, _middle(function, x, axis), axis, keepdim)


def _median_of_all(function: str, x: Tensor) -> Tensor:
    if x.type.numel == 0:
        require_float(function, x)
        return scalar_tensor(float("nan"), x.dtype)
    return ops.median(reshape(x, (-1,)), skip_nan=function == "nanmedian")


def _middle(function: str, x: Tensor, axis: int) -> Tensor:
    """Where the lower middle element of each lane is."""
    order = ops.argsort(x, dim=axis, descending=False)
    total, two = scalar_tensor(x.shape[axis], int64), scalar_tensor(2, int64)
    if not x.dtype.is_floating_point:
        lanes = tuple(1 if each == axis else size for each, size in enumerate(x.shape))
        middle = elementwise.floor_divide(total - 1, two)
        return gather(order, expand(reshape(middle, (1,) * x.ndim), lanes), dim=axis)
    present = reduction.sum(logic.logical_not(choosing.isnan(x)), axis, keepdim=True)
    if function == "nanmedian":
        rank = elementwise.floor_divide(choosing.clamp(present - 1, min=0), two)
    else:
        middle = elementwise.floor_divide(total - 1, two)
        rank = select.where(pointwise.lt(present, total), present, middle)  # NaN come last
    return gather(order, rank, dim=axis)


def quantile(
    input: Tensor, q: float | Tensor, dim: int | None = None, keepdim: bool = False,
    *, interpolation: str = "linear",
) -> Tensor:  # fmt: skip
    """The values below which these shares of the elements lie; NaN wins.

    Args:
        input: float32 or float64 tensor.
        q: a share from 0 to 1, or a vector of them, which makes a first dim of the result.
        dim: dim; None for all elements.
        keepdim: keep the dim with size 1.
        interpolation: between two elements: ``"linear"``, ``"lower"``, ``"higher"``,
            ``"midpoint"`` or ``"nearest"``.

    Source: ``torch.quantile``.

    Example:
        >>> import graphc as gc
        >>> gc.quantile(gc.tensor([1.0, 2.0, 4.0]), 0.75)
        tensor(3.)
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation)


def nanquantile(
    input: Tensor, q: float | Tensor, dim: int | None = None, keepdim: bool = False,
    *, interpolation: str = "linear",
) -> Tensor:  # fmt: skip
    """Like ``quantile``, of the elements that are not NaN (``torch.nanquantile``)."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation)


def _quantile(
    function: str, input: Tensor, q: float | Tensor, dim: int | None, keepdim: bool,
    interpolation: str,
) -> Tensor:  # fmt: skip
    x = require_tensor(function, input)
    shares = _shares(function, x, q)
    axis = 0 if dim is None else normalize_dim(function, dim, x.ndim)
    lanes = reshape(x, (-1,) if x.type.numel != 0 else (0,)) if dim is None or x.ndim == 0 else x
    require_elements(function, lanes, axis)
    order = [*(each for each in range(lanes.ndim) if each != axis), axis]
    lanes = permute(lanes, order)
    ranks = _ranks(function, lanes, reshape(shares, (-1,)))
    found = _between(function, lanes, ranks, interpolation)
    reduced = [1 if each in (axis, None) or dim is None else size
               for each, size in enumerate(x.shape)]  # fmt: skip
    return _arranged(found, shares.ndim, reduced, axis, keepdim, every=dim is None)


def _shares(function: str, x: Tensor, q: float | Tensor) -> Tensor:
    if x.dtype.numpy.kind != "f" or x.dtype.itemsize < 4:
        raise DTypeError(
            f"{function}: expected float32 or float64", got=x.dtype.name,
            where=user_location_text(),
        )  # fmt: skip
    shares = to_operand(q, x.dtype)
    if isinstance(q, int | float) and not 0 <= q <= 1:
        raise ArgumentError(f"{function}: q must be from 0 to 1", got=str(q),
                            where=user_location_text())  # fmt: skip
    if shares.ndim > 1:
        raise ArgumentError(f"{function}: q must be a number or a vector",
                            got=str(shares.type), where=user_location_text())  # fmt: skip
    if not shares.is_symbolic and not is_recording():
        values = shares.storage.array
        if not ((values >= 0) & (values <= 1)).all():
            raise ArgumentError(f"{function}: q must be from 0 to 1", got=str(values.tolist()),
                                where=user_location_text())  # fmt: skip
    return shares


def _ranks(function: str, lanes: Tensor, shares: Tensor) -> Tensor:
    """Where in the order each share lies, ``(..., shares)``; at a NaN if there is one."""
    missing = choosing.isnan(lanes)
    last = scalar_tensor(lanes.shape[-1], lanes.dtype) - 1
    if function == "quantile":
        has_nan = reduction.any(missing, -1, keepdim=True)
        return select.where(has_nan, last, elementwise.mul(shares, last))
    present = reduction.sum(cast(logic.logical_not(missing), lanes.dtype), -1, keepdim=True)
    return choosing.clamp(elementwise.mul(shares, present - 1), min=0)


def _between(function: str, lanes: Tensor, ranks: Tensor, interpolation: str) -> Tensor:
    values = ops.sort(lanes, dim=lanes.ndim - 1, descending=False)

    def at(places: Tensor) -> Tensor:
        return gather(values, cast(places, int64), dim=lanes.ndim - 1)

    whole = {
        "lower": elementwise.floor,
        "higher": elementwise.ceil,
        "nearest": elementwise.round_,
    }  # fmt: skip
    if interpolation in whole:
        return at(whole[interpolation](ranks))
    if interpolation not in ("linear", "midpoint"):
        raise ArgumentError(
            f"{function}: unknown interpolation", got=repr(interpolation),
            expected="linear, lower, higher, midpoint or nearest", where=user_location_text(),
        )  # fmt: skip
    floor = elementwise.floor(ranks)
    low, high = at(floor), at(elementwise.ceil(ranks))
    weight = elementwise.sub(ranks, floor)
    if interpolation == "midpoint":
        weight = scalar_tensor(0.5, lanes.dtype)
    step = elementwise.sub(high, low)
    return select.where(
        pointwise.lt(weight, 0.5),
        elementwise.add(low, elementwise.mul(weight, step)),
        elementwise.sub(high, elementwise.mul(step, 1 - weight)),
    )


def _arranged(
    found: Tensor, share_dims: int, reduced: list[int], axis: int, keepdim: bool, *, every: bool
) -> Tensor:
    """``(..., shares)`` as ``(shares, ...)``, with the reduced dim where it was, or without it."""
    rank = found.ndim
    moved = permute(found, [rank - 1, *range(rank - 1)])
    if keepdim:
        moved = reshape(moved, (moved.shape[0], *reduced))
    elif every:
        moved = reshape(moved, (moved.shape[0],))
    return moved if share_dims else drop_dims(moved, (0,))
