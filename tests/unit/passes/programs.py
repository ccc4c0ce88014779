"""Small programs made of core operations, values that break careless rules, and comparisons."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from graphc.dtypes import DType, float32
from graphc.evaluate import evaluate
from graphc.graph import Graph
from graphc.node import Node, constant
from graphc.ops.elementwise import add, div, exp, mul, rsqrt, sub
from graphc.ops.leaf import placeholder
from graphc.ops.reduce import amax, sum_
from graphc.storage import Array
from graphc.types import TensorType

FLOATS = (
    0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 0.5, -2.5, 3.0, 1e-40, -1e-42, 1e30, -3e38,
    65504.0, 1e-7, 0.1, 2.0, -100.0, 7.75,
)  # fmt: skip


def hostile(dtype: DType, shape: tuple[int, ...], seed: int = 0) -> Array:
    """An array that has the dtype's special values among ordinary ones, in a seeded order."""
    random = np.random.default_rng(seed)
    count = int(np.prod(shape))
    if dtype.name == "bool":
        return random.integers(0, 2, shape).astype(np.bool_)
    if dtype.category == 1:
        info = np.iinfo(dtype.numpy)
        pool = np.array([0, 1, 2, 3, 7, info.max, info.min, info.max - 1], dtype.numpy)
        return random.choice(pool, count).reshape(shape)
    with np.errstate(all="ignore"):
        special = np.asarray(FLOATS).astype(dtype.numpy)
        if dtype.is_complex:
            special = (special + 1j * special[::-1]).astype(dtype.numpy)
        values = random.standard_normal(count).astype(dtype.numpy)
    values[::2] = random.permutation(np.resize(special, count))[::2]
    return values.reshape(shape)


def input_node(name: str, shape: tuple[int, ...], dtype: DType = float32) -> Node:
    return placeholder(name, TensorType(shape, dtype))


def number(value: float, dtype: DType = float32) -> Node:
    return constant(np.asarray(value, dtype.numpy))


def softmax(x: Node, dim: int = 1) -> Node:
    shifted = exp(sub(x, amax(x, dims=(dim,))))
    return div(shifted, sum_(shifted, dims=(dim,)))


def mean(x: Node, dims: tuple[int, ...]) -> Node:
    count = int(np.prod([int(x.type.shape[dim]) for dim in dims]))
    return div(sum_(x, dims=dims), number(count, x.type.dtype))


def normalized(x: Node, dims: tuple[int, ...]) -> Node:
    """Layer norm over the last dims, batch norm over the first."""
    centered = sub(x, mean(x, dims))
    variance = mean(mul(centered, centered), dims)
    return mul(centered, rsqrt(add(variance, number(1e-5, x.type.dtype))))


def feeds(graph: Graph, seed: int = 0) -> dict[str, Array]:
    """Hostile values for every input."""
    return {
        node.attrs["name"]: hostile(node.type.dtype, node.type.static_shape, seed + position)
        for position, node in enumerate(graph.inputs)
    }


def assert_same_bits(found: Array, expected: Array) -> None:
    """Same type and same bits, where any two NaNs are the same."""
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    if expected.dtype.kind == "c":
        assert_same_bits(found.real, expected.real)
        assert_same_bits(found.imag, expected.imag)
        return
    if expected.dtype.kind not in "biu":
        number = ~np.isnan(expected)
        np.testing.assert_array_equal(~np.isnan(found), number)
        found, expected = found[number], expected[number]
    if found.tobytes() != expected.tobytes():
        np.testing.assert_array_equal(found, expected)  # shows where
        raise AssertionError("zeros differ in sign")


def assert_same_program(found: Graph, expected: Graph, feed: Mapping[str, Array]) -> None:
    """Both give the same bits for all outputs and next values."""
    outputs, updates = evaluate(expected, feed)
    new_outputs, new_updates = evaluate(found, feed)
    assert list(new_outputs) == list(outputs)
    for name, value in outputs.items():
        assert_same_bits(new_outputs[name], value)
    for variable, value in updates.items():
        if variable in new_updates:
            assert_same_bits(new_updates[variable], value)
        else:
            assert_same_bits(variable.attrs["source"].read(), value)


def graph_of(*outputs: Node) -> Graph:
    """The graph with these outputs, and the placeholders that they need as inputs."""
    inputs = [node for node in Graph((), dict(enumerate_names(outputs))).nodes if is_input(node)]
    return Graph(inputs, dict(enumerate_names(outputs)))


def enumerate_names(outputs: tuple[Node, ...]) -> list[tuple[str, Node]]:
    return [(f"out{position}", node) for position, node in enumerate(outputs)]


def is_input(node: Node) -> bool:
    return node.op.name == "placeholder"


def kernels(graph: Graph) -> list[list[str]]:
    """The operations in each kernel, without its inputs."""
    return [
        [inner.op.name for inner in node.attrs["body"].nodes if not is_input(inner)]
        for node in graph.nodes
        if node.op.name == "fused"
    ]
