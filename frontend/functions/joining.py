"""Joining tensors side by side, and all combinations of their elements."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.convert import require_tensor
from graphc.frontend.functions.pieces import cat, stack
from graphc.frontend.functions.shaping import expand, reshape
from graphc.frontend.making import concrete
from graphc.ops import index as index_ops
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "cartesian_prod",
    "column_stack",
    "combinations",
    "concat",
    "concatenate",
    "dstack",
    "hstack",
    "meshgrid",
    "row_stack",
    "vstack",
]

concat = concatenate = cat


def _several(function: str, tensors: Sequence[Tensor]) -> list[Tensor]:
    parts = [require_tensor(function, x) for x in tensors]
    if not parts:
        raise ArgumentError(f"{function}: expected one tensor or more", where=user_location_text())
    return parts


def _one_or_several(function: str, tensors: tuple[Any, ...], make: Any) -> Any:
    given = tensors[0] if len(tensors) == 1 else tensors
    if isinstance(given, list | tuple):
        return tuple(make(require_tensor(function, x)) for x in given)
    return make(require_tensor(function, given))


def atleast_1d(*tensors: Any) -> Any:
    """Tensors without dims get one (``torch.atleast_1d``).

    Args:
        tensors: one, which gives one; several, or a sequence of them, which gives a tuple.
    """
    return _one_or_several("atleast_1d", tensors, lambda x: x if x.ndim else reshape(x, (1,)))


def atleast_2d(*tensors: Any) -> Any:
    """Vectors become rows, numbers 1 by 1 (``torch.atleast_2d``).

    Args:
        tensors: one, which gives one; several, or a sequence of them, which gives a tuple.
    """
    return _one_or_several("atleast_2d", tensors, _rows)


def _rows(x: Tensor) -> Tensor:
    return x if x.ndim > 1 else reshape(x, (1, *(x.shape or (1,))))


def atleast_3d(*tensors: Any) -> Any:
    """Matrices become ``(m, n, 1)``, vectors ``(1, n, 1)`` (``torch.atleast_3d``).

    Args:
        tensors: one, which gives one; several, or a sequence of them, which gives a tuple.
    """
    return _one_or_several("atleast_3d", tensors, _layers)


def _layers(x: Tensor) -> Tensor:
    if x.ndim > 2:
        return x
    rows = _rows(x)
    return reshape(rows, (*rows.shape, 1))


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Join along columns; vectors along their only dim (``torch.hstack``)."""
    parts = [atleast_1d(x) for x in _several("hstack", tensors)]
    return cat(parts, 0 if parts[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Join along rows; a vector is one row (``torch.vstack``)."""
    return cat([_rows(x) for x in _several("vstack", tensors)], 0)


row_stack = vstack


def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """Join along the third dim (``torch.dstack``)."""
    return cat([_layers(x) for x in _several("dstack", tensors)], 2)


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Join along columns; a vector is one column (``torch.column_stack``)."""
    parts = _several("column_stack", tensors)
    return hstack([reshape(x, (-1, 1)) if x.ndim < 2 else x for x in parts])


def meshgrid(*tensors: Any, indexing: Literal["ij", "xy"] = "ij") -> tuple[Tensor, ...]:
    """One grid per vector, with its values along its dim and the same ones along the others.

    Args:
        tensors: vectors or numbers, one by one or as one sequence.
        indexing: ``"ij"``: the first vector goes along dim 0; ``"xy"``: along dim 1.

    Raises:
        ArgumentError: for an unknown indexing.
        ShapeError: for anything but vectors.

    Source: ``torch.meshgrid``.

    Example:
        >>> import graphc as gc
        >>> gc.meshgrid(gc.tensor([1, 2]), gc.tensor([3, 4, 5]))[1]
        tensor([[3, 4, 5],
                [3, 4, 5]])
    """
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], list | tuple) else tensors
    axes = [atleast_1d(x) for x in _several("meshgrid", given)]
    if indexing not in ("ij", "xy"):
        raise ArgumentError(
            "meshgrid: unknown indexing", got=repr(indexing), expected="'ij' or 'xy'",
            where=user_location_text(),
        )  # fmt: skip
    if any(x.ndim > 1 for x in axes):
        raise ShapeError(
            "meshgrid: expected vectors", got=", ".join(str(x.type) for x in axes),
            where=user_location_text(),
        )  # fmt: skip
    swap = indexing == "xy" and len(axes) > 1
    if swap:
        axes[0], axes[1] = axes[1], axes[0]
    shape = tuple(x.shape[0] for x in axes)
    grids = [
        expand(reshape(x, tuple(-1 if dim == place else 1 for dim in range(len(axes)))), shape)
        for place, x in enumerate(axes)
    ]
    if swap:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All combinations of one element of each vector, a row each (``torch.cartesian_prod``).

    Raises:
        ShapeError: for anything but vectors.
    """
    parts = _several("cartesian_prod", tensors)
    if any(x.ndim != 1 for x in parts):
        raise ShapeError(
            "cartesian_prod: expected vectors", got=", ".join(str(x.type) for x in parts),
            where=user_location_text(),
        )  # fmt: skip
    if len(parts) == 1:
        return parts[0]
    return stack([reshape(grid, (-1,)) for grid in meshgrid(parts)], 1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of ``r`` elements of a vector in their order, a row each.

    Args:
        input: vector of known size.
        r: how many are chosen.
        with_replacement: an element may be chosen several times.

    Raises:
        ShapeError: for anything but a vector of known size, and for a negative ``r``.

    Source: ``torch.combinations``.
    """
    x = require_tensor("combinations", input)
    if x.ndim != 1 or not isinstance(x.shape[0], int) or r < 0:
        raise ShapeError(
            "combinations: expected a vector of known size, and r not below 0",
            got=f"{x.type}, r={r}", where=user_location_text(),
        )  # fmt: skip
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = np.array(list(choose(range(x.shape[0]), r)), np.int64)
    if r == 0:
        return reshape(x[:0], (0,))
    return index_ops.index(x, concrete(places.reshape(-1, r)), dims=(0,))
