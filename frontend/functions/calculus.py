"""Differences and integrals of samples (``torch.diff``, ``torch.trapezoid`` and the like)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphc.dims import Size, smaller
from graphc.dtypes import bool_
from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.base import is_tensor
from graphc.frontend.functions import logic, reduction
from graphc.frontend.functions.convert import (
    as_float,
    cast,
    normalize_dim,
    normalize_dims,
    require_rank,
    require_tensor,
    to_operand,
)  # fmt: skip
from graphc.frontend.functions.pieces import cat
from graphc.frontend.functions.scan import cumsum
from graphc.frontend.functions.shaping import expand, reshape
from graphc.ops.shape import narrow
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["cumulative_trapezoid", "diff", "gradient", "trapezoid", "trapz"]


def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None,
    append: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The differences of neighbours along a dim.

    Args:
        input: tensor with one dim or more; of bools, whether they differ.
        n: how many times.
        dim: the dim.
        prepend: put before the input first, along the dim.
        append: put behind it.

    Raises:
        ArgumentError: for a negative ``n``, and for tensors without dims.

    Source: ``torch.diff``.

    Example:
        >>> import graphc as gc
        >>> gc.diff(gc.tensor([1, 4, 9]))
        tensor([3, 5])
    """
    x = require_tensor("diff", input)
    if x.ndim == 0 or n < 0:
        raise ArgumentError("diff: expected one dim or more, and n >= 0", got=f"{x.type}, n={n}",
                            where=user_location_text())  # fmt: skip
    axis = normalize_dim("diff", dim, x.ndim)
    if prepend is not None or append is not None:
        x = cat([each for each in (prepend, x, append) if each is not None], axis)
    for _ in range(n):
        after, before = _neighbours(x, axis)
        x = logic.logical_xor(after, before) if x.dtype is bool_ else after - before
    return x


def _neighbours(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """All elements but the first, and all but the last, along a dim; none of none."""
    size = x.shape[axis]
    one = smaller(size, 1)
    return narrow(x, axis, one, size), narrow(x, axis, 0, size - one)


def _panels(function: str, y: Tensor, x: Tensor | None, dx: Any, dim: int) -> tuple[Tensor, int]:
    """The area between each two neighbouring samples, and along which dim they are."""
    values = require_rank(function, y, 1)
    axis = normalize_dim(function, dim, values.ndim)
    size = values.shape[axis]
    if size == 0:
        return as_float(function, values), axis
    after, before = _neighbours(values, axis)
    both = after + before
    if x is None:
        return both * dx / 2.0, axis
    places = require_tensor(function, x)
    if places.ndim == 1 and values.ndim > 1:
        places = reshape(places, (-1, *(1,) * (values.ndim - axis - 1)))
        axis_of_x = 0
    else:
        axis_of_x = axis - (values.ndim - places.ndim)
    if not 0 <= axis_of_x < places.ndim or places.shape[axis_of_x] != size:
        raise ShapeError(f"{function}: expected one place per sample",
                         got=f"y {values.type}, x {x.type}, dim {dim}",
                         where=user_location_text())  # fmt: skip
    return both * diff(places, dim=axis_of_x) / 2.0, axis


def trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1
) -> Tensor:
    """The integral of samples along a dim, by the trapezoidal rule.

    Args:
        y: the samples.
        x: their places, one per sample or of their shape.
        dx: the distance of neighbours, instead of ``x``; default 1.
        dim: the dim.

    Source: ``torch.trapezoid``.

    Example:
        >>> import graphc as gc
        >>> gc.trapezoid(gc.tensor([1.0, 5.0, 10.0]), gc.tensor([1.0, 3.0, 6.0]))
        tensor(28.5000)
    """
    panels, axis = _panels("trapezoid", y, x, _distance("trapezoid", x, dx), dim)
    return reduction.sum(panels, axis)


def trapz(y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1) -> Tensor:
    """Older name of ``trapezoid`` (``torch.trapz``)."""
    return trapezoid(y, x, dx=dx, dim=dim)


