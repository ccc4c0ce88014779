"""Norms over all dims but one, and weights by length and direction."""

from __future__ import annotations

from graphc.errors import IndexRangeError
from graphc.frontend.functions.norms import vector_norm
from graphc.frontend.functions.pointwise import div, mul
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text


def norm_except(x: Tensor, dim: int) -> Tensor:
    """The Euclidean norm over all dims but one, of which each stays with size 1.

    Args:
        x: tensor.
        dim: the dim that keeps its size; -1 is none, and then the result is 0-d.

    Raises:
        IndexRangeError: for another dim.
    """
    if dim == -1:
        return vector_norm(x)
    if not 0 <= dim < x.ndim:
        raise IndexRangeError(
            "weight_norm: no such dim", got=str(dim), expected=f"0..{x.ndim - 1}, or None",
            where=user_location_text(),
        )  # fmt: skip
    others = [each for each in range(x.ndim) if each != dim]
    return vector_norm(x, 2, others, keepdim=True) if others else abs(x)


def normed(direction: Tensor, length: Tensor, dim: int) -> Tensor:
    """Vectors of these directions and lengths."""
    return mul(direction, div(length, norm_except(direction, dim)))
