"""Layouts of views are numpy's own."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphc.dtypes import float64
from graphc.node import Node
from graphc.ops.diagonal import diagonal
from graphc.ops.leaf import placeholder
from graphc.ops.shape import expand, flip, permute, reshape, slice_
from graphc.runtime.layout import (
    Layout,
    array_layout,
    base_of,
    contiguous,
    extent,
    is_contiguous,
    view_layout,
)
from graphc.storage import Array
from graphc.types import TensorType


def view(layout: Layout, memory: Array) -> Array:
    strides = tuple(stride * memory.itemsize for stride in layout.strides)
    offset = layout.offset * memory.itemsize
    return np.ndarray(layout.shape, memory.dtype, memory, offset, strides)


KINDS = ["permute", "flip", "slice", "expand", "reshape", "squash", "diagonal"]


@st.composite
def chains(draw: st.DrawFn) -> list[Node]:
    """Draw view nodes, each on the one before."""
    shape = tuple(draw(st.lists(st.integers(0, 4), max_size=3)))
    node = placeholder("x", TensorType(shape, float64))
    nodes = [node]
    for _ in range(draw(st.integers(1, 4))):
        shape = node.type.static_shape
        rank = len(shape)
        kind = draw(st.sampled_from(KINDS))
        if kind == "permute":
            node = permute(node, dims=tuple(draw(st.permutations(range(rank)))))
        elif kind == "flip" and rank:
            node = flip(node, dims=(draw(st.integers(0, rank - 1)),))
        elif kind == "slice":
            starts = tuple(draw(st.integers(0, size)) for size in shape)
            stops = tuple(draw(st.integers(a, size)) for a, size in zip(starts, shape, strict=True))
            steps = tuple(draw(st.integers(1, 3)) for _ in shape)
            node = slice_(node, starts=starts, stops=stops, steps=steps)
        elif kind == "expand" and rank < 4:
            node = expand(node, shape=(draw(st.integers(0, 3)), *shape))
        elif kind == "reshape":
            node = reshape(node, shape=(1, *shape[::-1], 1))
        elif kind == "diagonal" and rank > 1:
            one, other = draw(st.permutations(range(rank)))[:2]
            node = diagonal(node, offset=draw(st.integers(-3, 3)), dim1=one, dim2=other)
        elif kind == "squash":
            node = reshape(node, shape=(math.prod(shape),))
        if node is not nodes[-1]:
            nodes.append(node)
    return nodes


@given(chains())
def test_views_of_views_reach_numpys_elements(nodes: list[Node]) -> None:
    shape = nodes[0].type.static_shape
    memory = np.arange(max(math.prod(shape), 1), dtype=np.float64)
    array = memory[: math.prod(shape)].reshape(shape)
    layout = contiguous(shape)
    for node in nodes[1:]:
        if not node.inputs:
            continue
        found = view_layout(node, layout)
        array = node.op.eval(array, **node.attrs)
        if found is None:
            assert not np.may_share_memory(array, memory)
            memory = array = np.ascontiguousarray(array).reshape(array.shape)
            memory = memory.reshape(-1)
            layout = contiguous(array.shape)
            continue
        assert np.may_share_memory(array, memory) or array.size == 0
        np.testing.assert_array_equal(view(found, memory), array)
        assert extent(found) <= memory.size
        if array.size:
            assert found.strides == tuple(stride // 8 for stride in array.strides)
        layout = found


def test_a_reshape_that_must_copy_has_no_layout() -> None:
    x = placeholder("x", TensorType((2, 3), float64))
    flat = reshape(permute(x, dims=(1, 0)), shape=(6,))
    assert view_layout(flat, Layout(0, (3, 2), (1, 3))) is None
    assert view_layout(flat, Layout(0, (3, 2), (2, 1))) == Layout(0, (6,), (1,))


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4),
        np.arange(12.0).reshape(3, 4).T,
        np.arange(12.0).reshape(3, 4)[::-1],
        np.arange(12.0).reshape(3, 4)[::2, ::-3],
        np.broadcast_to(np.arange(4.0), (3, 4)),
        np.empty((0, 3))[:, ::-1],
        np.asarray(5.0),
    ],
)
def test_arrays_are_described_relative_to_their_lowest_address(array: Array) -> None:
    base, layout = base_of(array), array_layout(array)
    assert base is not None
    assert all(stride >= 0 for stride in base.strides)
    memory = np.lib.stride_tricks.as_strided(base, (extent(layout),), (8,))
    np.testing.assert_array_equal(view(layout, memory), array)


def test_arrays_without_whole_strides_have_no_base() -> None:
    pairs = np.zeros(3, [("a", "f8"), ("b", "i4")])
    assert base_of(pairs["a"]) is None
    assert base_of(np.zeros(17, np.uint8)[1:].view(np.float64)) is None


def test_contiguity_ignores_dims_of_size_one() -> None:
    assert is_contiguous(Layout(0, (1, 3, 1), (99, 1, 7)))
    assert is_contiguous(Layout(0, (0, 3), (5, 5)))
    assert not is_contiguous(Layout(0, (2, 3), (1, 2)))
