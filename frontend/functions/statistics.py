"""Moments, counts and covariances (``torch.var_mean``, ``torch.cov`` and the like)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from graphc.dtypes import FLOATING, INTEGER, DTypeLike
from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions import choosing, pointwise, reduction
from graphc.frontend.functions.complexes import complex, parts, real
from graphc.frontend.functions.convert import cast, promote, require_tensor, scalar_tensor
from graphc.frontend.functions.products import matmul
from graphc.frontend.functions.reduction import Dims
from graphc.frontend.functions.shaping import reshape, t, unsqueeze
from graphc.frontend.modes import is_recording
from graphc.frontend.settings.default_dtype import default_dtype
from graphc.ops import comparison, elementwise, select
from graphc.ops.elementwise_parts import conjugated
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "aminmax",
    "corrcoef",
    "count_nonzero",
    "cov",
    "nanmean",
    "nansum",
    "std_mean",
    "var_mean",
]


def var_mean(
    input: Tensor, dim: Dims | bool = None, unbiased: bool | None = None, keepdim: bool = False,
    *, correction: float | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The variance and the mean over dims (``torch.var_mean``); see ``var``."""
    spread = reduction.var(input, dim, unbiased, keepdim, correction=correction)
    return spread, reduction.mean(input, None if isinstance(dim, bool) else dim, keepdim)


