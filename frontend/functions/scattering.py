"""Writing at positions along a dim, into a copy: scatter, index_add and their relatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from graphc.dtypes import BOOLEAN, FLOATING, INTEGER, DType, bool_, int64
from graphc.errors import ArgumentError, DTypeError, IndexShapeError, ShapeError
from graphc.frontend.base import is_tensor
from graphc.frontend.functions.assignment import put_at
from graphc.frontend.functions.convert import (
    Number,
    TensorLike,
    cast,
    normalize_dim,
    require_tensor,
    scalar_tensor,
    to_operand,
)
from graphc.frontend.functions.indexing import non_negative
from graphc.frontend.functions.picking import int_index
from graphc.frontend.functions.shaping import broadcast_tensors, clone, expand, reshape
from graphc.frontend.memory.unwritten import unchanged
from graphc.ops import elementwise, select
from graphc.ops import index as index_ops
from graphc.ops import put as ops
from graphc.ops.scan import cumsum
from graphc.ops.shape import slice_
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "index_add",
    "index_copy",
    "index_fill",
    "index_reduce",
    "masked_scatter",
    "put",
    "scatter",
    "scatter_add",
    "scatter_reduce",
]

Reduce = Literal["sum", "prod", "mean", "amax", "amin"]


def scatter(
    input: Tensor, dim: int, index: Tensor, src: TensorLike | None = None, *,
    value: Number | None = None, reduce: Literal["add", "multiply"] | None = None,
) -> Tensor:  # fmt: skip
    """``out[index[i][j]][j] = src[i][j]`` for ``dim=0``, and so on, into a copy.

    Args:
        input: tensor.
        dim: the dim that the index is for.
        index: integers in ``0 .. size - 1``. Of several sources for one place the last one stays.
        src: tensor of the input's dtype, at least as large as the index; or a number.
        value: a number in place of ``src``.
        reduce: add to or multiply with what is there.

    Raises:
        IndexRangeError: for an index outside its dim, when it runs.

    Source: ``torch.scatter``.

    Example:
        >>> import graphc as gc
        >>> gc.scatter(gc.zeros(2, 3), 1, gc.tensor([[0], [2]]), 7.0)
        tensor([[7., 0., 0.],
                [0., 0., 7.]])
    """
    if (src is None) == (value is None):
        raise ArgumentError("scatter: give src or value", where=user_location_text())
    modes = {None: None, "add": "sum", "multiply": "prod"}
    if reduce not in modes:
        raise ArgumentError(
            "scatter: unknown reduction", got=repr(reduce), expected="'add' or 'multiply'",
            where=user_location_text(),
        )  # fmt: skip
    return _scattered("scatter", input, dim, index, value if src is None else src, modes[reduce])


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """``out[index[i][j]][j] += src[i][j]`` for ``dim=0``; repeated indices add up.

    Source: ``torch.scatter_add``.
    """
    source = require_tensor("scatter_add", src)
    return _scattered("scatter_add", input, dim, index, source, "sum")


def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: Reduce, *,
    include_self: bool = True,
) -> Tensor:  # fmt: skip
    """Combine all sources of a place with each other, and with what is there.

    Args:
        input: tensor.
        dim: the dim that the index is for.
        index: integers in ``0 .. size - 1``.
        src: tensor of the input's dtype, at least as large as the index.
        reduce: ``"sum"``, ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.
        include_self: False leaves out what is there, where there is a source.

    Source: ``torch.scatter_reduce``.

    Example:
        >>> import graphc as gc
        >>> gc.scatter_reduce(gc.ones(2), 0, gc.tensor([0, 0]), gc.tensor([3.0, 5.0]), "mean")
        tensor([3., 1.])
    """
    _require_reduction("scatter_reduce", reduce)
    source = require_tensor("scatter_reduce", src)
    return _scattered("scatter_reduce", input, dim, index, source, reduce, include_self)


def _require_reduction(
    function: str, reduce: str, accepted: str = "sum prod mean amax amin"
) -> None:
    if reduce not in accepted.split():
        raise ArgumentError(
            f"{function}: unknown reduction", got=repr(reduce),
            expected=accepted.replace(" ", ", "), where=user_location_text(),
        )  # fmt: skip


def _scattered(
    function: str, input: Tensor, dim: int, index: Tensor, src: TensorLike | None,
    reduce: str | None, include_self: bool = True,
) -> Tensor:  # fmt: skip
    x, places = require_tensor(function, input), int_index(function, index)
    axis = normalize_dim(function, dim, x.ndim)
    if places.type.numel == 0:
        return unchanged(clone(x), [src] if is_tensor(src) else [])
    if x.ndim == 0:
        row = reshape(src, (1,)) if is_tensor(src) else src
        made = _scattered(function, reshape(x, (1,)), 0, reshape(places, (1,)), row, reduce,
                          include_self)  # fmt: skip
        return reshape(made, ())
    if not is_tensor(src):
        assert src is not None, "the caller gave a number or a tensor"
        source = expand(to_operand(src, x.dtype), places.shape)
    else:
        source = _cut(function, _of_dtype(function, src, x.dtype), places)
    return _combined(x, axis, places, source, reduce, include_self)


def _of_dtype(function: str, src: Tensor, dtype: DType) -> Tensor:
    if src.dtype is not dtype:
        raise DTypeError(
            f"{function}: the source must have the input's dtype", got=src.dtype.name,
            expected=dtype.name, where=user_location_text(),
        )  # fmt: skip
    return src


def _cut(function: str, src: Tensor, index: Tensor) -> Tensor:
    """The part of the source that the index is for."""
    if src.shape == index.shape:
        return src
    fits = src.ndim == index.ndim and all(
        not isinstance(own, int) or not isinstance(size, int) or size <= own
        for own, size in zip(src.shape, index.shape, strict=True)
    )
    if not fits:
        raise ShapeError(
            f"{function}: the index must fit inside the source",
            got=f"index {index.type}, source {src.type}",
            where=user_location_text(),
        )
    return slice_(
        src, starts=(0,) * src.ndim, stops=tuple(index.shape), steps=(1,) * src.ndim
    )  # fmt: skip


def _combined(
    x: Tensor, axis: int, places: Tensor, source: Tensor, reduce: str | None, include_self: bool
) -> Tensor:
    if reduce is None:
        return ops.scatter(x, places, source, dim=axis)
    base = x if include_self else _spread(x, axis, places, _neutral(reduce, x.dtype))
    if reduce == "sum":
        return index_ops.scatter_add(base, places, source, dim=axis)
    if reduce != "mean":
        return ops.scatter_reduce(base, places, source, dim=axis, reduce=reduce)
    total = index_ops.scatter_add(base, places, source, dim=axis)
    ones = expand(scalar_tensor(1, x.dtype), x.shape)
    count = ones if include_self else _spread(ones, axis, places, 0)
    each = expand(scalar_tensor(1, x.dtype), places.shape)
    count = index_ops.scatter_add(count, places, each, dim=axis)
    if x.dtype.category == INTEGER:
        return elementwise.floor_divide(total, count)
    return elementwise.div(total, count)


def _spread(x: Tensor, axis: int, places: Tensor, value: float) -> Tensor:
    source = expand(scalar_tensor(value, x.dtype), places.shape)
    return ops.scatter(x, places, source, dim=axis)


def _neutral(reduce: str, dtype: DType) -> float:
    """What changes nothing when it is combined with other numbers."""
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    if dtype.category == FLOATING:
        return -np.inf if reduce == "amax" else np.inf
    if dtype.category == BOOLEAN:
        return reduce == "amin"
    limits = np.iinfo(dtype.numpy)
    return limits.min if reduce == "amax" else limits.max


def index_add(
    input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1
) -> Tensor:
    """Add slices of ``source`` to the slices at these positions of a copy.

    Args:
        input: tensor.
        dim: the dim that is indexed.
        index: vector of positions; repeated ones add up.
        source: one slice per position, of the input's dtype.
        alpha: factor of the source.

    Source: ``torch.index_add``.
    """
    x, axis, places, rows = _slices("index_add", input, dim, index, source)
    if alpha != 1:
        rows = elementwise.mul(rows, to_operand(alpha, x.dtype))
    wide = _at_least_vector(x)
    total = put_at(wide, {axis: places}, rows, accumulate=True)
    return reshape(total, x.shape)


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy with slices of ``source`` at these positions (``torch.index_copy``)."""
    x, axis, places, rows = _slices("index_copy", input, dim, index, source)
    return reshape(put_at(_at_least_vector(x), {axis: places}, rows), x.shape)


