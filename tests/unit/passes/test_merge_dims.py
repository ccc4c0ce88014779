"""Split leading dims move behind row-wise work, and stay where that would copy or lose a dim."""

from __future__ import annotations

import pytest

from graphc.node import Node
from graphc.ops.elementwise import add, exp, maximum, mul, rsqrt, sub
from graphc.ops.linalg import matmul
from graphc.ops.reduce import amax, sum_
from graphc.ops.shape import permute, reshape
from graphc.passes.fuse import Fuse
from graphc.passes.rewrite import rewrite
from graphc.passes.rules.align import ALIGN
from graphc.passes.rules.merge_dims import split_after_map, split_after_reduction
from tests.unit.passes.programs import (
    assert_same_program,
    feeds,
    graph_of,
    input_node,
    mean,
    number,
)  # fmt: skip

ROWS = matmul(input_node("x", (6, 5)), input_node("w", (5, 8)))
SPLIT = reshape(ROWS, shape=(2, 3, 8))
BIAS = input_node("bias", (8,))


def test_a_chain_of_layers_has_no_reshape_between_product_and_readers() -> None:
    residual = input_node("residual", (2, 3, 8))
    hidden = add(add(SPLIT, BIAS), residual)
    centered = sub(hidden, mean(hidden, (2,)))
    scale = rsqrt(add(mean(mul(centered, centered), (2,)), number(1e-5)))
    second = matmul(reshape(mul(centered, scale), shape=(6, 8)), input_node("w2", (8, 8)))
    graph = graph_of(hidden, maximum(reshape(second, shape=(2, 3, 8)), number(0)))
    new = ALIGN.run(graph)
    assert_same_program(new, graph, feeds(graph))
    kernels = Fuse(products=True).run(new)
    names = [node.op.name for node in kernels.nodes]
    assert names.count("fused_matmul") == 2
    assert names.count("fused") == 1
    assert_same_program(kernels, graph, feeds(graph))


@pytest.mark.parametrize(
    "node",
    [
        exp(reshape(input_node("a", (6, 8)), shape=(6, 2, 4))),  # splits the last dim
        add(SPLIT, input_node("b", (2, 1, 8))),  # broadcasts one of the dims
        add(SPLIT, permute(input_node("c", (3, 2, 8)), dims=(1, 0, 2))),  # would copy
        add(SPLIT, input_node("d", (4, 2, 3, 8))),  # is broadcast itself
        exp(reshape(input_node("e", (6, 8)), shape=(6, 1, 8))),  # adds a dim of size 1 only
        sum_(SPLIT, dims=(1,)),  # folds one of the dims
        amax(SPLIT, dims=(0, 1)),  # only sums merge dims
    ],
)
def test_what_stays(node: Node) -> None:
    graph = graph_of(node)
    assert rewrite(graph, [split_after_map, split_after_reduction]) is graph


def test_broadcast_rows_and_single_numbers_fit() -> None:
    graph = graph_of(mul(add(SPLIT, input_node("row", (1, 1, 8))), number(2)))
    new = rewrite(graph, [split_after_map])
    assert new.outputs["out0"].op is reshape
    assert_same_program(new, graph, feeds(graph))


def test_one_value_per_row_fits() -> None:
    column = reshape(input_node("column", (6, 1)), shape=(2, 3, 1))
    graph = graph_of(mul(SPLIT, column))
    new = rewrite(graph, [split_after_map])
    assert new.outputs["out0"].op is reshape
    assert_same_program(new, graph, feeds(graph))
