"""Windows of images as columns, and back."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from graphc.dims import Dim
from graphc.errors import ShapeError
from graphc.frontend.functions.convert import require_tensor
from graphc.frontend.functions.pieces import stack, unbind
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.nn.functional.windows import Ints, frame, per_dim, with_batch, without_batch
from graphc.ops import shape as ops
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["fold", "unfold"]


class _Grid:
    """Where the windows of an image are."""

    def __init__(
        self, function: str, kernel_size: Ints, dilation: Ints, padding: Ints, stride: Ints
    ) -> None:
        self.function = function
        self.kernel = per_dim(function, "kernel_size", kernel_size, 2, 1)
        self.dilation = per_dim(function, "dilation", dilation, 2, 1)
        self.padding = per_dim(function, "padding", padding, 2, 0)
        self.stride = per_dim(function, "stride", stride, 2, 1)

    def counts(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """The number of windows in each dim of an image."""
        counts = tuple(
            (size + 2 * pad - (k - 1) * gap - 1) // step + 1
            for size, pad, k, gap, step in zip(
                sizes, self.padding, self.kernel, self.dilation, self.stride, strict=True
            )
        )
        if min(counts) < 1:
            raise ShapeError(
                f"{self.function}: the windows do not fit into the padded image",
                got=f"{sizes}, windows of {self.kernel}", where=user_location_text(),
            )  # fmt: skip
        return counts

    def starts(self) -> Iterator[tuple[int, int]]:
        """Where each element of a window lies in the first window."""
        rows, columns = (
            [at * gap for at in range(k)] for k, gap in zip(self.kernel, self.dilation, strict=True)
        )
        return itertools.product(rows, columns)


def unfold(
    input: Tensor, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1
) -> Tensor:
    """Each window of an image as a column.

    Args:
        input: ``(batch, channels, height, width)`` or ``(channels, height, width)``.
        kernel_size: height and width of windows.
        dilation: distance of a window's elements.
        padding: zeros on all sides.
        stride: distance of windows.

    Returns:
        ``(batch, channels * kernel height * kernel width, windows)``.

    Raises:
        ShapeError: if no window fits, or the image's size is unknown.
        ArgumentError: for amounts that make no sense.

    Source: ``torch.nn.functional.unfold``.
    """
    x, batched = with_batch("unfold", input, 2)
    grid = _Grid("unfold", kernel_size, dilation, padding, stride)
    batch, channels, *sizes = x.shape
    if any(isinstance(size, Dim) for size in sizes):
        raise ShapeError(
            "unfold: the image's size must be known", got=str(x.type), where=user_location_text()
        )
    counts = grid.counts(tuple(sizes))
    padded = frame(x, grid.padding, grid.padding)
    pieces = [
        ops.slice_(
            padded,
            starts=(0, 0, *start),
            stops=(
                batch, channels,
                *(a + (n - 1) * s + 1 for a, n, s in zip(start, counts, grid.stride, strict=True)),
            ),
            steps=(1, 1, *grid.stride),
        )
        for start in grid.starts()
    ]  # fmt: skip
    columns = stack(pieces, 2)
    depth = channels * math.prod(grid.kernel)
    return without_batch(reshape(columns, (batch, depth, math.prod(counts))), batched)


def fold(
    input: Tensor, output_size: Ints, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0,
    stride: Ints = 1,
) -> Tensor:  # fmt: skip
    """The image whose windows are these columns; where windows overlap, they add up.

    Args:
        input: ``(batch, channels * kernel height * kernel width, windows)``, or without the batch.
        output_size: height and width of the image.
        kernel_size: height and width of windows.
        dilation: distance of a window's elements.
        padding: zeros on all sides, which are cut off.
        stride: distance of windows.

    Returns:
        ``(batch, channels, height, width)``.

    Raises:
        ShapeError: if the columns do not fit the windows.
        ArgumentError: for amounts that make no sense.

    Source: ``torch.nn.functional.fold``.
    """
    x = require_tensor("fold", input)
    grid = _Grid("fold", kernel_size, dilation, padding, stride)
    sizes = per_dim("fold", "output_size", output_size, 2, 1)
    counts, elements = grid.counts(sizes), math.prod(grid.kernel)
    fits = x.ndim in (2, 3) and x.shape[-1] == math.prod(counts) and x.shape[-2] % elements == 0
    if not fits:
        raise ShapeError(
            "fold: the columns do not fit the windows", got=str(x.type),
            expected=f"(batch, channels * {elements}, {math.prod(counts)})",
            where=user_location_text(),
        )  # fmt: skip
    columns, batched = with_batch("fold", x, 1)
    batch, depth, _ = columns.shape
    pieces = unbind(reshape(columns, (batch, depth // elements, elements, *counts)), 2)
    padded = tuple(size + 2 * pad for size, pad in zip(sizes, grid.padding, strict=True))
    total: Tensor | None = None
    for start, piece in zip(grid.starts(), pieces, strict=True):
        after = [
            size - at - (n - 1) * step - 1
            for size, at, n, step in zip(padded, start, counts, grid.stride, strict=True)
        ]
        placed = frame(piece, start, after, between=[step - 1 for step in grid.stride])
        total = placed if total is None else total + placed
    assert total is not None
    inner = [-amount for amount in grid.padding]
    return without_batch(frame(total, inner, inner), batched)
