"""Moving dims and elements around, and windows of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dims import Dim, Size, floor_divide, larger
from graphc.errors import ArgumentError, ArgumentTypeError, ShapeError
from graphc.frontend.functions.convert import (
    normalize_dim,
    normalize_dims,
    require_rank,
    require_tensor,
    shape_argument,
)
from graphc.frontend.functions.indexing import slices_at
from graphc.frontend.functions.pieces import cat, known_size
from graphc.frontend.functions.shaping import clone, flip, permute, reshape, transpose
from graphc.frontend.making import concrete
from graphc.frontend.memory.views import own
from graphc.ops import index as index_ops
from graphc.ops.shape import narrow
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "fliplr",
    "flipud",
    "moveaxis",
    "movedim",
    "pixel_shuffle",
    "pixel_unshuffle",
    "ravel",
    "roll",
    "rot90",
    "swapaxes",
    "swapdims",
    "unflatten",
]


def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Move dims to other places; the others keep their order (``torch.movedim``).

    Args:
        input: tensor.
        source: the dims that move.
        destination: where each of them goes.

    Raises:
        ArgumentError: for more or fewer destinations than sources.

    Example:
        >>> import graphc as gc
        >>> gc.movedim(gc.ones(2, 3, 4), 0, -1).shape
        (3, 4, 2)
    """
    x = require_tensor("movedim", input)
    pairs = []
    for given in (source, destination):
        dims: list[Any] = list(given) if isinstance(given, list | tuple) else [given]
        normalize_dims("movedim", dims, x.ndim)
        pairs.append([normalize_dim("movedim", dim, x.ndim) for dim in dims])
    if len(pairs[0]) != len(pairs[1]):
        raise ArgumentError(
            "movedim: as many destinations as sources", got=f"{source} to {destination}",
            where=user_location_text(),
        )  # fmt: skip
    if x.ndim == 0:
        return x
    places = dict(zip(pairs[1], pairs[0], strict=True))
    others = iter(dim for dim in range(x.ndim) if dim not in pairs[0])
    return permute(x, tuple(places[d] if d in places else next(others) for d in range(x.ndim)))


moveaxis = movedim
swapdims = transpose


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """Two dims exchanged (``torch.swapaxes``)."""
    return transpose(input, axis0, axis1)


def ravel(input: Tensor) -> Tensor:
    """All elements in index order as a vector (``torch.ravel``)."""
    return reshape(require_tensor("ravel", input), (-1,))


def unflatten(input: Tensor, dim: int, sizes: Sequence[Size]) -> Tensor:
    """Split one dim into several; one size may be -1 (``torch.unflatten``).

    Raises:
        ArgumentError: without sizes.
        ShapeError: if the sizes do not make up the dim.
    """
    x = require_tensor("unflatten", input)
    axis = normalize_dim("unflatten", dim, x.ndim)
    wanted = list(shape_argument("unflatten", (tuple(sizes),), least=-1))
    if not wanted or x.ndim == 0:
        raise ArgumentError(
            "unflatten: expected a dim and its sizes", got=f"{x.type}, {sizes}",
            where=user_location_text(),
        )  # fmt: skip
    if wanted.count(-1) == 1 and isinstance(x.shape[axis], int):
        known = math.prod(size for size in wanted if isinstance(size, int) and size != -1)
        if known and x.shape[axis] % known == 0:
            wanted[wanted.index(-1)] = x.shape[axis] // known
    if isinstance(x.shape[axis], int) and (-1 in wanted or math.prod(wanted) != x.shape[axis]):
        raise ShapeError(
            "unflatten: the sizes do not make up the dim", got=f"{tuple(sizes)} for {x.type}",
            expected=f"a product of {x.shape[axis]}", where=user_location_text(),
        )  # fmt: skip
    return reshape(x, (*x.shape[:axis], *wanted, *x.shape[axis + 1 :]))


def fliplr(input: Tensor) -> Tensor:
    """Reverse the order of columns (``torch.fliplr``)."""
    return flip(require_rank("fliplr", input, 2), 1)


