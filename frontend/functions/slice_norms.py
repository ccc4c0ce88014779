"""Norms of slices, and slices that are shrunk to a norm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.errors import ArgumentError, DTypeError
from graphc.frontend.functions import norms
from graphc.frontend.functions.convert import normalize_dim, require_tensor, scalar_tensor
from graphc.frontend.functions.pointwise import mul
from graphc.ops import comparison, elementwise, select
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["norm_except_dim", "renorm"]


def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """Shrink the slices along a dim whose norm is larger than ``maxnorm`` to it.

    Args:
        input: tensor of floats, of at least two dims.
        p: the norm's order, above 0.
        dim: the dim whose slices are meant.
        maxnorm: the largest norm.

    Raises:
        DTypeError: for integers and bools.
        ArgumentError: unless ``p > 0``, ``maxnorm >= 0`` and there are two dims or more.

    Source: ``torch.renorm``.

    Example:
        >>> import graphc as gc
        >>> gc.renorm(gc.tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1.0)
        tensor([[0.6000, 0.8000],
                [0.3000, 0.4000]])
    """
    x = require_tensor("renorm", input)
    if not x.dtype.is_differentiable:
        raise DTypeError("renorm: expected floats", got=x.dtype.name, where=user_location_text())
    if x.ndim < 2 or not p > 0 or not maxnorm >= 0:
        raise ArgumentError(
            "renorm: expected two dims or more, p > 0, maxnorm >= 0",
            got=f"{x.type}, p={p}, maxnorm={maxnorm}", where=user_location_text(),
        )  # fmt: skip
    axis = normalize_dim("renorm", dim, x.ndim)
    others = tuple(d for d in range(x.ndim) if d != axis)
    sizes = norms.vector_norm(x, p, others, keepdim=True)
    limit, tiny = scalar_tensor(maxnorm, sizes.dtype), scalar_tensor(1e-7, sizes.dtype)
    shrink = elementwise.div(limit, elementwise.add(sizes, tiny))
    one = scalar_tensor(1, sizes.dtype)
    return mul(x, select.where(comparison.gt(sizes, limit), shrink, one))


def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """The norm over all dims but one, which are kept with size 1 (``torch.norm_except_dim``)."""
    x = require_tensor("norm_except_dim", v)
    if dim == -1:
        return norms.vector_norm(x, pow)
    axis = normalize_dim("norm_except_dim", dim, x.ndim)
    others = tuple(d for d in range(x.ndim) if d != axis)
    return norms.vector_norm(x, pow, others, keepdim=True) if others else norms.vector_norm(x, pow)
