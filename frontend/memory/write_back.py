"""Writes through views: the whole tensor with other values where a view of it looks.

Everything is made of operations that save no values, so it may stand on the tape of memory that is
about to be written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphc.errors import AutogradError, ShapeError
from graphc.frontend.memory.unwritten import unchanged
from graphc.frontend.memory.views import ViewStep
from graphc.ops.diagonal import diagonal, diagonal_order, diagonal_size, first_on_diagonal
from graphc.ops.select import detach
from graphc.ops.shape import concat, expand, flip, narrow, permute, reshape, slice_
from graphc.provenance import user_location_text
from graphc.shapes import inverse_order

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def put_back(whole: Tensor, steps: tuple[ViewStep, ...], value: Tensor) -> Tensor:
    """The whole with other values where a view of it looks.

    Args:
        whole: the tensor.
        steps: the operations from it to the view.
        value: of the view's shape and dtype.

    Raises:
        AutogradError: if elements of the view share places.
    """
    if not steps:
        return value
    (op, attrs), *rest = steps
    if rest:
        value = put_back(op(whole, **attrs), tuple(rest), value)
    if op is slice_:
        return slice_back(whole, value, **attrs)
    if op is diagonal:
        return diagonal_back(whole, value, **attrs)
    if op is reshape:
        return reshape(value, shape=whole.shape)
    if op is permute:
        return permute(value, dims=inverse_order(attrs["dims"]))
    if op is flip:
        return flip(value, dims=attrs["dims"])
    if op is detach:
        return value
    if op is expand and value.type.numel == whole.type.numel:
        return reshape(value, shape=whole.shape)
    raise AutogradError(
        "the tensor's memory cannot be written: its elements share places",
        got=str(value.type), fix="clone() it first", where=user_location_text(),
    )  # fmt: skip


def slice_back(
    whole: Tensor, value: Tensor, starts: tuple[Any, ...], stops: tuple[Any, ...],
    steps: tuple[int, ...],
) -> Tensor:  # fmt: skip
    """The whole with other values in a slice of it."""
    places = list(zip(starts, stops, steps, strict=True))
    cut = [
        dim
        for dim, (start, stop, step) in enumerate(places)
        if (start, stop, step) != (0, whole.shape[dim], 1)
    ]
    if not cut:
        return value
    dim, *others = cut
    start, stop, step = places[dim]
    if others:
        part = slice_(
            whole,
            starts=tuple(start if d == dim else 0 for d in range(whole.ndim)),
            stops=tuple(stop if d == dim else size for d, size in enumerate(whole.shape)),
            steps=tuple(step if d == dim else 1 for d in range(whole.ndim)),
        )
        starts = tuple(0 if d == dim else s for d, s in enumerate(starts))
        stops = tuple(part.shape[d] if d == dim else s for d, s in enumerate(stops))
        steps = tuple(1 if d == dim else s for d, s in enumerate(steps))
        value = slice_back(part, value, starts, stops, steps)
    return _put_along(whole, value, dim, start, step)


def _put_along(whole: Tensor, value: Tensor, dim: int, start: Any, step: int) -> Tensor:
    """The whole with values at every ``step``-th place of one dim from ``start``."""
    count = value.shape[dim]
    if count == 0:
        return unchanged(whole, [value])
    if step != 1 and not isinstance(count, int):
        raise ShapeError(
            "a write to every n-th element of a dim needs a known size", got=str(value.type),
            where=user_location_text(),
        )  # fmt: skip
    after = start + (count - 1) * step + 1
    pieces = [narrow(whole, dim, 0, start), narrow(whole, dim, after, whole.shape[dim])]
    if step == 1:
        pieces.insert(1, value)
    else:
        pieces[1:1] = [_interleaved(whole, value, dim, start, step),
                       narrow(value, dim, count - 1, count)]  # fmt: skip
    kept = [piece for piece in pieces if piece.shape[dim] != 0]
    return concat(*kept, dim=dim) if len(kept) > 1 else kept[0]


def _interleaved(whole: Tensor, value: Tensor, dim: int, start: Any, step: int) -> Tensor:
    """All but the last value, each with the ``step - 1`` elements of the whole that follow it."""
    groups = value.shape[dim] - 1
    before, behind = whole.shape[:dim], whole.shape[dim + 1 :]
    covered = narrow(whole, dim, start, start + groups * step)
    rows = reshape(covered, shape=(*before, groups, step, *behind))
    heads = reshape(narrow(value, dim, 0, groups), shape=(*before, groups, 1, *behind))
    mixed = concat(heads, narrow(rows, dim + 1, 1, step), dim=dim + 1)
    return reshape(mixed, shape=(*before, groups * step, *behind))


def diagonal_back(whole: Tensor, value: Tensor, offset: int, dim1: int, dim2: int) -> Tensor:
    """The whole with other values on a diagonal."""
    order = diagonal_order(whole.ndim, dim1, dim2)
    matrix = permute(whole, dims=order)
    *rest, rows, columns = matrix.shape
    if diagonal_size(rows, columns, offset) == 0:
        return whole
    flat = reshape(matrix, shape=(*rest, rows * columns))
    first = first_on_diagonal(columns, offset)
    written = reshape(_put_along(flat, value, len(rest), first, columns + 1), shape=matrix.shape)
    return permute(written, dims=inverse_order(order))