def index_fill(input: Tensor, dim: int, index: Tensor, value: TensorLike) -> Tensor:
    """A copy with one number in the slices at these positions (``torch.index_fill``).

    Raises:
        ShapeError: for a value with dims.
    """
    x = require_tensor("index_fill", input)
    axis, wide = normalize_dim("index_fill", dim, x.ndim), _at_least_vector(x)
    places = non_negative(_vector("index_fill", index), wide.shape[axis])
    number = to_operand(value, x.dtype)
    if number.ndim:
        raise ShapeError(
            "index_fill: expected one number", got=str(number.type), where=user_location_text()
        )
    size = wide.shape[axis]
    nowhere = expand(to_operand(False, bool_), (size,))
    filled = put_at(nowhere, {0: places}, to_operand(True, bool_))
    lined_up = reshape(filled, tuple(size if d == axis else 1 for d in range(wide.ndim)))
    # one choice for each element: a repeated position counts once in the number's gradient
    return reshape(select.where(lined_up, number, wide), x.shape)


def index_reduce(
    input: Tensor, dim: int, index: Tensor, source: Tensor,
    reduce: Literal["prod", "mean", "amax", "amin"], *, include_self: bool = True,
) -> Tensor:  # fmt: skip
    """Combine slices of ``source`` with the slices at these positions of a copy.

    Args:
        input: tensor.
        dim: the dim that is indexed.
        index: vector of positions.
        source: one slice per position, of the input's dtype.
        reduce: ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.
        include_self: False leaves out what is there, where there is a source.

    Source: ``torch.index_reduce``.
    """
    _require_reduction("index_reduce", reduce, "prod mean amax amin")
    x, axis, places, rows = _slices("index_reduce", input, dim, index, source)
    if rows.type.numel == 0:
        return unchanged(clone(x), [rows])
    lined_up = tuple(places.shape[0] if d == axis else 1 for d in range(rows.ndim))
    wide = expand(reshape(places, lined_up), rows.shape)
    made = _combined(_at_least_vector(x), axis, wide, rows, reduce, include_self)
    return reshape(made, x.shape)


