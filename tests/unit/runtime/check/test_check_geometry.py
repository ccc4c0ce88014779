"""The checker's arithmetic of strides agrees with numpy."""

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from graphc.dtypes import float64
from graphc.node import Node
from graphc.runtime.check.geometry import repeats, same_place, share_elements, viewed
from graphc.runtime.layout import Layout, view_layout
from graphc.runtime.plan import Operand
from tests.unit.runtime.test_layout import chains


@st.composite
def operands(draw: st.DrawFn) -> Operand:
    """Draw views of one buffer: any strides, repeated and flipped ones included."""
    shape = tuple(draw(st.lists(st.integers(0, 4), max_size=3)))
    strides = tuple(draw(st.sampled_from([-4, -1, 0, 1, 2, 3, 4, 8, 12, 24])) for _ in shape)
    return Operand(0, draw(st.integers(40, 80)), shape, strides, float64)


def addresses(operand: Operand) -> list[int]:
    indices = itertools.product(*map(range, operand.shape))
    return [
        operand.offset + sum(k * s for k, s in zip(index, operand.strides, strict=True))
        for index in indices
    ]


@given(operands(), operands())
def test_sharing_elements_is_what_addresses_say(one: Operand, other: Operand) -> None:
    assert share_elements(one, other) == bool(set(addresses(one)) & set(addresses(other)))


@given(operands(), st.integers(0, 2), st.integers(0, 3))
def test_parts_of_one_whole_share_nothing(whole: Operand, dim: int, cut: int) -> None:
    if dim >= len(whole.shape) or cut > whole.shape[dim]:
        return
    low, high = list(whole.shape), list(whole.shape)
    low[dim], high[dim] = cut, whole.shape[dim] - cut
    start = whole.offset + cut * whole.strides[dim]
    parts = [
        Operand(0, offset, tuple(shape), whole.strides, float64)
        for offset, shape in ((whole.offset, low), (start, high))
    ]
    if not repeats(whole):
        assert not share_elements(*parts)


@given(operands())
def test_repeating_is_what_addresses_say(operand: Operand) -> None:
    """Layouts without repetition may count as repeating if their dims interlock, never others."""
    found = addresses(operand)
    assert repeats(operand) or len(set(found)) == len(found)


def test_ordinary_layouts_do_not_repeat() -> None:
    for strides in ((12, 4, 1), (1, 2, 6), (-12, 4, -1), (100, 10, 2), (1, 8, 2)):
        assert not repeats(Operand(0, 50, (2, 3, 4), strides, float64))
    assert repeats(Operand(0, 0, (2, 3), (0, 1), float64))


@given(chains())
def test_views_are_numpys(chain: list[Node]) -> None:
    """Where numpy sees a view the checker finds the same elements; it may also find more views."""
    shape = chain[0].type.static_shape
    strides = tuple(math.prod(shape[dim + 1 :]) for dim in range(len(shape)))
    by_numpy: Layout | None = Layout(0, shape, strides)
    by_hand: Operand | None = Operand(0, 0, shape, strides, float64)
    for node in [*dict.fromkeys(chain)][1:]:
        by_numpy = None if by_numpy is None else view_layout(node, by_numpy)
        by_hand = None if by_hand is None else viewed(node, by_hand)
        if by_numpy is None:
            return
        assert by_hand is not None
        assert by_hand.shape == node.type.static_shape == by_numpy.shape
        wanted = Operand(0, by_numpy.offset, by_numpy.shape, by_numpy.strides, float64)
        assert same_place(by_hand, wanted)
