"""Arguments of functions that slide windows over spatial dims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dims import Size
from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.convert import require_tensor
from graphc.frontend.functions.shaping import drop_dims, unsqueeze
from graphc.ops import shape as ops
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

Ints = int | Sequence[int]


def per_dim(function: str, name: str, value: Any, dims: int, least: int) -> tuple[int, ...]:
    """One whole number for all spatial dims, or one for each.

    Raises:
        ArgumentError: for another number of values, or one below ``least``.
    """
    given = list(value) if isinstance(value, Sequence) else [value]
    values = given * dims if len(given) == 1 else given
    whole = all(isinstance(each, int | np.integer) for each in values)
    if len(values) != dims or not whole or min(values) < least:
        raise ArgumentError(
            f"{function}: wrong {name}", got=repr(value),
            expected=f"a whole number from {least} on, or {dims} of them",
            where=user_location_text(),
        )  # fmt: skip
    return tuple(int(each) for each in values)


def with_batch(function: str, input: Any, dims: int) -> tuple[Tensor, bool]:
    """The input as ``(batch, channels, ...)``, and whether it had a batch dim itself.

    Raises:
        ShapeError: for another number of dims.
    """
    x = require_tensor(function, input)
    if x.ndim not in (dims + 1, dims + 2):
        raise ShapeError(
            f"{function}: expected (batch, channels, ...) or (channels, ...) with {dims} spatial "
            "dims", got=str(x.type), where=user_location_text(),
        )  # fmt: skip
    return (x, True) if x.ndim == dims + 2 else (unsqueeze(x, 0), False)


def without_batch(x: Tensor, batched: bool) -> Tensor:
    """Undo ``with_batch``."""
    return x if batched else drop_dims(x, (0,))


def frame(
    x: Tensor, low: Sequence[Size], high: Sequence[Size], value: float = 0.0,
    between: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """Elements around the last dims and between their elements; negative amounts cut off.

    Args:
        x: tensor.
        low: amount before each of the last dims.
        high: amount after each.
        value: what is added.
        between: amount between neighbours; default none.
    """
    lead = x.ndim - len(low)
    gaps = tuple(between or (0,) * len(low))
    amounts = [_split(before) for before in low], [_split(after) for after in high]
    added = tuple(tuple(more for more, _ in each) for each in amounts)
    removed = tuple(tuple(less for _, less in each) for each in amounts)
    none = (0,) * lead
    if any(any(more) for more in added) or any(gaps):
        x = ops.pad(x, low=none + added[0], high=none + added[1], interior=none + gaps, value=value)
    if any(any(less) for less in removed):
        starts = none + removed[0]
        stops = tuple(size - cut for size, cut in zip(x.shape, none + removed[1], strict=True))
        x = ops.slice_(x, starts=starts, stops=stops, steps=(1,) * x.ndim)
    return x


def _split(amount: Size) -> tuple[Size, Size]:
    """What to add and what to cut off."""
    if isinstance(amount, int) and amount < 0:
        return 0, -amount
    return amount, 0
