"""Loops and branches as nodes: types, text, equality, rebuilding, verification."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from graphc.dims import Dim
from graphc.dtypes import bool_, float32, int64
from graphc.errors import DTypeError, GraphcError, IndexRangeError, ShapeError, VerifyError
from graphc.evaluate import evaluate
from graphc.fingerprint import fingerprint
from graphc.graph import Graph, bodies_of, may_fail
from graphc.node import Node, make_node
from graphc.opdef import OpDef
from graphc.ops import elementwise as e
from graphc.ops.bodies import body_graph, computed, numbered, results
from graphc.ops.comparison import lt
from graphc.ops.control import COND, SCAN, WHILE_LOOP
from graphc.ops.fused import item
from graphc.ops.index import index
from graphc.ops.leaf import placeholder, variable
from graphc.parse import parse_graph
from graphc.rebuild import bind_dims, substitute
from graphc.storage import Storage
from graphc.types import TensorType
from graphc.verify import verify

N, B = Dim.named("N"), Dim.named("B")


def leaf(name: str, *shape: Any, dtype: Any = float32) -> Node:
    return placeholder(name, TensorType(shape, dtype))


def body() -> Graph:
    c, x, k = leaf("carry0", B), leaf("item0", B), leaf("captured0")
    after = e.add(e.mul(c, k), x)
    return Graph([c, x, k], {"carry0": after, "result0": e.mul(after, x)})


START, XS, K = leaf("start", B), leaf("xs", N, B), leaf("k")
ATTRS = {"body": body(), "carries": 1, "sequences": 1, "length": N, "reverse": True}


def program() -> Graph:
    scan = make_node(SCAN, (START, XS, K), ATTRS)
    a, b = leaf("operand0"), leaf("carry0")
    true, false = Graph([a], {"result0": e.exp(a)}), Graph([a], {"result0": e.neg(a)})
    cond = make_node(COND, (lt(K, K), K), {"true": true, "false": false})
    k = leaf("captured0")
    loop = {
        "condition": Graph([b, k], {"go_on": lt(b, k)}),
        "body": Graph([b, k], {"c": e.add(b, k)}),
    }
    while_loop = make_node(WHILE_LOOP, (item(cond, 0), K), {**loop, "carries": 1})
    outputs = {"last": item(scan, 0), "all": item(scan, 1), "other": item(while_loop, 0)}
    return Graph([START, XS, K], outputs)


def test_the_text_can_be_read_back() -> None:
    graph = program()
    verify(graph)
    text = str(graph)
    assert (
        "scan %start, %xs, %k carries=1 length=dim(N) reverse=true sequences=1 body=graph(" in text
    )
    assert parse_graph(text) == graph
    assert all(
        one is other for one, other in zip(parse_graph(text).roots, graph.roots, strict=True)
    )


def test_equal_bodies_make_equal_nodes() -> None:
    first, second = program(), program()
    assert first == second
    assert first.roots[0] is second.roots[0]
    assert fingerprint(first) == fingerprint(second)
    other = make_node(SCAN, (START, XS, K), {**ATTRS, "reverse": False})
    assert other is not make_node(SCAN, (START, XS, K), ATTRS)
    assert pickle.loads(pickle.dumps(first)) == first
    assert copy.deepcopy(first) == first


def test_sizes_are_bound_inside() -> None:
    bound = bind_dims(program(), {"N": 3, "B": 2})
    verify(bound)
    (scan,) = [node for node in bound.nodes if node.op is SCAN]
    assert str(scan.result_type) == "(f32[2], f32[3,2])"
    assert scan.attrs["length"] == 3
    feed = {
        "start": np.ones(2, np.float32), "xs": np.arange(6, dtype=np.float32).reshape(3, 2),
        "k": np.float32(2),
    }  # fmt: skip
    outputs, _ = evaluate(bound, feed)
    assert outputs["last"].tolist() == [28, 35]  # ((1 * 2 + 4) * 2 + 2) * 2 + 0, and with 5, 3, 1
    assert outputs["all"].tolist()[2] == [24, 35]


def test_operands_can_be_replaced() -> None:
    other = leaf("other", N, B)
    new = substitute(program().roots, {XS: other})
    assert other in Graph([START, other, K], {"y": new[program().roots[0]]}).nodes


@pytest.mark.parametrize(
    ("op", "operands", "attrs", "kind", "text"),
    [
        (SCAN, (START, leaf("m", 7, B), K), {"length": 3}, ShapeError, "as long as the loop"),
        (SCAN, (START, START, K), {}, ShapeError, "do not fit body"),
        (SCAN, (leaf("d", B, dtype=int64), XS, K), {}, ShapeError, "do not fit body"),
        (COND, (K, K), {}, DTypeError, "must be one bool"),
        (COND, (leaf("p", 2, dtype=bool_), K), {}, ShapeError, "must be one bool"),
    ],
)
def test_misfits_are_errors(
    op: OpDef, operands: Any, attrs: Any, kind: type[GraphcError], text: str
) -> None:
    a = leaf("operand0")
    same = Graph([a], {"r": a})
    known = ATTRS if op is SCAN else {"true": same, "false": same}
    with pytest.raises(kind, match=text):
        make_node(op, operands, {**known, **attrs})


def test_branches_and_carries_keep_their_types() -> None:
    a, p = leaf("operand0", 2), leaf("p", dtype=bool_)
    true, false = Graph([a], {"r": a}), Graph([a], {"r": lt(a, a)})
    with pytest.raises(ShapeError, match="the branches give different types"):
        make_node(COND, (p, leaf("x", 2)), {"true": true, "false": false})
    c = leaf("carry0", 2)
    test, grown = Graph([c], {"t": p}), Graph([c], {"c": lt(c, c)})
    with pytest.raises(ShapeError, match="changes the types of its carries"):
        make_node(SCAN, (leaf("x", 2),), {"body": grown, "carries": 1, "sequences": 0, "length": 2,
                                          "reverse": False})  # fmt: skip
    with pytest.raises(ShapeError, match="a condition has one output"):
        make_node(WHILE_LOOP, (leaf("x", 2),), {"condition": Graph([c], {}), "body": grown,
                                                "carries": 1})  # fmt: skip
    assert test.inputs == (c,)


def test_a_body_has_no_variables() -> None:
    v = variable("v", TensorType((), float32), Storage(np.zeros((), np.float32)))
    a = leaf("operand0")
    reads = Graph([a], {"r": e.add(a, v)})
    with pytest.raises(ShapeError, match="has variables\n  got: v"):
        make_node(COND, (leaf("p", dtype=bool_), K), {"true": reads, "false": Graph([a], {"r": a})})


def test_verify_looks_inside() -> None:
    a, stray = leaf("operand0"), leaf("stray")
    broken = Graph([a], {"r": e.add(a, stray)})
    node = make_node(COND, (leaf("p", dtype=bool_), K), {"true": broken, "false": broken})
    with pytest.raises(VerifyError, match="'stray' is used but is no input"):
        verify(Graph([leaf("p", dtype=bool_), K], {"y": item(node, 0)}))


def test_what_a_body_may_raise_a_node_may_raise() -> None:
    x, i = leaf("operand0", 3), leaf("operand1", dtype=int64)
    risky = Graph([x, i], {"r": index(x, i, dims=(0,))})
    safe = Graph([x, i], {"r": e.exp(index(x, i, dims=(0,)))})
    p, xs, at = leaf("p", dtype=bool_), leaf("x", 3), leaf("i", dtype=int64)
    node = make_node(COND, (p, xs, at), {"true": risky, "false": safe})
    assert bodies_of(node) == (safe, risky)
    assert may_fail(node)
    assert not may_fail(make_node(SCAN, (START, XS, K), ATTRS))
    graph = Graph([p, xs, at], {"y": item(node, 0)})
    feed = {"p": np.array(True), "x": np.zeros(3, np.float32), "i": np.array(5)}
    with pytest.raises(IndexRangeError):
        evaluate(graph, feed)


def test_bodies_are_made_and_applied() -> None:
    x, y = leaf("x", 2), leaf("y", 2)
    graph = body_graph(numbered(carry=[x], captured=[y]), {"carry0": e.mul(x, e.exp(y))})
    assert [node.attrs["name"] for node in graph.inputs] == ["carry0", "captured0"]
    (again,) = computed(
        list(graph.outputs.values()), dict(zip(graph.inputs, (x, y), strict=True)), x
    )
    assert again is e.mul(x, e.exp(y))
    swapped = body_graph({"carry0": y, "item0": x}, {"carry0": e.sub(x, y)})
    assert swapped.outputs["carry0"].inputs == (swapped.inputs[1], swapped.inputs[0])


def test_several_results_are_items() -> None:
    last, stacked = results(SCAN, (START, XS, K), ATTRS)
    assert (last.op.name, last.attrs["index"]) == ("item", 0)
    assert stacked.type == TensorType((N, B), float32)
