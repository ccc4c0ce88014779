"""Elements and whole tensors several times: repeat, tile, repeat_interleave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dims import Dim, Size
from graphc.dtypes import INTEGER
from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.frontend.base import is_tensor
from graphc.frontend.functions.convert import normalize_dim, require_tensor, shape_argument
from graphc.frontend.functions.indexing import slices_at
from graphc.frontend.functions.pieces import known_size
from graphc.frontend.functions.shaping import expand, reshape
from graphc.frontend.making import concrete
from graphc.frontend.memory.views import own
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["repeat_interleave", "tile"]


def repeat(input: Tensor, *counts: Any, repeats: Any = None) -> Tensor:
    """The whole tensor several times along each dim (``torch.Tensor.repeat``).

    Args:
        input: tensor.
        counts: how many times, per dim of the result; as many as dims, or more.
        repeats: the same by name.

    Raises:
        ArgumentError: for fewer counts than dims, and for negative ones.
    """
    x = require_tensor("repeat", input)
    counts = shape_argument("repeat", counts, repeats)
    lead = len(counts) - x.ndim
    if lead < 0 or any(isinstance(count, int) and count < 0 for count in counts):
        raise ArgumentError(
            "repeat: expected one count per dim, none below 0", got=f"{counts} for {x.type}",
            where=user_location_text(),
        )  # fmt: skip
    sizes = (1,) * lead + tuple(x.shape)
    pairs = list(zip(counts, sizes, strict=True))
    apart = reshape(x, tuple(size for _, own_size in pairs for size in (1, own_size)))
    wide = expand(apart, tuple(size for pair in pairs for size in pair))
    return own(reshape(wide, tuple(count * size for count, size in pairs)))


def tile(input: Tensor, *counts: Any, dims: Any = None) -> Tensor:
    """The whole tensor several times along its last dims (``torch.tile``)."""
    x = require_tensor("tile", input)
    counts = shape_argument("tile", counts, dims)
    return repeat(x, (1,) * (x.ndim - len(counts)) + counts)


def repeat_interleave(
    input: Tensor, repeats: int | Tensor | None = None, dim: int | None = None, *,
    output_size: int | None = None,
) -> Tensor:  # fmt: skip
    """Each element several times in a row.

    Args:
        input: tensor; if it stands alone, the counts whose positions are repeated.
        repeats: how many times: one count, or a tensor with one per slice.
        dim: repeat slices along it; None repeats elements in index order.
        output_size: the sum of ``repeats``, which is checked.

    Raises:
        SymbolicValueError: for counts that are symbolic, since the size depends on them.
        ArgumentError: for negative counts, and if ``output_size`` is not their sum.
        DTypeError: for counts that are not integers.
        ShapeError: unless there is one count per slice.

    Source: ``torch.repeat_interleave``.

    Example:
        >>> import graphc as gc
        >>> gc.repeat_interleave(gc.tensor([7, 8]), gc.tensor([1, 3]))
        tensor([7, 8, 8, 8])
    """
    x = require_tensor("repeat_interleave", input)
    if repeats is None:
        return concrete(_repeated_positions(x, int(x.shape[0]) if x.ndim else 1, output_size))
    if dim is None:
        x, axis = reshape(x, (-1,)), 0
    else:
        axis = normalize_dim("repeat_interleave", dim, x.ndim)
        x = x if x.ndim else reshape(x, (1,))
    if is_tensor(repeats) and repeats.type.numel != 1:
        size = known_size("repeat_interleave", x, axis)
        places = concrete(_repeated_positions(repeats, size, output_size))
        return slices_at(x, places, axis)
    count: Any = _one_count(repeats) if is_tensor(repeats) else repeats
    if not isinstance(count, int | Dim) or (isinstance(count, int) and count < 0):
        raise ArgumentError(
            "repeat_interleave: counts must not be negative", got=repr(count),
            where=user_location_text(),
        )  # fmt: skip
    before, size, behind = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    _require_total(output_size, size * count)
    wide = expand(reshape(x, (*before, size, 1, *behind)), (*before, size, count, *behind))
    return own(reshape(wide, (*before, size * count, *behind)))


def _one_count(counts: Tensor) -> int:
    _require_integers(counts)
    return int(counts.array("the number of repetitions").item())


def _require_integers(counts: Tensor) -> None:
    if counts.dtype.category != INTEGER:
        raise DTypeError(
            "repeat_interleave: counts must be integers", got=counts.dtype.name,
            where=user_location_text(),
        )  # fmt: skip


def _repeated_positions(counts: Tensor, size: int, total: int | None) -> Any:
    _require_integers(counts)
    values = counts.array("the number of repetitions")
    if values.shape != (size,) or (values < 0).any():
        raise ShapeError(
            "repeat_interleave: expected one count per slice, none below 0",
            got=str(counts.type), expected=f"{size} counts", where=user_location_text(),
        )  # fmt: skip
    _require_total(total, int(values.sum()))
    return np.repeat(np.arange(size), values)


def _require_total(given: int | None, total: Size) -> None:
    if given is not None and given != total:
        raise ArgumentError(
            "repeat_interleave: output_size is not the sum of the counts", got=str(given),
            expected=str(total), where=user_location_text(),
        )  # fmt: skip
