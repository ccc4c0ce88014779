"""Dropout: random zeros while training, per element or per channel."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphc.dims import Size
from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.convert import as_float, require_tensor, scalar_tensor
from graphc.frontend.functions.sampling import keep_mask
from graphc.frontend.nn.functional.overwrite import overwrite
from graphc.ops import elementwise, select
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
]

_SELU_FLOOR = 1.7580993408473766
"""Minus the limit of ``selu(x)`` for small ``x``; alpha dropout sets elements to that limit."""


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each element with probability ``p`` and scale the others by ``1 / (1 - p)``.

    Args:
        input: floating point tensor.
        p: probability of zero, from 0 to 1.
        training: False returns the input as it is.
        inplace: let ``input`` itself have the result's values.

    Raises:
        ArgumentError: for a probability outside 0 to 1.

    Source: ``torch.nn.functional.dropout``. The mask comes from the default generator and is the
    same dynamically and compiled.
    """
    x = require_tensor("dropout", input)
    return _drop(x, x.shape, p, training, inplace)


def _drop(x: Tensor, mask: Sequence[Size], p: float, training: bool, inplace: bool) -> Tensor:
    """Zero with a random mask of this shape, which broadcasts."""
    check_probability(p)
    if not training or p == 0:
        return x
    values = as_float("dropout", x)
    zero = scalar_tensor(0, values.dtype)
    if p == 1:
        return overwrite(x, elementwise.mul(values, zero), inplace)
    scaled = elementwise.mul(values, scalar_tensor(1.0 / (1.0 - p), values.dtype))
    return overwrite(x, select.where(keep_mask(mask, 1.0 - p), scaled, zero), inplace)


def check_probability(p: float) -> None:
    """Raise ArgumentError unless ``p`` is a probability."""
    if not 0 <= p <= 1:
        raise ArgumentError(
            "dropout: the probability must be between 0 and 1", got=str(p),
            where=user_location_text(),
        )  # fmt: skip


def _channels(x: Tensor, batched: bool) -> tuple[Size, ...]:
    """The shape of a mask that has one element per channel."""
    lead = 2 if batched else 1
    return (*x.shape[:lead], *(1,) * (x.ndim - lead))


def _with_channels(function: str, input: Tensor) -> Tensor:
    """Raise ShapeError unless a tensor has a batch and channels; return it."""
    x = require_tensor(function, input)
    if x.ndim < 2:
        raise ShapeError(
            f"{function}: expected (batch, channels, ...)", got=str(x.type),
            where=user_location_text(),
        )  # fmt: skip
    return x


def drop_channels(function: str, input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    """``dropout`` of whole channels of ``(batch, channels, ...)``.

    Raises:
        ShapeError: for fewer dims.
    """
    x = _with_channels(function, input)
    return _drop(x, _channels(x, True), p, training, inplace)


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """``dropout`` of whole channels of ``(batch, channels, length)`` or ``(channels, length)``.

    Raises:
        ShapeError: for another number of dims.

    Source: ``torch.nn.functional.dropout1d``.
    """
    x = require_tensor("dropout1d", input)
    if x.ndim not in (2, 3):
        raise ShapeError(
            "dropout1d: expected (batch, channels, length) or (channels, length)",
            got=str(x.type), where=user_location_text(),
        )  # fmt: skip
    return _drop(x, _channels(x, x.ndim == 3), p, training, inplace)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """``dropout`` of whole channels of ``(batch, channels, height, width)``.

    As in PyTorch, three dims are ``(batch, channels, length)``, with a warning.

    Source: ``torch.nn.functional.dropout2d``.
    """
    return _drop_planes("dropout2d", input, (3, 4), p, training, inplace)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """``dropout`` of whole channels of ``(batch, channels, depth, height, width)``.

    Without the batch, four dims are accepted, too.

    Source: ``torch.nn.functional.dropout3d``.
    """
    return _drop_planes("dropout3d", input, (4, 5), p, training, inplace)


def _drop_planes(
    function: str, input: Tensor, ranks: tuple[int, int], p: float, training: bool, inplace: bool
) -> Tensor:
    x = require_tensor(function, input)
    if x.ndim < 2:
        raise ShapeError(
            f"{function}: expected (batch, channels, ...)", got=str(x.type),
            where=user_location_text(),
        )  # fmt: skip
    if x.ndim not in ranks:
        warnings.warn(
            f"{function}: {x.type} has neither {ranks[0]} nor {ranks[1]} dims; the first two are "
            "taken as batch and channels", UserWarning, stacklevel=3,
        )  # fmt: skip
    if function == "dropout2d" and x.ndim == 3:
        warnings.warn(
            f"dropout2d: {x.type} is taken as (batch, channels, length); use dropout1d",
            UserWarning, stacklevel=3,
        )  # fmt: skip
    batched = not (function == "dropout3d" and x.ndim == 4)
    return _drop(x, _channels(x, batched), p, training, inplace)


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Set elements to the limit of ``selu`` with probability ``p``; mean and variance stay.

    Args:
        input: floating point tensor.
        p: probability, from 0 to 1.
        training: False returns the input as it is.
        inplace: let ``input`` itself have the result's values.

    Source: ``torch.nn.functional.alpha_dropout``.
    """
    x = require_tensor("alpha_dropout", input)
    return _drop_to_floor(x, x.shape, p, training, inplace)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """``alpha_dropout`` of whole channels of ``(batch, channels, ...)``.

    Raises:
        ShapeError: for fewer than two dims.

    Source: ``torch.nn.functional.feature_alpha_dropout``.
    """
    x = _with_channels("feature_alpha_dropout", input)
    return _drop_to_floor(x, _channels(x, True), p, training, inplace)


def _drop_to_floor(
    x: Tensor, mask: Sequence[Size], p: float, training: bool, inplace: bool
) -> Tensor:
    check_probability(p)
    if not training or p == 0:
        return x
    values = as_float("alpha_dropout", x)
    if p == 1:
        return overwrite(x, values * 0, inplace)
    scale = 1 / math.sqrt((_SELU_FLOOR**2 * p + 1) * (1 - p))
    shift = _SELU_FLOOR * scale * p
    kept = keep_mask(mask, 1.0 - p)
    floor = scalar_tensor(shift - _SELU_FLOOR * scale, values.dtype)
    return overwrite(x, select.where(kept, values * scale + shift, floor), inplace)
