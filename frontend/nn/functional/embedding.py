"""Table look-ups: rows by index, and sums of rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from graphc.dtypes import INTEGER, int64
from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.frontend.functions import picking
from graphc.frontend.functions.choosing import clamp, isfinite, where
from graphc.frontend.functions.convert import cast, require_tensor, scalar_tensor
from graphc.frontend.functions.creation import arange, full
from graphc.frontend.functions.norms import vector_norm
from graphc.frontend.functions.picking import one_hot
from graphc.frontend.functions.pieces import narrow
from graphc.frontend.functions.reduction import amax, sum
from graphc.frontend.functions.shaping import reshape, unsqueeze
from graphc.frontend.modes import is_recording, no_grad
from graphc.frontend.nn.functional.shapes import agree
from graphc.ops import comparison, select
from graphc.ops.index import index, index_add
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["embedding", "embedding_bag", "one_hot"]


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of ``weight`` at these indices.

    Args:
        input: integer indices, any shape.
        weight: ``(rows, size)``.
        padding_idx: a row that gets no gradient; negative ones count from the end.
        max_norm: rows that are read and have a larger norm are scaled to it, in place.
        norm_type: which norm.
        scale_grad_by_freq: divide a row's gradient by how often the row is read.
        sparse: no effect on values; gradients are dense.

    Returns:
        The input's shape and ``size``.

    Raises:
        IndexRangeError: for an index outside ``0 .. rows - 1``, when it runs.
        ArgumentError: if ``padding_idx`` is no row.

    Source: ``torch.nn.functional.embedding``.
    """
    table = require_tensor("embedding", weight)
    if padding_idx is not None and isinstance(table.shape[0], int):
        check_padding(padding_idx, table.shape[0])
    if max_norm is not None:
        _limit_norms(table, input, max_norm, norm_type)
    rows = picking.embedding(table, input)
    if scale_grad_by_freq:
        rows = _share_gradient(rows, table, input)
    if padding_idx is None or not table.requires_grad:
        return rows
    row = check_padding(padding_idx, int(table.shape[0]))
    padded = comparison.eq(unsqueeze(input, -1), scalar_tensor(row, input.dtype))
    return select.where(padded, rows.detach(), rows)


def check_padding(padding_idx: int, rows: int) -> int:
    """The padding row counted from the front.

    Raises:
        ArgumentError: if there is no such row.
    """
    if not -rows <= padding_idx < rows:
        raise ArgumentError(
            "embedding: padding_idx is no row of the table", got=str(padding_idx),
            expected=f"{-rows}..{rows - 1}", where=user_location_text(),
        )  # fmt: skip
    return padding_idx % rows


def _times_read(table: Tensor, indices: Tensor) -> Tensor:
    """How often each row is read, in the table's dtype."""
    flat = reshape(cast(indices, int64), (indices.type.numel,))
    ones = full(flat.shape, 1.0, dtype=table.dtype)
    return index_add(ones, flat, shape=table.shape[:1], dims=(0,), what="embedding: index")


