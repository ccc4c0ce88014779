"""Which factors products compute themselves, which stay kernels of their own, and why."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from graphc.dtypes import DType, bfloat16, float16, float32, uint8
from graphc.graph import Graph
from graphc.node import Node
from graphc.ops.elementwise import add, exp, maximum, mul, neg, tanh
from graphc.ops.leaf import iota
from graphc.ops.linalg import matmul, swap_last
from graphc.ops.reduce import sum_
from graphc.ops.select import cast
from graphc.ops.shape import expand
from graphc.passes.base import Journal, writing
from graphc.passes.fuse import Fuse
from graphc.passes.fusion import prologues
from graphc.passes.fusion.groups import TOO_LARGE
from graphc.passes.fusion.prologues import (
    CACHED,
    CONSTANT,
    COUNTS,
    FEW_ROWS,
    MADE_WITH_OTHERS,
    READ_BY_OTHERS,
    SMALL,
    TOO_OFTEN,
)
from graphc.verify import verify
from tests.unit.passes.programs import (
    assert_same_program,
    feeds,
    graph_of,
    input_node,
    is_input,
    kernels,
    number,
)  # fmt: skip
from tests.unit.passes.test_products import names, programs

X, W = input_node("x", (48, 64)), input_node("w", (64, 80))
BYTES = input_node("bytes", (64, 80), uint8)
ROW, COLUMN = input_node("row", (80,)), input_node("column", (64, 1))
ROW48 = input_node("row48", (48, 1))
TALL = input_node("tall", (6000, 48))


def fused(*outputs: Node) -> tuple[Graph, Journal]:
    graph = graph_of(*outputs)
    with writing(Journal()) as notes:
        new = Fuse(products=True).run(graph)
    verify(new)
    for seed in range(2):
        assert_same_program(new, graph, feeds(graph, seed))
    return new, notes


def factors(graph: Graph) -> list[tuple[list[str], list[str]]]:
    """The operations of each product's two prologues."""

    def inner(body: Graph | None) -> list[str]:
        nodes = () if body is None else body.nodes
        return [node.op.name for node in nodes if not is_input(node)]

    return [
        (inner(node.attrs.get("left")), inner(node.attrs.get("right")))
        for node in graph.nodes
        if node.op.name == "fused_matmul"
    ]


def test_a_cast_runs_while_the_product_reads() -> None:
    new, notes = fused(matmul(X, cast(BYTES, dtype=float32)))
    assert factors(new) == [([], ["cast"])]
    assert names(new) == {"placeholder", "fused_matmul"}
    assert notes.fired()["product prologue"].count == 1


def test_a_factor_of_constants_alone_is_a_kernel() -> None:
    new, notes = fused(matmul(X, exp(neg(expand(number(2.0), shape=(64, 80))))))
    assert names(new) >= {"fused", "matmul"}
    assert CONSTANT in notes.refused()


def test_several_operands_and_broadcasts() -> None:
    scaled = mul(add(W, ROW), COLUMN)
    new, _ = fused(matmul(X, scaled))
    assert factors(new) == [([], ["add", "mul"])]
    (node,) = [node for node in new.nodes if node.op.name == "fused_matmul"]
    assert node.inputs == (X, W, ROW, COLUMN)


def test_both_factors_and_an_epilogue() -> None:
    product = matmul(maximum(TALL, number(0)), mul(input_node("v", (48, 64)), ROW48))
    new, _ = fused(tanh(product))
    assert factors(new) == [(["constant", "maximum"], ["mul"])]
    assert names(new) == {"placeholder", "fused_matmul"}


@pytest.mark.parametrize("dtype", [float16, bfloat16])
def test_transposed_weights_of_a_layer_are_widened_on_the_way(dtype: DType) -> None:
    weight = input_node("half", (80, 64), dtype)
    new, _ = fused(add(matmul(X, swap_last(cast(weight, dtype=float32))), number(1)))
    assert factors(new) == [([], ["cast", "permute"])]
    assert names(new) == {"placeholder", "fused_matmul"}


