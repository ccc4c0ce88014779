"""Batch and layer normalization, in two passes for accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphc.dims import Size, numel
from graphc.dtypes import float64
from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.convert import require_tensor, scalar_tensor, to_operand
from graphc.frontend.functions.pointwise import add, div, mul, sub
from graphc.frontend.functions.reduction import mean
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.modes import no_grad
from graphc.frontend.nn.functional.shapes import agree
from graphc.ops import elementwise
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["batch_norm", "layer_norm"]


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
        centered, variance = _batch_statistics(x, running_mean, running_var, momentum)
    elif running_mean is None or running_var is None:
        raise ArgumentError(
            "batch_norm: evaluation needs running statistics", where=user_location_text()
        )
    else:
        centered, variance = sub(x, _per_channel(running_mean, x)), _per_channel(running_var, x)
    scale = elementwise.rsqrt(add(variance, eps))
    scale = scale if weight is None else mul(scale, _per_channel(weight, x))
    normal = mul(centered, scale)
    return normal if bias is None else add(normal, _per_channel(bias, x))


def _per_channel(values: Tensor, x: Tensor) -> Tensor:
    """A value per channel, where it broadcasts against the input."""
    if not agree(values.shape, x.shape[1:2]):
        raise ShapeError(
            "batch_norm: the number of channels differs", got=str(x.type),
            expected=f"{values.shape[0]} channels", where=user_location_text(),
        )  # fmt: skip
    return reshape(values, (-1, *(1,) * (x.ndim - 2))) if x.ndim > 2 else values


def _batch_statistics(
    x: Tensor, running_mean: Tensor | None, running_var: Tensor | None, momentum: float | Tensor
) -> tuple[Tensor, Tensor]:
    """The centered input and the variance per channel; running statistics are moved."""
    dims = (0, *range(2, x.ndim))
    count = numel(tuple(x.shape[dim] for dim in dims))
    if isinstance(count, int) and count == 1:
        raise ShapeError(
            "batch_norm: one value per channel has no variance", got=str(x.type),
            fix="train on larger batches, e.g. drop_last=True", where=user_location_text(),
        )  # fmt: skip
    center = mean(x, dims, keepdim=True)
    centered = sub(x, center)
    variance = mean(mul(centered, centered), dims, keepdim=True)
    with no_grad():
        if running_mean is not None:
            _move(running_mean, reshape(center, running_mean.shape), momentum)
        if running_var is not None:
            unbiased = mul(variance, _correction(x, count))
            _move(running_var, reshape(unbiased, running_var.shape), momentum)
    return centered, variance


def _correction(x: Tensor, count: Size) -> Tensor:
    """``n / (n - 1)``."""
    n = scalar_tensor(count, float64)
    return to_operand(div(n, sub(n, 1.0)), x.dtype)


def _move(running: Tensor, value: Tensor, momentum: float | Tensor) -> None:
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
    shape = tuple(normalized_shape)
    ends = x.shape[x.ndim - len(shape) :] if len(shape) <= x.ndim else ()
    if not shape or not agree(ends, shape):
        raise ShapeError(
            "layer_norm: the input does not end in normalized_shape", got=str(x.type),
            expected=f"(..., {', '.join(map(str, shape))})", where=user_location_text(),
        )  # fmt: skip
    dims = tuple(range(x.ndim - len(shape), x.ndim))
    centered = sub(x, mean(x, dims, keepdim=True))
    variance = mean(mul(centered, centered), dims, keepdim=True)
    normal = mul(centered, elementwise.rsqrt(add(variance, eps)))
    normal = normal if weight is None else mul(normal, weight)
    return normal if bias is None else add(normal, bias)
