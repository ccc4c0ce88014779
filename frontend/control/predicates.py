"""What decides: a Python bool, or a tensor of one element."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.dtypes import bool_
from graphc.errors import ArgumentTypeError, ShapeError
from graphc.frontend.base import is_tensor
from graphc.ops.comparison import ne
from graphc.ops.select import scalar
from graphc.ops.shape import reshape
from graphc.provenance import user_location_text


def decision(what: str, value: Any) -> Any:
    """A Python bool, or a 0-d bool tensor.

    Args:
        what: what was decided on, for errors, e.g. ``"cond: the predicate"``.
        value: what the user gave.

    Raises:
        ArgumentTypeError: if it is neither a bool nor a tensor.
        ShapeError: for a tensor of more than one element.
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if not is_tensor(value):
        raise ArgumentTypeError(
            f"{what} must be a bool or a tensor of one element", got=type(value).__name__,
            where=user_location_text(),
        )  # fmt: skip
    if any(size != 1 for size in value.shape):
        raise ShapeError(
            f"{what} must have one element", got=str(value.type), where=user_location_text(),
            fix="reduce it first, e.g. x.any() or x.all()",
        )  # fmt: skip
    one = reshape(value, shape=()) if value.shape else value
    return one if one.dtype is bool_ else ne(one, scalar(one, 0))
