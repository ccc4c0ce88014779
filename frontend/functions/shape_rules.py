"""Shapes without tensors: what they broadcast to, and where an element lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphc.dims import Shape, Size
from graphc.dtypes import int64
from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.frontend.functions.convert import cast, require_tensor, shape_argument
from graphc.frontend.functions.pointwise import floor_divide, remainder
from graphc.provenance import user_location_text
from graphc.shapes import broadcast_shapes as common_shape

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["broadcast_shapes", "unravel_index"]


def broadcast_shapes(*shapes: Sequence[Size] | Size) -> Shape:
    """The shape that tensors of these shapes broadcast to (``torch.broadcast_shapes``).

    Args:
        shapes: sequences of sizes; a number is one size.

    Raises:
        ShapeError: if they do not broadcast.

    Example:
        >>> import graphc as gc
        >>> gc.broadcast_shapes((2, 1), (3,))
        (2, 3)
    """
    given = [shape_argument("broadcast_shapes", (shape,)) for shape in shapes]
    found = common_shape(*given)
    if found is None:
        raise ShapeError(
            "broadcast_shapes: the shapes do not broadcast", got=" and ".join(map(str, given)),
            expected="sizes that are equal or 1, aligned at the last dim",
            where=user_location_text(),
        )  # fmt: skip
    return found


def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """The index along each dim of elements that are counted in order (``torch.unravel_index``).

    Args:
        indices: integer tensor of positions in the flattened tensor.
        shape: the tensor's shape.

    Raises:
        ArgumentError: if a position is outside.
        DTypeError: for positions that are no integers.

    Example:
        >>> import graphc as gc
        >>> gc.unravel_index(gc.tensor([4, 5]), (2, 3))
        (tensor([1, 1]), tensor([1, 2]))
    """
    places = require_tensor("unravel_index", indices)
    if places.dtype.category != 1:
        raise DTypeError(
            "unravel_index: expected integers", got=places.dtype.name, where=user_location_text()
        )
    sizes = shape_argument("unravel_index", (shape,))
    count = math.prod(sizes)
    values = None if places.is_symbolic else places.storage.array
    if values is not None and not ((values >= 0) & (values < count)).all():
        raise ArgumentError(
            "unravel_index: a position is outside of the shape", got=str(sizes),
            where=user_location_text(),
        )  # fmt: skip
    places = cast(places, int64)
    steps = [math.prod(sizes[dim + 1 :]) for dim in range(len(sizes))]
    return tuple(
        remainder(floor_divide(places, max(step, 1)), max(size, 1))
        for step, size in zip(steps, sizes, strict=True)
    )