def _distance(function: str, x: Tensor | None, dx: float | None) -> float:
    if x is not None and dx is not None:
        raise ArgumentError(f"{function}: either places or their distance", got="x and dx",
                            where=user_location_text())  # fmt: skip
    return 1.0 if dx is None else dx


def cumulative_trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1
) -> Tensor:
    """The running integral, one element shorter than the samples (``torch.cumulative_trapezoid``).

    Args:
        y: the samples.
        x: their places.
        dx: the distance of neighbours, instead of ``x``.
        dim: the dim.
    """
    panels, axis = _panels(
        "cumulative_trapezoid", y, x, _distance("cumulative_trapezoid", x, dx), dim
    )
    return cumsum(panels, axis)


def gradient(
    input: Tensor, *, spacing: float | Sequence[Any] | Tensor | None = None,
    dim: int | Sequence[int] | None = None, edge_order: int = 1,
) -> tuple[Tensor, ...]:  # fmt: skip
    """The derivative along each dim, by differences of both neighbours.

    Args:
        input: tensor.
        spacing: the distance of samples, one or one per dim (default 1); or their places, one
            vector per dim.
        dim: dim or dims; None for all.
        edge_order: how many neighbours count at the first and the last sample, 1 or 2.

    Returns:
        One tensor of the input's shape per dim.

    Raises:
        ArgumentError: for another ``edge_order``, or spacings that are not one per dim.

    Source: ``torch.gradient``.
    """
    x = require_tensor("gradient", input)
    dims = (
        normalize_dims("gradient", None, x.ndim)
        if dim is None
        else tuple(normalize_dim("gradient", each, x.ndim)
                   for each in (dim if isinstance(dim, Sequence) else [dim]))
    )  # fmt: skip
    space = 1 if spacing is None else spacing
    spaces = list(space) if isinstance(space, list | tuple) else [space] * len(dims)
    if edge_order not in (1, 2) or len(spaces) != len(dims):
        raise ArgumentError(
            "gradient: expected edge_order 1 or 2, and one spacing per dim",
            got=f"edge_order={edge_order}, {len(spaces)} for {len(dims)} dims",
            where=user_location_text(),
        )  # fmt: skip
    x = as_float("gradient", x)
    return tuple(
        _derivative(x, axis, space, edge_order) for axis, space in zip(dims, spaces, strict=True)
    )


def _derivative(x: Tensor, axis: int, space: Any, edge_order: int) -> Tensor:
    size = x.shape[axis]
    if isinstance(size, int) and size < edge_order + 1:
        raise ShapeError("gradient: too few samples along a dim", got=f"{x.type}, dim {axis}",
                         expected=f"{edge_order + 1} or more",
                         where=user_location_text())  # fmt: skip

    steps = _steps(x, axis, space)
    slopes = diff(x, dim=axis) / steps

    def slope(start: Size, stop: Size) -> Tensor:
        return narrow(slopes, axis, start, stop)

    def step(start: Size, stop: Size) -> Tensor:
        return narrow(steps, 0, start, stop)

    before, after = step(0, size - 2), step(1, size - 1)
    inner = (slope(0, size - 2) * after + slope(1, size - 1) * before) / (before + after)
    first, last = slope(0, 1), slope(size - 2, size - 1)
    if edge_order == 2:
        near, far = step(0, 1), step(1, 2)
        first = first + (first - slope(1, 2)) * near / (near + far)
        near, far = step(size - 2, size - 1), step(size - 3, size - 2)
        last = last + (last - slope(size - 3, size - 2)) * near / (near + far)
    return cat([first, inner, last], axis)


def _steps(x: Tensor, axis: int, space: Any) -> Tensor:
    """The distances of neighbours, shaped to divide their differences."""
    size = x.shape[axis]
    trailing = (1,) * (x.ndim - axis - 1)
    if not is_tensor(space) or space.ndim == 0:
        return expand(to_operand(space, x.dtype), (size - 1, *trailing))
    if space.ndim != 1 or space.shape[0] != size:
        raise ShapeError("gradient: expected one place per sample", got=f"{space.type}, dim {axis}",
                         where=user_location_text())  # fmt: skip
    return reshape(diff(cast(space, x.dtype)), (size - 1, *trailing))
