"""Logic of truth values and of bits (``torch.logical_and``, ``torch.bitwise_and``, ...)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.dtypes import bool_
from graphc.frontend.base import is_tensor
from graphc.frontend.functions.convert import (
    TensorLike,
    arrays_as_tensors,
    cast,
    is_operand,
    require_tensor,
    scalar_tensor,
)  # fmt: skip
from graphc.frontend.functions.factories import binary
from graphc.ops import comparison

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
]


def _truths(function: str, a: TensorLike, b: TensorLike) -> tuple[Tensor, Tensor]:
    """True where not zero; arrays of numpy are tensors beside a tensor."""
    a, b = arrays_as_tensors(a, b)
    return _truth(function, a), _truth(function, b)


def _truth(function: str, x: TensorLike) -> Tensor:
    if not is_tensor(x) and is_operand(x):
        return scalar_tensor(bool(x), bool_)
    return cast(require_tensor(function, x), bool_)


def logical_and(input: Tensor, other: TensorLike) -> Tensor:
    """True where both are not zero (``torch.logical_and``)."""
    return comparison.logical_and(*_truths("logical_and", input, other))


def logical_or(input: Tensor, other: TensorLike) -> Tensor:
    """True where one or both are not zero (``torch.logical_or``)."""
    return comparison.logical_or(*_truths("logical_or", input, other))


def logical_xor(input: Tensor, other: TensorLike) -> Tensor:
    """True where exactly one is not zero (``torch.logical_xor``)."""
    return comparison.logical_xor(*_truths("logical_xor", input, other))


def logical_not(input: Tensor) -> Tensor:
    """True where zero (``torch.logical_not``)."""
    return comparison.logical_not(_truth("logical_not", input))


bitwise_and = binary(comparison.bitwise_and, "bitwise_and", "Bits set in both.")
bitwise_or = binary(comparison.bitwise_or, "bitwise_or", "Bits set in either.")
bitwise_xor = binary(comparison.bitwise_xor, "bitwise_xor", "Bits that differ.")
bitwise_left_shift = binary(
    comparison.shift_left, "bitwise_left_shift", "Bits moved up by ``other``."
)
bitwise_right_shift = binary(
    comparison.shift_right, "bitwise_right_shift", "Bits moved down by ``other``, sign kept."
)


def bitwise_not(input: Tensor) -> Tensor:
    """Every bit inverted; for bool, logical not (``torch.bitwise_not``)."""
    return comparison.bitwise_not(require_tensor("bitwise_not", input))
