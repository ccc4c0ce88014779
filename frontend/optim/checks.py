"""Which options of a group make sense."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from graphc.errors import ArgumentError, ArgumentTypeError
from graphc.provenance import user_location_text


def require_non_negative(optimizer: object, group: Mapping[str, Any], *names: str) -> None:
    """Raise ArgumentError if one of these options is negative, infinite or NaN."""
    for name in names:
        value = _number(optimizer, name, group[name])
        if not value >= 0 or math.isinf(value):
            refuse(optimizer, f"{name} must be a number from 0 on", str(value))


def _number(optimizer: object, name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, ArgumentError):
        refuse(optimizer, f"{name} must be a number", repr(value), kind=ArgumentTypeError)


def require_betas(optimizer: object, group: Mapping[str, Any]) -> None:
    """Raise ArgumentError unless ``betas`` are two numbers in ``[0, 1)``."""
    betas = group["betas"]
    if not isinstance(betas, Sequence) or len(betas) != 2 or not all(
        0 <= _number(optimizer, "each of betas", beta) < 1 for beta in betas
    ):  # fmt: skip
        refuse(optimizer, "betas must be two numbers in [0, 1)", str(betas))


def require_execution(optimizer: object, group: Mapping[str, Any]) -> None:
    """Raise ArgumentError for ways of execution that do not exist, or exclude each other."""
    if group.get("differentiable"):
        refuse(
            optimizer, "a step has no gradient", "differentiable=True",
            "write the update as expressions, with gc.func.grad",
        )  # fmt: skip
    if group.get("fused") and group.get("foreach"):
        refuse(optimizer, "fused and foreach exclude each other", "both True")


def refuse(
    optimizer: object, what: str, got: str, fix: str = "",
    kind: type[ArgumentError] = ArgumentError,
) -> NoReturn:  # fmt: skip
    """Raise ArgumentError for an option of an optimizer."""
    raise kind(f"{type(optimizer).__name__}: {what}", got=got, fix=fix, where=user_location_text())
