"""What products compute before they store anything, what they leave to kernels, and why."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from graphc.dtypes import bool_, float32, int32
from graphc.graph import Graph
from graphc.node import Node, constant
from graphc.ops.elementwise import add, div, exp, maximum, mul, neg, sqrt, sub, tanh
from graphc.ops.leaf import iota, variable
from graphc.ops.linalg import matmul
from graphc.ops.reduce import amax, sum_
from graphc.ops.select import where
from graphc.ops.shape import expand, permute, reshape
from graphc.passes.base import Journal, writing
from graphc.passes.fuse import Fuse
from graphc.passes.fusion.groups import CYCLE, TOO_LARGE
from graphc.passes.fusion.products import BOTH_WAYS, COUNTS, FOLDED_FIRST, READ_AGAIN
from graphc.passes.fusion.space import DIFFERENT_SHAPES
from graphc.storage import Storage
from graphc.types import TensorType
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

X, W = input_node("x", (6, 5)), input_node("w", (5, 8))
ROW, SIDE = input_node("row", (8,)), input_node("side", (6, 8))
PRODUCT = matmul(X, W)

Draw = Callable[[st.SearchStrategy[int]], int]


def fused(*outputs: Node) -> tuple[Graph, Journal]:
    return checked(graph_of(*outputs))


def checked(graph: Graph) -> tuple[Graph, Journal]:
    with writing(Journal()) as notes:
        new = Fuse(products=True).run(graph)
    verify(new)
    for seed in range(2):
        assert_same_program(new, graph, feeds(graph, seed))
    return new, notes


def products(graph: Graph) -> list[list[str]]:
    """The operations in each product's body, without its inputs."""
    return [
        [inner.op.name for inner in node.attrs["body"].nodes if not is_input(inner)]
        for node in graph.nodes
        if node.op.name == "fused_matmul"
    ]


def names(graph: Graph) -> set[str]:
    return {node.op.name for node in graph.nodes}


def test_bias_and_activation_run_on_the_product() -> None:
    z = add(PRODUCT, ROW)
    new, notes = fused(maximum(z, number(0)))
    assert products(new) == [["add", "constant", "maximum"]] or products(new) == [
        ["constant", "add", "maximum"]
    ]
    assert names(new) == {"placeholder", "fused_matmul"}
    assert notes.fired()["product kernel"].count == 1


def test_products_stay_alone_unless_asked() -> None:
    graph = graph_of(tanh(add(PRODUCT, ROW)))
    assert "fused_matmul" not in names(Fuse().run(graph))


def test_a_product_that_others_need_is_one_of_the_results() -> None:
    new, _ = fused(tanh(add(PRODUCT, ROW)), PRODUCT, matmul(PRODUCT, permute(W, dims=(1, 0))))
    (node,) = [node for node in new.nodes if node.op.name == "fused_matmul"]
    assert len(node.attrs["body"].outputs) == 2
    assert node.attrs["body"].inputs[0] in node.attrs["body"].outputs.values()
    assert sum(each.op.name == "matmul" for each in new.nodes) == 1


def test_an_update_in_the_transposed_layout_reads_the_product_transposed() -> None:
    kind = TensorType((8, 5), float32)
    stores = [Storage(np.full((8, 5), fill, np.float32)) for fill in (1, 0.5, 0.25)]
    weight, m, v = (variable(n, kind, s) for n, s in zip("pmv", stores, strict=True))
    side = input_node("g", (6, 8))
    grad = permute(matmul(permute(X, dims=(1, 0)), side), dims=(1, 0))
    new_m = add(mul(m, number(0.9)), mul(grad, number(0.1)))
    new_v = add(mul(v, number(0.99)), mul(mul(grad, grad), number(0.01)))
    new_p = sub(weight, div(new_m, add(sqrt(new_v), number(1e-8))))
    graph = Graph([X, side], {}, {weight: new_p, m: new_m, v: new_v})
    new, _ = checked(graph)
    (node,) = [node for node in new.nodes if node.op.name == "fused_matmul"]
    assert node.attrs["transposed"] is True
    assert [each.op.name for each in node.inputs[2:]] == ["variable"] * 3
    assert "fused" not in names(new)


