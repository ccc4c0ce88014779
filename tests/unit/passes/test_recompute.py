"""Which values kernels compute again instead of loading them."""

from __future__ import annotations

import pytest

from graphc.dtypes import float32
from graphc.graph import Graph
from graphc.node import Node
from graphc.ops.comparison import le
from graphc.ops.elementwise import add, div, exp, mul, neg, sub, tanh
from graphc.ops.leaf import iota
from graphc.ops.linalg import matmul
from graphc.ops.select import where
from graphc.passes.base import Journal, writing
from graphc.passes.fuse import Fuse
from graphc.passes.fusion.recompute import MAX_STEPS, NO_GAIN
from graphc.verify import verify
from tests.unit.passes.programs import (
    assert_same_program,
    feeds,
    graph_of,
    input_node,
    kernels,
    mean,
    number,
)  # fmt: skip

X, G = input_node("x", (8, 16)), input_node("g", (8, 16))
SQUARE = input_node("square", (16, 16))
ROW = input_node("row", (16,))
RULE = "value computed again"


def fused(*outputs: Node, products: bool = False) -> tuple[Graph, Journal]:
    graph = graph_of(*outputs)
    with writing(Journal()) as notes:
        new = Fuse(products=products).run(graph)
    verify(new)
    for seed in range(2):
        assert_same_program(new, graph, feeds(graph, seed))
    return new, notes


def results(graph: Graph) -> list[int]:
    """How many results each kernel has."""
    return [len(n.attrs["body"].outputs) for n in graph.nodes if n.op.name == "fused"]


def twice(value: Node) -> Node:
    """Something that reads a value before and after a product, so in two kernels."""
    return mul(mul(value, matmul(exp(value), SQUARE)), X)


def test_a_mask_is_made_again_from_what_it_was_made_of() -> None:
    """Its reader has the activation's input anyway."""
    mask = le(X, number(0))
    first = matmul(where(mask, number(0), X), SQUARE)
    new, notes = fused(mul(where(mask, number(0), first), X))
    assert results(new) == [1, 1]
    assert notes.fired()[RULE].count == 1


def test_a_normalized_row_is_made_again_from_its_mean() -> None:
    """The mean must then be stored, which is little."""
    centered = sub(X, mean(X, (1,)))
    first = matmul(exp(centered), SQUARE)
    new, notes = fused(mul(centered, first))
    forward = next(node for node in new.nodes if node.op.name == "fused")
    assert sorted(each.shape for each in forward.result_type.items) == [(8, 1), (8, 16)]
    assert kernels(new)[-1] == ["sub", "mul"]
    assert notes.fired()[RULE].count == 1


def test_a_chain_moves_as_a_whole() -> None:
    shifted = mul(add(X, ROW), ROW)
    new, _ = fused(twice(shifted))
    assert kernels(new) == [["add", "mul", "exp"], ["add", "mul", "mul", "mul"]]


def test_two_loads_are_not_better_than_one_store_and_load() -> None:
    a, b = exp(input_node("a", (8, 16))), exp(input_node("b", (8, 16)))
    total = add(a, b)
    border = matmul(mul(total, mul(a, b)), SQUARE)
    keep = matmul(a, SQUARE), matmul(b, SQUARE)
    _, notes = fused(border, *keep, div(border, total))
    assert NO_GAIN in notes.refused()
    assert RULE not in notes.fired()


def test_costly_values_are_stored() -> None:
    _, notes = fused(twice(tanh(X)))
    assert RULE not in notes.fired()


def test_results_of_the_program_are_stored_anyway() -> None:
    value = neg(X)
    _, notes = fused(value, twice(value))
    assert RULE not in notes.fired()


def test_what_a_product_reads_is_stored_anyway() -> None:
    value = neg(X)
    _, notes = fused(matmul(value, SQUARE), twice(value))
    assert RULE not in notes.fired()


@pytest.mark.parametrize("steps", [MAX_STEPS, MAX_STEPS + 1])
def test_long_chains_are_stored(steps: int) -> None:
    value = X
    for _ in range(steps):
        value = mul(value, ROW)
    _, notes = fused(twice(value))
    assert (RULE in notes.fired()) == (steps <= MAX_STEPS)


def test_a_kernel_in_a_product_repeats_values_too() -> None:
    mask = le(X, number(0))
    first = matmul(where(mask, number(0), X), SQUARE)
    new, notes = fused(mul(where(mask, number(0), first), X), products=True)
    assert RULE in notes.fired()
    (node,) = [node for node in new.nodes if node.op.name == "fused_matmul"]
    assert [each.op.name for each in node.attrs["body"].nodes].count("le") == 1
    assert "bool" not in {str(operand.type.dtype.name) for operand in node.inputs}


def test_counting_is_not_repeated_in_products() -> None:
    places = mul(X, iota((8, 16), 1, float32))
    new, notes = fused(mul(matmul(exp(places), SQUARE), places), products=True)
    assert RULE not in notes.fired()
    new, notes = fused(mul(matmul(exp(places), SQUARE), mul(places, X)))
    assert RULE in notes.fired()
    assert kernels(new)[-1].count("iota") == 1


def test_several_readers_repeat_it_if_all_gain() -> None:
    mask = le(X, number(0))
    first = matmul(where(mask, number(0), X), SQUARE)
    second = mul(where(mask, first, X), X)
    third = mul(where(mask, matmul(second, SQUARE), X), X)
    new, notes = fused(third)
    assert results(new) == [1, 1, 1]
    assert notes.fired()[RULE].count == 1


def test_one_value_is_stored_in_place_of_two_that_are_made_of_it() -> None:
    """As in gelu: the input instead of its half and its scaled copy."""
    z = sub(exp(X), tanh(G))
    half, scaled = mul(z, number(0.5)), mul(z, number(0.7))
    border = matmul(mul(half, tanh(scaled)), SQUARE)
    new, notes = fused(mul(mul(border, half), exp(scaled)))
    assert results(new) == [2, 1]
    assert notes.fired()[RULE].count == 2
    assert kernels(new)[-1].count("tanh") == 0


def test_one_value_that_one_other_is_made_of_is_not_stored_in_its_place() -> None:
    z = sub(exp(X), tanh(G))
    half = mul(z, number(0.5))
    _, notes = fused(mul(matmul(exp(half), SQUARE), half))
    assert RULE not in notes.fired()
