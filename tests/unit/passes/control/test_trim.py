"""The pass that makes loops and branches do less."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from graphc.dtypes import float64, int64
from graphc.evaluate import evaluate
from graphc.graph import Graph
from graphc.node import Node, constant
from graphc.ops import elementwise as e
from graphc.ops.bodies import results
from graphc.ops.comparison import lt
from graphc.ops.control import COND, SCAN, WHILE_LOOP
from graphc.ops.index import index
from graphc.ops.leaf import placeholder
from graphc.ops.linalg import matmul
from graphc.passes.base import Journal, writing
from graphc.passes.control.trim import TrimControl
from graphc.passes.samples import sample_feeds
from graphc.types import TensorType
from graphc.verify import verify

LENGTH = 4


def leaf(name: str, *shape: int, dtype: Any = float64) -> Node:
    return placeholder(name, TensorType(shape, dtype))


C, D, X, Y, K, L = (
    leaf(name, 2, 2) for name in ("carry0", "carry1", "item0", "item1", "captured0", "captured1")
)
A, B, XS, YS, W, V = (
    leaf("a", 2, 2), leaf("b", 2, 2), leaf("xs", LENGTH, 2, 2), leaf("ys", LENGTH, 2, 2),
    leaf("w", 2, 2), leaf("v", 2, 2),
)  # fmt: skip
INPUTS = (A, B, XS, YS, W, V)


def scan(
    carries: Mapping[Node, Node], items: Mapping[Node, Node], captured: Mapping[Node, Node],
    nexts: Sequence[Node], stacked: Sequence[Node], reverse: bool = False,
) -> tuple[Node, ...]:  # fmt: skip
    """A scan from its placeholders and operands."""
    operands = {**carries, **items, **captured}
    outputs = {f"r{i}": node for i, node in enumerate([*nexts, *stacked])}
    attrs = {
        "body": Graph(operands, outputs), "carries": len(carries), "sequences": len(items),
        "length": LENGTH, "reverse": reverse,
    }  # fmt: skip
    return results(SCAN, tuple(operands.values()), attrs)


def trimmed(*outputs: Node) -> Graph:
    """The graph after the pass, which must keep every bit."""
    graph = Graph(INPUTS, {f"out{i}": node for i, node in enumerate(outputs)})
    with writing(Journal()):
        small = TrimControl().run(graph)
    verify(small)
    for feed in sample_feeds(graph):
        wanted, found = evaluate(graph, feed)[0], evaluate(small, feed)[0]
        for name in wanted:
            np.testing.assert_array_equal(found[name], wanted[name])
    return small


def loops(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if node.op in (SCAN, WHILE_LOOP, COND)]


def body_ops(node: Node) -> list[str]:
    return [inner.op.name for inner in node.attrs["body"].nodes if inner.inputs]


def test_results_carries_and_operands_that_nobody_reads() -> None:
    made = scan(
        {C: A, D: B}, {X: XS, Y: YS}, {K: W, L: V},
        [e.add(C, X), e.mul(D, L)], [e.exp(D), e.mul(C, X), Y],
    )  # fmt: skip
    (loop,) = loops(trimmed(made[3]))
    assert loop.inputs == (A, XS)
    assert (loop.attrs["carries"], loop.attrs["sequences"]) == (1, 1)
    assert body_ops(loop) == ["add", "mul"]


def test_carries_that_others_need_stay() -> None:
    """One is read by the other's next value, though nobody reads its last."""
    made = scan({C: A, D: B}, {X: XS}, {}, [e.add(C, D), e.mul(D, X)], [])
    (loop,) = loops(trimmed(made[0]))
    assert loop.attrs["carries"] == 2


def test_a_loop_that_nobody_reads_is_gone() -> None:
    scan({C: A}, {X: XS}, {}, [e.add(C, X)], [])
    assert loops(trimmed(e.exp(A))) == []


def test_scans_that_do_the_same_are_one() -> None:
    after = e.add(e.mul(C, K), X)
    first = scan({C: A}, {X: XS}, {K: W}, [after], [e.exp(after)])
    second = scan({C: A}, {X: XS}, {K: W}, [after], [C, e.exp(after), e.neg(X)])
    other = scan({C: A}, {X: XS}, {K: W}, [after], [C], reverse=True)
    graph = trimmed(first[0], first[1], second[1], second[2], second[3], other[1])
    assert len(loops(graph)) == 2
    assert [len(loop.attrs["body"].outputs) for loop in loops(graph)] == [4, 2]


def test_what_is_the_same_in_every_step_is_computed_before() -> None:
    factor = matmul(e.exp(K), L)
    made = scan({C: A}, {X: XS}, {K: W, L: V}, [e.add(matmul(C, factor), X)], [])
    graph = trimmed(made[0])
    (loop,) = loops(graph)
    assert body_ops(loop) == ["matmul", "add"]
    assert loop.inputs == (A, XS, matmul(e.exp(W), V))


def test_what_may_raise_stays_inside() -> None:
    """A loop of no steps raises nothing."""
    i = leaf("captured1", dtype=int64)
    at = constant(np.int64(1))
    picked = index(K, i, dims=(0,))
    made = scan({C: A}, {X: XS}, {K: W, i: at}, [e.add(e.add(C, picked), X)], [])
    (loop,) = loops(trimmed(made[0]))
    assert body_ops(loop) == ["index", "add", "add"]


