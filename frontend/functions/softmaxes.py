"""Sums of exponentials, and what is divided by them: logsumexp, softmax, log_softmax."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphc.dtypes import DTypeLike, as_dtype
from graphc.errors import ArgumentError
from graphc.frontend.functions import choosing, exponential
from graphc.frontend.functions.convert import cast, normalize_dim, require_tensor
from graphc.frontend.functions.reduction import dims_argument, require_float, sum, with_an_element
from graphc.frontend.memory.view_chains import without_dims
from graphc.frontend.settings.default_dtype import default_dtype
from graphc.ops import elementwise, reduce
from graphc.ops.elementwise_parts import real
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "log_softmax",
    "logsumexp",
    "softmax",
]


def logsumexp(input: Tensor, dim: int | Sequence[int], keepdim: bool = False) -> Tensor:
    """``log(sum(exp(x)))`` over dims, without overflow (``torch.logsumexp``)."""
    x = require_tensor("logsumexp", input)
    x = x if x.dtype.is_differentiable else cast(x, default_dtype())
    dims = dims_argument("logsumexp", x, dim)
    if reduce.reduced_count(x.shape, dims) == 0:
        return exponential.log(sum(x, dims, keepdim))
    size = real(x) if x.dtype.is_complex else x
    peak = detach_finite(reduce.amax(with_an_element(size, dims, -math.inf), dims=dims))
    peak = cast(peak, x.dtype)
    total = reduce.sum_(elementwise.exp(elementwise.sub(x, peak)), dims=dims)
    result = elementwise.add(elementwise.log(total), peak)
    return result if keepdim else without_dims(result, dims)


def detach_finite(peak: Tensor) -> Tensor:
    """The peak as a constant for gradients, 0 where infinite so that inf - inf is no NaN."""
    infinite = choosing.isinf(peak)
    return choosing.where(infinite, 0.0, peak).detach()


def softmax(input: Tensor, dim: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """``exp(x) / sum(exp(x))`` along a dim, without overflow.

    Args:
        input: tensor.
        dim: the dim that sums to 1; required.
        dtype: cast to this type first.

    Raises:
        ArgumentError: without ``dim``.

    Source: ``torch.nn.functional.softmax``.
    """
    x, dims = _softmax_operands("softmax", input, dim, dtype)
    raised = elementwise.exp(_below_peak(x, dims))
    return elementwise.div(raised, reduce.sum_(raised, dims=dims))


def log_softmax(input: Tensor, dim: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """The logarithm of softmax, accurate for small probabilities.

    Source: ``torch.nn.functional.log_softmax``.
    """
    x, dims = _softmax_operands("log_softmax", input, dim, dtype)
    below = _below_peak(x, dims)
    total = reduce.sum_(elementwise.exp(below), dims=dims)
    return elementwise.sub(below, elementwise.log(total))


def _softmax_operands(
    function: str, input: Tensor, dim: int | None, dtype: DTypeLike | None
) -> tuple[Tensor, tuple[int, ...]]:
    x = require_tensor(function, input)
    x = x if dtype is None else cast(x, as_dtype(dtype))
    require_float(function, x)
    if dim is None:
        raise ArgumentError(
            f"{function}: say which dim sums to 1",
            fix="dim=-1 for the last",
            where=user_location_text(),
        )
    chosen = normalize_dim(function, dim, x.ndim)
    return x, (chosen,) if x.ndim else ()


def _below_peak(x: Tensor, dims: tuple[int, ...]) -> Tensor:
    """``x - max(x)``; the peak cancels in the result, so it has no gradient of its own."""
    if x.type.numel == 0:
        return x
    peak = reduce.amax(with_an_element(x, dims, -math.inf), dims=dims)
    return elementwise.sub(x, peak.detach())
