"""Tensors by strides: elements of the memory, picked by a distance along each dim."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dtypes import DTypeLike
from graphc.errors import ArgumentError
from graphc.frontend.functions.convert import require_tensor
from graphc.frontend.functions.creation import empty
from graphc.frontend.functions.indexing import getitem
from graphc.frontend.functions.scattering import put
from graphc.frontend.functions.shaping import permute, reshape
from graphc.frontend.making import concrete
from graphc.frontend.settings.default_dtype import default_dtype
from graphc.frontend.settings.devices import DeviceLike
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["as_strided", "as_strided_scatter", "empty_permuted", "empty_strided"]


def as_strided(
    input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Tensor:
    """Elements at ``storage_offset + sum(index * stride)`` of the memory, as a copy.

    Args:
        input: a contiguous tensor; its first element is element 0 of the memory.
        size: the result's shape.
        stride: a distance for each dim, not negative.
        storage_offset: where the first element lies; default 0.

    Raises:
        ArgumentError: if an element lies outside of the tensor, or it is not contiguous.

    Source: ``torch.as_strided``.

    Example:
        >>> import graphc as gc
        >>> gc.as_strided(gc.arange(5), (3, 2), (1, 1))
        tensor([[0, 1],
                [1, 2],
                [2, 3]])
    """
    x = require_tensor("as_strided", input)
    return getitem(reshape(x, (-1,)), _places("as_strided", x, size, stride, storage_offset))


def _places(
    function: str, x: Tensor, size: Sequence[int], stride: Sequence[int], offset: int | None
) -> Tensor:
    sizes, steps, start = list(size), list(stride), offset or 0
    count = x.type.numel
    last = start + sum((n - 1) * step for n, step in zip(sizes, steps, strict=False))
    is_empty = 0 in sizes
    if (
        len(sizes) != len(steps) or min([start, *sizes, *steps]) < 0 or not x.is_contiguous()
        or not isinstance(count, int) or (last >= count and not is_empty)
    ):  # fmt: skip
        raise ArgumentError(
            f"{function}: expected places inside of a contiguous tensor",
            got=f"size {tuple(sizes)}, stride {tuple(steps)}, storage_offset {start} of {x.type}",
            fix="x.contiguous()", where=user_location_text(),
        )  # fmt: skip
    places = np.full(sizes, start, np.int64)
    for dim, (n, step) in enumerate(zip(sizes, steps, strict=True)):
        places += (np.arange(n) * step).reshape([-1 if d == dim else 1 for d in range(len(sizes))])
    return concrete(places)


def as_strided_scatter(
    input: Tensor, src: Tensor, size: Sequence[int], stride: Sequence[int],
    storage_offset: int | None = None,
) -> Tensor:  # fmt: skip
    """A copy with other values where ``as_strided`` looks (``torch.as_strided_scatter``)."""
    x = require_tensor("as_strided_scatter", input)
    places = _places("as_strided_scatter", x, size, stride, storage_offset)
    return put(x, places, require_tensor("as_strided_scatter", src))


def empty_strided(
    size: Sequence[int], stride: Sequence[int], *, dtype: DTypeLike | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """A tensor of zeros whose memory has these strides (``torch.empty_strided``).

    Args:
        size: the shape.
        stride: the distance of neighbours along each dim; those of a permuted tensor.
        dtype: default float32.
        requires_grad: track gradients.
        device: the CPU.

    Raises:
        ArgumentError: for strides that leave gaps or overlap.

    Example:
        >>> import graphc as gc
        >>> gc.empty_strided((2, 3), (1, 2)).stride()
        (1, 2)
    """
    order = sorted(range(min(len(size), len(stride))), key=lambda dim: (-stride[dim], -size[dim]))
    dense = [math.prod(size[later] for later in order[place + 1 :]) for place in range(len(order))]
    matches = len(size) == len(stride) and all(
        size[dim] <= 1 or stride[dim] == step for dim, step in zip(order, dense, strict=True)
    )
    if not matches:
        raise ArgumentError(
            "empty_strided: the strides leave gaps or overlap",
            got=f"size {tuple(size)}, stride {tuple(stride)}", where=user_location_text(),
        )  # fmt: skip
    return empty_permuted(size, order, dtype=dtype, requires_grad=requires_grad, device=device)


def empty_permuted(
    size: Sequence[int], physical_layout: Sequence[int], *, dtype: DTypeLike | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """A tensor of zeros whose dims lie in memory in this order (``torch.empty_permuted``).

    Args:
        size: the shape.
        physical_layout: the dims from the outermost to the innermost.
        dtype: default float32.
        requires_grad: track gradients.
        device: the CPU.

    Raises:
        ArgumentError: if the order does not name each dim once.
    """
    order: list[Any] = list(physical_layout)
    if sorted(order) != list(range(len(size))):
        raise ArgumentError(
            "empty_permuted: expected each dim once", got=str(tuple(order)),
            where=user_location_text(),
        )  # fmt: skip
    made = empty([size[dim] for dim in order], dtype=dtype or default_dtype(), device=device)
    turned = permute(made, [order.index(dim) for dim in range(len(order))])
    return turned.detach().requires_grad_() if requires_grad else turned
