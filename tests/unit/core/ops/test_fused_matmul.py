"""A product with an elementwise body: what it accepts, and that its bits are the parts' bits."""

from __future__ import annotations

import numpy as np
import pytest

from graphc.dtypes import DType, bfloat16, float32, float64
from graphc.errors import ShapeError
from graphc.evaluate import evaluate_node
from graphc.graph import Graph
from graphc.node import Node
from graphc.ops import elementwise as e
from graphc.ops.fused_matmul import factor_operands, fused_matmul
from graphc.ops.leaf import placeholder
from graphc.ops.linalg import matmul, swap_last
from graphc.ops.reduce import sum_
from graphc.ops.select import cast
from graphc.ops.shape import permute
from graphc.parse import parse_graph
from graphc.types import TensorType, TupleType


def leaf(name: str, *shape: int, dtype: DType = float32) -> Node:
    return placeholder(name, TensorType(shape, dtype))


A, B = leaf("a", 3, 5), leaf("b", 5, 4)
P, ROW = leaf("a0", 3, 4), leaf("a1", 4)


def values(*shapes: tuple[int, ...], dtype: DType = float32) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.standard_normal(shape).astype(dtype.numpy) for shape in shapes]


@pytest.mark.parametrize("dtype", [float32, float64])
def test_bits_are_those_of_the_product_and_the_body(dtype: DType) -> None:
    p, row = leaf("a0", 2, 3, 4, dtype=dtype), leaf("a1", 4, dtype=dtype)
    body = Graph([p, row], {"r0": e.tanh(e.add(p, row)), "r1": p})
    a, b, bias = values((2, 3, 5), (5, 4), (4,), dtype=dtype)
    node = fused_matmul(
        leaf("a", 2, 3, 5, dtype=dtype), leaf("b", 5, 4, dtype=dtype),
        (leaf("row", 4, dtype=dtype),), body,
    )  # fmt: skip
    first, second = evaluate_node(node, (a, b, bias))
    product = matmul.eval(a, b)
    np.testing.assert_array_equal(first, np.tanh(product + bias))
    np.testing.assert_array_equal(second, product)


def test_a_transposed_product_is_seen_with_its_last_dims_swapped() -> None:
    p, column = leaf("a0", 2, 4, 3), leaf("a1", 4, 1)
    body = Graph([p, column], {"r0": e.mul(p, column)})
    a, b, factor = values((2, 3, 5), (2, 5, 4), (4, 1))
    node = fused_matmul(
        leaf("a", 2, 3, 5), leaf("b", 2, 5, 4), (leaf("c", 4, 1),), body, transposed=True
    )
    assert node.type == TensorType((2, 4, 3), float32)
    found = evaluate_node(node, (a, b, factor))
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, (a @ b).transpose(0, 2, 1) * factor)


def test_several_results_make_a_tuple() -> None:
    body = Graph([P, ROW], {"r0": e.add(P, ROW), "r1": P})
    node = fused_matmul(A, B, (leaf("row", 4),), body)
    assert node.result_type == TupleType((P.type, P.type))


@pytest.mark.parametrize(
    ("body", "transposed", "what"),
    [
        (Graph([ROW, P], {"r0": e.add(P, ROW)}), False, "do not fit the body"),
        (Graph([P, ROW], {"r0": e.add(P, ROW)}), True, "do not fit the body"),
        (Graph([P, ROW], {"r0": e.neg(ROW)}), False, "must have the product's shape"),
        (Graph([P, ROW], {"r0": e.add(P, sum_(P, dims=(1,)))}), False, "no elementwise"),
        (Graph([P, ROW], {"r0": P, "r1": permute(P, dims=(1, 0))}), False, "product's shape"),
    ],
)
def test_misfits_are_refused(body: Graph, transposed: bool, what: str) -> None:
    with pytest.raises(ShapeError, match=what):
        fused_matmul(A, B, (leaf("row", 4),), body, transposed=transposed)


def test_values_larger_than_the_product_are_refused() -> None:
    product, wide = leaf("a0", 1, 4), leaf("a1", 3, 4)
    body = Graph([product, wide], {"r0": product, "r1": e.add(product, wide)})
    with pytest.raises(ShapeError, match="product's shape"):
        fused_matmul(leaf("a", 1, 5), B, (leaf("w", 3, 4),), body)


def test_the_text_form_reads_back() -> None:
    row = leaf("row", 4)
    node = fused_matmul(A, B, (row,), Graph([P, ROW], {"r0": e.add(P, ROW)}))
    graph = Graph([A, B, row], {"y": node})
    assert parse_graph(str(graph)).outputs["y"] is node


def widened(*shape: int) -> Graph:
    """A prologue: a factor of this shape, from 16 bits and a scale for each column."""
    narrow, scale = leaf("a0", *shape, dtype=bfloat16), leaf("a1", shape[-1])
    return Graph([narrow, scale], {"r0": e.mul(cast(narrow, dtype=float32), scale)})


@pytest.mark.parametrize("transposed", [False, True])
def test_bits_are_those_of_the_computed_factors(transposed: bool) -> None:
    left, right = widened(3, 5), widened(4, 5)
    right = Graph(right.inputs, {"r0": swap_last(right.outputs["r0"])})
    shape = (4, 3) if transposed else (3, 4)
    product = leaf("a0", *shape)
    a, b, s, t = values((3, 5), (4, 5), (5,), (5,))
    half = [each.astype(bfloat16.numpy) for each in (a, b)]
    node = fused_matmul(
        (leaf("a", 3, 5, dtype=bfloat16), leaf("s", 5)),
        (leaf("b", 4, 5, dtype=bfloat16), leaf("t", 5)),
        (),
        Graph([product], {"r0": product}),
        transposed=transposed,
        left=left,
        right=right,
    )
    assert factor_operands(node) == 4
    found = evaluate_node(node, (half[0], s, half[1], t))
    wanted = matmul.eval(half[0].astype(np.float32) * s, (half[1].astype(np.float32) * t).T)
    np.testing.assert_array_equal(found, wanted.T if transposed else wanted)
    graph = Graph(node.inputs, {"y": node})
    assert parse_graph(str(graph)).outputs["y"] is node


def test_prologues_that_are_more_than_elementwise_are_refused() -> None:
    x = leaf("a0", 3, 5)
    summed = e.mul(x, sum_(x, dims=(1,)))
    other = permute(leaf("a0", 5, 3), dims=(1, 0))
    for a, left in (
        (A, Graph([x], {"r0": summed})),
        (A, Graph([x], {"r0": x, "r1": e.neg(x)})),
        (leaf("a", 5, 3), Graph([leaf("a0", 3, 5)], {"r0": leaf("a0", 3, 5)})),
    ):
        with pytest.raises(ShapeError, match="fused_matmul"):
            fused_matmul(a, B, (), Graph([P], {"r0": P}), left=left)
    batch = leaf("a0", 3, 5, 2)
    turned = Graph([batch], {"r0": permute(batch, dims=(2, 0, 1))})
    with pytest.raises(ShapeError, match="last two dims"):
        fused_matmul(leaf("a", 3, 5, 2), B, (), Graph([P], {"r0": P}), left=turned)
    turned = Graph([other.inputs[0]], {"r0": other})
    assert fused_matmul(leaf("a", 5, 3), B, (), Graph([P], {"r0": P}), left=turned).type == P.type
