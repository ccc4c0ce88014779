"""Functions over sizes that are known at run time do what they do dynamically, for every size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn
from graphc.dims import Dim, smaller
from graphc.dtypes import float32
from graphc.errors import ShapeError
from graphc.graph import Graph
from graphc.ops.elementwise import neg
from graphc.ops.leaf import placeholder, size_value
from graphc.parse import parse_graph
from graphc.types import TensorType

BACKENDS = ["numpy", "llvm"]

SLICES = [
    slice(None, 5), slice(-2, None), slice(1, None), slice(3, 1), slice(None, -1), slice(-3, -1),
    slice(2, 7, 2), slice(None, None, 3), slice(1, -1, 2), slice(-1, 2), slice(0, 0), slice(4, 4),
    slice(-100, 100), slice(None, None, -1),
]  # fmt: skip


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("part", SLICES, ids=str)
def test_slices_end_at_the_size(part: slice, backend: str) -> None:
    def f(x: Any) -> Any:
        return x[part] * 2 + 1

    session = gc.trace(f, gc.TensorSpec((None, 3))).compile(backend=backend)
    for size in (0, 1, 2, 3, 4, 6, 9):
        array = np.arange(size * 3, dtype=np.float32).reshape(size, 3)
        np.testing.assert_array_equal(session.run({"x": array}), array[part] * 2 + 1, strict=True)


@pytest.mark.parametrize("part", SLICES, ids=str)
def test_gradients_of_slices(part: slice) -> None:
    with gc.Graph() as graph:
        x = gc.placeholder((None, 2), name="x", requires_grad=True)
        y = x[part]
        (grad,) = gc.grad((y * y).sum(), [x])
    session = graph.compile(outputs=grad, backend="numpy")
    for size in (0, 1, 2, 3, 4, 6, 9):
        array = np.arange(1.0, size * 2 + 1, dtype=np.float32).reshape(size, 2)
        expected = np.zeros_like(array)
        expected[part] = 2 * array[part]
        np.testing.assert_array_equal(session.run({"x": array}), expected)


@pytest.mark.parametrize("backend", BACKENDS)
def test_batch_norm_refuses_one_value_per_channel(backend: str) -> None:
    norm = nn.BatchNorm1d(3)
    session = gc.trace(lambda x: norm(x), gc.TensorSpec((None, 3))).compile(backend=backend)
    session.run({"x": np.ones((2, 3), np.float32)})
    before = norm.running_var.tolist()
    with pytest.raises(ShapeError, match="one value per channel has no variance"):
        session.run({"x": np.ones((1, 3), np.float32)})
    assert norm.running_var.tolist() == before
    session.run({"x": np.ones((3, 3), np.float32)})
    with pytest.raises(ShapeError):
        norm(gc.ones(1, 3))


def test_sizes_in_text_and_back() -> None:
    n = Dim.named("N")
    x = placeholder("x", TensorType((n, 3), float32))
    count = size_value(smaller(n, 5) * 2 + 1, 7, "seven are too many")
    text = str(Graph([x], {"y": neg(x), "count": count}))
    assert "min(5,N)" in text
    assert parse_graph(text).outputs["count"] is count


def test_a_refused_size() -> None:
    size_value(4, 7, "seven are too many")
    with pytest.raises(ShapeError, match="seven are too many"):
        size_value(7, 7, "seven are too many")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dims", [0, (0, 1), 1])
def test_logsumexp_of_no_elements(dims: Any, backend: str) -> None:
    def f(x: Any) -> Any:
        return gc.logsumexp(x, dims)

    session = gc.trace(f, gc.TensorSpec((None, 3))).compile(backend=backend)
    for size in (0, 1, 4):
        array = np.linspace(-2, 3, size * 3, dtype=np.float32).reshape(size, 3)
        expected = f(gc.tensor(array)).numpy()
        np.testing.assert_allclose(session.run({"x": array}), expected, rtol=1e-6)
        assert size > 0 or dims == 1 or np.isneginf(expected).all()


@pytest.mark.parametrize("dim", [None, 0, (0, 1)])
def test_squeezing_an_unknown_size_is_refused(dim: Any) -> None:
    with pytest.raises(ShapeError, match="squeeze: whether dim 0 has size 1") as caught:
        gc.trace(lambda x: x.squeeze(dim), gc.TensorSpec((None, 1)))
    assert caught.value.where.startswith(f"{__file__}:")
    session = gc.trace(lambda x: x.squeeze(1), gc.TensorSpec((None, 1))).compile(backend="numpy")
    assert session.run({"x": np.ones((1, 1), np.float32)}).shape == (1,)
