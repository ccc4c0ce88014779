"""Small functions that PyTorch keeps beside its families."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphc.dims import Size
from graphc.dtypes import int64
from graphc.errors import ArgumentError, ArgumentTypeError, ShapeError
from graphc.frontend.functions import reduction
from graphc.frontend.functions.convert import require_tensor, shape_argument, to_operand
from graphc.frontend.functions.creation import arange, full
from graphc.frontend.functions.pieces import cat, narrow, stack
from graphc.frontend.functions.shape_rules import unravel_index
from graphc.frontend.functions.shaping import broadcast_tensors, reshape, unsqueeze
from graphc.frontend.functions.sorting import argsort
from graphc.ops import select
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["fill", "nonzero_static"]


def fill(input: Tensor, value: Any) -> Tensor:
    """A copy with one number everywhere (``torch.fill``).

    Raises:
        ArgumentTypeError: for what is no number.
        ShapeError: for a value with dims.
    """
    x = require_tensor("fill", input)
    if value is None:
        raise ArgumentTypeError("fill: expected a number", got="None", where=user_location_text())
    number = to_operand(value, x.dtype)
    if number.ndim:
        raise ShapeError("fill: expected one number", got=str(number.type),
                         where=user_location_text())  # fmt: skip
    return select.copy(broadcast_tensors(x, number)[1])


def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """The places of the first elements that are not 0, in ``size`` rows (``torch.nonzero_static``).

    Args:
        input: tensor.
        size: how many rows; places beyond it are left out.
        fill_value: what stands in rows without a place.

    Raises:
        ArgumentError: if the size is negative.

    Example:
        >>> import graphc as gc
        >>> gc.nonzero_static(gc.tensor([0, 5, 6]), size=3)
        tensor([[ 1],
                [ 2],
                [-1]])
    """
    x = require_tensor("nonzero_static", input)
    if size < 0:
        raise ArgumentError("nonzero_static: the size is negative", got=str(size),
                            where=user_location_text())  # fmt: skip
    empty = full((size, x.ndim), fill_value, dtype=int64)
    if x.ndim == 0 or x.numel() == 0:
        return empty
    is_set = reshape(x != 0, (-1,))
    first = argsort(is_set, descending=True, stable=True)[:size]
    rows = stack(unravel_index(first, x.shape), 1)
    is_place = unsqueeze(arange(rows.shape[0]) < reduction.sum(is_set), 1)
    return cat([select.where(is_place, rows, empty[: rows.shape[0]]), empty[rows.shape[0] :]])


def trace(input: Tensor) -> Tensor:
    """The sum of a matrix's diagonal (``torch.trace``).

    Raises:
        ShapeError: for anything but a matrix.
    """
    x = require_tensor("trace", input)
    if x.ndim != 2:
        raise ShapeError("trace: expected a matrix", got=str(x.type), where=user_location_text())
    rows, columns = x.shape
    count = min(rows, columns)
    flat = reshape(narrow(x, 0, 0, count), (-1,))
    return reduction.sum(flat[:: columns + 1][:count])


def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """The sum over the dims that broadcasting from this shape adds (``torch.Tensor.sum_to_size``).

    Raises:
        ShapeError: if the shape does not broadcast to the tensor's.
    """
    x = require_tensor("sum_to_size", input)
    shape: tuple[Size, ...] = shape_argument("sum_to_size", size)
    lead = x.ndim - len(shape)
    if lead < 0 or any(n not in (1, x.shape[lead + d]) for d, n in enumerate(shape)):
        raise ShapeError(
            "sum_to_size: the shape does not broadcast to the tensor's", got=f"{shape} of {x.type}",
            where=user_location_text(),
        )  # fmt: skip
    kept = [lead + d for d, n in enumerate(shape) if n == 1 and x.shape[lead + d] != 1]
    dims = [*range(lead), *kept]
    return reshape(reduction.sum(x, dims), shape) if dims else x
