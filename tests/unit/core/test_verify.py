"""Each invariant of a graph, broken once."""

import numpy as np
import pytest

from graphc.dtypes import float32, float64
from graphc.errors import ShapeError, VerifyError
from graphc.graph import Graph
from graphc.node import Node, make_node
from graphc.opdef import OpDef
from graphc.ops.elementwise import add, exp
from graphc.ops.fused import fused
from graphc.ops.leaf import placeholder, variable
from graphc.storage import Storage
from graphc.types import TensorType
from graphc.verify import verify

F32 = TensorType((2,), float32)
X = placeholder("x", F32)
W = variable("w", F32, Storage(np.zeros(2, np.float32)))


def test_a_good_graph_passes() -> None:
    verify(Graph([X], {"y": exp(X)}, {W: add(W, X)}))
    verify(Graph())


def test_an_input_that_is_no_placeholder() -> None:
    with pytest.raises(VerifyError, match="must be placeholders"):
        verify(Graph([W], {"y": exp(W)}))


def test_two_inputs_of_one_name() -> None:
    with pytest.raises(VerifyError, match="two inputs are called 'x'"):
        verify(Graph([X, placeholder("x", TensorType((3,), float32))], {"y": X}))


def test_a_placeholder_that_is_no_input() -> None:
    with pytest.raises(
        VerifyError,
        match=r"'a placeholder of this test' is used but is no input[\s\S]*test_verify.py",
    ):
        verify(Graph([], {"y": exp(placeholder("a placeholder of this test", F32))}))


def test_an_update_of_what_is_no_variable() -> None:
    with pytest.raises(VerifyError, match="only variables"):
        verify(Graph([X], {}, {X: exp(X)}))


def test_an_update_of_another_type() -> None:
    y = placeholder("y", TensorType((2,), float64))
    with pytest.raises(VerifyError, match="another type") as caught:
        verify(Graph([y], {}, {W: y}))
    assert (caught.value.got, caught.value.expected) == ("f64[2]", "f32[2]")


@pytest.fixture
def moody() -> tuple[OpDef, dict[str, TensorType]]:
    """An operation whose inference can be changed after the node exists."""
    answer = {"type": F32}

    def infer(x: TensorType) -> TensorType:
        if x.rank > 5:
            raise ShapeError("too deep")
        return answer["type"]

    op = object.__new__(OpDef)
    for name, value in (("name", "moody"), ("infer", infer), ("traits", exp.traits)):
        object.__setattr__(op, name, value)
    return op, answer


def test_a_type_that_inference_does_not_give(
    moody: tuple[OpDef, dict[str, TensorType]],
) -> None:
    op, answer = moody
    graph = Graph([X], {"y": make_node(op, (X,))})
    verify(graph)
    answer["type"] = TensorType((3,), float32)
    with pytest.raises(VerifyError, match="wrong type") as caught:
        verify(graph)
    assert (caught.value.got, caught.value.expected) == ("f32[2]", "f32[3]")


def test_an_ill_typed_node(moody: tuple[OpDef, dict[str, TensorType]]) -> None:
    op, _ = moody
    node = make_node(op, (X,))
    forged = object.__new__(Node)
    deep = placeholder("deep", TensorType((1,) * 6, float32))
    for name, value in (("op", op), ("inputs", (deep,)), ("attrs", {}), ("_type", node.type)):
        object.__setattr__(forged, name, value)
    with pytest.raises(VerifyError, match="moody is ill-typed: too deep"):
        verify(Graph([deep], {"y": forged}))


def test_graphs_inside_nodes_are_checked() -> None:
    a0 = placeholder("a0", F32)
    body = Graph([a0], {"r0": add(a0, placeholder("stray", F32))})
    with pytest.raises(VerifyError, match="'stray' is used but is no input"):
        verify(Graph([X], {"y": fused((X,), body)}))
