"""Random programs: optimizing keeps every bit, verifies, stays acyclic, and comes to rest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphc.config import CHECK
from graphc.dtypes import DType, bool_, float32, float64, int32
from graphc.graph import Graph
from graphc.node import CONSTANT, Node, constant
from graphc.ops.comparison import eq, logical_not, lt
from graphc.ops.elementwise import (
    abs_,
    add,
    div,
    exp,
    maximum,
    mul,
    neg,
    power,
    rsqrt,
    sin,
    sqrt,
    sub,
    tanh,
)  # fmt: skip
from graphc.ops.index import gather
from graphc.ops.leaf import iota, variable
from graphc.ops.linalg import matmul
from graphc.ops.reduce import amax, argmax, sum_
from graphc.ops.select import cast, detach, where
from graphc.ops.shape import concat, expand, flip, narrow, permute, reshape
from graphc.passes.fuse import Fuse
from graphc.passes.fusion.parts import is_work
from graphc.passes.pipeline import optimize
from graphc.storage import Storage
from graphc.types import TensorType
from graphc.verify import verify
from tests.unit.passes.programs import assert_same_program, feeds, hostile, input_node

Draw = Callable[[st.SearchStrategy[int]], int]


class Builder:
    """Grows a random graph from values of a few compatible shapes."""

    def __init__(self, draw: Draw, dtype: DType) -> None:
        self.draw = draw
        self.dtype = dtype
        self.inputs = [
            input_node("a", (4, 6), dtype),
            input_node("b", (6,), dtype),
            input_node("c", (4, 1), dtype),
            input_node("d", (), dtype),
        ]
        store = Storage(hostile(dtype, (4, 6), 9))
        self.variable = variable("v", TensorType((4, 6), dtype), store)
        numbers = np.asarray([1, -0.0, 0.0, 2, -1, 0.25]).astype(dtype.numpy)
        self.constants = [*map(constant, numbers), iota((4, 6), 1, dtype)]
        self.values = [*self.inputs, self.variable]

    def pick(self) -> Node:
        """Any value, recent ones more often."""
        if self.draw(st.integers(0, 1)):
            return self.values[-1 - self.draw(st.integers(0, min(4, len(self.values) - 1)))]
        return self.values[self.draw(st.integers(0, len(self.values) - 1))]

    def grow(self) -> None:
        """Add one operation, if the drawn operands fit it."""
        steps = [self.unary, self.binary, self.binary, self.reduction, self.view, self.other]
        self.values.append(steps[self.draw(st.integers(0, len(steps) - 1))]())

    def unary(self) -> Node:
        x = self.pick()
        ops = [neg, abs_, detach, lambda v: cast(cast(v, dtype=float64), dtype=v.type.dtype)]
        if self.dtype is not int32:
            ops += [exp, tanh, sqrt, rsqrt, sin]
        return ops[self.draw(st.integers(0, len(ops) - 1))](x)

    def binary(self) -> Node:
        x, y = self.pick(), self.pick()
        if self.draw(st.integers(0, 5)) == 0:
            y = self.constants[self.draw(st.integers(0, len(self.constants) - 1))]
        if not _broadcast(x, y):
            return x
        ops = [add, sub, mul, maximum, self.choice, lambda v, w: sub(v, neg(w))]
        if self.dtype is not int32:
            ops += [div, power]
        return ops[self.draw(st.integers(0, len(ops) - 1))](x, y)

    def choice(self, x: Node, y: Node) -> Node:
        return where(logical_not(lt(x, y)), x, where(eq(x, y), y, x))

    def reduction(self) -> Node:
        x = self.pick()
        rank = x.type.rank
        if rank == 0:
            return x
        dims = [(rank - 1,), (0,), tuple(range(rank))][self.draw(st.integers(0, 2))]
        kind = self.draw(st.integers(0, 3))
        if kind == 0 and len(dims) == 1:
            return cast(argmax(x, dims=dims), dtype=self.dtype)
        folded = (amax if kind == 1 else sum_)(x, dims=dims)
        if kind == 2:
            return folded
        kept = tuple(s for dim, s in enumerate(x.type.static_shape) if dim not in dims)
        return reshape(folded, shape=kept)

    def view(self) -> Node:
        x = self.pick()
        shape = x.type.static_shape
        kind = self.draw(st.integers(0, 5))
        if kind == 0:
            return expand(x, shape=(4, 6)) if _fits(shape, (4, 6)) else x
        if kind == 1:
            return (
                reshape(x, shape=(*shape, 1))
                if len(shape) < 2
                else reshape(x, shape=(int(np.prod(shape)),))
            )
        if kind == 2:
            return permute(x, dims=tuple(reversed(range(len(shape)))))
        if kind == 3:
            return flip(x, dims=tuple(range(len(shape))))
        if kind == 4 and shape and shape[0] > 1:
            return narrow(x, 0, 0, shape[0])
        return reshape(x, shape=(1, *shape)) if len(shape) < 2 else x

    def other(self) -> Node:
        x, y = self.pick(), self.pick()
        if x.type.rank == y.type.rank == 2 and x.type.shape[1] == y.type.shape[0]:
            return matmul(x, y)
        if x.type.rank and x.type.shape == y.type.shape:
            return concat(x, y, dim=0) if x.type.static_shape[0] < 8 else x
        if x.type.shape == (4, 6):
            rows = cast(lt(narrow(x, 1, 0, 1), narrow(x, 1, 1, 2)), dtype=int32)
            return gather(x, rows, dim=1)
        return x


def _broadcast(x: Node, y: Node) -> bool:
    try:
        np.broadcast_shapes(x.type.static_shape, y.type.static_shape)
    except ValueError:
        return False
    return True


def _fits(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False


@st.composite
def programs(draw: Draw) -> Graph:
    builder = Builder(draw, [float32, float64, int32][draw(st.integers(0, 2))])
    for _ in range(draw(st.integers(5, 40))):
        builder.grow()
    outputs = {"last": builder.values[-1]}
    for position in range(draw(st.integers(0, 3))):
        outputs[f"more{position}"] = builder.pick()
    full = [value for value in builder.values if value.type == builder.variable.type]
    return Graph(builder.inputs, outputs, {builder.variable: full[-1]})


@settings(max_examples=300, deadline=None)
@given(programs(), st.integers(0, 3))
def test_optimizing_keeps_every_bit(graph: Graph, seed: int) -> None:
    verify(graph)
    with CHECK.override("1"):
        new, _ = optimize(graph)
    assert_same_program(new, graph, feeds(graph, seed))


@settings(max_examples=100, deadline=None)
@given(programs())
def test_each_pass_keeps_every_bit(graph: Graph) -> None:
    with CHECK.override("2"):
        optimize(graph)


@settings(max_examples=100, deadline=None)
@given(programs())
def test_fusion_leaves_no_elementwise_node_and_loops_over_one_space(graph: Graph) -> None:
    new = Fuse().run(graph)
    for node in new.nodes:
        assert node.op.name in ("fused", "item") or not is_work(node)
        if node.op.name == "fused":
            _check_body(node.attrs["body"])


def _check_body(body: Graph) -> None:
    """The contract with code generators: one space, every value broadcasts to it."""
    folds = [node for node in body.nodes if _reduces(node)]
    spaces = {(node.inputs[0].type.shape, tuple(node.attrs["dims"])) for node in folds}
    assert len(spaces) <= 1
    shapes = [node.type.static_shape for node in body.nodes]
    full = next(iter(spaces))[0] if spaces else np.broadcast_shapes(*shapes)
    assert np.broadcast_shapes(full, *shapes) == full


def _reduces(node: Node) -> bool:
    return "dims" in node.attrs and node.op.name not in ("permute", "flip")


@settings(max_examples=100, deadline=None)
@given(programs())
def test_clean_up_comes_to_rest(graph: Graph) -> None:
    once, _ = optimize(graph, disable=("fuse",))
    twice, _ = optimize(once, disable=("fuse",))
    assert twice.same_as(once)
    fused, _ = optimize(graph)
    assert Fuse().run(fused) is fused


def test_a_reshape_that_reaches_a_constant_is_folded_at_once() -> None:
    x = input_node("x", (6,), int32)
    column = reshape(sub(add(neg(x), x), x), shape=(6, 1))
    once, _ = optimize(Graph((x,), {"y": add(x, column)}), disable=("fuse",))
    assert not any(node.op is reshape and node.inputs[0].op is CONSTANT for node in once.nodes)
    twice, _ = optimize(once, disable=("fuse",))
    assert twice.same_as(once)


@pytest.mark.parametrize("dtype", [float32, bool_])
def test_random_graphs_cover_what_they_should(dtype: DType) -> None:
    """hostile() gives what the properties rely on."""
    values = hostile(dtype, (200,))
    if dtype is bool_:
        assert values.any()
        assert not values.all()
    else:
        assert np.isnan(values).any()
        assert (np.signbit(values) & (values == 0)).any()
