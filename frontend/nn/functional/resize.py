"""Resizing images: each spatial dim on its own, as sums of weighted neighbours."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dims import Dim
from graphc.dtypes import uint8
from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.frontend.functions.convert import require_tensor
from graphc.frontend.functions.picking import index_select
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.making import concrete
from graphc.frontend.nn.functional.adaptive import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
)  # fmt: skip
from graphc.provenance import user_location_text
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

_DIMS_OF = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
_AREA = {1: adaptive_avg_pool1d, 2: adaptive_avg_pool2d, 3: adaptive_avg_pool3d}
_CUBIC = -0.75
_CUBIC_ANTIALIAS = -0.5


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Images of another size.

    Args:
        input: ``(batch, channels, ...)`` with one to three spatial dims of known size.
        size: the new spatial sizes.
        scale_factor: or factors for the old ones.
        mode: ``"nearest"``, ``"nearest-exact"``, ``"linear"`` (one spatial dim), ``"bilinear"``,
            ``"bicubic"`` (two), ``"trilinear"`` (three) or ``"area"``.
        align_corners: the first and last elements stay where they are; for linear and cubic modes.
        recompute_scale_factor: use the quotient of the rounded sizes as the factor.
        antialias: widen the kernel when images shrink; for ``"bilinear"`` and ``"bicubic"``.

    Raises:
        ArgumentError: for arguments that contradict each other.
        ShapeError: if the number of dims does not fit, or sizes are unknown.

    Source: ``torch.nn.functional.interpolate``.

    Example:
        >>> import graphc as gc
        >>> import graphc.nn.functional as F
        >>> F.interpolate(gc.tensor([[[0.0, 2.0]]]), size=3, mode="linear", align_corners=True)
        tensor([[[0., 1., 2.]]])
    """
    x = require_tensor("interpolate", input)
    dims = x.ndim - 2
    if dims not in (1, 2, 3) or any(isinstance(each, Dim) for each in x.shape[2:]):
        raise ShapeError(
            "interpolate: expected (batch, channels, ...) with one to three known spatial sizes",
            got=str(x.type), where=user_location_text(),
        )  # fmt: skip
    _check_mode(x, mode, align_corners, antialias)
    sizes, factors = _target(x, size, scale_factor, recompute_scale_factor)
    if mode == "area":
        return _AREA[dims](x, sizes)
    is_rounded = x.dtype is uint8 and not mode.startswith("nearest")
    x = x.float() if is_rounded else x
    for number, (new, factor) in enumerate(zip(sizes, factors, strict=True)):
        old = int(x.shape[number + 2])
        places, weights = _taps(mode, old, new, factor, bool(align_corners), antialias)
        x = _weighted_sum(x, number + 2, places, weights)
    return x.round().clamp(0, 255).to(uint8) if is_rounded else x


def _check_mode(x: Tensor, mode: str, align_corners: bool | None, antialias: bool) -> None:
    known = (*_DIMS_OF, "nearest", "nearest-exact", "area")
    if mode not in known:
        raise ArgumentError(
            "interpolate: unknown mode", got=repr(mode), expected=", ".join(known),
            where=user_location_text(),
        )  # fmt: skip
    if mode in _DIMS_OF and _DIMS_OF[mode] != x.ndim - 2:
        raise ShapeError(
            f"interpolate: mode {mode!r} is for {_DIMS_OF[mode]} spatial dims", got=str(x.type),
            where=user_location_text(),
        )  # fmt: skip
    if not x.dtype.is_floating_point and x.dtype is not uint8 and not mode.startswith("nearest"):
        raise DTypeError(
            f"interpolate: mode {mode!r} needs floating point or uint8", got=x.dtype.name,
            where=user_location_text(),
        )  # fmt: skip
    if align_corners is not None and mode not in _DIMS_OF:
        raise ArgumentError(
            f"interpolate: align_corners has no meaning for mode {mode!r}",
            where=user_location_text(),
        )
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ArgumentError(
            "interpolate: antialias is for 'bilinear' and 'bicubic'", got=repr(mode),
            where=user_location_text(),
        )  # fmt: skip


