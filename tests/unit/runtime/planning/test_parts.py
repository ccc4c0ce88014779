"""Concat and pad: operands are computed in their place, and copied only where they cannot be."""

import numpy as np
import pytest

from graphc.dtypes import float32, float64, int64
from graphc.graph import Graph
from graphc.node import Node
from graphc.ops import elementwise as e
from graphc.ops.index import index
from graphc.ops.leaf import placeholder, variable
from graphc.ops.linalg import matmul
from graphc.ops.reduce import sum_
from graphc.ops.shape import concat, flip, pad, permute, reshape
from graphc.runtime.check.plan import check_plan
from graphc.runtime.layout import Layout, contiguous, reshaped, same_elements
from graphc.runtime.plan import Plan
from graphc.runtime.planning.planner import make_plan
from graphc.runtime.sessions.session import Session
from graphc.storage import Array, Storage
from graphc.types import TensorType
from tests.backends import BACKENDS

X = np.random.default_rng(0).standard_normal((4, 6))


@pytest.fixture
def x() -> Node:
    return placeholder("x", TensorType((4, 6), float64))


def planned(graph: Graph) -> Plan:
    plan = make_plan(graph)
    check_plan(plan, graph)
    return plan


def copies(plan: Plan) -> int:
    return [step.kind for step in plan.steps].count("copy")


def results(graph: Graph, **feed: Array) -> list[Array]:
    """What every backend computes; all are compared with the first."""
    found = []
    for backend in BACKENDS:
        with Session(graph, backend=backend) as session:
            found.append(session.run({"x": X, **feed})["y"])
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=1e-14, atol=1e-14)
    return found


@pytest.mark.parametrize("dim", [0, 1])
def test_elementwise_operands_are_computed_in_their_place(x: Node, dim: int) -> None:
    graph = Graph([x], {"y": concat(e.neg(x), e.abs_(x), e.mul(x, x), dim=dim)})
    plan = planned(graph)
    assert [step.node.op.name for step in plan.steps] == ["neg", "abs", "mul"]
    assert plan.arena_bytes == 0
    for y in results(graph):
        np.testing.assert_array_equal(y, np.concatenate([-X, abs(X), X * X], dim))


@pytest.mark.parametrize("dim", [0, 1])
def test_products_too(x: Node, dim: int) -> None:
    square = matmul(x, permute(x, dims=(1, 0)))
    graph = Graph([x], {"y": concat(square, e.neg(square), dim=dim)})
    assert copies(planned(graph)) == 1  # the product has another reader
    other = Graph([x], {"y": concat(square, matmul(x, permute(e.neg(x), dims=(1, 0))), dim=dim)})
    assert copies(planned(other)) == 0
    for y in results(other):
        np.testing.assert_allclose(y, np.concatenate([X @ X.T, -X @ X.T], dim), rtol=1e-12)


def test_other_operations_only_where_the_place_is_contiguous(x: Node) -> None:
    rows = placeholder("rows", TensorType((2,), int64))
    picked = index(x, rows, dims=(0,))
    below = Graph([x, rows], {"y": concat(e.neg(x), picked, dim=0)})
    beside = Graph([x, rows], {"y": concat(index(x, rows, dims=(0,)), picked, dim=1)})
    assert copies(planned(below)) == 0
    assert copies(planned(beside)) == 2
    for graph in (below, beside):
        results(graph, rows=np.array([3, 1]))


def test_inputs_and_repeated_operands_are_copied(x: Node) -> None:
    twice = e.neg(x)
    graph = Graph([x], {"y": concat(x, twice, twice, dim=1)})
    assert copies(planned(graph)) == 3
    for y in results(graph):
        np.testing.assert_array_equal(y, np.concatenate([X, -X, -X], 1))


def test_views_between_a_result_and_its_place(x: Node) -> None:
    turned, shaped = permute(e.neg(x), dims=(1, 0)), reshape(e.abs_(x), shape=(6, 4))
    graph = Graph([x], {"y": concat(turned, shaped, dim=0)})
    assert copies(planned(graph)) == 0
    for y in results(graph):
        np.testing.assert_array_equal(y, np.concatenate([-X.T, abs(X).reshape(6, 4)]))
    beside = Graph([x], {"y": concat(turned, shaped, dim=1)})
    assert copies(planned(beside)) == 1  # rows of x would lie in pieces
    for y in results(beside):
        np.testing.assert_array_equal(y, np.concatenate([-X.T, abs(X).reshape(6, 4)], 1))


def test_results_are_computed_in_the_order_that_a_reshape_asks_for() -> None:
    """Heads of an attention: products of [batch, head, time, size], wanted side by side."""
    x = placeholder("x", TensorType((2, 3, 4, 5), float64))
    heads = matmul(x, permute(x, dims=(0, 1, 3, 2)))
    side_by_side = reshape(permute(heads, dims=(0, 2, 1, 3)), shape=(2, 4, 12))
    graph = Graph([x], {"y": e.neg(side_by_side)})
    plan = planned(graph)
    assert [step.node.op.name for step in plan.steps] == ["matmul", "neg"]
    values = np.random.default_rng(1).standard_normal((2, 3, 4, 5))
    wanted = -(values @ values.swapaxes(2, 3)).transpose(0, 2, 1, 3).reshape(2, 4, 12)
    for y in results(graph, x=values):
        np.testing.assert_allclose(y, wanted, rtol=1e-12)
    both = Graph([x], {"y": e.neg(side_by_side), "z": e.abs_(heads)})
    assert copies(planned(both)) == 1  # the other reader wants the usual order


