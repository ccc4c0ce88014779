"""Parts of a concatenation that are one value under several names."""

import numpy as np
import pytest

from graphc.dtypes import float32
from graphc.graph import Graph
from graphc.ops.leaf import placeholder
from graphc.ops.shape import concat, expand, permute, reshape
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