def test_carries_that_never_change_are_captured() -> None:
    made = scan({C: A, D: B}, {X: XS}, {}, [e.add(C, e.mul(X, D)), D], [])
    graph = trimmed(made[0], made[1])
    (loop,) = loops(graph)
    assert loop.attrs["carries"] == 1
    assert graph.outputs["out1"] is B


def test_operands_that_are_given_twice_are_given_once() -> None:
    two = constant(np.float64(2))
    k = leaf("captured2")
    after = e.add(e.mul(C, K), e.mul(e.mul(X, Y), e.mul(L, k)))
    made = scan({C: A}, {X: XS, Y: XS}, {K: W, L: W, k: two}, [after], [])
    (loop,) = loops(trimmed(made[0]))
    assert len(loop.inputs) == 4  # the init, the sequence, the weight, and its product with two


def test_stacks_that_are_known_without_the_loop() -> None:
    made = scan({C: A}, {X: XS}, {K: W}, [e.add(C, X)], [X, K, e.exp(K)], reverse=True)
    graph = trimmed(*made)
    assert graph.outputs["out1"] is XS
    assert graph.outputs["out2"].op.name == "expand"
    (loop,) = loops(graph)
    assert loop.inputs == (A, XS)
    assert list(loop.attrs["body"].outputs) == ["carry0"]


def test_loops_inside_loops() -> None:
    inner_c, inner_x = leaf("carry0", 2, 2), leaf("captured0", 2, 2)
    graph = Graph([inner_c, inner_x], {"r0": e.add(inner_c, e.exp(inner_x)), "r1": e.sin(inner_c)})
    attrs = {"body": graph, "carries": 1, "sequences": 0, "length": 3, "reverse": False}
    last, _ = results(SCAN, (C, K), attrs)
    made = scan({C: A}, {X: XS}, {K: W}, [e.add(last, X)], [])
    (outer,) = loops(trimmed(made[0]))
    assert outer.inputs == (A, XS, e.exp(W))
    (inner,) = [node for node in outer.attrs["body"].nodes if node.op is SCAN]
    assert body_ops(inner) == ["add"]


def test_while_loops() -> None:
    n, limit = leaf("carry1", dtype=int64), leaf("captured0", dtype=int64)
    k = leaf("captured1", 2, 2)
    inputs = (C, n, D, limit, k)
    one = constant(np.int64(1))
    nexts = {"a": e.mul(C, e.exp(k)), "b": e.add(n, one), "c": e.add(D, C)}
    attrs = {
        "condition": Graph(inputs, {"t": lt(n, e.add(limit, one))}), "body": Graph(inputs, nexts),
        "carries": 3,
    }  # fmt: skip
    start, most = constant(np.int64(0)), constant(np.int64(3))
    made = results(WHILE_LOOP, (A, start, B, most, W), attrs)
    (loop,) = loops(trimmed(made[0]))
    assert loop.attrs["carries"] == 2
    assert body_ops(loop) == ["mul", "add"]
    assert e.exp(W) in loop.inputs


def test_branches() -> None:
    p = lt(constant(np.float64(1)), constant(np.float64(2)))
    a, b, c = (leaf(f"operand{i}", 2, 2) for i in range(3))
    true = Graph([a, b, c], {"x": e.add(a, b), "y": e.exp(c)})
    false = Graph([a, b, c], {"x": e.neg(b), "y": c})
    made = results(COND, (p, A, B, W), {"true": true, "false": false})
    (branch,) = loops(trimmed(made[0]))
    assert branch.inputs == (p, A, B)
    assert list(branch.attrs["true"].outputs) == ["result0"]
    known = results(COND, (constant(np.array(False)), A, B, W), {"true": true, "false": false})
    graph = trimmed(*known)
    assert loops(graph) == []
    assert graph.outputs["out1"] is W


def test_nothing_to_do() -> None:
    made = scan({C: A}, {X: XS}, {}, [e.add(C, X)], [e.mul(C, X)])
    graph = Graph(INPUTS, {"a": made[0], "b": made[1]})
    assert TrimControl().run(graph) is graph
    plain = Graph(INPUTS, {"a": e.exp(A)})
    assert TrimControl().run(plain) is plain


@pytest.mark.parametrize("budget", range(5))
def test_a_budget_makes_the_first_changes_only(budget: int) -> None:
    made = scan({C: A, D: B}, {X: XS, Y: YS}, {K: W}, [e.add(C, e.exp(K)), D], [e.exp(D), Y])
    graph = Graph(INPUTS, {"a": made[0], "b": made[2]})
    with writing(Journal(budget=budget)) as notes:
        partial = TrimControl().run(graph)
    assert len(notes.firings) <= budget
    verify(partial)
    for feed in sample_feeds(graph):
        wanted, found = evaluate(graph, feed)[0], evaluate(partial, feed)[0]
        np.testing.assert_array_equal(found["a"], wanted["a"])
        np.testing.assert_array_equal(found["b"], wanted["b"])


def test_what_happened_is_noted() -> None:
    made = scan({C: A}, {X: XS}, {K: W}, [e.add(C, e.exp(K))], [X])
    with writing(Journal()) as notes:
        TrimControl().run(Graph(INPUTS, {"a": made[0]}))
    assert set(notes.fired()) == {"scan: computed before the loop", "scan: what nobody reads"}