def std_mean(
    input: Tensor, dim: Dims | bool = None, unbiased: bool | None = None, keepdim: bool = False,
    *, correction: float | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The standard deviation and the mean over dims (``torch.std_mean``); see ``std``."""
    spread = reduction.std(input, dim, unbiased, keepdim, correction=correction)
    return spread, reduction.mean(input, None if isinstance(dim, bool) else dim, keepdim)


class Extrema(NamedTuple):
    """The smallest and the largest elements."""

    min: Tensor
    max: Tensor


def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Extrema:
    """The minimum and the maximum of all elements or along one dim (``torch.aminmax``)."""
    over: Dims = () if dim is None else dim
    return Extrema(reduction.amin(input, over, keepdim), reduction.amax(input, over, keepdim))


def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """How many elements are not zero, over dims, as int64 (``torch.count_nonzero``)."""
    x = require_tensor("count_nonzero", input)
    return reduction.sum(comparison.ne(x, scalar_tensor(0, x.dtype)), dim)


def nansum(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike | None = None
) -> Tensor:
    """The sum over dims of the elements that are not NaN (``torch.nansum``)."""
    return reduction.sum(_without_nan(require_tensor("nansum", input)), dim, keepdim, dtype=dtype)


def _without_nan(x: Tensor) -> Tensor:
    if not x.dtype.is_differentiable:
        return x
    return select.where(comparison.ne(x, x), scalar_tensor(0, x.dtype), x)


def nanmean(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike | None = None
) -> Tensor:
    """The mean over dims of the elements that are not NaN (``torch.nanmean``).

    Raises:
        DTypeError: for integers, unless ``dtype`` says what to cast them to.
    """
    x = require_tensor("nanmean", input)
    if dtype is None:
        reduction.require_float("nanmean", x)
    total = nansum(x, dim, keepdim, dtype=dtype)
    present = reduction.sum(comparison.eq(x, x), dim, keepdim)
    mean = elementwise.div(total, cast(present, total.dtype))
    if not x.dtype.is_differentiable:
        return mean
    # where all are NaN, so is the gradient, as PyTorch's, not the 0 of elements that were left out
    is_unknown = comparison.eq(present, scalar_tensor(0, present.dtype))
    zero, nan = (scalar_tensor(number, total.dtype) for number in (0, math.nan))
    factor = select.where(is_unknown, nan, zero)
    unknown = elementwise.mul(reduction.sum(x, dim, keepdim, dtype=dtype), factor)
    return select.where(is_unknown, unknown, mean)


def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None,
    aweights: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The covariances of variables (rows) over observations (columns).

    Args:
        input: ``(variables, observations)`` or ``(observations,)``.
        correction: the divisor is the number of observations without this.
        fweights: how often each observation counts, integers of 0 or more.
        aweights: how much each observation counts, 0 or more.

    Returns:
        ``(variables, variables)``, or a number for one variable.

    Source: ``torch.cov``.

    Example:
        >>> import graphc as gc
        >>> gc.cov(gc.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
        tensor([[ 1., -1.],
                [-1.,  1.]])
    """
    x = require_tensor("cov", input)
    if x.ndim > 2:
        raise ShapeError("cov: expected two dims or fewer", got=str(x.type),
                         where=user_location_text())  # fmt: skip
    x = x if x.dtype.is_differentiable else cast(x, default_dtype())
    x = reshape(x, (1, -1)) if x.ndim < 2 else x
    table = x if aweights is None else promote("cov", x, aweights)[0]
    weights = _weights(table, fweights, aweights)
    count = scalar_tensor(table.shape[1], table.dtype)
    if weights is None:
        average = elementwise.div(reduction.sum(table, 1, keepdim=True), count)
        freedom = elementwise.sub(count, scalar_tensor(correction, table.dtype))
        centered = elementwise.sub(table, average)
        products = matmul(centered, t(conjugated(centered)))
    else:
        total = reduction.sum(weights)
        average = elementwise.div(
            reduction.sum(elementwise.mul(table, weights), 1, keepdim=True), total
        )
        freedom = _freedom(weights, total, aweights, correction)
        centered = elementwise.sub(table, average)
        products = matmul(centered, t(conjugated(elementwise.mul(centered, weights))))
    freedom = choosing.clamp(real(freedom), min=0)
    result = elementwise.div(products, cast(freedom, products.dtype))
    return reshape(result, ()) if table.shape[0] == 1 else result


def _weights(table: Tensor, fweights: Tensor | None, aweights: Tensor | None) -> Tensor | None:
    found: Tensor | None = None
    for name, given, whole in (("fweights", fweights, True), ("aweights", aweights, False)):
        if given is None:
            continue
        weights = require_tensor("cov", given)
        if weights.ndim != 1 or weights.shape[0] != table.shape[1]:
            raise ShapeError(f"cov: {name} must be one number per observation",
                             got=f"{weights.type} for {table.type}",
                             where=user_location_text())  # fmt: skip
        if weights.dtype.category != (INTEGER if whole else FLOATING):
            kind = "integers" if whole else "floating point"
            raise ArgumentError(f"cov: {name} must be {kind}", got=weights.dtype.name,
                                where=user_location_text())  # fmt: skip
        if not _holds(pointwise.ge(weights, 0)):
            raise ArgumentError(f"cov: {name} must be 0 or more", got=str(weights.tolist()),
                                where=user_location_text())  # fmt: skip
        weights = cast(weights, table.dtype)
        found = weights if found is None else elementwise.mul(found, weights)
    if found is not None and not _holds(pointwise.ne(reduction.sum(found), 0)):
        raise ArgumentError("cov: the weights must not add up to 0", where=user_location_text())
    return found


def _holds(truths: Tensor) -> bool:
    """Whether all are true; while recording nothing is known, and it counts as true."""
    if truths.is_symbolic or is_recording():
        return True
    return bool(truths.detach().numpy().all())


def _freedom(weights: Tensor, total: Tensor, aweights: Tensor | None, correction: int) -> Tensor:
    if aweights is None or correction == 0:
        return total - correction
    squares = reduction.sum(elementwise.mul(weights, cast(aweights, weights.dtype)))
    return elementwise.sub(total, elementwise.div(squares * correction, total))


def corrcoef(input: Tensor) -> Tensor:
    """The correlations of variables (rows) over observations (columns), from -1 to 1.

    Args:
        input: ``(variables, observations)`` or ``(observations,)``.

    Source: ``torch.corrcoef``.
    """
    covariances = cov(input)
    if covariances.ndim == 0:
        return elementwise.div(covariances, covariances)
    size = covariances.shape[0]
    own = reshape(covariances, (size * size,))[:: size + 1]
    spread = pointwise.sqrt(own)
    scaled = elementwise.div(elementwise.div(covariances, unsqueeze(spread, 1)), spread)
    if scaled.dtype.is_complex:
        return complex(*(choosing.clamp(part, -1, 1) for part in parts(scaled)))
    return choosing.clamp(scaled, -1, 1)
