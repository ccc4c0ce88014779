"""Parts that are one value under several names, parts without elements, odd values in plans."""

import numpy as np
import pytest

from graphc.dtypes import float32
from graphc.graph import Graph
from graphc.node import constant
from graphc.ops.elementwise import neg
from graphc.ops.fused import fused, item
from graphc.ops.leaf import iota, placeholder
from graphc.ops.linalg import matmul
from graphc.ops.reduce import sum_
from graphc.ops.shape import concat, expand, pad, permute, reshape, slice_
from graphc.runtime.sessions.session import Session
from graphc.types import TensorType

x = placeholder("x", TensorType((2, 1, 3), float32))
SAME = {
    "expand": expand(x, shape=(2, 1, 3)),
    "permute": permute(x, dims=(0, 1, 2)),
    "reshape": reshape(x, shape=(2, 1, 3)),
}


@pytest.mark.parametrize("name", SAME)
def test_views_that_change_nothing(name: str) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 1, 3)
    for parts in ([SAME[name], x, x], [x, SAME[name]], [SAME[name], SAME[name]]):
        session = Session(Graph([x], {"y": concat(*parts, dim=1)}), backend="numpy")
        expected = np.concatenate([array] * len(parts), 1)
        np.testing.assert_array_equal(session.run({"x": array})["y"], expected)


def test_an_empty_part_behind_others() -> None:
    """It is seen through a view, and would start behind the end of all memory."""
    column = placeholder("c", TensorType((4, 1), float32))
    nothing = neg(slice_(column, starts=(1, 0), stops=(1, 1), steps=(1, 1)))
    flat = reshape(nothing, shape=(1, 0))
    whole = pad(flat, low=(3, 0), high=(36, 1), interior=(0, 0), value=0.5)
    feed = {"c": np.ones((4, 1), np.float32)}
    for backend in ("numpy", "llvm"):
        result = Session(Graph([column], {"y": whole}), backend=backend).run(feed)["y"]
        np.testing.assert_array_equal(result, np.full((40, 1), 0.5, np.float32))


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_parts_in_the_order_that_a_reshape_asks_for(backend: str) -> None:
    part = reshape(placeholder("p", TensorType((3, 1, 4), float32)), shape=(3, 1, 1, 4))
    both = permute(concat(part, neg(part), dim=1), dims=(0, 3, 2, 1))
    column = reshape(both, shape=(24, 1))
    array = np.arange(12, dtype=np.float32).reshape(3, 1, 4)
    (p,) = (node for node in Graph([], {"y": column}).nodes if not node.inputs)
    graph = Graph([p], {"y": matmul(column, constant(np.ones((1, 2), np.float32)))})
    expected = np.stack([array, -array], -1).reshape(24, 1).repeat(2, 1)
    np.testing.assert_array_equal(Session(graph, backend=backend).run({"p": array})["y"], expected)


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_a_kernel_of_nothing_with_two_results(backend: str) -> None:
    counted = iota((2, 3), 1, float32)
    both = fused((), Graph([], {"r0": neg(counted), "r1": sum_(counted, dims=(0, 1))}))
    graph = Graph([], {"a": item(both, 0), "b": item(both, 1)})
    results = Session(graph, backend=backend).run()
    np.testing.assert_array_equal(results["a"], [[0, -1, -2], [0, -1, -2]])
    np.testing.assert_array_equal(results["b"], [[6]])


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_slices_of_a_reshape_of_parts(backend: str) -> None:
    """The parts lie in the order that the reshape asks for, and slices of it are read."""
    columns = permute(placeholder("a", TensorType((4, 3), float32)), dims=(1, 0))
    first = slice_(columns, starts=(0, 0), stops=(1, 4), steps=(1, 1))
    others = slice_(columns, starts=(1, 0), stops=(3, 4), steps=(1, 1))
    rows = permute(concat(neg(first), others, dim=0), dims=(1, 0))
    flat = reshape(rows, shape=(12,))
    ends = [slice_(flat, starts=(a,), stops=(b,), steps=(1,)) for a, b in ((0, 5), (6, 12))]
    (source,) = columns.inputs
    array = np.arange(12, dtype=np.float32).reshape(4, 3)
    result = Session(Graph([source], {"y": concat(*ends, dim=0)}), backend=backend).run(
        {"a": array}
    )
    expected = np.delete((array * [-1, 1, 1]).reshape(-1), 5)
    np.testing.assert_array_equal(result["y"], expected)
