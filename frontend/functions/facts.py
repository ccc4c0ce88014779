"""Questions about tensors that need none of their values."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any, TypeGuard

from graphc.dims import Size
from graphc.dtypes import BOOLEAN
from graphc.frontend import base
from graphc.frontend.functions.convert import require_tensor

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "detach",
    "get_device",
    "is_inference",
    "is_same_size",
    "is_signed",
    "is_tensor",
    "numel",
]


def is_tensor(obj: Any) -> TypeGuard[Tensor]:
    """Whether something is a tensor (``torch.is_tensor``)."""
    return base.is_tensor(obj)


def numel(input: Tensor) -> Size:
    """The number of elements (``torch.numel``)."""
    return require_tensor("numel", input).type.numel


def is_same_size(input: Tensor, other: Tensor) -> builtins.bool:
    """Whether both have the same shape (``torch.is_same_size``)."""
    x, y = require_tensor("is_same_size", input), require_tensor("is_same_size", other)
    return builtins.bool(x.shape == y.shape)


def is_inference(input: Tensor) -> builtins.bool:
    """Whether a tensor was made in ``inference_mode`` (``torch.is_inference``)."""
    return require_tensor("is_inference", input).is_inference()


def is_signed(input: Tensor) -> builtins.bool:
    """Whether the dtype has negative numbers (``torch.is_signed``)."""
    dtype = require_tensor("is_signed", input).dtype
    return dtype.category != BOOLEAN and dtype.numpy.kind != "u"


def get_device(input: Tensor) -> int:
    """-1, as for all tensors of the CPU (``torch.get_device``)."""
    require_tensor("get_device", input)
    return -1


def detach(input: Tensor) -> Tensor:
    """The same values, cut off from gradients; shares memory (``torch.detach``)."""
    return require_tensor("detach", input).detach()