def test_the_untransposed_product_is_still_there_for_others() -> None:
    new, _ = fused(neg(permute(PRODUCT, dims=(1, 0))), PRODUCT)
    assert products(new) == [["neg"]]
    assert "matmul" not in names(new)


CHOSEN = where(input_node("mask", (6, 8), bool_), PRODUCT, number(0))
BACK = matmul(CHOSEN, permute(W, dims=(1, 0)))


def test_sums_over_rows_and_what_follows_run_behind_the_product() -> None:
    """The gradient of a layer's bias, and the bias's update."""
    bias = input_node("bias", (1, 8))
    updated = sub(bias, mul(sum_(CHOSEN, dims=(0,)), number(0.1)))
    new, _ = fused(BACK, updated)
    assert products(new) == [["constant", "where", "sum", "constant", "mul", "sub"]]
    assert names(new) == {"placeholder", "fused_matmul", "matmul", "item", "permute"}


def test_sums_of_a_transposed_product() -> None:
    turned = add(permute(PRODUCT, dims=(1, 0)), input_node("other", (8, 6)))
    new, _ = fused(turned, sum_(turned, dims=(0,)))
    assert products(new) == [["add", "sum"]]


def test_other_reductions_behind_what_is_stored_stay_kernels() -> None:
    for reduced in (
        sum_(CHOSEN, dims=(1,)),
        sum_(CHOSEN, dims=(0, 1)),
        amax(CHOSEN, dims=(0,)),
        sum_(mul(CHOSEN, CHOSEN), dims=(0,)),
        mul(CHOSEN, sum_(CHOSEN, dims=(0,))),
    ):
        new, _ = fused(BACK, reduced)
        assert "sum" not in products(new)[0]
        assert len(kernels(new)) == 1


def test_many_rows_are_added_by_a_kernel() -> None:
    many = neg(matmul(input_node("many", (5000, 5)), W))
    new, _ = fused(many, sum_(many, dims=(0,)))
    assert products(new) == [["neg"]]
    assert kernels(new) == [["sum"]]


def test_what_is_only_folded_stays_in_its_kernel() -> None:
    new, notes = fused(sum_(tanh(PRODUCT), dims=(1,)))
    assert products(new) == []
    assert kernels(new) == [["tanh", "sum"]]
    assert FOLDED_FIRST in notes.refused()


def test_a_product_that_is_read_again_stays_in_memory() -> None:
    stored = tanh(PRODUCT)
    late = mul(PRODUCT, sum_(stored, dims=(1,)))
    new, notes = fused(stored, late)
    assert products(new) == []
    assert READ_AGAIN in notes.refused()


def test_values_on_the_way_that_are_read_again_stay_in_their_kernel() -> None:
    z = exp(PRODUCT)
    new, notes = fused(neg(z), mul(z, sum_(neg(z), dims=(1,))))
    assert products(new) == []
    assert READ_AGAIN in notes.refused()


def test_a_path_that_comes_back_is_refused() -> None:
    square = matmul(input_node("p", (4, 4)), input_node("q", (4, 4)))
    new, notes = fused(add(square, matmul(square, square)))
    assert products(new) == [["add"]]  # the second product takes it, with the first as an extra
    assert CYCLE in notes.refused()


def test_a_reader_that_needs_the_product_both_ways_is_left_alone() -> None:
    square = matmul(input_node("p", (4, 4)), input_node("q", (4, 4)))
    turned = permute(square, dims=(1, 0))
    new, notes = fused(add(neg(square), turned))
    assert products(new) == []
    assert {BOTH_WAYS, CYCLE} <= set(notes.refused())


def test_two_products_that_could_take_each_others_readers() -> None:
    """a -> d, c -> b and a, c feed both kernels: taking both would run in a circle."""
    p, q = input_node("p", (4, 4)), input_node("q", (4, 4))
    a, c = matmul(p, q), matmul(q, p)
    b = add(exp(a), matmul(c, c))
    d = sub(exp(c), matmul(a, a))
    fused(b, d)