def test_a_factor_that_others_read_is_stored() -> None:
    wide = cast(BYTES, dtype=float32)
    for others in ([wide], [sum_(wide, dims=(0,))], [matmul(swap_last(wide), COLUMN)]):
        new, notes = fused(matmul(X, wide), *others)
        assert not any(left or right for left, right in factors(new))
        assert READ_BY_OTHERS in notes.refused()


def test_a_square_reads_its_factor_twice() -> None:
    wide = cast(BYTES, dtype=float32)
    new, notes = fused(matmul(wide, swap_last(wide)))
    assert factors(new) == []
    assert READ_BY_OTHERS in notes.refused()


def test_a_factor_made_behind_a_reduction_is_a_kernel() -> None:
    new, notes = fused(matmul(X, mul(W, sum_(W, dims=(1,)))))
    assert factors(new) == []
    assert MADE_WITH_OTHERS in notes.refused()


def test_what_merged_with_the_factor_stays_a_kernel() -> None:
    """Two kernels read one array and became one; the product takes its part of it."""
    new, _ = fused(matmul(X, mul(W, number(2))), neg(W))
    ((left, right),) = factors(new)
    assert not left
    assert sorted(right) == ["constant", "mul"]
    assert kernels(new) == [["neg"]]


def test_a_shared_part_keeps_the_factor_in_its_kernel() -> None:
    shared = exp(W)
    new, notes = fused(matmul(X, mul(shared, number(2))), neg(shared))
    assert factors(new) == []
    assert MADE_WITH_OTHERS in notes.refused()


def test_rows_are_computed_once_or_stored() -> None:
    narrow, wide = input_node("n", (48, 200)), input_node("m", (48, 300))
    new, _ = fused(matmul(tanh(TALL), narrow))
    assert factors(new) == [(["tanh"], [])]
    for product, reason in (
        (matmul(tanh(TALL), wide), TOO_OFTEN),
        (matmul(tanh(input_node("s", (600, 48))), narrow), CACHED),
    ):
        new, notes = fused(product)
        assert factors(new) == []
        assert reason in notes.refused()


def test_a_transposed_update_exchanges_the_sides() -> None:
    """``(a @ b)^T`` is computed as ``b^T @ a^T``: what is left becomes right."""
    weight = input_node("weight", (200, 300))
    product = matmul(tanh(input_node("a", (300, 64))), input_node("b", (64, 200)))
    new, _ = fused(add(weight, swap_last(product)))
    assert factors(new) == [(["tanh"], [])]


def test_few_rows_leave_costly_functions_to_kernels() -> None:
    wide = input_node("v", (64, 4096))
    new, notes = fused(matmul(input_node("one", (1, 64)), tanh(wide)))
    assert factors(new) == []
    assert FEW_ROWS in notes.refused()
    assert factors(fused(matmul(input_node("one", (1, 64)), neg(wide)))[0]) == [([], ["neg"])]


def test_small_products_read_stored_factors() -> None:
    new, notes = fused(matmul(tanh(input_node("s", (4, 4))), input_node("t", (4, 4))))
    assert factors(new) == []
    assert SMALL in notes.refused()


def test_long_chains_and_positions_stay_kernels() -> None:
    node = W
    for _ in range(30):
        node = neg(tanh(node))
    assert TOO_LARGE in fused(matmul(X, node))[1].refused()
    counted = add(W, iota((64, 80), 1, float32))
    assert COUNTS in fused(matmul(X, counted))[1].refused()


@settings(max_examples=200, deadline=None)
@given(programs())
def test_bits_stay_whatever_products_compute(graph: Graph) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prologues, "_MIN_TERMS", 0)
        patch.setattr(prologues, "_CACHED", 0)
        new = Fuse(products=True).run(graph)
    verify(new)
    assert_same_program(new, graph, feeds(graph, 0))
