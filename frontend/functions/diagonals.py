"""Diagonals and triangles of matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from graphc.dims import Dim
from graphc.dtypes import int64
from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.convert import (
    cast,
    common_dtype,
    normalize_dim,
    require_rank,
    require_tensor,
    scalar_tensor,
)  # fmt: skip
from graphc.frontend.functions.pieces import cat
from graphc.frontend.functions.shaping import permute, reshape
from graphc.frontend.making import concrete, symbolic
from graphc.frontend.modes import modes
from graphc.ops import comparison, elementwise, select
from graphc.ops import diagonal as ops
from graphc.ops.leaf import iota
from graphc.ops.shape import pad
from graphc.provenance import user_location_text
from graphc.shapes import inverse_order

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "block_diag",
    "diag",
    "diag_embed",
    "diagflat",
    "diagonal",
    "tril",
    "triu",
]


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonals of the matrices along two dims, as a new last dim; shares memory.

    Args:
        input: tensor with two dims or more.
        offset: columns to the right of the main diagonal.
        dim1: the dim of rows.
        dim2: the dim of columns.

    Raises:
        ArgumentError: for one dim twice.

    Source: ``torch.diagonal``.

    Example:
        >>> import graphc as gc
        >>> gc.arange(6).reshape(2, 3).diagonal(1)
        tensor([1, 5])
    """
    x = require_tensor("diagonal", input)
    first, second = normalize_dim("diagonal", dim1, x.ndim), normalize_dim("diagonal", dim2, x.ndim)
    if first == second or x.ndim < 2:
        raise ArgumentError(
            "diagonal: expected two different dims", got=f"{dim1} and {dim2} of {x.type}",
            where=user_location_text(),
        )  # fmt: skip
    return ops.diagonal(x, offset=offset, dim1=first, dim2=second)


def last_diagonal(
    A: Tensor,  # noqa: N803 - PyTorch's name
    *,
    offset: int = 0,
    dim1: int = -2,
    dim2: int = -1,
) -> Tensor:
    """``diagonal`` of the last two dims (``torch.linalg.diagonal``)."""
    return diagonal(A, offset, dim1, dim2)


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix, or the matrix with a vector on its diagonal (``torch.diag``).

    Raises:
        ShapeError: for anything but a vector or a matrix.
    """
    x = require_tensor("diag", input)
    if x.ndim == 1:
        return diag_embed(x, diagonal)
    if x.ndim != 2:
        raise ShapeError(
            "diag: expected a vector or a matrix", got=str(x.type), where=user_location_text()
        )
    return select.copy(ops.diagonal(x, offset=diagonal, dim1=0, dim2=1))


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Zeros with the last dim of the input on the diagonals of two new dims.

    Args:
        input: tensor with one dim or more.
        offset: columns to the right of the main diagonal.
        dim1: the result's dim of rows.
        dim2: the result's dim of columns.

    Raises:
        ArgumentError: for one dim twice, and for values whose number is not known.

    Source: ``torch.diag_embed``.
    """
    x = require_tensor("diag_embed", input)
    rank = x.ndim + 1
    first, second = normalize_dim("diag_embed", dim1, rank), normalize_dim("diag_embed", dim2, rank)
    if first == second or x.ndim == 0 or isinstance(x.shape[-1], Dim):
        raise ArgumentError(
            "diag_embed: expected two different dims, and values along a dim of known size",
            got=f"{dim1} and {dim2} for {x.type}", where=user_location_text(),
        )  # fmt: skip
    size = x.shape[-1] + abs(offset)
    order = ops.diagonal_order(rank, first, second)
    matrix = ops.embed_diagonal(x, size, size, offset)
    return permute(matrix, inverse_order(order))


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """The matrix with all elements on its diagonal (``torch.diagflat``)."""
    return diag_embed(reshape(require_tensor("diagflat", input), (-1,)), offset)


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of the last two dims, zeros above (``torch.tril``).

    Args:
        input: tensor with two dims or more.
        diagonal: the last diagonal that is kept.

    Example:
        >>> import graphc as gc
        >>> gc.ones(2, 3).tril()
        tensor([[1., 0., 0.],
                [1., 1., 0.]])
    """
    x = require_rank("tril", input, 2)
    return select.where(_reaches(x, diagonal), x, scalar_tensor(0, x.dtype))


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of the last two dims, zeros below (``torch.triu``).

    Args:
        input: tensor with two dims or more.
        diagonal: the first diagonal that is kept.
    """
    x = require_rank("triu", input, 2)
    return select.where(_reaches(x, diagonal - 1), scalar_tensor(0, x.dtype), x)


def _reaches(x: Tensor, diagonal: int) -> Tensor:
    """True on this diagonal of the last two dims and below it."""
    rows, columns = x.shape[-2:]
    recorder = modes.recorder or x.recorder
    if recorder is None:
        return concrete(np.tri(rows, columns, diagonal, dtype=np.bool_))
    row, column = (symbolic(iota((rows, columns), dim, int64), recorder) for dim in (0, 1))
    return comparison.le(column, elementwise.add(row, scalar_tensor(diagonal, int64)))


def block_diag(*tensors: Tensor) -> Tensor:
    """Matrices along the diagonal of one, zeros elsewhere (``torch.block_diag``).

    Args:
        tensors: matrices; vectors are rows, numbers are 1 by 1.

    Raises:
        ShapeError: for more than two dims.
    """
    dtype = common_dtype("block_diag", tensors)
    blocks = []
    for each in tensors:
        x = cast(require_tensor("block_diag", each), dtype)
        if x.ndim > 2:
            raise ShapeError(
                "block_diag: expected at most two dims", got=str(x.type),
                where=user_location_text(),
            )  # fmt: skip
        blocks.append(reshape(x, (1,) * (2 - x.ndim) + tuple(x.shape)))
    width = sum(int(block.shape[1]) for block in blocks)
    rows, left = [], 0
    for block in blocks:
        right = width - left - block.shape[1]
        rows.append(
            pad(block, low=(0, left), high=(0, right), interior=(0, 0), value=0)
        )  # fmt: skip
        left += block.shape[1]
    return cat(rows, 0)
