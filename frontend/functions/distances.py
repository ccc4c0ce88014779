"""Distances between tensors, and between all pairs of vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.convert import promote, require_tensor
from graphc.frontend.functions.norms import vector_norm
from graphc.frontend.functions.reduction import require_float
from graphc.frontend.functions.shaping import unsqueeze
from graphc.ops import elementwise
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["cdist", "dist"]


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of the difference, broadcasting (``torch.dist``)."""
    return vector_norm(elementwise.sub(*promote("dist", input, other)), p)


COMPUTE_MODES = (
    "use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)  # fmt: skip


def cdist(
    x1: Tensor, x2: Tensor, p: float = 2.0,
    compute_mode: str = "use_mm_for_euclid_dist_if_necessary",
) -> Tensor:  # fmt: skip
    """The p-norm of the differences of all pairs of rows.

    Args:
        x1: ``(..., P, M)``.
        x2: ``(..., R, M)``; batch dims broadcast.
        p: 0 or more; inf gives the largest difference.
        compute_mode: one of PyTorch's; differences are taken directly whatever it says, which
            is what loses no digits.

    Returns:
        ``(..., P, R)``.

    Raises:
        ShapeError: for rows of different lengths.
        ArgumentError: for a negative ``p`` or an unknown mode.

    Source: ``torch.cdist``.

    Example:
        >>> import graphc as gc
        >>> gc.cdist(gc.tensor([[0.0, 0.0]]), gc.tensor([[3.0, 4.0], [1.0, 0.0]]))
        tensor([[5., 1.]])
    """
    a, b = require_tensor("cdist", x1), require_tensor("cdist", x2)
    require_float("cdist", a)
    require_float("cdist", b)
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-1]:
        raise ShapeError(
            "cdist: expected rows of one length", got=f"{a.type} and {b.type}",
            where=user_location_text(),
        )  # fmt: skip
    if p < 0 or compute_mode not in COMPUTE_MODES:
        raise ArgumentError(
            "cdist: expected p >= 0 and one of the modes", got=f"p={p}, {compute_mode!r}",
            expected=", ".join(COMPUTE_MODES), where=user_location_text(),
        )  # fmt: skip
    pairs = elementwise.sub(*promote("cdist", unsqueeze(a, -2), unsqueeze(b, -3)))
    return vector_norm(pairs, p, -1)
