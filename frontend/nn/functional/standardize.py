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


class _Standardize(Function):
    """Values, the factor that scales them, mean and variance."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...], eps: float) -> Any:
        """See ``standardized``."""
        center = mean(x, dims, keepdim=True)
        centered = sub(x, center)
        variance = mean(mul(centered, centered), dims, keepdim=True)
        scale = elementwise.rsqrt(add(variance, eps))
        values = mul(centered, scale)
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
        if grad_scale is not None:
            count = scalar_tensor(reduced_count(values.shape, ctx.dims), values.dtype)
            through = mul(values, div(mul(grad_scale, mul(scale, scale)), count))
            found = elementwise.neg(through) if found is None else sub(found, through)
        return found, None, None