def _target(
    x: Tensor, size: Any, scale_factor: Any, recompute: bool | None
) -> tuple[list[int], list[float | None]]:
    """The new sizes, and the factors that positions are computed with (None: by the sizes)."""
    dims = x.ndim - 2
    if (size is None) == (scale_factor is None) or (size is not None and recompute):
        raise ArgumentError(
            "interpolate: give either size or scale_factor; recompute_scale_factor needs a factor",
            where=user_location_text(),
        )
    given = size if scale_factor is None else scale_factor
    values = list(given) if isinstance(given, Sequence) else [given] * dims
    if len(values) != dims or min(values) <= 0:
        raise ArgumentError(
            "interpolate: expected a positive number, or one per spatial dim", got=repr(given),
            where=user_location_text(),
        )  # fmt: skip
    if scale_factor is None:
        return [int(each) for each in values], [None] * dims
    sizes = [
        math.floor(int(old) * float(factor))
        for old, factor in zip(x.shape[2:], values, strict=True)
    ]
    return sizes, [None if recompute else float(factor) for factor in values]


def _taps(
    mode: str, old: int, new: int, factor: float | None, aligned: bool, antialias: bool
) -> tuple[Array, Array | None]:
    """Which old elements each new element is made of: places and weights ``(taps, new)``."""
    ratio = 1 / factor if factor is not None else old / new
    at = np.arange(new)
    if mode.startswith("nearest"):
        shift = 0.5 if mode == "nearest-exact" else 0.0
        # float32, as PyTorch computes it: where a quotient falls on a whole number, that decides
        exact = ((at + shift).astype(np.float32) * np.float32(ratio)).astype(np.float32)
        return np.minimum(np.floor(exact), old - 1).astype(np.int64)[None], None
    if antialias:
        return _antialiased(mode, old, new, ratio if not aligned else _aligned(old, new), aligned)
    if aligned:
        center = at * _aligned(old, new)
    else:
        center = (at + 0.5) * ratio - 0.5
        center = center if mode == "bicubic" else np.maximum(center, 0)
    first = np.floor(center)
    rest = center - first
    if mode == "bicubic":
        places = first + np.arange(-1, 3)[:, None]
        weights = np.stack([_cubic(rest + 1 - tap, _CUBIC) for tap in range(4)])
    else:
        places = np.stack([first, first + 1])
        weights = np.stack([1 - rest, rest])
    return np.clip(places, 0, old - 1).astype(np.int64), weights


def _aligned(old: int, new: int) -> float:
    return (old - 1) / (new - 1) if new > 1 else 0.0


def _cubic(distance: Array, a: float) -> Array:
    """The cubic convolution kernel (Keys, 1981)."""
    d = np.abs(distance)
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))


def _antialiased(mode: str, old: int, new: int, ratio: float, aligned: bool) -> tuple[Array, Array]:
    """Taps of a kernel that is as wide as the step between new elements."""
    reach = 2.0 if mode == "bicubic" else 1.0
    wide = max(ratio, 1.0)
    support = reach * wide
    center = ratio * (np.arange(new) + 0.5)
    first = np.maximum((center - support + 0.5).astype(np.int64), 0)
    last = np.minimum((center + support + 0.5).astype(np.int64), old)
    taps = np.arange(int((last - first).max()))[:, None]
    distance = (taps + first - center + 0.5) / wide
    if mode == "bicubic":
        kernel = _cubic(distance, _CUBIC_ANTIALIAS)
    else:
        kernel = np.maximum(1 - np.abs(distance), 0)
    kernel = np.where(taps < last - first, kernel, 0)
    places = np.minimum(first + taps, old - 1)
    return places, kernel / kernel.sum(0)


def _weighted_sum(x: Tensor, dim: int, places: Array, weights: Array | None) -> Tensor:
    total: Tensor | None = None
    for tap, row in enumerate(places):
        term = index_select(x, dim, concrete(np.ascontiguousarray(row, np.int64)))
        if weights is not None:
            factors = concrete(weights[tap].astype(x.dtype.numpy))
            term = term * reshape(factors, (-1, *(1,) * (x.ndim - dim - 1)))
        total = term if total is None else total + term
    assert total is not None
    return total


def upsample(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """``interpolate``; deprecated (``torch.nn.functional.upsample``)."""
    _deprecated("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(
    input: Tensor, size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
) -> Tensor:  # fmt: skip
    """``interpolate`` to the nearest; deprecated (``torch.nn.functional.upsample_nearest``)."""
    _deprecated("upsample_nearest")
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(
    input: Tensor, size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
) -> Tensor:  # fmt: skip
    """``interpolate`` with aligned corners; deprecated.

    Source: ``torch.nn.functional.upsample_bilinear``.
    """
    _deprecated("upsample_bilinear")
    return interpolate(input, size, scale_factor, "bilinear", align_corners=True)


def _deprecated(name: str) -> None:
    warnings.warn(f"{name} is deprecated, use interpolate", DeprecationWarning, stacklevel=3)
