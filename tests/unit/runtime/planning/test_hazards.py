"""Which results may overwrite operands, and which steps may still raise."""

import numpy as np
import pytest

from graphc.dtypes import float64, int64
from graphc.graph import Graph
from graphc.node import Node, constant
from graphc.ops import elementwise as e
from graphc.ops.fused import fused, item
from graphc.ops.fused_matmul import fused_matmul
from graphc.ops.index import gather, index, index_add, scatter_add
from graphc.ops.leaf import placeholder
from graphc.ops.linalg import matmul
from graphc.ops.reduce import amax, sum_
from graphc.ops.shape import reshape
from graphc.runtime.planning.hazards import may_overwrite, positions_that_may_raise
from graphc.runtime.planning.planner import make_plan
from graphc.types import TensorType
from tests.random_graphs import pair_kernel, softmax_kernel

FULL = TensorType((4, 8), float64)


def kernel(x: Node, *outputs: Node) -> Node:
    (a,) = {node for root in outputs for node in Graph([], {"r": root}).nodes if not node.inputs}
    return fused((x,), Graph([a], {f"r{k}": node for k, node in enumerate(outputs)}))


@pytest.fixture
def x() -> Node:
    return placeholder("x", FULL)


@pytest.fixture
def a() -> Node:
    return placeholder("a0", FULL)


def test_elementwise_results_may(x: Node) -> None:
    assert may_overwrite(e.tanh(x), [0], 0)
    assert not may_overwrite(matmul(x, constant(np.ones((8, 8)))), [0], 0)
    assert not may_overwrite(sum_(x, dims=(1,)), [0], 0)


def test_softmax_may(x: Node) -> None:
    assert may_overwrite(softmax_kernel(x), [0], 0)


def test_a_result_that_is_ready_before_the_last_reduction_may_not(x: Node, a: Node) -> None:
    centered = e.sub(a, amax(a, dims=(1,)))
    late = sum_(e.mul(a, centered), dims=(1,))  # reads the operand after `centered` is known
    assert not may_overwrite(kernel(x, centered, late), [0], 0)
    assert may_overwrite(kernel(x, e.add(centered, late), late), [0], 0)


def test_two_full_results_beside_a_reduction_may_not(x: Node, a: Node) -> None:
    total = sum_(a, dims=(1,))
    assert not may_overwrite(kernel(x, e.add(a, total), e.mul(a, total)), [0], 0)


def test_leading_dims_of_size_1_make_no_difference(x: Node, a: Node) -> None:
    b = placeholder("a1", TensorType((1, 4, 8), float64))
    late = e.add(b, sum_(b, dims=(2,)))
    node = fused((x, reshape(x, shape=(1, 4, 8))), Graph([a, b], {"r0": e.neg(a), "r1": late}))
    assert not may_overwrite(node, [0], 1)


ROWS = TensorType((8,), float64)


def rows_kernel(*outputs: Node, inputs: tuple[Node, ...]) -> Node:
    """A kernel over [4, 8] that reduces the first dim; its operands are named like its inputs."""
    operands = tuple(placeholder(f"x{k}", node.type) for k, node in enumerate(inputs))
    return fused(operands, Graph(inputs, {f"r{k}": node for k, node in enumerate(outputs)}))


def test_a_rows_result_may_replace_what_only_rows_read(a: Node) -> None:
    old, other = placeholder("a1", ROWS), placeholder("a2", ROWS)
    total = sum_(a, dims=(0,))
    new = e.add(e.mul(old, other), total)
    node = rows_kernel(new, e.sub(a, total), inputs=(a, old, other))
    assert may_overwrite(node, [1], 0)
    assert may_overwrite(node, [2], 0)
    assert not may_overwrite(node, [0], 0)


def test_a_rows_result_may_not_replace_what_points_read(a: Node) -> None:
    old = placeholder("a1", ROWS)
    shifted = e.add(a, old)
    node = rows_kernel(e.add(old, sum_(shifted, dims=(0,))), inputs=(a, old))
    assert not may_overwrite(node, [1], 0)


