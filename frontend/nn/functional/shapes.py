"""Comparing shapes whose sizes may be unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.dims import Shape
from graphc.errors import ShapeError
from graphc.provenance import user_location_text
from graphc.shapes import unify

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def agree(first: Shape, second: Shape) -> bool:
    """True unless the shapes certainly differ; unknown sizes are checked at run time."""
    return len(first) == len(second) and all(
        unify(own, other) is not None for own, other in zip(first, second, strict=True)
    )


def require_channels(function: str, x: Tensor, dims: int) -> None:
    """Raise ShapeError unless a tensor has channels, so many spatial dims, and perhaps a batch."""
    if x.ndim not in (dims + 1, dims + 2):
        raise ShapeError(
            f"{function}: expected (batch, channels, ...) or (channels, ...) with {dims} "
            "spatial dims", got=str(x.type), where=user_location_text(),
        )  # fmt: skip
