"""A product with an elementwise body: what it accepts, and that its bits are the parts' bits."""

from __future__ import annotations

import numpy as np
import pytest

from graphc.dtypes import DType, float32, float64
from graphc.errors import ShapeError
from graphc.evaluate import evaluate_node
from graphc.graph import Graph
from graphc.node import Node
from graphc.ops import elementwise as e
from graphc.ops.fused_matmul import fused_matmul
from graphc.ops.leaf import placeholder
from graphc.ops.linalg import matmul
from graphc.ops.reduce import sum_
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
