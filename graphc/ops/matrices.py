"""What operations on matrices share: checks, batches, and several results in one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.dims import Shape, Size
from graphc.errors import DTypeError, ShapeError
from graphc.opdef import V
from graphc.ops.elementwise import mul
from graphc.ops.elementwise_parts import real
from graphc.ops.select import cast, scalar, where
from graphc.ops.shape import narrow, reshape
from graphc.shapes import broadcast_shapes, unify
from graphc.storage import Array
from graphc.types import TensorType


def require_matrix(op: str, x: TensorType, *, square: bool = False) -> None:
    """Raise unless the operand is one or more matrices that LAPACK can take."""
    if not x.dtype.is_differentiable or x.dtype.itemsize < 4:
        raise DTypeError(
            f"{op}: unsupported dtype",
            got=x.dtype.name,
            expected="float32 or float64, real or complex",
            fix="cast it first, e.g. x.float()",
        )
    if x.rank < 2:
        raise ShapeError(f"{op}: expected a matrix or a batch of them", got=str(x))
    if square and unify(x.shape[-1], x.shape[-2]) is None:
        raise ShapeError(f"{op}: expected square matrices", got=str(x))


def matrix_sizes(op: str, x: TensorType) -> tuple[int, int]:
    """Rows and columns; ShapeError unless both are known."""
    rows, columns = x.shape[-2:]
    if not isinstance(rows, int) or not isinstance(columns, int):
        raise ShapeError(
            f"{op}: the sizes of the matrices must be known",
            got=str(x),
            fix="record with fixed sizes; only batch dims may be unknown",
        )
    return rows, columns


def common_batch(op: str, a: TensorType, b: TensorType) -> Shape:
    """The broadcast batch dims of two operands."""
    batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    if batch is None:
        raise ShapeError(f"{op}: batch dims do not broadcast", got=f"{a} and {b}")
    return batch


def each_matrix(function: Callable[..., Array], shape: tuple[int, ...], *stacks: Array) -> Array:
    """Apply a function of matrices to every one of a batch.

    Args:
        function: takes one C-contiguous matrix per stack, returns an array.
        shape: the shape of its result.
        stacks: ``(*batch, m, n)`` each; batch dims broadcast.
    """
    batch = np.broadcast_shapes(*(stack.shape[:-2] for stack in stacks))
    wide = [np.broadcast_to(stack, (*batch, *stack.shape[-2:])) for stack in stacks]
    result = np.zeros((*batch, *shape), stacks[0].dtype)
    if result.size:
        for place in np.ndindex(*batch):
            result[place] = function(*(np.ascontiguousarray(stack[place]) for stack in wide))
    return result


def lapack_routine(name: str, dtype: np.dtype[Any]) -> Callable[..., Any]:
    """One of LAPACK's routines for a dtype.

    Args:
        name: without the letter of the dtype, e.g. ``getrf``.
        dtype: float32, float64, complex64 or complex128.
    """
    from scipy.linalg import lapack

    routine: Callable[..., Any] = getattr(lapack, _LETTERS[dtype.char] + name)
    return routine


_LETTERS = {"f": "s", "d": "d", "F": "c", "D": "z"}
"""LAPACK's letters of dtypes, by numpy's."""


def packed(parts: Sequence[Array], ranks: Sequence[int]) -> Array:
    """Several results per matrix, one after the other in one row.

    Args:
        parts: ``(*batch, ...)`` each.
        ranks: how many dims of each part belong to a matrix.
    """
    rows = [
        part.reshape(*part.shape[: part.ndim - rank], math.prod(part.shape[part.ndim - rank :]))
        for part, rank in zip(parts, ranks, strict=True)
    ]
    return np.ascontiguousarray(np.concatenate(rows, axis=-1))


def unpacked(x: V, shapes: Sequence[Shape]) -> list[V]:
    """The parts of packed results, given their shapes without the batch."""
    *batch, _ = x.type.shape
    parts = []
    start: Size = 0
    for shape in shapes:
        stop = start + math.prod(shape)
        row = narrow(x, len(batch), start, stop)
        parts.append(reshape(row, shape=(*batch, *shape)))
        start = stop
    return parts


def constant_like(like: V, value: Array) -> V:
    """A constant of the dtype of ``like``, in its world."""
    made: V = like.__literal__(np.asarray(value, like.type.dtype.numpy))
    return made


def without_diagonal(x: V) -> V:
    """Square matrices of known size with zeros on the diagonal, whatever stood there."""
    size, _ = matrix_sizes("diagonal", x.type)
    on_diagonal: V = x.__literal__(np.eye(size, dtype=np.bool_))
    return where(on_diagonal, scalar(x, 0), x)


def real_part(x: V) -> V:
    """Complex values without their imaginary parts, still of a complex dtype; others as they are.

    This is how results that are real travel beside complex ones.
    """
    return cast(real(x), dtype=x.type.dtype) if x.type.dtype.is_complex else x


def lower(x: V, diagonal: int = 0, on_diagonal: float = 1.0) -> V:
    """The lower triangle; the diagonal may be scaled.

    Args:
        x: matrices of known sizes.
        diagonal: 0 with the diagonal, -1 without.
        on_diagonal: factor of the diagonal's elements.
    """
    return _masked(x, np.tril, diagonal, on_diagonal)


def upper(x: V, diagonal: int = 0, on_diagonal: float = 1.0) -> V:
    """The upper triangle, like ``lower``; 1 is without the diagonal."""
    return _masked(x, np.triu, diagonal, on_diagonal)


def _masked(x: V, triangle: Callable[..., Any], diagonal: int, on_diagonal: float) -> V:
    rows, columns = matrix_sizes("triangle", x.type)
    inside: V = x.__literal__(triangle(np.ones((rows, columns), np.bool_), diagonal))
    kept = where(inside, x, scalar(x, 0))
    if on_diagonal == 1.0:
        return kept
    factors = np.ones((rows, columns))
    np.fill_diagonal(factors, on_diagonal)
    return mul(kept, constant_like(x, factors))


def as_columns(x: V) -> V:
    """``(..., n)`` to ``(..., n, 1)``."""
    return reshape(x, shape=(*x.type.shape, 1))


def as_rows_of_one(x: V) -> V:
    """``(..., n)`` to ``(..., 1, n)``: it scales columns."""
    *batch, size = x.type.shape
    return reshape(x, shape=(*batch, 1, size))