def test_reshapes_that_are_views_change_nothing(x: Node) -> None:
    half = reshape(permute(e.neg(x), dims=(1, 0)), shape=(6, 2, 2))
    plan = planned(Graph([x], {"y": sum_(half, dims=(0,))}))
    assert plan.steps[0].outputs[0].is_contiguous
    assert copies(plan) == 0


def test_a_flipped_result_is_copied(x: Node) -> None:
    graph = Graph([x], {"y": concat(flip(e.neg(x), dims=(0,)), e.abs_(x), dim=0)})
    assert copies(planned(graph)) == 1
    for y in results(graph):
        np.testing.assert_array_equal(y, np.concatenate([-X[::-1], abs(X)], 0))


def test_parts_of_parts(x: Node) -> None:
    inner = concat(e.neg(x), e.abs_(x), dim=1)
    framed = pad(inner, low=(1, 0), high=(0, 2), interior=(0, 0), value=7.0)
    graph = Graph([x], {"y": concat(framed, e.sub(framed, framed), dim=0)})
    assert copies(planned(Graph([x], {"y": framed}))) == 2  # the borders
    wanted = np.pad(np.concatenate([-X, abs(X)], 1), ((1, 0), (0, 2)), constant_values=7.0)
    for y in results(graph):
        np.testing.assert_array_equal(y, np.concatenate([wanted, wanted - wanted], 0))


def test_borders_cover_each_element_once(x: Node) -> None:
    graph = Graph([x], {"y": pad(e.neg(x), low=(2, 1), high=(1, 3), interior=(0, 0), value=-0.0)})
    plan = planned(graph)
    written = sum(output.size for step in plan.steps for output in step.outputs)
    assert written == 7 * 10
    for y in results(graph):
        assert np.signbit(y[0, 0])
        np.testing.assert_array_equal(y[2:6, 1:7], -X)


def test_a_pad_with_gaps_is_one_step(x: Node) -> None:
    graph = Graph([x], {"y": pad(x, low=(0, 0), high=(0, 0), interior=(0, 1), value=0.0)})
    assert [step.node.op.name for step in planned(graph).steps] == ["pad"]


def test_parts_go_straight_into_a_variable(x: Node) -> None:
    storage = Storage(np.zeros((8, 6)))
    w = variable("w", TensorType((8, 6), float64), storage)
    graph = Graph([x], {}, {w: concat(e.neg(x), e.abs_(x), dim=0)})
    plan = planned(graph)
    assert copies(plan) == 0
    assert len(plan.written) == 1
    Session(graph, backend="llvm").run({"x": X})
    np.testing.assert_array_equal(storage.array, np.concatenate([-X, abs(X)]))


def test_a_part_that_reads_the_whole_variable_waits_elsewhere(x: Node) -> None:
    storage = Storage(np.ones((8, 6)))
    w = variable("w", TensorType((8, 6), float64), storage)
    total = e.add(x, sum_(w, dims=(0,)))
    graph = Graph([x], {}, {w: concat(total, e.neg(total), dim=0)})
    planned(graph)
    for backend in BACKENDS:
        storage.write(np.ones((8, 6)))
        Session(graph, backend=backend).run({"x": X})
        np.testing.assert_array_equal(storage.array, np.concatenate([X + 8, -(X + 8)]))


def test_nothing_is_written_where_there_is_nothing() -> None:
    x = placeholder("x", TensorType((0, 3), float32))
    graph = Graph([x], {"y": concat(e.neg(x), x, dim=0), "z": pad(x, low=(0, 0), high=(0, 1),
                  interior=(0, 0), value=1.0)})  # fmt: skip
    assert len(planned(graph).steps) <= 1
    outputs = Session(graph).run({"x": np.zeros((0, 3), np.float32)})
    assert (outputs["y"].shape, outputs["z"].shape) == ((0, 3), (0, 4))


def test_a_pad_of_nothing_is_all_border() -> None:
    x = placeholder("x", TensorType((0, 3), float64))
    graph = Graph([x], {"y": pad(x, low=(1, 0), high=(1, 2), interior=(0, 0), value=4.0)})
    planned(graph)
    np.testing.assert_array_equal(
        Session(graph).run({"x": np.zeros((0, 3))})["y"], np.full((2, 5), 4.0)
    )


def test_layouts_in_another_shape() -> None:
    assert reshaped(contiguous((2, 6)), (3, 4)) == contiguous((3, 4))
    assert reshaped(Layout(0, (3, 2), (1, 3)), (6,)) is None
    assert same_elements(Layout(1, (1, 3), (3, 1)), Layout(1, (1, 3), (9, 1)))
    assert not same_elements(Layout(1, (2, 3), (3, 1)), Layout(1, (2, 3), (9, 1)))
