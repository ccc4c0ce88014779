"""Sampling images at positions that are given as numbers, and grids of such positions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dtypes import int64
from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.frontend.functions.choosing import clamp, where
from graphc.frontend.functions.convert import cast, require_tensor
from graphc.frontend.functions.picking import gather
from graphc.frontend.functions.pieces import unbind
from graphc.frontend.functions.pointwise import abs as absolute
from graphc.frontend.functions.products import matmul
from graphc.frontend.functions.rounding import floor, round
from graphc.frontend.functions.shaping import reshape, transpose
from graphc.frontend.making import concrete
from graphc.frontend.nn.functional.shapes import agree
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["affine_grid", "grid_sample"]

_CUBIC = -0.75


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The positions that affine maps give to the elements of images.

    Args:
        theta: ``(batch, 2, 3)`` for images, ``(batch, 3, 4)`` for volumes.
        size: of the images: ``(batch, channels, ...)``.
        align_corners: -1 and 1 are the middles of the outer elements, not their outer edges;
            default False.

    Returns:
        ``(batch, height, width, 2)``, or ``(batch, depth, height, width, 3)``.

    Raises:
        ShapeError: if the shapes do not fit.

    Source: ``torch.nn.functional.affine_grid``.

    Example:
        >>> import graphc as gc
        >>> import graphc.nn.functional as F
        >>> F.affine_grid(gc.tensor([[[1.0, 0, 0], [0, 1, 0]]]), (1, 1, 1, 2))
        tensor([[[[-0.5000,  0.0000],
                  [ 0.5000,  0.0000]]]])
    """
    maps = require_tensor("affine_grid", theta)
    sizes = [int(each) for each in size]
    dims = len(sizes) - 2
    if dims not in (2, 3) or not agree(maps.shape, (sizes[0], dims, dims + 1)) or min(sizes) < 1:
        raise ShapeError(
            "affine_grid: expected (batch, 2, 3) and (batch, channels, height, width), or "
            "(batch, 3, 4) and one dim more", got=f"{maps.type} and {tuple(sizes)}",
            where=user_location_text(),
        )  # fmt: skip
    rows = []
    for count in sizes[2:]:
        row = np.linspace(-1, 1, count) if count > 1 else np.zeros(1)
        rows.append(row if align_corners else row * ((count - 1) / count))
    points = np.stack([*reversed(np.meshgrid(*rows, indexing="ij")), np.ones(sizes[2:])], -1)
    base = concrete(points.reshape(1, -1, dims + 1).astype(maps.dtype.numpy))
    return reshape(matmul(base, transpose(maps, 1, 2)), (sizes[0], *sizes[2:], dims))


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """The values of images at positions.

    Args:
        input: ``(batch, channels, height, width)``, or with depth before height.
        grid: positions ``(batch, ..., 2)`` as (x, y), or ``(batch, ..., 3)`` as (x, y, z), where -1
            and 1 are the ends of the image.
        mode: ``"bilinear"`` (between neighbours, also of volumes), ``"nearest"``, or ``"bicubic"``
            (images only).
        padding_mode: outside are ``"zeros"``, the ``"border"``, or a ``"reflection"``.
        align_corners: -1 and 1 are the middles of the outer elements, not their outer edges;
            default False.

    Returns:
        ``(batch, channels, ...)`` with the grid's sizes.

    Raises:
        ArgumentError: for another mode.
        ShapeError: if the shapes do not fit.
        DTypeError: if the dtypes differ.

    Source: ``torch.nn.functional.grid_sample``. The spatial sizes must be known.
    """
    x, points = require_tensor("grid_sample", input), require_tensor("grid_sample", grid)
    _check(x, points, mode, padding_mode)
    sizes = [int(each) for each in x.shape[2:]]
    aligned = bool(align_corners)
    # x comes first in the grid and last in the image
    axes = [
        _Axis(size, padding_mode, aligned, place)
        for size, place in zip(sizes, reversed(unbind(points, -1)), strict=True)
    ]
    taps = [axis.taps(mode) for axis in axes]
    image = reshape(x, (*x.shape[:2], math.prod(sizes)))
    total: Any = None
    for tap in _combinations(taps):
        value = _read(image, sizes, axes, [place for place, _ in tap], padding_mode == "zeros")
        for _, weight in tap:
            value = value if weight is None else value * weight.unsqueeze(1)
        total = value if total is None else total + value
    result: Tensor = total
    return result


