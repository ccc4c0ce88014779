"""The pass that runs the pipeline on the graphs inside loops and branches."""

from dataclasses import dataclass

import numpy as np
import pytest

from graphc.config import CHECK
from graphc.dims import Dim
from graphc.dtypes import bool_, float32, float64
from graphc.errors import PassError
from graphc.evaluate import evaluate
from graphc.graph import Graph
from graphc.node import constant, make_node
from graphc.ops import elementwise as e
from graphc.ops.comparison import gt
from graphc.ops.control import COND, SCAN
from graphc.ops.fused import item
from graphc.ops.leaf import placeholder
from graphc.ops.reduce import amax
from graphc.ops.shape import expand, reshape
from graphc.passes.base import Journal, writing
from graphc.passes.control.bodies import OptimizeBodies
from graphc.passes.pipeline import optimize, run_passes
from graphc.types import TensorType
from graphc.verify import verify

STATE = TensorType((3,), float64)


def scanned(body: Graph, length: int = 4) -> Graph:
    """A program that folds a sequence of vectors with a body of one carry and one item."""
    start = placeholder("start", STATE)
    xs = placeholder("xs", TensorType((length, 3), float64))
    attrs = {"body": body, "carries": 1, "sequences": 1, "length": length, "reverse": False}
    node = make_node(SCAN, (start, xs), attrs)
    return Graph([start, xs], {"last": item(node, 0), "all": item(node, 1)})


def wasteful() -> Graph:
    """A body with a product by one, and two operations that make a kernel."""
    carry, value = placeholder("carry0", STATE), placeholder("item0", STATE)
    one = expand(constant(np.float64(1)), shape=(3,))
    after = e.add(e.mul(carry, one), e.sin(value))
    return Graph([carry, value], {"carry0": after, "result0": e.exp(after)})


def body_of(graph: Graph) -> Graph:
    (node,) = [each for each in graph.nodes if each.op is SCAN]
    body: Graph = node.attrs["body"]
    return body


def test_bodies_are_simplified_and_fused() -> None:
    graph, records = optimize(scanned(wasteful()))
    verify(graph)
    body = body_of(graph)
    assert [node.op.name for node in body.nodes if node.inputs] == ["fused", "item", "item"]
    assert list(body.outputs) == ["carry0", "result0"]
    fired = {record.name: record.fired for record in records}
    assert fired["bodies"]["passes inside scan"].count == 1
    assert fired["inside: fuse"]["map kernel"].count == 1
    assert fired["fuse"] == {}


def test_results_keep_every_bit() -> None:
    graph = scanned(wasteful())
    random = np.random.default_rng(0)
    feed = {"start": random.standard_normal(3), "xs": random.standard_normal((4, 3))}
    wanted, _ = evaluate(graph, feed)
    found, _ = evaluate(optimize(graph)[0], feed)
    assert all(wanted[name].tobytes() == found[name].tobytes() for name in wanted)


def test_the_level_and_what_is_left_out_count_inside() -> None:
    graph = scanned(wasteful())
    names = [node.op.name for node in body_of(optimize(graph, level="O1")[0]).nodes]
    assert "fused" not in names
    assert "mul" not in names
    unfused = body_of(optimize(graph, disable=("fuse",))[0])
    assert "fused" not in [node.op.name for node in unfused.nodes]
    assert optimize(graph, disable=("bodies", "fuse"))[0] is graph
    assert optimize(graph, level="O0")[0] is graph


def test_bodies_inside_bodies() -> None:
    carry, value = placeholder("carry0", STATE), placeholder("item0", STATE)
    inner = wasteful()
    branch_inputs = [placeholder("operand0", STATE), placeholder("operand1", STATE)]
    true = Graph(branch_inputs, {"r0": e.exp(e.mul(*branch_inputs))})
    false = Graph(branch_inputs, {"r0": e.sub(*branch_inputs)})
    largest = reshape(amax(value, dims=(0,)), shape=())
    positive = gt(largest, constant(np.float64(0)))
    chosen = make_node(COND, (positive, carry, value), {"true": true, "false": false})
    outer = Graph([carry, value], {"carry0": item(chosen, 0), "result0": e.neg(value)})
    graph, records = optimize(scanned(outer))
    (branch,) = [node for node in body_of(graph).nodes if node.op is COND]
    assert "fused" in [node.op.name for node in branch.attrs["true"].nodes]
    assert "inside: inside: fuse" in [record.name for record in records]
    assert body_of(optimize(scanned(inner))[0]) != inner


def test_one_body_is_optimized_once() -> None:
    first, second = scanned(wasteful()), scanned(wasteful())
    both = Graph(first.inputs, {"a": first.outputs["last"], "b": second.outputs["all"]})
    records = {record.name: record for record in optimize(both)[1]}
    assert records["inside: fuse"].before < 2 * len(wasteful())


def test_outside_of_the_pipeline_nothing_happens() -> None:
    graph = scanned(wasteful())
    assert OptimizeBodies().run(graph) is graph


def test_a_graph_without_bodies_is_kept() -> None:
    x = placeholder("x", STATE)
    graph = Graph([x], {"y": e.exp(x)})
    assert run_passes(graph, [OptimizeBodies()])[0] is graph


def test_unknown_sizes_inside_stay_unknown() -> None:
    kind = TensorType((Dim.named("batch"),), float32)
    a, p = placeholder("operand0", kind), placeholder("p", TensorType((), bool_))
    x = placeholder("x", kind)
    same = Graph([a], {"r0": e.mul(a, constant(np.float32(1)))})
    node = make_node(COND, (p, x), {"true": same, "false": Graph([a], {"r0": e.neg(a)})})
    graph, _ = optimize(Graph([p, x], {"y": item(node, 0)}))
    (branch,) = [each for each in graph.nodes if each.op is COND]
    assert branch.attrs["true"].outputs["r0"] is a


def test_a_spent_budget_leaves_a_body_as_it_is() -> None:
    graph = scanned(wasteful())
    better = scanned(wasteful()).replace_roots({})
    with writing(Journal(budget=0, optimizer=lambda body: optimize(body))):
        assert body_of(OptimizeBodies().run(better)) == body_of(graph)


def test_a_wrong_change_inside_a_body_is_found() -> None:
    @dataclass(frozen=True)
    class Wrong:
        name: str = "wrong"
        requires: tuple[str, ...] = ()
        ensures: tuple[str, ...] = ()

        def run(self, graph: Graph) -> Graph:
            outputs = {
                name: e.exp(node.inputs[0]) if node.op is e.sin else node
                for name, node in graph.outputs.items()
            }
            return Graph(graph.inputs, outputs)

    carry, value = placeholder("carry0", STATE), placeholder("item0", STATE)
    graph = scanned(Graph([carry, value], {"carry0": carry, "result0": e.sin(value)}))
    with CHECK.override("2"), pytest.raises(PassError, match="'wrong' changed a value"):
        run_passes(graph, [OptimizeBodies(), Wrong()])
    with CHECK.override("2"):
        optimize(graph)
