"""Distinct values; their number depends on values, so dynamic mode only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from graphc.frontend.functions.convert import normalize_dim, require_tensor
from graphc.frontend.making import concrete
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["unique", "unique_consecutive"]


def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False,
    return_counts: bool = False, dim: int | None = None,
) -> Tensor | tuple[Tensor, ...]:  # fmt: skip
    """The distinct elements, or the distinct slices along a dim, in rising order.

    Args:
        input: tensor.
        sorted: they are in order anyway.
        return_inverse: say for each element where it is in the result.
        return_counts: say how often each occurs.
        dim: compare the slices along it; None for elements.

    Returns:
        The distinct ones, followed by what was asked for.

    Raises:
        SymbolicValueError: while recording.

    Source: ``torch.unique``.

    Example:
        >>> import graphc as gc
        >>> gc.unique(gc.tensor([3, 1, 3]), return_counts=True)
        (tensor([1, 3]), tensor([1, 2]))
    """
    values = require_tensor("unique", input).array("the number of distinct values")
    axis = None if dim is None else normalize_dim("unique", dim, values.ndim)
    found, inverse, counts = np.unique(
        values, return_inverse=True, return_counts=True, axis=axis, equal_nan=False
    )
    shape = values.shape if axis is None else (values.shape[axis],)
    return _asked_for(found, inverse.reshape(shape), counts, return_inverse, return_counts)


def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False,
    dim: int | None = None,
) -> Tensor | tuple[Tensor, ...]:  # fmt: skip
    """The elements, or slices along a dim, without those that equal the one before.

    Raises:
        SymbolicValueError: while recording.

    Source: ``torch.unique_consecutive``; arguments and results are as of ``unique``.
    """
    x = require_tensor("unique_consecutive", input)
    values = x.array("the number of distinct values")
    axis = None if dim is None else normalize_dim("unique_consecutive", dim, values.ndim)
    rows = values.reshape(-1) if axis is None else np.moveaxis(values, axis, 0)
    differs = (rows[1:] != rows[:-1]).any(tuple(range(1, rows.ndim)))
    starts = np.concatenate([np.ones(min(len(rows), 1), bool), differs])
    places = np.flatnonzero(starts)
    found = rows[places] if axis is None else np.moveaxis(rows[places], 0, axis)
    inverse = np.cumsum(starts) - 1
    shape = values.shape if axis is None else (len(rows),)
    counts = np.diff(np.append(places, len(rows)))
    return _asked_for(found, inverse.reshape(shape), counts, return_inverse, return_counts)


def _asked_for(
    found: Array, inverse: Array, counts: Array, return_inverse: bool, return_counts: bool
) -> Tensor | tuple[Tensor, ...]:
    result = [concrete(np.ascontiguousarray(found))]
    result += [concrete(inverse.astype(np.int64))] if return_inverse else []
    result += [concrete(counts.astype(np.int64))] if return_counts else []
    return result[0] if len(result) == 1 else tuple(result)
