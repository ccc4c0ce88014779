"""Batch, layer and root-mean-square normalization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from graphc.dims import Dim, Size
from graphc.dtypes import DType, float64
from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.convert import (
    require_tensor,
    scalar_tensor,
    size_tensor,
    to_operand,
)  # fmt: skip
from graphc.frontend.functions.pointwise import add, div, mul, sub
from graphc.frontend.functions.reduction import mean
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.modes import no_grad
from graphc.frontend.nn.functional.shapes import agree
from graphc.frontend.nn.functional.standardize import Standardized, normalized, standardized
from graphc.ops import elementwise
from graphc.ops.elementwise_parts import part_dtype
from graphc.provenance import user_location_text
from graphc.shapes import numel

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["batch_norm", "layer_norm", "rms_norm"]


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float | Tensor = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalize each channel over the batch and all other dims.

    Args:
        input: ``(batch, channels, ...)``.
        running_mean: ``(channels,)``; while training it is moved towards the batch's, in place.
        running_var: ``(channels,)``, likewise, towards the unbiased variance.
        weight: ``(channels,)`` factor.
        bias: ``(channels,)`` summand.
        training: normalize by the batch's statistics; else by the running ones.
        momentum: how far the running statistics move.
        eps: added to the variance.

    Raises:
        ShapeError: for less than two dims, or one value per channel while training.
        ArgumentError: without running statistics when not training.

    Source: ``torch.nn.functional.batch_norm``.
    """
    x = require_tensor("batch_norm", input)
    if x.ndim < 2:
        raise ShapeError(
            "batch_norm: expected (batch, channels, ...)", got=str(x.type),
            where=user_location_text(),
        )  # fmt: skip
    if training:
        return _normal_in_batch(x, running_mean, running_var, (weight, bias), momentum, eps)
    if running_mean is None or running_var is None:
        raise ArgumentError(
            "batch_norm: evaluation needs running statistics", where=user_location_text()
        )
    scale = elementwise.rsqrt(add(per_channel("batch_norm", running_var, x), eps))
    scale = scale if weight is None else mul(scale, per_channel("batch_norm", weight, x))
    normal = mul(sub(x, per_channel("batch_norm", running_mean, x)), scale)
    return scaled("batch_norm", normal, None, bias)


def scaled(function: str, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """Times a factor per channel, plus a summand per channel."""
    product = x if weight is None else mul(x, per_channel(function, weight, x))
    return product if bias is None else add(product, per_channel(function, bias, x))


def per_channel(function: str, values: Tensor, x: Tensor) -> Tensor:
    """A value per channel, where it broadcasts against the input."""
    if not agree(values.shape, x.shape[1:2]):
        raise ShapeError(
            f"{function}: the number of channels differs", got=str(x.type),
            expected=f"{values.shape[0]} channels", where=user_location_text(),
        )  # fmt: skip
    return reshape(values, (-1, *(1,) * (x.ndim - 2))) if x.ndim > 2 else values


def _normal_in_batch(
    x: Tensor, running_mean: Tensor | None, running_var: Tensor | None,
    affine: tuple[Tensor | None, Tensor | None], momentum: float | Tensor, eps: float,
) -> Tensor:  # fmt: skip
    """Each channel normalized by the batch's statistics; running statistics are moved."""
    dims = (0, *range(2, x.ndim))
    count = numel(tuple(x.shape[dim] for dim in dims))
    if isinstance(count, int) and count == 1:
        raise ShapeError(
            "batch_norm: one value per channel has no variance", got=str(x.type),
            fix="train on larger batches, e.g. drop_last=True", where=user_location_text(),
        )  # fmt: skip
    normal, center, variance = normalized_rows("batch_norm", x, affine, dims, eps)
    with no_grad():
        if running_mean is not None:
            move_statistics(running_mean, reshape(center, running_mean.shape), momentum)
        if running_var is not None:
            unbiased = mul(variance, unbiasing(x, count))
            move_statistics(running_var, reshape(unbiased, running_var.shape), momentum)
    return normal


def normalized_rows(
    function: str, x: Tensor, affine: tuple[Tensor | None, Tensor | None], dims: tuple[int, ...],
    eps: float,
) -> Standardized:  # fmt: skip
    """Standardized over all dims but channels and perhaps the batch, with weight and bias."""
    weight, bias = affine
    if weight is None or bias is None:
        normal, center, variance = standardized(x, dims, eps)
        return Standardized(scaled(function, normal, weight, bias), center, variance)
    factor, summand = per_channel(function, weight, x), per_channel(function, bias, x)
    return normalized(x, factor, summand, dims, eps)


def unbiasing(x: Tensor, count: Size) -> Tensor:
    """``n / (n - 1)``."""
    if isinstance(count, Dim):
        why = "one value per channel has no variance: train on larger batches"
        n = size_tensor(count, float64, refused=1, why=why)
    else:
        n = scalar_tensor(count, float64)
    return to_operand(div(n, sub(n, 1.0)), x.dtype)


def move_statistics(running: Tensor, value: Tensor, momentum: float | Tensor) -> None:
    """Move running statistics towards those of the batch."""
    kept = mul(running, to_operand(sub(scalar_tensor(1.0, float64), momentum), running.dtype))
    running.copy_(add(kept, mul(value, to_operand(momentum, value.dtype))))


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalize over the last dims.

    Args:
        input: ``(..., *normalized_shape)``.
        normalized_shape: the sizes of the last dims.
        weight: factor of this shape.
        bias: summand of this shape.
        eps: added to the variance.

    Raises:
        ShapeError: if the input does not end in ``normalized_shape``.

    Source: ``torch.nn.functional.layer_norm``.
    """
    x = require_tensor("layer_norm", input)
    dims = _last_dims("layer_norm", x, normalized_shape)
    normal = standardized(x, dims, eps).values
    normal = normal if weight is None else mul(normal, weight)
    return normal if bias is None else add(normal, bias)


def _last_dims(function: str, x: Tensor, normalized_shape: Sequence[int]) -> tuple[int, ...]:
    """The dims that have this shape."""
    shape = tuple(normalized_shape)
    ends = x.shape[x.ndim - len(shape) :] if len(shape) <= x.ndim else ()
    if not shape or not agree(ends, shape):
        raise ShapeError(
            f"{function}: the input does not end in normalized_shape", got=str(x.type),
            expected=f"(..., {', '.join(map(str, shape))})", where=user_location_text(),
        )  # fmt: skip
    return tuple(range(x.ndim - len(shape), x.ndim))


def resolution(dtype: DType) -> float:
    """The distance from 1 to the next number of this dtype."""
    return float(np.spacing(np.ones((), part_dtype(dtype).numpy)))


def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """Divide by the root of the mean square over the last dims.

    Args:
        input: ``(..., *normalized_shape)``.
        normalized_shape: the sizes of the last dims.
        weight: factor of this shape.
        eps: added to the mean square; default: the dtype's resolution.

    Raises:
        ShapeError: if the input does not end in ``normalized_shape``.

    Source: ``torch.nn.functional.rms_norm``.
    """
    x = require_tensor("rms_norm", input)
    dims = _last_dims("rms_norm", x, normalized_shape)
    least = resolution(x.dtype) if eps is None else eps
    wide = x.float() if x.dtype.itemsize == 2 else x
    scale = elementwise.rsqrt(add(mean(mul(wide, wide), dims, keepdim=True), least))
    normal = mul(wide, scale).to(x.dtype)
    return normal if weight is None else mul(normal, weight)
