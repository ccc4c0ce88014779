"""One application of an operation to operands of which some have a batch dim."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphc.dims import Shape, Size
from graphc.opdef import OpDef
from graphc.ops.shape import expand, permute, reshape
from graphc.types import TensorType


@dataclass(frozen=True, slots=True)
class Batched:
    """A value of the batched program.

    Attributes:
        value: a node or a tensor.
        is_batched: it has the batch dim, as its first one; else it is the same for all examples.
    """

    value: Any
    is_batched: bool


@dataclass(frozen=True, slots=True)
class Application:
    """What a batching rule sees: at least one operand is batched.

    Attributes:
        op: the operation.
        operands: the values that it is applied to.
        types: what one example's operands are.
        attrs: the static arguments for one example.
        result: the type of one example's result.
        size: how many examples there are.
    """

    op: OpDef
    operands: Sequence[Batched]
    types: Sequence[TensorType]
    attrs: Mapping[str, Any]
    result: Any
    size: Size

    def is_batched(self, position: int) -> bool:
        """Whether an operand has the batch dim."""
        return self.operands[position].is_batched

    def value(self, position: int) -> Any:
        """An operand as it is."""
        return self.operands[position].value

    def front(self, position: int) -> Any:
        """An operand with the batch dim, which it gets if it has none."""
        operand = self.operands[position]
        if operand.is_batched:
            return operand.value
        return expand(operand.value, shape=(self.size, *self.types[position].shape))

    def fronts(self) -> list[Any]:
        """All operands with the batch dim."""
        return [self.front(position) for position in range(len(self.operands))]

    def aligned(self, position: int, rank: int) -> Any:
        """An operand that broadcasts with batched ones whose examples have ``rank`` dims."""
        operand, shape = self.operands[position], self.types[position].shape
        if not operand.is_batched or len(shape) >= rank:
            return operand.value
        return reshape(operand.value, shape=(self.size, *(1,) * (rank - len(shape)), *shape))

    def again(self, *operands: Any, **changes: Any) -> Any:
        """The operation on other operands, with some attributes changed."""
        return self.op(*operands, **{**self.attrs, **changes})


Rule = Callable[[Application], Any]
"""Gives the batched result, with the batch dim first; it is built of operations."""


def moved_first(x: Any, dim: int) -> Any:
    """The value with one dim moved to the front."""
    rank = len(x.type.shape)
    return x if dim == 0 else permute(x, dims=(dim, *(d for d in range(rank) if d != dim)))


def moved_from_first(x: Any, dim: int) -> Any:
    """The value with its first dim moved to another place."""
    rank = len(x.type.shape)
    others = list(range(1, rank))
    others.insert(dim, 0)
    return x if dim == 0 else permute(x, dims=tuple(others))


def later(dims: Sequence[int]) -> tuple[int, ...]:
    """The dims of an example as dims of a batch."""
    return tuple(dim + 1 for dim in dims)


def joined(shape: Shape) -> Size:
    """The number of elements of these dims."""
    total: Size = 1
    for size in shape:
        total = total * size
    return total
