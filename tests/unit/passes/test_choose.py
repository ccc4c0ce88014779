"""Gather and scatter_add as comparisons: the same bits, the same errors, and fewer kernels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from graphc.dtypes import DType, float16, float32, float64, int8, int32, int64, uint8
from graphc.errors import IndexRangeError
from graphc.evaluate import evaluate
from graphc.graph import Graph
from graphc.node import Node
from graphc.ops.elementwise import exp, log, neg, sub
from graphc.ops.index import gather, scatter_add
from graphc.ops.reduce import amax, sum_
from graphc.ops.select import zeros_like
from graphc.ops.shape import expand, reshape
from graphc.passes.pipeline import optimize
from graphc.passes.rules.choose import CHOOSE
from graphc.types import TensorType
from tests.unit.passes.programs import assert_same_bits, graph_of, hostile, input_node, number

SHAPES = [((5, 8), 1), ((5, 8), 0), ((3, 4, 5), 1), ((5, 1), 1), ((0, 4), 1), ((9,), 0)]


def row_shape(shape: tuple[int, ...], dim: int) -> tuple[int, ...]:
    return tuple(1 if axis == dim else size for axis, size in enumerate(shape))


def positions(shape: tuple[int, ...], dim: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, shape[dim], row_shape(shape, dim))


def chosen(shape: tuple[int, ...], dim: int, dtype: DType) -> Graph:
    i = input_node("i", row_shape(shape, dim), int64)
    return graph_of(gather(neg(input_node("x", shape, dtype)), i, dim=dim))


def written(shape: tuple[int, ...], dim: int, dtype: DType, fill: float = 0) -> Graph:
    i = input_node("i", row_shape(shape, dim), int64)
    source = input_node("x", row_shape(shape, dim), dtype)
    base = expand(number(fill, dtype), shape=shape)
    return graph_of(scatter_add(base, i, source, dim=dim))


def names(graph: Graph) -> list[str]:
    return [node.op.name for node in graph.nodes]


@pytest.mark.parametrize("dtype", [float32, float64, float16, int8, uint8, int64])
@pytest.mark.parametrize(("shape", "dim"), SHAPES)
@pytest.mark.parametrize("build", [chosen, written])
def test_every_bit_stays(
    build: Callable[..., Graph], shape: tuple[int, ...], dim: int, dtype: DType
) -> None:
    graph = build(shape, dim, dtype)
    new = CHOOSE.run(graph)
    assert not {"gather", "scatter_add"} & set(names(new))
    for seed in range(4):
        feed = {
            "x": hostile(dtype, graph.inputs[0].type.static_shape)
            if graph.inputs[0].attrs["name"] == "x"
            else hostile(dtype, graph.inputs[1].type.static_shape),
            "i": positions(shape, dim, seed),
        }
        assert_same_bits(evaluate(new, feed)[0]["out0"], evaluate(graph, feed)[0]["out0"])


def test_writing_to_a_constant_that_is_not_zero() -> None:
    graph = written((5, 8), 1, float32, -0.0)
    feed = {"x": np.array([[-0.0], [0.0], [1], [np.nan], [-1]], np.float32),
            "i": positions((5, 8), 1)}  # fmt: skip
    new = CHOOSE.run(graph)
    assert "scatter_add" not in names(new)
    assert_same_bits(evaluate(new, feed)[0]["out0"], evaluate(graph, feed)[0]["out0"])


@pytest.mark.parametrize("build", [chosen, written])
@pytest.mark.parametrize("bad", [-1, 8, 2**40])
def test_positions_are_still_checked(build: Callable[..., Graph], bad: int) -> None:
    new = optimize(build((5, 8), 1, float32))[0]
    shape = next(node.type.static_shape for node in new.inputs if node.attrs["name"] == "x")
    feed = {"x": np.zeros(shape, np.float32), "i": np.full((5, 1), bad)}
    with pytest.raises(IndexRangeError, match="out of range"):
        evaluate(new, feed)


def test_what_is_in_memory_anyway_is_read_at_one_place_per_row() -> None:
    x, i = input_node("x", (5, 8)), input_node("i", (5, 1), int64)
    graph = graph_of(gather(x, i, dim=1))
    assert CHOOSE.run(graph) is graph


def test_several_positions_per_row_stay() -> None:
    x, i = input_node("x", (5, 8)), input_node("i", (5, 2), int64)
    graph = graph_of(gather(neg(x), i, dim=1), scatter_add(zeros_like(x), i, i_values(x), dim=1))
    assert CHOOSE.run(graph) is graph


def i_values(x: Node) -> Node:
    return input_node("values", (5, 2), x.type.dtype)


def test_rows_that_are_left_out_stay() -> None:
    x, i = input_node("x", (5, 8)), input_node("i", (4, 1), int64)
    graph = graph_of(gather(neg(x), i, dim=1))
    assert CHOOSE.run(graph) is graph


@pytest.mark.parametrize("size", [1, 2, 9, 300])
@pytest.mark.parametrize("sign", [lambda x: x, neg])
def test_sums_of_one_place_need_no_sum(size: int, sign: Callable[[Node], Node]) -> None:
    """Also where sums over an outer dim add in blocks."""
    for dim, shape in ((0, (size, 3)), (1, (3, size))):
        i = input_node("i", row_shape(shape, dim), int64)
        values = input_node("x", row_shape(shape, dim))
        zeros = zeros_like(input_node("like", shape))
        spread = scatter_add(zeros, i, values, dim=dim)
        graph = graph_of(sum_(sign(spread), dims=(dim,)))
        new = CHOOSE.run(graph)
        assert "sum" not in names(new)
        feed = {"x": np.array([-0.0, np.nan, 2.5], np.float32).reshape(values.type.static_shape),
                "i": positions(shape, dim)}  # fmt: skip
        assert_same_bits(evaluate(new, feed)[0]["out0"], evaluate(graph, feed)[0]["out0"])


def test_the_check_reads_the_positions_where_they_are() -> None:
    """Positions that a reshape gave a dim of size 1 are checked without it, once for both uses."""
    x, flat = input_node("x", (5, 8)), input_node("i", (5,), int64)
    i = reshape(flat, shape=(5, 1))
    found = gather(neg(x), i, dim=1)
    new = CHOOSE.run(graph_of(found, scatter_add(zeros_like(x), i, found, dim=1)))
    (check,) = [node for node in new.nodes if node.op.name == "index"]
    assert check.inputs[1] is flat


def test_a_cross_entropy_and_its_gradient_are_three_kernels_and_a_check() -> None:
    logits, labels = input_node("logits", (8, 10)), input_node("labels", (8,), int64)
    shifted = sub(logits, amax(logits, dims=(1,)))
    log_p = sub(shifted, log(sum_(exp(shifted), dims=(1,))))
    at = reshape(labels, shape=(8, 1))
    picked = neg(reshape(gather(log_p, at, dim=1), shape=(8,)))
    loss = reshape(sum_(picked, dims=(0,)), shape=())
    inner = scatter_add(zeros_like(logits), at, constant_rows(8), dim=1)
    grad = sub(inner, expand(sum_(inner, dims=(1,)), shape=(8, 10)))
    graph = graph_of(loss, grad)
    new = optimize(graph)[0]
    assert sorted(name for name in names(new) if name in ("fused", "index", "gather")) == [
        "fused", "fused", "index",
    ]  # fmt: skip
    feed = {"logits": hostile(float32, (8, 10)), "labels": np.arange(8)}
    expected, found = evaluate(graph, feed)[0], evaluate(new, feed)[0]
    for name, value in expected.items():
        assert_same_bits(found[name], value)


def constant_rows(rows: int) -> Node:
    return expand(number(-1 / rows), shape=(rows, 1))


def test_narrow_positions_count_without_wrapping() -> None:
    """A row longer than the position's type can count."""
    x = input_node("x", (2, 300))
    i = input_node("i", (2, 1), uint8)
    graph = graph_of(gather(neg(x), i, dim=1))
    new = CHOOSE.run(graph)
    assert "gather" not in names(new)
    feed = {"x": np.arange(600, dtype=np.float32).reshape(2, 300),
            "i": np.array([[255], [0]], np.uint8)}  # fmt: skip
    assert_same_bits(evaluate(new, feed)[0]["out0"], evaluate(graph, feed)[0]["out0"])


def test_types_of_the_new_nodes() -> None:
    new = CHOOSE.run(chosen((5, 8), 1, float32))
    assert new.outputs["out0"].type == TensorType((5, 1), float32)
    comparison = next(node for node in new.nodes if node.op.name == "eq")
    assert comparison.inputs[0].type.dtype is int32
