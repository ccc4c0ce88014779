"""Values with mean 0 and variance 1 over some dims: what most normalizations have in common.

The gradient is written by hand. Derived from the steps, it would send each mean a gradient through
the variance, which is zero but for rounding, and costs another pass over memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from graphc.frontend.autograd.function import Function
from graphc.frontend.functions.convert import scalar_tensor
from graphc.frontend.functions.pointwise import add, div, mul, sub
from graphc.frontend.functions.reduction import mean
from graphc.frontend.functions.reduction import sum as reduced
from graphc.ops import elementwise
from graphc.ops.reduce import reduced_count

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


class Standardized(NamedTuple):
    """What ``standardized`` gives.

    Attributes:
        values: like the input.
        mean: the input's; without gradient.
        variance: the input's, of mean squares; without gradient.
    """

    values: Tensor
    mean: Tensor
    variance: Tensor


def standardized(x: Tensor, dims: tuple[int, ...], eps: float) -> Standardized:
    """The input less its mean, over the root of its variance; variances take two passes.

    Args:
        x: floating point tensor.
        dims: what mean and variance are taken over.
        eps: added to the variance.
    """
    values, _, center, variance = _Standardize.apply(x, dims, eps)
    return Standardized(values, center, variance)


def normalized(
    x: Tensor, weight: Tensor, bias: Tensor, dims: tuple[int, ...], eps: float
) -> Standardized:
    """Standardized values times a factor, plus a summand, both the same all along the dims.

    Args:
        x: floating point tensor.
        weight: factor; broadcasts against ``x``, of size 1 or absent along ``dims``.
        bias: summand, likewise.
        dims: what mean and variance are taken over.
        eps: added to the variance.
    """
    values, _, _, center, variance = _Normalize.apply(x, weight, bias, dims, eps)
    return Standardized(values, center, variance)


class _Standardize(Function):
    """Values, the factor that scales them, mean and variance."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...], eps: float) -> Any:
        """See ``standardized``."""
        values, scale, center, variance = _steps(x, dims, eps)
        ctx.dims = dims
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(center, variance)
        ctx.save_for_backward(values, scale)
        return values, scale, center, variance

    @staticmethod
    def backward(ctx: Any, grad: Any, grad_scale: Any, *without: Any) -> Any:
        """The gradient of the input; a gradient of the factor comes from differentiating this."""
        values, scale = ctx.saved_tensors
        found = None
        if grad is not None:
            along = mul(values, mean(mul(grad, values), ctx.dims, keepdim=True))
            found = mul(scale, sub(sub(grad, mean(grad, ctx.dims, keepdim=True)), along))
        return _with_scale(found, grad_scale, values, scale, ctx.dims), None, None


class _Normalize(Function):
    """Values, the standardized ones, the factor that scales them, mean and variance.

    What a factor per row does to a row's sums, it does to each of them once: backward needs the
    same two sums for the input as for weight and bias.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, dims: tuple[int, ...], eps: float
    ) -> Any:
        """See ``normalized``."""
        normal, scale, center, variance = _steps(x, dims, eps)
        ctx.dims = dims
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(center, variance)
        ctx.save_for_backward(normal, scale, weight)
        return add(mul(normal, weight), bias), normal, scale, center, variance

    @staticmethod
    def backward(ctx: Any, grad: Any, grad_normal: Any, grad_scale: Any, *without: Any) -> Any:
        """The gradients of the input, weight and bias; others come from differentiating this."""
        normal, scale, weight = ctx.saved_tensors
        found = to_weight = to_bias = None
        if grad is not None:
            count = scalar_tensor(reduced_count(normal.shape, ctx.dims), normal.dtype)
            to_bias = reduced(grad, ctx.dims, keepdim=True)
            to_weight = reduced(mul(grad, normal), ctx.dims, keepdim=True)
            along = mul(normal, div(to_weight, count))
            found = mul(mul(scale, weight), sub(sub(grad, div(to_bias, count)), along))
        if grad_normal is not None:
            along = mul(normal, mean(mul(grad_normal, normal), ctx.dims, keepdim=True))
            centered = sub(grad_normal, mean(grad_normal, ctx.dims, keepdim=True))
            through = mul(scale, sub(centered, along))
            found = through if found is None else add(found, through)
        found = _with_scale(found, grad_scale, normal, scale, ctx.dims)
        return found, to_weight, to_bias, None, None


def _steps(x: Tensor, dims: tuple[int, ...], eps: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The standardized values, the factor that scales them, mean and variance.

    The mean is rounded, which shows where it is large beside the deviations: what it is off by is
    the mean of the deviations from it. So equal values give exactly 0.
    """
    center = mean(x, dims, keepdim=True)
    away = sub(x, center)
    variance = mean(mul(away, away), dims, keepdim=True)
    center = add(center, mean(away, dims, keepdim=True))
    scale = elementwise.rsqrt(add(variance, eps))
    return mul(sub(x, center), scale), scale, center, variance


def _with_scale(
    found: Tensor | None, grad: Tensor | None, values: Tensor, scale: Tensor, dims: tuple[int, ...]
) -> Tensor | None:
    """The input's gradient, and what comes to it through the factor that scales."""
    if grad is None:
        return found
    count = scalar_tensor(reduced_count(values.shape, dims), values.dtype)
    through = mul(values, div(mul(grad, mul(scale, scale)), count))
    return elementwise.neg(through) if found is None else sub(found, through)
