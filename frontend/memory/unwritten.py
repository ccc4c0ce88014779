"""Writes of nothing: the values stay, and the source has a gradient, of zeros."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from graphc.frontend.making import concrete
from graphc.ops.reduce import sum_
from graphc.ops.select import cast, where
from graphc.ops.shape import reshape, slice_

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def unchanged(x: Tensor, sources: Iterable[Tensor]) -> Tensor:
    """The tensor, whose gradient by sources of which nothing was taken is 0, as PyTorch's.

    Args:
        x: what stays as it is.
        sources: tensors that were written, or joined, without one element; others of no gradient
            are left out.

    Returns:
        ``x`` itself if no source has a gradient.
    """
    for source in sources:
        if source.dtype.is_differentiable and (source.is_symbolic or source.requires_grad):
            flat = source if source.ndim else reshape(source, shape=(1,))
            ends = (0,) * flat.ndim
            nothing = slice_(flat, starts=ends, stops=ends, steps=(1,) * flat.ndim)
            total = reshape(sum_(nothing, dims=tuple(range(flat.ndim))), shape=())
            x = where(concrete(np.asarray(False)), cast(total, dtype=x.dtype), x)
    return x