def _limit_norms(table: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are read down to a norm, in the table itself."""
    with no_grad():
        size = vector_norm(table, norm_type, 1, keepdim=True)
        too_long = (unsqueeze(_times_read(table, indices), 1) > 0) & (size > max_norm)
        table.copy_(where(too_long, table * (max_norm / (size + 1e-7)), table))


def _share_gradient(rows: Tensor, table: Tensor, indices: Tensor) -> Tensor:
    """The same rows; each read of a row passes its share of the row's gradient."""
    counts = index(_times_read(table, indices), cast(indices, int64), dims=(0,))
    fixed = rows.detach()
    moved = where(isfinite(fixed), rows - fixed, 0.0)
    return fixed + moved / unsqueeze(counts, -1)


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or maximum of the rows of each bag of indices.

    Args:
        input: ``(bags, length)`` indices, or all bags in one row, with ``offsets``.
        weight: ``(rows, size)``.
        offsets: where each bag begins; the first is 0.
        max_norm: as for ``embedding``.
        norm_type: as for ``embedding``.
        scale_grad_by_freq: as for ``embedding``; not for ``"max"``.
        mode: ``"sum"``, ``"mean"`` or ``"max"``.
        sparse: no effect on values; gradients are dense.
        per_sample_weights: factors of the input's shape, for ``"sum"``.
        include_last_offset: the last offset ends the last bag.
        padding_idx: an index that bags leave out.

    Returns:
        ``(bags, size)``; 0 for an empty bag.

    Raises:
        ShapeError: if the shapes do not fit.
        ArgumentError: for another mode, or arguments that contradict each other.
        IndexRangeError: for an index outside ``0 .. rows - 1``, when it runs.

    Source: ``torch.nn.functional.embedding_bag``.

    Example:
        >>> import graphc as gc
        >>> import graphc.nn.functional as F
        >>> table = gc.tensor([[1.0], [2.0], [4.0]])
        >>> F.embedding_bag(gc.tensor([0, 1, 2, 2]), table, gc.tensor([0, 3]), mode="sum")
        tensor([[7.],
                [4.]])
    """
    indices = require_tensor("embedding_bag", input)
    _check_bags(indices, offsets, mode, per_sample_weights, scale_grad_by_freq, include_last_offset)
    rows = embedding(indices, weight, None, max_norm, norm_type, scale_grad_by_freq)
    counted = None
    if padding_idx is not None:
        counted = indices != check_padding(padding_idx, int(weight.shape[0]))
    if per_sample_weights is not None:
        rows = rows * unsqueeze(per_sample_weights, -1)
    if offsets is None:
        return _reduce_rows(rows, counted, mode)
    starts = narrow(offsets, 0, 0, int(offsets.shape[0]) - 1) if include_last_offset else offsets
    return _reduce_bags(rows, counted, starts, mode)


def _check_bags(
    indices: Tensor, offsets: Tensor | None, mode: str, factors: Tensor | None, by_freq: bool,
    include_last: bool,
) -> None:  # fmt: skip
    function = "embedding_bag"
    if mode not in ("sum", "mean", "max"):
        raise ArgumentError(
            f"{function}: unknown mode", got=repr(mode), expected="'sum', 'mean' or 'max'",
            where=user_location_text(),
        )  # fmt: skip
    if indices.dtype.category != INTEGER:
        raise DTypeError(
            f"{function}: the indices must be integer", got=indices.dtype.name,
            where=user_location_text(),
        )  # fmt: skip
    fits = (indices.ndim == 2 and offsets is None) or (
        indices.ndim == 1 and offsets is not None and offsets.ndim == 1
    )
    if not fits:
        raise ShapeError(
            f"{function}: expected (bags, length), or one row and the offsets of its bags",
            got=f"{indices.type}, offsets {None if offsets is None else offsets.type}",
            where=user_location_text(),
        )
    if factors is not None and (mode != "sum" or not agree(factors.shape, indices.shape)):
        raise ArgumentError(
            f"{function}: per_sample_weights need mode='sum' and the input's shape",
            got=f"mode={mode!r}, weights {factors.type}", where=user_location_text(),
        )  # fmt: skip
    if mode == "max" and by_freq:
        raise ArgumentError(
            f"{function}: scale_grad_by_freq has no meaning for mode='max'",
            where=user_location_text(),
        )
    if include_last and (offsets is None or offsets.shape[0] == 0):
        raise ArgumentError(
            f"{function}: include_last_offset needs offsets", where=user_location_text()
        )
    known = offsets is not None and not offsets.is_symbolic and not is_recording()
    if known and offsets is not None and offsets.shape[0] != 0 and int(offsets[0]) != 0:
        raise ArgumentError(
            f"{function}: the first offset must be 0", got=str(int(offsets[0])),
            where=user_location_text(),
        )  # fmt: skip


def _reduce_rows(rows: Tensor, counted: Tensor | None, mode: str) -> Tensor:
    """Reduce ``(bags, length, size)`` over the length."""
    if mode == "max":
        return _largest(rows, counted)
    total = sum(rows if counted is None else where(unsqueeze(counted, -1), rows, 0.0), 1)
    if mode == "sum":
        return total
    if counted is None:
        return total / clamp(scalar_tensor(rows.shape[1], rows.dtype), min=1)
    return total / clamp(sum(cast(counted, rows.dtype), 1, True), min=1)


def _largest(rows: Tensor, counted: Tensor | None) -> Tensor:
    if isinstance(rows.shape[1], int) and rows.shape[1] == 0:
        return sum(rows, 1)
    if counted is None:
        return amax(rows, 1)
    lowest = scalar_tensor(-math.inf, rows.dtype)
    peak = amax(select.where(unsqueeze(counted, -1), rows, lowest), 1)
    return where(reshape(amax(counted, 1), (-1, 1)), peak, 0.0)


def _reduce_bags(rows: Tensor, counted: Tensor | None, starts: Tensor, mode: str) -> Tensor:
    """Reduce ``(length, size)`` over bags that begin at these places."""
    places = unsqueeze(arange(rows.shape[0]), 0)
    begun = unsqueeze(cast(starts, int64), 1) <= places
    bag = sum(begun, 0) - 1
    bags = starts.shape[0]
    if mode == "max":
        inside = unsqueeze(arange(bags), 1) == unsqueeze(bag, 0)
        inside = inside if counted is None else inside & unsqueeze(counted, 0)
        return _largest(unsqueeze(rows, 0), inside)
    if counted is not None:
        rows = where(unsqueeze(counted, -1), rows, 0.0)
    what = "embedding_bag: offset"
    total = index_add(rows, bag, shape=(bags, rows.shape[1]), dims=(0,), what=what)
    if mode == "sum":
        return total
    ones = full((rows.shape[0],), 1.0, dtype=rows.dtype)
    present = ones if counted is None else cast(counted, rows.dtype)
    members = index_add(present, bag, shape=(bags,), dims=(0,), what=what)
    return total / unsqueeze(clamp(members, min=1), 1)
