"""Numbers by which models are compared: smaller or larger ones are better."""

from __future__ import annotations

import math
from typing import Literal

from graphc.errors import ArgumentError
from graphc.frontend.base import is_tensor
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

Mode = Literal["min", "max"]


def require_mode(who: str, mode: str) -> None:
    """Raise ArgumentError unless the mode says what is better."""
    if mode not in ("min", "max"):
        raise ArgumentError(
            f"{who}: mode must be 'min' or 'max'", got=repr(mode), where=user_location_text()
        )


def is_better(score: float, than: float | None, mode: Mode, by: float = 0.0) -> bool:
    """Whether a score is better than another one by more than some amount; NaN is never.

    Args:
        score: the new one.
        than: the one before; None or NaN if there is none.
        mode: whether smaller or larger ones are better.
        by: the least that counts.
    """
    if math.isnan(score):
        return False
    if than is None or math.isnan(than):
        return True
    return score < than - by if mode == "min" else score > than + by


def as_score(value: float | Tensor) -> float:
    """The number in a tensor of one element, or the number itself."""
    return float(value.item()) if is_tensor(value) else float(value)