def _check(x: Tensor, points: Tensor, mode: str, padding_mode: str) -> None:
    if mode not in ("bilinear", "nearest", "bicubic") or (mode == "bicubic" and x.ndim != 4):
        raise ArgumentError(
            "grid_sample: unknown mode", got=f"{mode!r} for {x.type}",
            expected="'bilinear', 'nearest', or for images 'bicubic'", where=user_location_text(),
        )  # fmt: skip
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ArgumentError(
            "grid_sample: unknown padding_mode", got=repr(padding_mode),
            expected="'zeros', 'border' or 'reflection'", where=user_location_text(),
        )  # fmt: skip
    fits = (
        x.ndim in (4, 5)
        and points.ndim == x.ndim
        and points.shape[-1] == x.ndim - 2
        and agree(x.shape[:1], points.shape[:1])
        and all(isinstance(size, int) and size > 0 for size in x.shape[2:])
    )
    if not fits:
        raise ShapeError(
            "grid_sample: expected (batch, channels, height, width) and (batch, ..., 2), or one "
            "dim more and 3", got=f"{x.type} and {points.type}", where=user_location_text(),
        )  # fmt: skip
    if x.dtype is not points.dtype or not x.dtype.is_floating_point:
        raise DTypeError(
            "grid_sample: input and grid must have one floating point dtype",
            got=f"{x.dtype.name} and {points.dtype.name}", where=user_location_text(),
        )  # fmt: skip


_Tap = tuple["Tensor", "Tensor | None"]


class _Axis:
    """Positions along one spatial dim.

    Args:
        size: of the image in this dim.
        padding: what is outside.
        aligned: -1 and 1 are the middles of the outer elements.
        place: positions from -1 to 1.
    """

    def __init__(self, size: int, padding: str, aligned: bool, place: Tensor) -> None:
        self.size, self.padding, self.aligned = size, padding, aligned
        span = (place + 1) / 2
        self.at = span * (size - 1) if aligned else ((place + 1) * size - 1) / 2

    def taps(self, mode: str) -> list[_Tap]:
        """The elements around each position, as whole numbers, and their weights."""
        if mode == "bicubic":
            first = floor(self.at)
            rest = self.at - first
            return [
                (self.inside(first + (tap - 1)), _cubic(absolute(rest + (1 - tap)), tap in (1, 2)))
                for tap in range(4)
            ]
        at = self.inside(self.at)
        if mode == "nearest":
            return [(round(at), None)]
        first = floor(at)
        rest = at - first
        return [(first, 1 - rest), (first + 1, rest)]

    def inside(self, at: Tensor) -> Tensor:
        """Positions after the padding's rule; those outside stay there for zeros."""
        if self.padding == "zeros":
            return at
        if self.padding == "reflection":
            at = self.reflected(at)
        low, high = 0.0, float(self.size - 1)
        return where(at <= low, low, where(at >= high, high, at))

    def reflected(self, at: Tensor) -> Tensor:
        """Positions mirrored at both ends as often as needed."""
        low, high = (0.0, self.size - 1.0) if self.aligned else (-0.5, self.size - 0.5)
        length = high - low
        if length == 0:
            return at * 0
        distance = absolute(at - low)
        turns = floor(distance / length).detach()
        rest = distance - turns * length
        even = turns % 2 == 0
        return where(even, rest + low, high - rest)


def _cubic(d: Tensor, near: bool) -> Tensor:
    """The cubic convolution kernel (Keys, 1981) up to distance 1, or from 1 to 2."""
    if near:
        return ((_CUBIC + 2) * d - (_CUBIC + 3)) * d * d + 1
    return ((_CUBIC * d - 5 * _CUBIC) * d + 8 * _CUBIC) * d - 4 * _CUBIC


def _combinations(taps: list[list[_Tap]]) -> list[list[_Tap]]:
    """One tap of each dim, in all ways."""
    found: list[list[_Tap]] = [[]]
    for choices in taps:
        found = [[*before, choice] for before in found for choice in choices]
    return found


def _read(
    image: Tensor, sizes: list[int], axes: list[_Axis], places: list[Tensor], zeros: bool
) -> Tensor:
    """The elements ``(batch, channels, ...)`` at whole positions; 0 outside of the image."""
    flat: Any = 0
    seen: Any = None
    for size, place in zip(sizes, places, strict=True):
        fixed = place.detach()
        if zeros:
            exists = (fixed >= 0) & (fixed <= size - 1)
            seen = exists if seen is None else seen & exists
        safe = where(fixed == fixed, clamp(fixed, min=0, max=size - 1), 0.0)
        flat = cast(safe, int64) + flat * size
    batch, channels = image.shape[:2]
    shape = flat.shape[1:]
    index = reshape(flat, (batch, 1, -1))
    wide = index.expand((batch, channels, index.shape[2]))
    values = reshape(gather(image, 2, wide), (batch, channels, *shape))
    return values if seen is None else where(seen.unsqueeze(1), values, 0.0)