def flipud(input: Tensor) -> Tensor:
    """Reverse the order of rows (``torch.flipud``)."""
    return flip(require_rank("flipud", input, 1), 0)


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Turn by 90 degrees ``k`` times, from the first dim towards the second (``torch.rot90``).

    Raises:
        ArgumentError: for anything but two dims.
    """
    x = require_rank("rot90", input, 2)
    if len(dims) != 2 or len(normalize_dims("rot90", list(dims), x.ndim)) != 2:
        raise ArgumentError("rot90: expected two dims", got=str(dims), where=user_location_text())
    first, second = dims
    turns = k % 4
    if turns == 0:
        return clone(x)
    if turns == 2:
        return flip(x, (first, second))
    return transpose(flip(x, second if turns == 1 else first), first, second)


def roll(
    input: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None
) -> Tensor:
    """Move elements along dims; those that leave at one end come in at the other.

    Args:
        input: tensor.
        shifts: how far, per dim.
        dims: the dims; None rolls all elements in index order.

    Raises:
        ArgumentTypeError: for shifts that are not whole.
        ArgumentError: for more or fewer shifts than dims.

    Source: ``torch.roll``.

    Example:
        >>> import graphc as gc
        >>> gc.roll(gc.arange(5), 2)
        tensor([3, 4, 0, 1, 2])
    """
    x = require_tensor("roll", input)
    amounts: list[Any] = list(shifts) if isinstance(shifts, list | tuple) else [shifts]
    if not all(isinstance(amount, int | np.integer | Dim) for amount in amounts):
        raise ArgumentTypeError(
            "roll: shifts must be whole numbers", got=repr(shifts), where=user_location_text()
        )
    amounts = [amount if isinstance(amount, Dim) else int(amount) for amount in amounts]
    if dims is None or dims == ():
        if len(amounts) != 1:
            raise ArgumentError(
                "roll: several shifts need as many dims", got=str(shifts),
                where=user_location_text(),
            )  # fmt: skip
        return reshape(_rolled(reshape(x, (-1,)), amounts[0], 0), x.shape)
    axes = list(dims) if isinstance(dims, list | tuple) else [dims]
    if len(axes) != len(amounts) or x.ndim == 0:
        raise ArgumentError(
            "roll: as many shifts as dims", got=f"{shifts} for {dims} of {x.type}",
            where=user_location_text(),
        )  # fmt: skip
    for amount, dim in zip(amounts, axes, strict=True):
        x = _rolled(x, amount, normalize_dim("roll", dim, x.ndim))
    return x


def _rolled(x: Tensor, shift: Any, axis: int) -> Tensor:
    size = x.shape[axis]
    around = larger(size, 1)  # a dim that is empty, or turns out to be, has nothing to roll
    at = -shift - floor_divide(-shift, around) * around
    if isinstance(at, int) and at == 0:
        return clone(x)
    return cat([narrow(x, axis, at, size), narrow(x, axis, 0, at)], axis)


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows along a dim, with their elements along a new last dim; a copy.

    Args:
        input: tensor.
        dimension: the dim.
        size: elements per window.
        step: from the start of a window to that of the next.

    Source: ``torch.Tensor.unfold``, which gives a view.
    """
    x = require_tensor("unfold", input)
    axis = normalize_dim("unfold", dimension, x.ndim)
    wide = x if x.ndim else reshape(x, (1,))
    length = known_size("unfold", wide, axis)
    if not 0 <= size <= length or step < 1:
        raise ArgumentError(
            "unfold: the window must fit, and the step be positive",
            got=f"size {size}, step {step} for {x.type}", where=user_location_text(),
        )  # fmt: skip
    places = np.arange(0, length - size + 1, step)[:, None] + np.arange(size)
    if axis == wide.ndim - 1:
        line = slices_at(wide, concrete(places.reshape(-1)), axis)
        windows = reshape(line, (*line.shape[:-1], *places.shape))
        return windows if x.ndim else reshape(windows, (size,))
    windows = index_ops.index(wide, concrete(places), dims=(axis,))
    order = (*range(2, axis + 2), 0, *range(axis + 2, windows.ndim), 1)
    return permute(windows, order)


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Turn channels into finer pixels: ``(*, C r r, H, W)`` to ``(*, C, H r, W r)``.

    Args:
        input: images.
        upscale_factor: r.

    Raises:
        ShapeError: unless the channels are a multiple of the factor's square.

    Source: ``torch.nn.functional.pixel_shuffle``.
    """
    x, r = require_rank("pixel_shuffle", input, 3), upscale_factor
    channels = known_size("pixel_shuffle", x, x.ndim - 3)
    if r < 1 or channels % (r * r):
        raise ShapeError(
            "pixel_shuffle: the channels must be a multiple of the factor's square",
            got=f"{x.type}, factor {r}", where=user_location_text(),
        )  # fmt: skip
    *batch, _, height, width = x.shape
    n = len(batch)
    apart = reshape(x, (*batch, channels // (r * r), r, r, height, width))
    mixed = permute(apart, (*range(n), n, n + 3, n + 1, n + 4, n + 2))
    return own(reshape(mixed, (*batch, channels // (r * r), height * r, width * r)))


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Turn pixels into channels: ``(*, C, H r, W r)`` to ``(*, C r r, H, W)``.

    Args:
        input: images.
        downscale_factor: r.

    Raises:
        ShapeError: unless height and width are multiples of the factor.

    Source: ``torch.nn.functional.pixel_unshuffle``.
    """
    x, r = require_rank("pixel_unshuffle", input, 3), downscale_factor
    *batch, channels, height, width = x.shape
    divides = all(not isinstance(size, int) or size % max(r, 1) == 0 for size in (height, width))
    if r < 1 or not divides:
        raise ShapeError(
            "pixel_unshuffle: height and width must be multiples of the factor",
            got=f"{x.type}, factor {r}", where=user_location_text(),
        )  # fmt: skip
    n = len(batch)
    apart = reshape(x, (*batch, channels, height // r, r, width // r, r))
    mixed = permute(apart, (*range(n), n, n + 2, n + 4, n + 1, n + 3))
    return own(reshape(mixed, (*batch, channels * r * r, height // r, width // r)))
