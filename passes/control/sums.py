"""Sums over the steps of a loop, as far as possible as one operation after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphc.dims import Size
from graphc.node import Node
from graphc.ops.elementwise import add
from graphc.ops.index import index_add, scatter_add
from graphc.ops.leaf import placeholder
from graphc.ops.linalg import matmul, swap_last
from graphc.ops.reduce import sum_
from graphc.ops.select import cast
from graphc.ops.shape import expand, pad, permute, reshape
from graphc.passes.pattern import uniform_value

Made = Mapping[Node, Any]
Build = Callable[[Made], Any]
"""Gives a value from what the loop has made."""


class Sums:
    """What a loop has to make so that sums over its steps can be had from it.

    A product of two matrices, summed over the steps, is one product of the factors of all steps
    side by side; so the loop gives the factors, and adds up nothing. What has no such form is
    added up in a carry.

    Args:
        items: values of the steps that lie stacked already.
        length: how many steps there are.

    Attributes:
        accumulators: placeholders of carries for sums.
        nexts: the next values of these carries.
        stacked: the values that the loop gives as results.
    """

    def __init__(self, items: Mapping[Node, Any], length: Size) -> None:
        self._items, self._length = items, length
        self.accumulators: list[Node] = []
        self.nexts: list[Node] = []
        self.stacked: list[Node] = []

    def made(self, values: Sequence[Any]) -> Made:
        """The sums and the stacks by what they are of.

        Args:
            values: of the accumulators after the loop, then the stacked results.
        """
        return dict(zip([*self.accumulators, *self.stacked], values, strict=True))

    def totals(self, values: Sequence[Node | None]) -> list[Build | None]:
        """How to get the sum of each value over all steps."""
        order = sorted(range(len(values)), key=lambda i: not _is_product(values[i]))
        found: dict[int, Build | None] = {}
        for i in order:  # products first: what they stack, other sums can read
            each = values[i]
            found[i] = None if each is None else self._total(each)
        return [found[i] for i in range(len(values))]

    def stack(self, value: Node) -> Build:
        """How to get the values of all steps, stacked in a new first dim."""
        if value in self._items:
            known = self._items[value]
            return lambda made: known
        if value.op is permute or value.op is reshape:
            inner = self.stack(value.inputs[0])
            if value.op is reshape:
                shape = (self._length, *value.type.shape)
                return lambda made: reshape(inner(made), shape=shape)
            dims = (0, *(dim + 1 for dim in value.attrs["dims"]))
            return lambda made: permute(inner(made), dims=dims)
        if value not in self.stacked:
            self.stacked.append(value)
        return lambda made: made[value]

    def _total(self, value: Node) -> Build:
        if _is_product(value):
            return self._total_of_product(value)
        if _keeps_numbers(value):
            return self._of_sum(value)
        lookup = _as_index_add(value)
        if lookup.op is index_add and len({each.type.shape for each in lookup.inputs[1:]}) == 1:
            stacks, attrs = [self.stack(each) for each in lookup.inputs], lookup.attrs
            return lambda made: index_add(*(each(made) for each in stacks), **attrs)
        if _is_rounded(value) and _as_index_add(value.inputs[0]).op is index_add:
            return self._of_sum(value)
        if value.op is sum_ and self._is_stacked(value.inputs[0]):
            return self._sum(value)
        total = placeholder(f"total{len(self.accumulators)}", value.type)
        self.accumulators.append(total)
        self.nexts.append(add(total, value))
        return lambda made: made[total]

    def _total_of_product(self, value: Node) -> Build:
        if value.op is add:
            one, other = (self._total(each) for each in value.inputs)
            return lambda made: add(one(made), other(made))
        if _keeps_numbers(value):
            return self._of_sum(value)
        left, right = self._rows(swap_last(value.inputs[0])), self._rows(value.inputs[1])
        return lambda made: matmul(swap_last(left(made)), right(made))

    def _of_sum(self, value: Node) -> Build:
        """The operation on the sum of its operand."""
        inner, op, attrs = self._total(value.inputs[0]), value.op, value.attrs
        return lambda made: op(inner(made), **attrs)

    def _rows(self, matrix: Node) -> Build:
        """The rows of the matrices of all steps, as one matrix."""
        rows, columns = matrix.type.shape
        stack, shape = self.stack(_without_double_swap(matrix)), (self._length * rows, columns)
        return lambda made: reshape(stack(made), shape=shape)

    def _sum(self, value: Node) -> Build:
        stack, shape = self.stack(value.inputs[0]), value.type.shape
        dims = (0, *(dim + 1 for dim in value.attrs["dims"]))
        return lambda made: reshape(sum_(stack(made), dims=dims), shape=shape)

    def _is_stacked(self, value: Node) -> bool:
        while value.op is permute or value.op is reshape:
            value = value.inputs[0]
        return value in self._items or value in self.stacked


def _is_product(value: Node | None) -> bool:
    """Whether a value is a product of matrices, or made of some without loss."""
    if value is None:
        return False
    if value.op is matmul:
        return all(each.type.rank == 2 for each in value.inputs)
    if value.op is add:
        return any(map(_is_product, value.inputs))
    return _keeps_numbers(value) and _is_product(value.inputs[0])


def _keeps_numbers(value: Node) -> bool:
    """Whether a value has the numbers of its operand in other places, and zeros."""
    return value.op in (permute, reshape) or (value.op is pad and value.attrs["value"] == 0)


def _is_rounded(value: Node) -> bool:
    """Whether a value has 16 bits and its operand more: a sum is then rounded once, at its end."""
    return value.op is cast and value.type.dtype.itemsize == 2 < value.inputs[0].type.dtype.itemsize


def _as_index_add(value: Node) -> Node:
    """An addition to zeros at the same positions of all rows, as one of slices; others as is."""
    if value.op is not scatter_add or uniform_value(value.inputs[0]) != 0:
        return value
    zeros, positions, source = value.inputs
    dim, shape = value.attrs["dim"], source.type.shape
    line = positions.inputs[0] if positions.op is expand else positions
    rest = [size for axis, size in enumerate(zeros.type.shape) if axis != dim]
    if (
        positions.type.shape != shape
        or [size for axis, size in enumerate(shape) if axis != dim] != rest
        or line.type.shape != tuple(n if axis == dim else 1 for axis, n in enumerate(shape))
    ):
        return value
    order = (dim, *(axis for axis in range(len(shape)) if axis != dim))
    vector = reshape(line, shape=(shape[dim],))
    what = {name: text for name, text in value.attrs.items() if name != "dim"}
    slices = permute(source, dims=order)
    return index_add(slices, vector, shape=zeros.type.shape, dims=(dim,), **what)


def _without_double_swap(matrix: Node) -> Node:
    if matrix.op is permute and matrix.inputs[0].op is permute:
        inner = matrix.inputs[0]
        if inner.attrs["dims"] == matrix.attrs["dims"] == (1, 0):
            return inner.inputs[0]
    return matrix
