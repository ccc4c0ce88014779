"""Which values an earlier program keeps for a later one."""

import pytest

from graphc.dims import Dim
from graphc.dtypes import float32
from graphc.node import Node
from graphc.ops import elementwise as e
from graphc.ops.leaf import placeholder
from graphc.ops.linalg import matmul
from graphc.ops.reduce import sum_
from graphc.ops.shape import slice_
from graphc.passes.saving import values_to_keep
from graphc.types import TensorType


def leaf(name: str, *shape: int | Dim) -> Node:
    return placeholder(name, TensorType(shape, float32))


GRAD = leaf("grad", 4, 8)
X, W = leaf("x", 4, 6), leaf("w", 6, 8)
PRODUCT = matmul(X, W)


def part(x: Node, start: int, stop: int) -> Node:
    return slice_(x, starts=(0, start), stops=(4, stop), steps=(1, 1))


def test_what_is_at_hand_is_not_kept() -> None:
    later = [e.mul(GRAD, e.exp(PRODUCT))]
    assert values_to_keep(later, {GRAD}, {X, W}) != []
    assert values_to_keep(later, {GRAD}, {PRODUCT}) == []


def test_elementwise_results_are_computed_again_from_what_they_read() -> None:
    hidden = e.add(PRODUCT, leaf("bias", 8))
    slope = e.mul(e.mul(GRAD, e.exp(hidden)), e.sin(hidden))
    assert values_to_keep([slope], {GRAD}, {leaf("bias", 8)}) == [hidden]


def test_a_value_that_only_leads_to_another_is_kept_as_that() -> None:
    """The product is read for its tanh alone, so the tanh is kept: no byte more, and no tanh."""
    slope = e.mul(GRAD, e.tanh(e.neg(PRODUCT)))
    assert values_to_keep([slope], {GRAD}, set()) == [e.tanh(e.neg(PRODUCT))]


def test_parts_that_are_the_whole_are_kept_as_the_whole() -> None:
    left, right = part(PRODUCT, 0, 4), part(PRODUCT, 4, 8)
    grad = leaf("grad", 4, 4)
    slope = e.mul(e.mul(grad, e.mul(e.exp(left), left)), e.mul(e.sin(right), right))
    assert values_to_keep([slope], {grad}, set()) == [PRODUCT]
    small = e.mul(e.mul(grad, e.exp(left)), left)
    assert values_to_keep([small], {grad}, set()) == [left]


def test_what_follows_from_other_kept_values_is_not_kept() -> None:
    """The cell of an LSTM: its next state is cheap to have from the gates and the state."""
    state, gates = leaf("state", 4, 8), PRODUCT
    after = e.add(e.mul(e.sigmoid(gates), state), e.tanh(gates))
    slope = e.add(e.mul(GRAD, e.tanh(after)), e.mul(GRAD, e.mul(state, e.cos(gates))))
    assert set(values_to_keep([slope], {GRAD}, set())) == {state, gates}


def test_sums_are_kept_rather_than_computed_again() -> None:
    total = sum_(PRODUCT, dims=(1,))
    assert values_to_keep([e.mul(GRAD, total)], {GRAD}, set()) == [total]


def test_results_that_the_later_program_gives_are_kept_themselves() -> None:
    later = [e.mul(GRAD, e.exp(PRODUCT)), PRODUCT]
    assert values_to_keep(later, {GRAD}, set()) == [PRODUCT]


@pytest.mark.parametrize("size", [Dim.named("N"), Dim.named("N") * 2 + 1])
def test_unknown_sizes_count_for_some_number(size: Dim) -> None:
    wide, narrow, grad = leaf("a", size, 8), leaf("b", size, 1), leaf("g", size, 8)
    both = e.mul(wide, narrow)
    assert values_to_keep([e.mul(grad, e.exp(both))], {grad}, {narrow}) == [wide]
