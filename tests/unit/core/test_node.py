"""Nodes: interned, immutable, collected, safe between threads, of any depth."""

import copy
import gc
import math
import pickle
import threading
import time
import weakref
from typing import Any

import numpy as np
import pytest

from graphc.dims import Dim
from graphc.dtypes import float32, float64
from graphc.errors import ArgumentError, ShapeError
from graphc.graph import Graph, topological
from graphc.node import Node, constant, make_node
from graphc.opdef import OpDef, Trait, all_ops, get_op
from graphc.ops.elementwise import add, mul, neg
from graphc.ops.leaf import placeholder
from graphc.ops.reduce import sum_
from graphc.ops.shape import pad, reshape
from graphc.types import TensorType

F32 = TensorType((2, 3), float32)
X, Y = placeholder("x", F32), placeholder("y", F32)


def test_equal_nodes_are_one_object() -> None:
    assert add(X, Y) is add(X, Y)
    assert add(X, Y) is not add(Y, X)
    assert sum_(X, dims=(0,)) is not sum_(X, dims=(1,))
    assert placeholder("x", F32) is X
    assert placeholder("x", TensorType((2, 3), float64)) is not X
    assert constant(np.float32([1, 2])) is constant(np.float32([1, 2]))
    n = Dim.named("N")
    assert placeholder("x", TensorType((n + 1,), float32)) is placeholder(
        "x", TensorType((1 + Dim.named("N"),), float32)
    )


def padded(value: Any) -> Node:
    return pad(X, low=(0, 0), high=(0, 1), interior=(0, 0), value=value)


def test_values_that_only_look_equal_make_different_nodes() -> None:
    values = [0.0, -0.0, 0, False, 1.0, 1, True, math.nan, math.inf]
    nodes = [padded(value) for value in values]
    assert len(set(nodes)) == len(values)
    assert padded(float("nan")) is padded(-float("nan"))
    assert padded((1, (0.0,))) is not padded((1, (-0.0,)))
    assert padded((1,)) is not padded((True,))


def test_the_first_attributes_do_not_leak_into_later_ones() -> None:
    first = padded(0)
    assert type(padded(0.0).attrs["value"]) is float
    assert type(first.attrs["value"]) is int


@pytest.mark.parametrize("name", ["op", "inputs", "attrs", "type", "new"])
def test_nodes_are_immutable(name: str) -> None:
    with pytest.raises(AttributeError, match="immutable"):
        setattr(add(X, Y), name, None)


def test_attributes_are_immutable() -> None:
    attrs: Any = sum_(X, dims=(0,)).attrs
    with pytest.raises(TypeError):
        attrs["dims"] = (1,)


def test_the_callers_attribute_dict_is_copied() -> None:
    attrs = {"dims": (0,)}
    node = make_node(get_op("sum"), (X,), attrs)
    attrs["dims"] = (1,)
    assert node.attrs["dims"] == (0,)


def test_an_ill_typed_node_cannot_exist_and_names_the_users_line() -> None:
    with pytest.raises(ShapeError, match="do not broadcast") as caught:
        add(X, placeholder("z", TensorType((4,), float32)))
    assert "test_node.py:" in caught.value.where


def test_unhashable_attributes_are_refused() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        sum_(X, dims=[0])


def test_nodes_are_collected_when_nobody_holds_them() -> None:
    node = mul(add(X, constant(np.float32(123.456))), X)
    gone = [weakref.ref(node), weakref.ref(node.inputs[0]), weakref.ref(node.inputs[0].inputs[1])]
    del node
    gc.collect()
    assert [ref() for ref in gone] == [None] * 3


def test_a_collected_node_can_be_made_again() -> None:
    for _ in range(100):
        node = add(X, constant(np.float32(7.25)))
        assert node.inputs[0] is X
        del node


def test_threads_get_the_same_nodes() -> None:
    count, length = 8, 20

    def infer(x: TensorType, *, step: int) -> TensorType:
        time.sleep(0.0005)  # lets the other threads in while the node is being made
        return x

    slow = object.__new__(OpDef)
    for name, value in (("name", "slow"), ("infer", infer), ("traits", Trait.NONE)):
        object.__setattr__(slow, name, value)
    found: list[list[Node]] = [[] for _ in range(count)]
    start = threading.Barrier(count)

    def build(mine: list[Node]) -> None:
        start.wait()
        node = X
        for step in range(length):
            node = make_node(slow, (node,), {"step": step})
            mine.append(node)

    threads = [threading.Thread(target=build, args=(mine,)) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(mine) for mine in found] == [length] * count
    for mine in found[1:]:
        assert all(one is other for one, other in zip(mine, found[0], strict=True))


def test_copies_are_the_node_itself() -> None:
    node = sum_(mul(X, X), dims=(0,))
    assert pickle.loads(pickle.dumps(node)) is node
    assert copy.deepcopy(node) is node
    assert copy.copy(node) is node


def test_depth_is_no_limit() -> None:
    node = X
    for _ in range(50_000):
        node = neg(node)
    assert len(topological([node])) == 50_001
    graph = Graph([X], {"y": node})
    assert str(graph).count("neg") == 50_000
    ref = weakref.ref(node)
    del node, graph
    gc.collect()
    assert ref() is None


def test_repr_and_constants() -> None:
    assert repr(add(X, Y)) == "<add: f32[2,3]>"
    assert constant(True).type == TensorType((), get_op("eq").infer(F32, F32).dtype)
    assert constant(1.5).type == TensorType((), float64)


def test_registry() -> None:
    assert get_op("add") is add
    assert add in list(all_ops())
    assert repr(add) == "<op add>"
    assert pickle.loads(pickle.dumps(add)) is add
    with pytest.raises(ArgumentError, match="did you mean 'floor'"):
        get_op("flor")
    with pytest.raises(ArgumentError, match="defined twice"):
        OpDef("add", infer=lambda: None, eval=lambda: None)


def test_traits_fit_together() -> None:
    for op in all_ops():
        assert not (op.traits & Trait.VIEW and op.traits & Trait.ELEMENTWISE), op
        assert not (op.traits & Trait.REDUCE and op.traits & Trait.ELEMENTWISE), op
    assert reshape.traits is Trait.VIEW
