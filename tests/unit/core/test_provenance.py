"""Where nodes come from survives merging, rewriting and differentiation."""

import gc
import inspect
import threading

import numpy as np

from graphc import provenance
from graphc.dtypes import float32
from graphc.graph import Graph
from graphc.node import Node, constant
from graphc.ops.elementwise import add, exp, mul, neg
from graphc.ops.leaf import placeholder
from graphc.provenance import (
    NOWHERE,
    Origin,
    add_origins,
    backward_of,
    describe,
    made_for,
    origins_of,
    running_module,
)
from graphc.rebuild import bind_dims, substitute, with_inputs
from graphc.types import TensorType

F32 = TensorType((2, 3), float32)
X, Y = placeholder("provenance.x", F32), placeholder("provenance.y", F32)


def line() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def fresh(number: float) -> Node:
    """A node that no other test makes."""
    with made_for(NOWHERE):
        return add(X, constant(np.float32(number)))


def test_a_node_knows_the_users_line_and_module() -> None:
    with running_module("encoder.fc1"):
        node, here = exp(fresh(0.1)), line()
    assert origins_of(node) == {Origin(__file__, here, "encoder.fc1")}
    assert describe(node) == f"test_provenance.py:{here} encoder.fc1"


def test_modules_nest() -> None:
    with running_module("a"):
        with running_module("a.b"):
            pass
        node = exp(fresh(0.2))
    assert [origin.module for origin in origins_of(node)] == ["a"]


def test_a_node_made_twice_has_both_lines() -> None:
    base = fresh(0.3)
    first, one = exp(base), line()
    second, other = exp(base), line()
    assert first is second
    assert {origin.line for origin in origins_of(first)} == {one, other}


def test_rewrites_keep_origins() -> None:
    base = fresh(0.4)
    node = exp(neg(base))
    wanted = origins_of(node)
    moved = with_inputs(node, (neg(mul(X, X)),))
    assert wanted <= origins_of(moved)
    assert with_inputs(node, node.inputs) is node
    replaced = substitute((node,), {base: Y})
    assert replaced[node] is exp(neg(Y))
    assert origins_of(replaced[node.inputs[0]]) >= origins_of(node.inputs[0])


def test_binding_sizes_keeps_origins() -> None:
    from graphc.dims import Dim

    x = placeholder("p", TensorType((Dim.named("N"),), float32))
    node, here = neg(x), line()
    bound = bind_dims(Graph([x], {"y": node}), {"N": 517})
    assert {origin.line for origin in origins_of(bound.outputs["y"])} == {here}


def test_made_for_is_scoped_and_belongs_to_one_thread() -> None:
    origins = frozenset({Origin("other.py", 3)})
    elsewhere: list[Node] = []
    bases = [fresh(0.5), fresh(0.6), fresh(0.7)]

    def run() -> None:
        elsewhere.append(exp(bases[0]))

    with made_for(origins):
        inside = exp(bases[1])
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    outside = exp(bases[2])
    assert origins_of(inside) == origins
    assert origins not in (origins_of(outside), origins_of(elsewhere[0]))


def test_backward_origins_are_marked() -> None:
    origins = frozenset({Origin("model.py", 12, "fc2"), Origin("model.py", 13)})
    marked = backward_of(origins)
    assert backward_of(marked) == marked
    assert sorted(map(str, marked)) == ["model.py:12 fc2 (backward)", "model.py:13 (backward)"]


def test_a_long_description_is_cut() -> None:
    node = fresh(0.8)
    add_origins(node, frozenset(Origin("/src/m.py", number) for number in range(5)))
    assert describe(node) == "m.py:0; m.py:1; m.py:2; +2 more"
    assert describe(node, limit=5).endswith("m.py:4")
    assert describe(fresh(0.9)) == ""


def test_the_side_table_does_not_keep_nodes_alive() -> None:
    before = len(provenance._origins)
    node = exp(fresh(1.1))
    assert len(provenance._origins) > before
    del node
    gc.collect()
    assert len(provenance._origins) <= before
