"""Padding with a constant, mirrored elements, the edge, or the other end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphc.dims import Size
from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions import padding
from graphc.frontend.functions.convert import require_tensor
from graphc.frontend.functions.pieces import cat
from graphc.frontend.nn.functional.windows import frame
from graphc.ops import shape as ops
from graphc.ops.shape import narrow
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["pad"]


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: complex | None = None
) -> Tensor:
    """Add elements at the ends of dims, last dim first; negative amounts cut off.

    Args:
        input: tensor; for other modes than ``"constant"``, ``(batch, channels, ...)`` or
            ``(channels, ...)`` with a pair of amounts for each spatial dim.
        pad: (before, after) of the last dim, then of the one before it, and so on.
        mode: ``"constant"``, ``"reflect"`` (mirrored at the edge element), ``"replicate"`` (the
            edge element) or ``"circular"`` (from the other end).
        value: for ``"constant"``; default 0.

    Raises:
        ArgumentError: for another mode, a value with a mode that has none, or wrong amounts.
        ShapeError: if there are too few elements to add.

    Source: ``torch.nn.functional.pad``.

    Example:
        >>> import graphc as gc
        >>> import graphc.nn.functional as F
        >>> F.pad(gc.tensor([[1, 2, 3]]), (2, 1), mode="reflect")
        tensor([[3, 2, 1, 2, 3, 2]])
    """
    x = require_tensor("pad", input)
    if mode == "constant":
        return padding.pad(x, pad, mode, value)
    if mode not in ("reflect", "replicate", "circular"):
        raise ArgumentError(
            "pad: unknown mode", got=repr(mode),
            expected="'constant', 'reflect', 'replicate' or 'circular'",
            where=user_location_text(),
        )  # fmt: skip
    amounts = [int(each) for each in pad]
    dims = len(amounts) // 2
    if value is not None and value != 0:
        raise ArgumentError(
            f"pad: mode {mode!r} takes no value", got=str(value), where=user_location_text()
        )
    if len(amounts) % 2 or dims not in (1, 2, 3) or x.ndim not in (dims + 1, dims + 2):
        raise ArgumentError(
            f"pad: mode {mode!r} pads all dims but the first or the first two",
            got=f"{tuple(amounts)} for {x.type}", expected="one pair per spatial dim",
            where=user_location_text(),
        )  # fmt: skip
    low, high = amounts[::2][::-1], amounts[1::2][::-1]
    padding.require_left("pad", x, low, high, 0 if mode == "circular" else 1)
    if mode == "circular":
        x = _cut(x, low, high)
    for dim, (before, after) in enumerate(zip(low, high, strict=True), start=x.ndim - dims):
        x = _extend(x, dim, max(before, 0), max(after, 0), mode)
    return x if mode == "circular" else _cut(x, low, high)


def _cut(x: Tensor, low: Sequence[int], high: Sequence[int]) -> Tensor:
    """Leave out what negative amounts say."""
    return frame(x, [min(each, 0) for each in low], [min(each, 0) for each in high])


def _extend(x: Tensor, dim: int, before: int, after: int, mode: str) -> Tensor:
    if not before and not after:
        return x
    size = x.shape[dim]
    _require_enough(x, dim, max(before, after), mode)
    parts = [x]
    if mode == "reflect":
        start = _part(x, dim, 1, before + 1, mirrored=True)
        end = _part(x, dim, size - 1 - after, size - 1, mirrored=True)
    elif mode == "circular":
        start, end = _part(x, dim, size - before, size), _part(x, dim, 0, after)
    else:
        start, end = (
            _part(x, dim, at, at + 1).expand(
                tuple(count if d == dim else s for d, s in enumerate(x.shape))
            )
            for at, count in ((0, before), (size - 1, after))
        )
    parts = [start] * (before > 0) + parts + [end] * (after > 0)
    return cat(parts, dim)


def _part(x: Tensor, dim: int, start: Size, stop: Size, *, mirrored: bool = False) -> Tensor:
    part = narrow(x, dim, start, stop)
    return ops.flip(part, dims=(dim,)) if mirrored else part


def _require_enough(x: Tensor, dim: int, count: int, mode: str) -> None:
    """What is added must exist in the input."""
    size = x.shape[dim]
    least = {"reflect": count + 1, "circular": count, "replicate": 1}[mode]
    if isinstance(size, int) and size < least:
        raise ShapeError(
            f"pad: mode {mode!r} adds more elements than there are", got=f"{count} to {x.type}",
            expected=f"a size of {least} or more in dim {dim}", where=user_location_text(),
        )  # fmt: skip
