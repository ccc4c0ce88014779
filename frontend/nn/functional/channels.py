"""Normalization in groups of channels or per instance, and the order of channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.convert import as_float, require_tensor, scalar_tensor
from graphc.frontend.functions.padding import pad
from graphc.frontend.functions.pointwise import pow
from graphc.frontend.functions.reduction import mean
from graphc.frontend.functions.shaping import reshape, transpose
from graphc.frontend.modes import no_grad
from graphc.frontend.nn.functional.normalization import (
    move_statistics,
    normalized_rows,
    per_channel,
    scaled,
    unbiasing,
)
from graphc.frontend.nn.functional.standardize import standardized
from graphc.ops import elementwise
from graphc.ops.shape import narrow
from graphc.provenance import user_location_text
from graphc.shapes import numel

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["channel_shuffle", "group_norm", "instance_norm", "local_response_norm"]


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalize over groups of channels and all further dims.

    Args:
        input: ``(batch, channels, ...)``.
        num_groups: number of groups; divides the channels.
        weight: ``(channels,)`` factor.
        bias: ``(channels,)`` summand.
        eps: added to the variance.

    Raises:
        ShapeError: for less than two dims, or channels that the groups do not divide.

    Source: ``torch.nn.functional.group_norm``.
    """
    x = as_float("group_norm", input)
    _check_groups("group_norm", x, num_groups)
    batch, channels, *rest = x.shape
    if int(channels) == num_groups and all(size == 1 for size in rest) and batch == 1:
        raise ShapeError(
            "group_norm: one value per group has no variance", got=f"{x.type}, {num_groups} groups",
            where=user_location_text(),
        )  # fmt: skip
    grouped = reshape(x, (batch, num_groups, channels // num_groups, *rest))
    normal = standardized(grouped, tuple(range(2, grouped.ndim)), eps).values
    return scaled("group_norm", reshape(normal, x.shape), weight, bias)


def _check_groups(function: str, x: Tensor, groups: int) -> None:
    if x.ndim < 2 or groups < 1 or int(x.shape[1]) % groups:
        raise ShapeError(
            f"{function}: expected (batch, channels, ...), and groups that divide the channels",
            got=f"{x.type}, {groups} groups", where=user_location_text(),
        )  # fmt: skip


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalize each channel of each element of the batch.

    Args:
        input: ``(batch, channels, ...)``.
        running_mean: ``(channels,)``; moved towards the batch's mean, in place.
        running_var: ``(channels,)``, likewise, towards the mean of unbiased variances.
        weight: ``(channels,)`` factor.
        bias: ``(channels,)`` summand.
        use_input_stats: normalize by the input's statistics; else by the running ones.
        momentum: how far the running statistics move.
        eps: added to the variance.

    Raises:
        ShapeError: for less than two dims, or one value per channel.
        ArgumentError: without running statistics if they are to be used.

    Source: ``torch.nn.functional.instance_norm``.
    """
    x = as_float("instance_norm", input)
    if x.ndim < 2:
        raise ShapeError(
            "instance_norm: expected (batch, channels, ...)", got=str(x.type),
            where=user_location_text(),
        )  # fmt: skip
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise ArgumentError(
                "instance_norm: use_input_stats=False needs running statistics",
                where=user_location_text(),
            )
        scale = elementwise.rsqrt(per_channel("instance_norm", running_var, x) + eps)
        normal = (x - per_channel("instance_norm", running_mean, x)) * scale
        return scaled("instance_norm", normal, weight, bias)
    count = numel(x.shape[2:])
    if isinstance(count, int) and count == 1:
        raise ShapeError(
            "instance_norm: one value per channel has no variance", got=str(x.type),
            where=user_location_text(),
        )  # fmt: skip
    dims = tuple(range(2, x.ndim))
    normal, center, variance = normalized_rows("instance_norm", x, (weight, bias), dims, eps)
    with no_grad():
        if running_mean is not None:
            average = mean(center, 0)
            move_statistics(running_mean, reshape(average, running_mean.shape), momentum)
        if running_var is not None:
            average = mean(variance, 0) * unbiasing(x, count)
            move_statistics(running_var, reshape(average, running_var.shape), momentum)
    return normal


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Divide by ``(k + alpha * mean square of neighbouring channels) ** beta``.

    Args:
        input: ``(batch, channels, ...)``.
        size: number of neighbouring channels; those that do not exist count as 0.
        alpha: factor of the mean square.
        beta: exponent.
        k: summand.

    Raises:
        ShapeError: for less than three dims.
        ArgumentError: for a size below 1.

    Source: ``torch.nn.functional.local_response_norm``.
    """
    x = require_tensor("local_response_norm", input)
    if x.ndim < 3:
        raise ShapeError(
            "local_response_norm: expected (batch, channels, ...) with three dims or more",
            got=str(x.type), where=user_location_text(),
        )  # fmt: skip
    if size < 1:
        raise ArgumentError(
            "local_response_norm: size must be positive", got=str(size), where=user_location_text()
        )
    around = (*(0, 0) * (x.ndim - 2), size // 2, (size - 1) // 2)
    squares = pad(x * x, around)
    total = narrow(squares, 1, 0, x.shape[1])
    for at in range(1, size):
        total = total + narrow(squares, 1, at, at + x.shape[1])
    return x / pow(total / scalar_tensor(size, x.dtype) * alpha + k, beta)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Channels in a new order: the first of each group, then the second of each, and so on.

    Args:
        input: ``(batch, channels, ...)``.
        groups: divides the channels.

    Raises:
        ShapeError: if the groups do not divide the channels.

    Source: ``torch.nn.functional.channel_shuffle``.
    """
    x = require_tensor("channel_shuffle", input)
    _check_groups("channel_shuffle", x, groups)
    batch, channels, *rest = x.shape
    grouped = reshape(x, (batch, groups, channels // groups, *rest))
    return reshape(transpose(grouped, 1, 2), x.shape)
