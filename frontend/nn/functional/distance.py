"""Distances and similarities of vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from graphc.dims import Dim
from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.choosing import clamp
from graphc.frontend.functions.convert import (
    normalize_dim,
    promote,
    promote_float,
    require_tensor,
    scalar_tensor,
)  # fmt: skip
from graphc.frontend.functions.norms import vector_norm
from graphc.frontend.functions.picking import index_select
from graphc.frontend.functions.reduction import sum
from graphc.frontend.functions.shaping import broadcast_tensors
from graphc.frontend.making import concrete
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["cosine_similarity", "normalize", "pairwise_distance", "pdist"]


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """The p-norm of ``x1 - x2 + eps`` along the last dim.

    Args:
        x1: vectors ``(..., size)``.
        x2: vectors; broadcasts with ``x1``.
        p: the norm: 0 counts, inf takes the largest difference.
        eps: added to each difference.
        keepdim: keep the last dim with size 1.

    Source: ``torch.nn.functional.pairwise_distance``.

    Example:
        >>> import graphc as gc
        >>> import graphc.nn.functional as F
        >>> F.pairwise_distance(gc.tensor([[3.0, 4.0]]), gc.zeros(1, 2))
        tensor([5.0000])
    """
    a, b = promote(
        "pairwise_distance", require_tensor("pairwise_distance", x1),
        require_tensor("pairwise_distance", x2),
    )  # fmt: skip
    return vector_norm(a - b + eps, p, -1, keepdim)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors along a dim.

    Args:
        x1: vectors.
        x2: vectors; broadcasts with ``x1``.
        dim: the dim of a vector's components, in the common shape.
        eps: norms count as at least this much.

    Source: ``torch.nn.functional.cosine_similarity``.
    """
    a, b = promote_float(
        "cosine_similarity", require_tensor("cosine_similarity", x1),
        require_tensor("cosine_similarity", x2),
    )  # fmt: skip
    a, b = broadcast_tensors(a, b)
    axis = normalize_dim("cosine_similarity", dim, a.ndim)
    return sum(_unit(a, axis, eps) * _unit(b, axis, eps), axis)


def _unit(x: Tensor, dim: int, eps: float) -> Tensor:
    """The vectors at length 1."""
    return x / clamp(vector_norm(x, 2, dim, keepdim=True), min=eps)


def normalize(
    input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """Vectors along a dim, divided by their p-norm.

    Args:
        input: floating point tensor.
        p: the norm.
        dim: the dim of a vector's components.
        eps: norms count as at least this much.
        out: not supported.

    Raises:
        ArgumentError: if ``out`` is given.

    Source: ``torch.nn.functional.normalize``.
    """
    if out is not None:
        raise ArgumentError(
            "normalize: out is not supported", fix="assign the result", where=user_location_text()
        )
    x = require_tensor("normalize", input)
    return x / clamp(vector_norm(x, p, dim, keepdim=True), min=eps)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The distances of all pairs of rows: (0, 1), (0, 2) .. (1, 2) .. .

    Args:
        input: ``(rows, size)``; the number of rows must be known.
        p: the norm, not negative.

    Returns:
        ``(rows * (rows - 1) / 2,)``.

    Raises:
        ShapeError: if the input is no matrix, or the number of its rows is unknown.
        ArgumentError: for a negative ``p``.

    Source: ``torch.nn.functional.pdist``.
    """
    x = require_tensor("pdist", input)
    if x.ndim != 2 or isinstance(x.shape[0], Dim):
        raise ShapeError(
            "pdist: expected a matrix with a known number of rows", got=str(x.type),
            where=user_location_text(),
        )  # fmt: skip
    if not p >= 0:
        raise ArgumentError("pdist: p must not be negative", got=str(p), where=user_location_text())
    first, second = (concrete(rows.astype(np.int64)) for rows in np.triu_indices(x.shape[0], 1))
    difference = index_select(x, 0, first) - index_select(x, 0, second)
    if isinstance(x.shape[1], int) and x.shape[1] == 0:
        return sum(difference, 1) * scalar_tensor(0, x.dtype)
    return vector_norm(difference, p, 1)
