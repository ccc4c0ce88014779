"""Finding the places of values in sorted rows."""

from __future__ import annotations

from typing import Literal

import numpy as np

from graphc.dtypes import int64
from graphc.errors import ShapeError
from graphc.opdef import OpDef
from graphc.ops.infer import REAL, require_category, require_same_dtype
from graphc.shapes import unify
from graphc.storage import Array
from graphc.types import TensorType


def _infer_searchsorted(
    sequence: TensorType, values: TensorType, *, right: bool
) -> TensorType:  # fmt: skip
    require_category("searchsorted", (sequence, values), REAL)
    require_same_dtype("searchsorted", (sequence, values))
    rows = sequence.shape[:-1]
    fits = sequence.rank == 1 or (
        sequence.rank == values.rank > 1
        and all(unify(a, b) is not None for a, b in zip(rows, values.shape[:-1], strict=True))
    )
    if not fits:
        raise ShapeError(
            "searchsorted: the sequence must be a vector, or have the values' sizes but the last",
            got=f"{sequence} and {values}",
        )
    return TensorType(values.shape, int64)


def _eval_searchsorted(sequence: Array, values: Array, *, right: bool) -> Array:
    side: Literal["left", "right"] = "right" if right else "left"
    if sequence.ndim == 1:
        return _places(sequence, values, side)
    result = np.zeros(values.shape, np.int64)
    for row in np.ndindex(sequence.shape[:-1]):
        result[row] = _places(sequence[row], values[row], side)
    return result


def _places(sequence: Array, values: Array, side: Literal["left", "right"]) -> Array:
    if sequence.size and sequence[-1] != sequence[-1]:
        return _halved(sequence, values, side)
    return np.asarray(np.searchsorted(sequence, values, side), np.int64).reshape(values.shape)


def _halved(sequence: Array, values: Array, side: Literal["left", "right"]) -> Array:
    """Bisection as PyTorch's, where NaN lies before every value that it is compared with."""
    low = np.zeros(values.shape, np.int64)
    high = np.full(values.shape, sequence.size, np.int64)
    while np.any(low < high):
        middle = (low + high) // 2
        at = sequence[np.minimum(middle, sequence.size - 1)]
        stays = at >= values if side == "left" else at > values
        is_open = low < high
        low = np.where(is_open & ~stays, middle + 1, low)
        high = np.where(is_open & stays, middle, high)
    return low


searchsorted = OpDef("searchsorted", _infer_searchsorted, _eval_searchsorted)
"""How many elements of the sorted last dim lie before each value; ``right``: or equal it."""
