"""Losses of triplets: an anchor, something near it and something far from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.choosing import clamp, minimum
from graphc.frontend.functions.convert import require_tensor
from graphc.frontend.nn.functional.distance import pairwise_distance
from graphc.frontend.nn.functional.reduction import choose_reduction, reduce_loss
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["triplet_margin_loss", "triplet_margin_with_distance_loss"]


def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2,
    eps: float = 1e-6, swap: bool = False, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """``max(0, distance(anchor, positive) - distance(anchor, negative) + margin)``.

    Args:
        anchor: vectors ``(batch, size)`` or ``(size,)``.
        positive: what should be near.
        negative: what should be far.
        margin: how much farther; positive.
        p: the norm of distances.
        eps: added to each difference.
        swap: use the distance of positive and negative if it is smaller than the anchor's.
        size_average, reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ArgumentError: for a margin that is not positive.
        ShapeError: if the numbers of dims differ.

    Source: ``torch.nn.functional.triplet_margin_loss``.

    Example:
        >>> import graphc as gc
        >>> import graphc.nn.functional as F
        >>> F.triplet_margin_loss(gc.zeros(1, 2), gc.ones(1, 2), gc.ones(1, 2))
        tensor(1.)
    """
    how = choose_reduction("triplet_margin_loss", reduction, size_average, reduce)

    def distance(a: Tensor, b: Tensor) -> Tensor:
        return pairwise_distance(a, b, p, eps)

    return _triplet(
        "triplet_margin_loss", (anchor, positive, negative), distance, margin, swap, how
    )


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """``triplet_margin_loss`` with any distance; default ``pairwise_distance``.

    Source: ``torch.nn.functional.triplet_margin_with_distance_loss``.
    """
    how = choose_reduction("triplet_margin_with_distance_loss", reduction, None, None)
    return _triplet(
        "triplet_margin_with_distance_loss", (anchor, positive, negative),
        distance_function or pairwise_distance, margin, swap, how,
    )  # fmt: skip


def _triplet(
    function: str, triplet: tuple[Tensor, Tensor, Tensor],
    distance: Callable[[Tensor, Tensor], Tensor], margin: float, swap: bool, reduction: str,
) -> Tensor:  # fmt: skip
    anchor, positive, negative = (require_tensor(function, x) for x in triplet)
    if not margin > 0:
        raise ArgumentError(
            f"{function}: the margin must be positive", got=str(margin),
            where=user_location_text(),
        )  # fmt: skip
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise ShapeError(
            f"{function}: the tensors must have one number of dims",
            got=f"{anchor.type}, {positive.type} and {negative.type}",
            where=user_location_text(),
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduce_loss(clamp(near - far + margin, min=0), reduction)
