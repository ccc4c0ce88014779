"""Parts that are one value under several names, and parts without elements."""

import numpy as np
import pytest

from graphc.dtypes import float32
from graphc.graph import Graph
from graphc.ops.elementwise import neg
from graphc.ops.leaf import placeholder
from graphc.ops.shape import concat, expand, pad, permute, reshape, slice_
from graphc.runtime.session import Session
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
