"""The diagonal of a matrix as a view, and the matrix that has given values on its diagonal."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.opdef import Call, OpDef, Trait, V
from graphc.ops.infer import require_dims
from graphc.ops.shape import pad, permute, reshape
from graphc.shapes import inverse_order
from graphc.storage import Array
from graphc.types import TensorType

Ints = tuple[int, ...]


def diagonal_size(rows: int, columns: int, offset: int) -> int:
    """The number of elements on a diagonal; it starts ``offset`` columns right of the first.

    Example:
        >>> diagonal_size(2, 4, 0), diagonal_size(2, 4, 3), diagonal_size(2, 4, -5)
        (2, 1, 0)
    """
    return max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)


def first_on_diagonal(columns: int, offset: int) -> int:
    """The place of a diagonal's first element in the matrix's elements, row after row."""
    return offset if offset >= 0 else -offset * columns


def diagonal_order(rank: int, dim1: int, dim2: int) -> Ints:
    """The order of dims that puts the diagonal's two last."""
    return (*(dim for dim in range(rank) if dim not in (dim1, dim2)), dim1, dim2)


def _infer_diagonal(x: TensorType, *, offset: int, dim1: int, dim2: int) -> TensorType:
    require_dims("diagonal", (dim1, dim2), x.rank)
    rows, columns = x.shape[dim1], x.shape[dim2]
    if not isinstance(rows, int) or not isinstance(columns, int):
        raise ShapeError("diagonal: the sizes of its two dims must be known", got=str(x))
    rest = (x.shape[dim] for dim in diagonal_order(x.rank, dim1, dim2)[:-2])
    return x.with_shape((*rest, diagonal_size(rows, columns, offset)))


def _eval_diagonal(x: Array, *, offset: int, dim1: int, dim2: int) -> Array:
    matrix = x.transpose(diagonal_order(x.ndim, dim1, dim2))
    *rest, rows, columns = matrix.shape
    size = diagonal_size(rows, columns, offset)
    if size == 0 or 0 in rest:
        return np.empty((*rest, size), x.dtype)
    corner = matrix[..., max(-offset, 0) :, max(offset, 0) :]
    *strides, down, right = corner.strides
    return np.lib.stride_tricks.as_strided(
        corner, (*rest, size), (*strides, down + right), writeable=x.flags.writeable
    )


def _diagonal_vjp(call: Call, g: Any) -> tuple[Any]:
    shape = call.inputs[0].type.shape
    dim1, dim2 = call.attrs["dim1"], call.attrs["dim2"]
    order = diagonal_order(len(shape), dim1, dim2)
    matrix = embed_diagonal(g, shape[dim1], shape[dim2], call.attrs["offset"])
    return (permute(matrix, dims=inverse_order(order)),)


diagonal = OpDef("diagonal", _infer_diagonal, _eval_diagonal, _diagonal_vjp, Trait.VIEW)


def embed_diagonal(values: V, rows: int, columns: int, offset: int) -> V:
    """Zeros of ``(..., rows, columns)`` with the last dim of ``values`` on a diagonal.

    Raises:
        ArgumentError: if the diagonal has another number of elements.
    """
    *rest, size = values.type.shape
    if size != diagonal_size(rows, columns, offset):
        raise ArgumentError(
            "diagonal: the values do not fit onto it", got=str(values.type),
            expected=f"{diagonal_size(rows, columns, offset)} in the last dim",
        )  # fmt: skip
    low = first_on_diagonal(columns, offset) if size else 0
    high = rows * columns - low - ((size - 1) * (columns + 1) + 1 if size else 0)
    none = (0,) * len(rest)
    flat = pad(
        values, low=(*none, low), high=(*none, high), interior=(*none, columns), value=0
    )  # fmt: skip
    return reshape(flat, shape=(*rest, rows, columns))
