"""Running results along a dim (``torch.cumsum`` and the like)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.dtypes import DTypeLike, int64
from graphc.frontend.functions import choosing
from graphc.frontend.functions.convert import (
    as_float,
    normalize_dim,
    require_tensor,
    scalar_tensor,
)  # fmt: skip
from graphc.frontend.functions.reduction import ValuesAndIndices, wide
from graphc.opdef import OpDef
from graphc.ops import elementwise, scan, select
from graphc.ops.elementwise_parts import real
from graphc.ops.index import gather

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["cummax", "cummin", "cumprod", "cumsum", "logcumsumexp"]


def _scanned(op: OpDef, function: str, x: Tensor, dim: int) -> Tensor:
    axis = normalize_dim(function, dim, x.ndim)
    return op(x, dim=axis) if x.ndim else x


def cumsum(input: Tensor, dim: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """The running sum along a dim; bools and integers add up as int64.

    Args:
        input: tensor.
        dim: the dim.
        dtype: cast to this type first.

    Source: ``torch.cumsum``.

    Example:
        >>> import graphc as gc
        >>> gc.cumsum(gc.tensor([1.0, 2.0, 3.0]), dim=0)
        tensor([1., 3., 6.])
    """
    x = wide(require_tensor("cumsum", input), dtype)
    return _scanned(scan.cumsum, "cumsum", x, dim)


def cumprod(input: Tensor, dim: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """The running product along a dim; bools and integers multiply as int64 (``torch.cumprod``)."""
    x = wide(require_tensor("cumprod", input), dtype)
    return _scanned(scan.cumprod, "cumprod", x, dim)


def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """``log(cumsum(exp(x)))`` along a dim, without overflow (``torch.logcumsumexp``)."""
    x = as_float("logcumsumexp", input)
    if x.dtype.is_complex and x.ndim:
        return _logcumsumexp_of_complex(x, normalize_dim("logcumsumexp", dim, x.ndim))
    return _scanned(scan.logcumsumexp, "logcumsumexp", x, dim)


def _logcumsumexp_of_complex(x: Tensor, axis: int) -> Tensor:
    """Sums relative to the largest so far, which are rescaled where a larger one comes."""
    largest = gather(x, cummax(real(x), axis).indices, dim=axis).detach()
    nothing = scalar_tensor(0, x.dtype)
    is_infinite = choosing.isinf(real(largest))
    peak = select.where(is_infinite, nothing, largest)
    rescaled = elementwise.exp(elementwise.sub(scan.shifted(peak, axis, 0.0), peak))
    factors = select.where(scan.shifted(is_infinite, axis, 0.0), nothing, rescaled)
    terms = elementwise.exp(elementwise.sub(x, peak))
    return elementwise.add(elementwise.log(scan.recurrence(factors, terms, dim=axis)), peak)


def cummax(input: Tensor, dim: int) -> ValuesAndIndices:
    """The running maximum along a dim and where it is, the last of equal ones; NaN wins.

    Args:
        input: tensor.
        dim: the dim.

    Returns:
        ``values`` and int64 ``indices``, both of the input's shape.

    Source: ``torch.cummax``.

    Example:
        >>> import graphc as gc
        >>> gc.cummax(gc.tensor([1.0, 3.0, 2.0]), dim=0).indices
        tensor([0, 1, 1])
    """
    return _running_extremum("cummax", scan.cumargmax, input, dim)


def cummin(input: Tensor, dim: int) -> ValuesAndIndices:
    """The running minimum along a dim and where it is, like ``cummax`` (``torch.cummin``)."""
    return _running_extremum("cummin", scan.cumargmin, input, dim)


def _running_extremum(function: str, op: OpDef, input: Tensor, dim: int) -> ValuesAndIndices:
    x = require_tensor(function, input)
    axis = normalize_dim(function, dim, x.ndim)
    if x.ndim == 0:
        return ValuesAndIndices(x, scalar_tensor(0, int64))
    indices = op(x, dim=axis)
    return ValuesAndIndices(gather(x, indices, dim=axis), indices)
