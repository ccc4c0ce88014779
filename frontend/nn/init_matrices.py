"""Start values that are matrices: identities, orthogonal and sparse ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.choosing import where
from graphc.frontend.functions.counting import eye
from graphc.frontend.functions.decompositions import qr
from graphc.frontend.functions.generators import Generator
from graphc.frontend.functions.pointwise import mul
from graphc.frontend.functions.sampling import randn, uniform_values
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.functions.sorting import argsort
from graphc.frontend.making import concrete
from graphc.frontend.nn.init import filling
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text


def _require_dims(function: str, tensor: Tensor, dims: tuple[int, ...]) -> None:
    if tensor.ndim not in dims:
        raise ShapeError(
            f"{function}: wrong number of dims", got=str(tensor.type),
            expected=" or ".join(map(str, dims)), where=user_location_text(),
        )  # fmt: skip


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with the identity, as far as it goes (``torch.nn.init.eye_``).

    Raises:
        ShapeError: for what is no matrix.

    Example:
        >>> import graphc as gc
        >>> gc.nn.init.eye_(gc.empty(2, 3)).tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    _require_dims("eye_", tensor, (2,))
    with filling(tensor):
        return tensor.copy_(eye(*tensor.shape, dtype=tensor.dtype))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill a convolution's weight so that it passes its channels on as they are.

    Args:
        tensor: the weight.
        groups: how many groups of output channels each pass on the first channels.

    Raises:
        ShapeError: unless there are 3, 4 or 5 dims.
        ArgumentError: if the groups do not divide the output channels.

    Source: ``torch.nn.init.dirac_``.
    """
    _require_dims("dirac_", tensor, (3, 4, 5))
    outputs, inputs, *window = (int(size) for size in tensor.shape)
    if outputs % groups:
        raise ArgumentError(
            "dirac_: the groups must divide dim 0", got=f"{outputs}, groups={groups}",
            where=user_location_text(),
        )  # fmt: skip
    values = np.zeros((groups, outputs // groups, inputs, *window), tensor.dtype.numpy)
    middle = tuple(size // 2 for size in window)
    for channel in range(min(outputs // groups, inputs)):
        place: tuple[Any, ...] = (slice(None), channel, channel, *middle)
        values[place] = 1
    with filling(tensor):
        return tensor.copy_(concrete(values.reshape(outputs, inputs, *window)))


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Fill with a random matrix whose rows or columns are orthogonal, whichever are fewer.

    Args:
        tensor: what to fill; the dims from the second on count as one.
        gain: a factor.
        generator: default: the global one.

    Raises:
        ShapeError: for less than two dims.

    Source: ``torch.nn.init.orthogonal_``.
    """
    if tensor.ndim < 2:
        _require_dims("orthogonal_", tensor, (2, 3, 4, 5))
    rows, columns = int(tensor.shape[0]), math.prod(int(size) for size in tensor.shape[1:])
    if rows * columns == 0:
        return tensor
    with filling(tensor):
        drawn = randn((rows, columns), dtype=tensor.dtype, generator=generator)
        q, r = qr(drawn.T if rows < columns else drawn)
        q = mul(q, r.diagonal().sign())
        turned = q.T if rows < columns else q
        return tensor.copy_(mul(reshape(turned, tensor.shape), gain))


def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> Tensor:
    """Fill a matrix with normal numbers, and some places of each column with zeros.

    Args:
        tensor: what to fill.
        sparsity: the share of zeros in each column.
        std: the standard deviation of the others.
        generator: default: the global one.

    Raises:
        ShapeError: for what is no matrix.

    Source: ``torch.nn.init.sparse_``.
    """
    _require_dims("sparse_", tensor, (2,))
    with filling(tensor):
        drawn = mul(randn(tensor.shape, dtype=tensor.dtype, generator=generator), std)
        order = argsort(uniform_values(tensor.shape, "float32", generator), 0)
        kept = order >= math.ceil(sparsity * int(tensor.shape[0]))
        return tensor.copy_(where(kept, drawn, 0.0))
