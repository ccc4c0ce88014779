"""Whether numbers fit into a dtype."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphc.dtypes import BOOLEAN, INTEGER, DType
from graphc.errors import ArgumentError
from graphc.provenance import user_location_text
from graphc.storage import Array


def require_fits(function: str, number: Any, dtype: DType) -> None:
    """Raise ArgumentError unless a Python number can be an element of this dtype.

    As in PyTorch a float loses what follows the point, a negative number may wrap around in
    uint8, and only infinity is infinite.
    """
    if not isinstance(number, int | float | complex) or dtype.category == BOOLEAN:
        return
    if isinstance(number, complex):
        if number.imag != 0 and not dtype.is_complex:
            raise _unfit(function, number, dtype)
        number = number.real
    if dtype.category == INTEGER:
        limits = np.iinfo(dtype.numpy)
        least = limits.min if limits.min < 0 else -limits.max
        is_finite = isinstance(number, int) or math.isfinite(number)
        if not (is_finite and least <= int(number) <= limits.max):
            raise _unfit(function, number, dtype)
        return
    with np.errstate(all="ignore"):
        made = _as_float(number, dtype)
    if np.isinf(made) and (isinstance(number, int) or math.isfinite(number)):
        raise _unfit(function, number, dtype)


def _as_float(number: float, dtype: DType) -> Any:
    try:
        return np.asarray(float(number)).astype(dtype.numpy).real
    except OverflowError:
        return np.inf


def require_all_fit(function: str, numbers: Array, dtype: DType) -> None:
    """Raise ArgumentError unless all numbers of an array fit into an integer dtype."""
    if dtype.category == INTEGER and numbers.size and numbers.dtype.kind in "iuf":
        for extreme in (numbers.min(), numbers.max()):
            require_fits(function, extreme.item(), dtype)


def _unfit(function: str, number: Any, dtype: DType) -> ArgumentError:
    return ArgumentError(
        f"{function}: the number does not fit into the dtype", got=f"{number} as {dtype.name}",
        fix="choose a wider dtype", where=user_location_text(),
    )  # fmt: skip