def test_only_one_of_two_products_takes_their_sum() -> None:
    new, _ = fused(add(PRODUCT, matmul(tanh(X), W)))
    assert products(new) == [["add"]]
    assert kernels(new) == [["tanh"]]
    assert sum(node.op.name == "matmul" for node in new.nodes) == 1


def test_batches_and_broadcast_extras() -> None:
    a, b = input_node("a", (3, 1, 4, 5)), input_node("b", (2, 5, 6))
    scale = input_node("scale", (3, 1, 1, 1))
    new, _ = fused(mul(matmul(a, b), scale))
    assert products(new) == [["mul"]]


def test_other_types_stay_with_their_own_steps() -> None:
    a, b = input_node("a", (4, 5), int32), input_node("b", (5, 6), int32)
    new, _ = fused(neg(matmul(a, b)))
    assert products(new) == []


def test_empty_products_stay() -> None:
    new, _ = fused(neg(matmul(input_node("a", (0, 5)), W)))
    assert products(new) == []


def test_without_terms_the_body_still_runs() -> None:
    new, _ = fused(add(matmul(input_node("a", (3, 0)), input_node("b", (0, 8))), ROW))
    assert products(new) == [["add"]]


def test_broadcasting_a_product_is_a_border() -> None:
    one = matmul(input_node("a", (1, 5)), W)
    new, notes = fused(add(one, SIDE))
    assert products(new) == []
    assert DIFFERENT_SHAPES in notes.refused()


def test_counting_positions_is_left_to_kernels() -> None:
    new, notes = fused(add(PRODUCT, iota((6, 8), 1, float32)))
    assert products(new) == []
    assert COUNTS in notes.refused()


def test_long_chains_are_left_to_kernels() -> None:
    node = PRODUCT
    for _ in range(60):
        node = tanh(node)
    new, notes = fused(node)
    assert products(new) == []
    assert TOO_LARGE in notes.refused()


def test_many_results_are_left_to_kernels() -> None:
    new, notes = fused(*(mul(PRODUCT, number(k)) for k in range(9)))
    assert products(new) == []
    assert TOO_LARGE in notes.refused()


def test_a_broadcast_extra_below_glue_stays_small() -> None:
    new, _ = fused(mul(PRODUCT, expand(ROW, shape=(6, 8))))
    (node,) = [node for node in new.nodes if node.op.name == "fused_matmul"]
    assert node.inputs[2] is ROW


def test_a_constant_table_is_an_extra() -> None:
    table = constant(np.arange(48, dtype=np.float32).reshape(6, 8))
    new, _ = fused(mul(PRODUCT, table))
    (node,) = [node for node in new.nodes if node.op.name == "fused_matmul"]
    assert node.inputs[2] is table


@st.composite
def programs(draw: Draw) -> Graph:
    """Square values; many products with readers of all kinds."""
    values = [input_node("a", (4, 4)), input_node("b", (4, 4)), input_node("c", (4,))]
    for _ in range(draw(st.integers(4, 20))):
        x, y = (values[-1 - draw(st.integers(0, min(6, len(values) - 1)))] for _ in range(2))
        square = next(each for each in (x, y, values[0]) if each.type.shape == (4, 4))
        made = [
            neg(x), exp(x), add(x, y), mul(square, y), matmul(square, values[1]),
            matmul(values[0], square), permute(square, dims=(1, 0)),
            sum_(square, dims=(draw(st.integers(0, 1)),)), amax(square, dims=(1,)),
            reshape(sum_(square, dims=(0,)), shape=(4,)),
        ]  # fmt: skip
        values.append(made[draw(st.integers(0, len(made) - 1))])
    count = len(values)
    return graph_of(values[-1], *(values[draw(st.integers(0, count - 1))] for _ in range(3)))


@settings(max_examples=300, deadline=None)
@given(programs())
def test_bits_stay_whatever_products_take(graph: Graph) -> None:
    new, _ = checked(graph)
    assert Fuse(products=True).run(new).same_as(new)