def test_a_rows_result_may_not_replace_what_a_later_row_reads(a: Node) -> None:
    old = placeholder("a1", ROWS)
    total = sum_(a, dims=(0,))
    spread = sum_(e.abs_(e.sub(a, total)), dims=(0,))
    early, late = e.add(old, total), e.add(old, spread)
    node = rows_kernel(early, late, inputs=(a, old))
    assert not may_overwrite(node, [1], 0)
    assert may_overwrite(node, [1], 1)


def test_reducing_a_dim_of_size_one_leaves_rows() -> None:
    a, old = placeholder("a0", TensorType((1, 8), float64)), placeholder("a1", ROWS)
    total = sum_(a, dims=(0,))
    node = rows_kernel(e.add(old, total), e.mul(old, total), inputs=(a, old))
    assert may_overwrite(node, [1], 0)
    assert may_overwrite(node, [1], 1)


def test_a_result_smaller_than_the_iteration_space_may_not() -> None:
    a, b = placeholder("a0", FULL), placeholder("a1", TensorType((1, 8), float64))
    node = fused((a, b), Graph([a, b], {"r0": e.add(a, b), "r1": e.neg(b)}))
    assert may_overwrite(node, [0], 0)
    assert not may_overwrite(node, [1], 1)


def test_a_pair_of_results_takes_two_operands() -> None:
    x, y = placeholder("x", FULL), placeholder("y", FULL)
    first, second = pair_kernel(e.tanh(x), e.sin(y))
    plan = make_plan(Graph([x, y], {"z": matmul(first, constant(np.ones((8, 8)))),
                                    "s": sum_(second, dims=(0, 1))}))  # fmt: skip
    (step,) = (step for step in plan.steps if step.node.op.name == "fused")
    assert [o.buffer for o in step.outputs] == [o.buffer for o in step.inputs]
    both = item(step.node, 0)
    assert both.type == FULL


def test_results_of_a_product_replace_its_extras_but_not_its_factors() -> None:
    square = TensorType((8, 8), float64)
    a0, a1 = placeholder("a0", square), placeholder("a1", square)
    x, y = placeholder("x", square), placeholder("y", square)
    body = Graph([a0, a1], {"r0": e.add(a0, a1)})
    node = fused_matmul(x, x, (y,), body)
    assert may_overwrite(node, [2], 0)
    assert not may_overwrite(node, [1, 2], 0)
    assert not may_overwrite(node, [0], 0)
    last = fused_matmul(e.tanh(x), x, (e.sin(y),), body)
    plan = make_plan(Graph([x, y], {"s": sum_(last, dims=(0, 1))}))
    (step,) = (step for step in plan.steps if step.node is last)
    assert step.outputs[0].buffer == step.inputs[2].buffer


def test_indices_are_checked_once() -> None:
    table, rows = placeholder("t", FULL), placeholder("i", TensorType((3,), int64))
    looked_up = index(table, rows, dims=(0,))
    gradient = index_add(looked_up, rows, shape=(4, 8), dims=(0,))
    elsewhere = index_add(looked_up, rows, shape=(3, 8), dims=(0,))
    other_dim = index(table, rows, dims=(1,))
    assert positions_that_may_raise([looked_up, None, gradient]) == [0]
    assert positions_that_may_raise([gradient, looked_up]) == [0]
    assert positions_that_may_raise([looked_up, elsewhere, other_dim]) == [0, 1, 2]


def test_gather_and_scatter_check_the_same() -> None:
    table, at = placeholder("t", FULL), placeholder("i", TensorType((4, 1), int64))
    picked = gather(table, at, dim=1)
    assert positions_that_may_raise([picked, scatter_add(table, at, picked, dim=1)]) == [0]
    assert positions_that_may_raise([picked, gather(table, at, dim=0)]) == [0, 1]
