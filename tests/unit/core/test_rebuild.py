"""Rebuilding graphs: substitution and binding of unknown sizes."""

import numpy as np
import pytest

from graphc.dims import Dim
from graphc.dtypes import float32, int64
from graphc.errors import ShapeError
from graphc.evaluate import evaluate, evaluate_nodes
from graphc.graph import Graph
from graphc.ops.elementwise import add, exp, mul, neg
from graphc.ops.fused import fused
from graphc.ops.leaf import iota, placeholder, size_value, variable
from graphc.ops.shape import reshape
from graphc.rebuild import bind_dims, substitute
from graphc.storage import Storage
from graphc.types import TensorType
from graphc.verify import verify

N = Dim.named("N")


def test_substitution_touches_what_depends_on_it_only() -> None:
    x, y = (placeholder(name, TensorType((2,), float32)) for name in "xy")
    kept, changed = exp(y), mul(neg(x), exp(y))
    new = substitute((changed,), {x: y})
    assert new[kept] is kept
    assert new[changed] is mul(neg(y), exp(y))


def test_a_known_root_is_replaced_itself() -> None:
    x, y = (placeholder(name, TensorType((2,), float32)) for name in "xy")
    assert substitute((exp(x),), {exp(x): y})[exp(x)] is y


def test_binding_reaches_every_kind_of_attribute() -> None:
    x = placeholder("x", TensorType((N, 4), float32))
    a0 = placeholder("a0", TensorType((N, 4), float32))
    w = variable("w", TensorType((4,), float32), Storage(np.ones(4, np.float32)))
    kernel = fused((add(x, w),), Graph([a0], {"r0": neg(a0)}))
    flat = reshape(kernel, shape=(N * 4,))
    graph = Graph([x], {"y": flat, "n": size_value(N * 2), "i": iota((N, 2), 0, int64)}, {w: w})
    bound = bind_dims(graph, {"N": 3})
    verify(bound)
    assert all(node.type.is_static for node in bound.nodes)
    assert bound.outputs["y"].type.shape == (12,)
    assert bound.updates == {w: w}
    feed = {"x": np.arange(12, dtype=np.float32).reshape(3, 4)}
    outputs, updates = evaluate(bound, feed)
    np.testing.assert_array_equal(outputs["y"], -(np.arange(12, dtype=np.float32) + 1))
    np.testing.assert_array_equal(outputs["n"], 6)
    np.testing.assert_array_equal(outputs["i"], [[0, 0], [1, 1], [2, 2]])
    np.testing.assert_array_equal(updates[w], np.ones(4))


def test_binding_some_sizes_leaves_the_others() -> None:
    x = placeholder("x", TensorType((N, Dim.named("M")), float32))
    bound = bind_dims(Graph([x], {"y": exp(x)}), {"N": 3})
    assert bound.outputs["y"].type.shape == (3, Dim.named("M"))


def test_sizes_that_do_not_fit_raise() -> None:
    x = placeholder("x", TensorType((N,), float32))
    y = placeholder("y", TensorType((Dim.named("M"),), float32))
    graph = Graph([x, y], {"z": add(x, y)})
    with pytest.raises(ShapeError, match="do not broadcast"):
        bind_dims(graph, {"N": 3, "M": 4})


def test_evaluation_needs_its_placeholders() -> None:
    x = placeholder("x", TensorType((2,), float32))
    with pytest.raises(ValueError, match="no value for placeholder 'x'"):
        evaluate_nodes([exp(x)], {})


def test_evaluation_reads_variables_and_changes_none() -> None:
    storage = Storage(np.zeros(2, np.float32))
    w = variable("w", TensorType((2,), float32), storage)
    graph = Graph([], {"w": w}, {w: exp(w)})
    _, updates = evaluate(graph, {})
    np.testing.assert_array_equal(updates[w], [1, 1])
    np.testing.assert_array_equal(storage.read(), [0, 0])