def _vector(function: str, index: Tensor) -> Tensor:
    places = int_index(function, index)
    if places.ndim > 1:
        raise IndexShapeError(
            f"{function}: the index must be a vector", got=str(places.type),
            where=user_location_text(),
        )  # fmt: skip
    return reshape(places, (-1,)) if places.ndim == 0 else places


def _at_least_vector(x: Tensor) -> Tensor:
    return x if x.ndim else reshape(x, (1,))


def _slices(
    function: str, input: Tensor, dim: int, index: Tensor, source: Tensor
) -> tuple[Tensor, int, Tensor, Tensor]:
    """The operands, checked; the source with the indexed dim in place."""
    x = require_tensor(function, input)
    axis, places = normalize_dim(function, dim, x.ndim), _vector(function, index)
    rows = _of_dtype(function, require_tensor(function, source), x.dtype)
    wide = _at_least_vector(x)
    wanted = (*wide.shape[:axis], places.shape[0], *wide.shape[axis + 1 :])
    if rows.ndim == 0 and wide.ndim == 1:
        rows = reshape(rows, (1,))
    if rows.shape != wanted:
        raise ShapeError(
            f"{function}: the source must have one slice per position", got=str(rows.type),
            expected=str(x.type.with_shape(wanted)), where=user_location_text(),
        )  # fmt: skip
    return x, axis, places, rows


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """A copy with values at positions in index order; negative ones count from the end.

    Args:
        input: tensor.
        index: integers of any shape.
        source: as many values of the input's dtype.
        accumulate: add to what is there; repeated positions add up.

    Raises:
        ShapeError: unless there is one value per position.

    Source: ``torch.put``.
    """
    x, places = require_tensor("put", input), int_index("put", index)
    values = _of_dtype("put", require_tensor("put", source), x.dtype)
    if values.type.numel != places.type.numel:
        raise ShapeError(
            "put: expected one value per position", got=f"{values.type} for {places.type}",
            where=user_location_text(),
        )  # fmt: skip
    flat = reshape(x, (-1,))
    at = non_negative(reshape(places, (-1,)), flat.shape[0])
    made = put_at(flat, {0: at}, reshape(values, (-1,)), accumulate)
    return reshape(made, x.shape)


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """A copy with the source's elements, in their order, where the mask is True.

    Args:
        input: tensor; broadcast with the mask.
        mask: bool.
        source: of the input's dtype, with as many elements as the mask has True ones, or more.

    Raises:
        IndexRangeError: if there are too few elements, when it runs.

    Source: ``torch.masked_scatter``.
    """
    x, chosen = require_tensor("masked_scatter", input), require_tensor("masked_scatter", mask)
    values = reshape(
        _of_dtype("masked_scatter", require_tensor("masked_scatter", source), x.dtype), (-1,)
    )
    if chosen.dtype.category != BOOLEAN:
        raise DTypeError(
            "masked_scatter: the mask must be bool", got=chosen.dtype.name,
            where=user_location_text(),
        )  # fmt: skip
    x, chosen = broadcast_tensors(x, chosen)
    flat = reshape(chosen, (-1,))
    rank = elementwise.sub(cumsum(cast(flat, int64), dim=0), scalar_tensor(1, int64))
    if values.type.numel == 0 and not chosen.is_symbolic and not chosen.storage.array.any():
        return clone(x)
    place = select.where(flat, rank, scalar_tensor(0, int64))
    picked = index_ops.index(values, place, dims=(0,), what="masked_scatter: element of the source")
    return select.where(chosen, reshape(picked, x.shape), x)
