"""Activation functions along a dim: gates and choices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from graphc.dims import Dim
from graphc.dtypes import DTypeLike
from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions import softmaxes
from graphc.frontend.functions.convert import (
    as_float,
    cast,
    normalize_dim,
    require_tensor,
    scalar_tensor,
)  # fmt: skip
from graphc.frontend.functions.creation import arange
from graphc.frontend.functions.reduction import argmax
from graphc.frontend.functions.sampling import uniform_values
from graphc.frontend.functions.shaping import reshape
from graphc.ops import comparison, elementwise
from graphc.ops.shape import narrow
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["glu", "gumbel_softmax", "log_softmax", "softmax", "softmin"]


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half along a dim, times the sigmoid of the second half.

    Args:
        input: floating point tensor with an even size in ``dim``.
        dim: the dim that is halved.

    Raises:
        ShapeError: if the size is odd, or there are no dims.

    Source: ``torch.nn.functional.glu``.

    Example:
        >>> import graphc as gc
        >>> import graphc.nn.functional as F
        >>> F.glu(gc.tensor([2.0, 4.0, 0.0, 0.0]))
        tensor([1., 2.])
    """
    x = as_float("glu", input)
    axis = normalize_dim("glu", dim, x.ndim)
    size = x.shape[axis] if x.ndim else 1
    if isinstance(size, int) and size % 2:
        raise ShapeError(
            "glu: the size must be even", got=f"{x.type}, dim {dim}", where=user_location_text()
        )
    half = size // 2
    gate = elementwise.sigmoid(narrow(x, axis, half, size))
    return elementwise.mul(narrow(x, axis, 0, half), gate)


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike | None = None
) -> Tensor:
    """``exp(x) / sum(exp(x))`` along a dim, without overflow.

    Args:
        input: tensor.
        dim: the dim that sums to 1; required.
        _stacklevel: PyTorch's, for a warning that graphc does not give.
        dtype: cast to this type first.

    Raises:
        ArgumentError: without ``dim``.

    Source: ``torch.nn.functional.softmax``.
    """
    return softmaxes.softmax(input, dim, dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike | None = None
) -> Tensor:
    """The logarithm of softmax (``torch.nn.functional.log_softmax``)."""
    return softmaxes.log_softmax(input, dim, dtype)


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike | None = None
) -> Tensor:
    """The softmax of ``-input`` (``torch.nn.functional.softmin``)."""
    return softmaxes.softmax(-require_tensor("softmin", input), dim, dtype)


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """A sample of the Gumbel-softmax distribution.

    Args:
        logits: logarithms of probabilities, up to a constant.
        tau: temperature; the smaller, the closer to one-hot.
        hard: give exact one-hot vectors, with the gradient of the soft ones.
        eps: deprecated, no effect.
        dim: the dim of the classes.

    Raises:
        ArgumentError: for a temperature that is not positive.

    Source: ``torch.nn.functional.gumbel_softmax``.
    """
    if not tau > 0:
        raise ArgumentError(
            "gumbel_softmax: tau must be positive", got=str(tau), where=user_location_text()
        )
    x = as_float("gumbel_softmax", logits)
    soft = softmaxes.softmax((x + _gumbel(x)) / tau, dim)
    if not hard:
        return soft
    chosen = cast(one_hot_like(soft, argmax(soft, dim, keepdim=True), dim), soft.dtype)
    return chosen - soft.detach() + soft


def _gumbel(like: Tensor) -> Tensor:
    """Gumbel noise: minus the logarithm of exponential noise, which is never exactly 0."""
    drawn = uniform_values(like.shape, like.dtype, None)
    waiting = elementwise.neg(elementwise.log1p(elementwise.neg(drawn)))
    least = scalar_tensor(math.ldexp(1.0, -24), like.dtype)
    return elementwise.neg(elementwise.log(elementwise.maximum(waiting, least)))


def one_hot_like(x: Tensor, index: Tensor, dim: int) -> Tensor:
    """True at these positions of a dim; the index keeps the dim with size 1."""
    if x.ndim == 0:
        return comparison.eq(index, scalar_tensor(0, index.dtype))
    axis = normalize_dim("one_hot", dim, x.ndim)
    size: int | Dim = x.shape[axis]
    places = reshape(arange(size), (-1, *(1,) * (x.ndim - axis - 1)))
    return comparison.eq(index, places)
