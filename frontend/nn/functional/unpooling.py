"""Undoing max pooling: values back at the places that they came from, zeros elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphc.dtypes import int64
from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.frontend.functions.convert import require_tensor
from graphc.frontend.functions.creation import zeros
from graphc.frontend.functions.scattering import scatter
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.nn.functional.shapes import agree
from graphc.frontend.nn.functional.windows import Ints, per_dim, with_batch, without_batch
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["max_unpool1d", "max_unpool2d", "max_unpool3d"]


def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: Ints, stride: Ints | None = None,
    padding: Ints = 0, output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """``max_unpool2d`` over one spatial dim (``torch.nn.functional.max_unpool1d``)."""
    return _unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: Ints, stride: Ints | None = None,
    padding: Ints = 0, output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """Put the values of ``max_pool2d`` back where they were; other elements are 0.

    Args:
        input: ``(batch, channels, height, width)`` or ``(channels, height, width)``.
        indices: int64 of the same shape, from ``return_indices``. Of values for one place the last
            one stays.
        kernel_size: of the pooling.
        stride: of the pooling; default: the size of its windows.
        padding: of the pooling.
        output_size: the pooled input's spatial sizes, or its whole shape; default: the smallest.

    Raises:
        ShapeError: if the shapes differ.
        DTypeError: if the indices are not int64.
        ArgumentError: for an ``output_size`` that pooling does not map to the input's.
        IndexRangeError: for an index outside the image, when it runs.

    Source: ``torch.nn.functional.max_unpool2d``.
    """
    return _unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor, indices: Tensor, kernel_size: Ints, stride: Ints | None = None,
    padding: Ints = 0, output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """``max_unpool2d`` over three spatial dims (``torch.nn.functional.max_unpool3d``)."""
    return _unpool("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)


def _unpool(
    function: str, dims: int, input: Tensor, indices: Tensor, kernel_size: Ints,
    stride: Ints | None, padding: Ints, output_size: Sequence[int] | None,
) -> Tensor:  # fmt: skip
    x, batched = with_batch(function, input, dims)
    index = require_tensor(function, indices)
    if index.dtype is not int64:
        raise DTypeError(
            f"{function}: the indices must be int64", got=index.dtype.name,
            where=user_location_text(),
        )  # fmt: skip
    if not agree(index.shape, input.shape):
        raise ShapeError(
            f"{function}: input and indices must have one shape",
            got=f"{input.type} and {index.type}", where=user_location_text(),
        )  # fmt: skip
    kernel = per_dim(function, "kernel_size", kernel_size, dims, 1)
    step = kernel if stride is None else per_dim(function, "stride", stride, dims, 1)
    pad = per_dim(function, "padding", padding, dims, 0)
    least = [
        (int(size) - 1) * s + k - 2 * p
        for size, s, k, p in zip(x.shape[2:], step, kernel, pad, strict=True)
    ]
    sizes = least if output_size is None else list(output_size)[-dims:]
    possible = all(
        low - s < size < low + s for size, low, s in zip(sizes, least, step, strict=True)
    )
    if output_size is not None and (len(output_size) < dims or not possible):
        raise ArgumentError(
            f"{function}: pooling does not make the input's size from output_size",
            got=str(tuple(output_size)), expected=f"about {tuple(least)}",
            where=user_location_text(),
        )  # fmt: skip
    batch, channels = x.shape[:2]
    flat = (batch, channels, math.prod(int(size) for size in x.shape[2:]))
    empty = zeros(batch, channels, math.prod(sizes), dtype=x.dtype)
    placed = scatter(empty, 2, reshape(index, flat), reshape(x, flat))
    return without_batch(reshape(placed, (batch, channels, *sizes)), batched)
