"""Gradients against central differences in float64, and what stops or breaks them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from graphc.dtypes import float32, float64, int64
from graphc.errors import AutogradError
from graphc.evaluate import evaluate_nodes
from graphc.node import Node
from graphc.ops.comparison import lt
from graphc.ops.elementwise import (
    add,
    div,
    exp,
    floor_divide,
    log,
    maximum,
    mul,
    neg,
    sigmoid,
    sin,
    sub,
    tanh,
)  # fmt: skip
from graphc.ops.index import gather, index
from graphc.ops.linalg import matmul
from graphc.ops.reduce import amax, prod, sum_
from graphc.ops.select import cast, detach, where
from graphc.ops.shape import concat, expand, flip, narrow, pad, permute, reshape
from graphc.passes.autodiff import gradients
from graphc.provenance import Origin, made_for, origins_of
from graphc.storage import Array
from tests.unit.passes.programs import input_node, normalized, number, softmax

X = input_node("x", (3, 4), float64)
Y = input_node("y", (4,), float64)


def total(node: Node) -> Node:
    return sum_(node, dims=tuple(range(node.type.rank)))


def value(node: Node, feed: dict[Node, Array]) -> Array:
    return np.asarray(evaluate_nodes((node,), feed)[node])


def numeric(node: Node, feed: dict[Node, Array], wrt: Node) -> Array:
    """Central differences of the sum of a node's values."""
    step = 1e-6
    grad = np.zeros(feed[wrt].shape)
    for place in np.ndindex(grad.shape):
        shifted = [np.array(feed[wrt]) for _ in range(2)]
        shifted[0][place] += step
        shifted[1][place] -= step
        high, low = (value(node, {**feed, wrt: each}).sum() for each in shifted)
        grad[place] = (high - low) / (2 * step)
    return grad


def feed_values(seed: int = 0) -> dict[Node, Array]:
    random = np.random.default_rng(seed)
    return {X: random.uniform(0.3, 1.7, (3, 4)), Y: random.uniform(0.3, 1.7, 4)}


PROGRAMS: dict[str, Callable[[Node, Node], Node]] = {
    "broadcast": lambda x, y: mul(x, y),
    "twice": lambda x, y: mul(mul(x, x), add(y, y)),
    "div": lambda x, y: div(x, add(y, x)),
    "softmax": lambda x, y: mul(softmax(x), y),
    "layer norm": lambda x, y: mul(tanh(normalized(x, (1,))), y),
    "batch norm": lambda x, y: mul(sin(normalized(x, (0,))), y),
    "matmul": lambda x, y: matmul(x, permute(mul(x, y), dims=(1, 0))),
    "views": lambda x, y: mul(flip(narrow(x, 1, 1, 3), dims=(0, 1)), narrow(x, 1, 0, 2)),
    "pad": lambda x, y: sin(pad(x, low=(1, 0), high=(0, 2), interior=(0, 1), value=3.0)),
    "concat": lambda x, y: exp(concat(x, reshape(y, shape=(1, 4)), dim=0)),
    "expand": lambda x, y: mul(expand(y, shape=(2, 3, 4)), x),
    "where": lambda x, y: where(lt(x, y), mul(x, y), exp(x)),
    "maximum": lambda x, y: maximum(x, mul(y, y)),
    "prod": lambda x, y: prod(mul(x, y), dims=(1,)),
    "amax": lambda x, y: amax(mul(x, y), dims=(0,)),
    "sigmoid": lambda x, y: log(sigmoid(sub(x, y))),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_first_and_second_order(name: str) -> None:
    root = PROGRAMS[name](X, Y)
    feed = feed_values()
    loss = total(root)
    for wrt in (X, Y):
        (grad,) = gradients([loss], [None], [wrt])
        if grad is None:
            assert not numeric(root, feed, wrt).any()
            continue
        assert grad.type == wrt.type
        np.testing.assert_allclose(value(grad, feed), numeric(root, feed, wrt), atol=1e-7)
        weighted = mul(grad, sin(wrt))
        (second,) = gradients([total(weighted)], [None], [wrt])
        assert second is not None
        np.testing.assert_allclose(value(second, feed), numeric(weighted, feed, wrt), atol=1e-6)


def test_third_order_of_a_power() -> None:
    x = input_node("x", (), float64)
    grad: Node | None = mul(mul(x, x), mul(x, x))
    for _ in range(3):
        assert grad is not None
        (grad,) = gradients([grad], [None], [x])
    assert grad is not None
    assert value(grad, {x: np.asarray(2.0)}) == 48.0


def test_a_given_gradient_weighs_the_output_and_repeated_outputs_add() -> None:
    seed = input_node("g", (3, 4), float64)
    (grad,) = gradients([neg(X), neg(X)], [seed, seed], [X])
    assert grad is not None
    weights = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(value(grad, {**feed_values(), seed: weights}), -2 * weights)


def test_an_output_may_be_what_is_differentiated_for() -> None:
    x = input_node("x", (1, 1), float32)
    (grad,) = gradients([x], [None], [x])
    assert grad is not None
    np.testing.assert_array_equal(value(grad, {}), np.ones((1, 1), np.float32))


def test_disconnected_and_integer_nodes_get_none() -> None:
    count = input_node("n", (3,), int64)
    loss = total(mul(X, reshape(cast(count, dtype=float64), shape=(3, 1))))
    assert gradients([loss], [None], [Y, count]) == [None, None]


def test_detach_and_comparisons_stop_gradients() -> None:
    mask = cast(lt(X, number(1.0, float64)), dtype=float64)
    (grad,) = gradients([total(mul(mul(detach(X), mask), X))], [None], [X])
    assert grad is not None
    x = feed_values()[X]
    np.testing.assert_array_equal(value(grad, feed_values()), x * (x < 1))
    assert gradients([total(detach(X))], [None], [X]) == [None]


def test_only_paths_to_wrt_are_walked() -> None:
    """An operation without gradient off the path is no matter."""
    rounded = floor_divide(Y, number(1.0, float64))
    (grad,) = gradients([total(mul(X, rounded))], [None], [X])
    assert grad is not None


def test_index_gradients_add_up_repeated_positions() -> None:
    rows = input_node("rows", (3,), int64)
    (grad,) = gradients([total(index(X, rows, dims=(0,)))], [None], [X])
    assert grad is not None
    found = value(grad, {**feed_values(), rows: np.array([2, 0, 2])})
    np.testing.assert_array_equal(found, np.array([[1.0], [0.0], [2.0]]) * np.ones((3, 4)))


def test_gather_gradient() -> None:
    columns = input_node("columns", (3, 1), int64)
    (grad,) = gradients([total(gather(X, columns, dim=1))], [None], [X])
    assert grad is not None
    found = value(grad, {**feed_values(), columns: np.array([[1], [1], [3]])})
    assert found.tolist() == [[0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]]


def test_gradient_nodes_name_the_forward_place() -> None:
    with made_for(frozenset({Origin("model.py", 7, "fc1")})):
        loss = total(tanh(mul(X, Y)))
    (grad,) = gradients([loss], [None], [Y])
    assert grad is not None
    assert origins_of(grad) == {Origin("model.py", 7, "fc1", backward=True)}


def test_a_missing_rule_names_operation_place_and_path() -> None:
    with made_for(frozenset({Origin("model.py", 7)})):
        quotient = floor_divide(X, number(2.0, float64))
    with pytest.raises(AutogradError, match="floor_divide has no gradient") as caught:
        gradients([total(mul(quotient, X))], [None], [X])
    assert "sum <- mul <- floor_divide" in str(caught.value)
    assert "created at: model.py:7" in str(caught.value)


@pytest.mark.parametrize(
    ("output", "seed", "message"),
    [
        (X, None, "only an output with one element"),
        (input_node("n", (), int64), None, "only floating point outputs"),
        (X, Y, "must have its type"),
        (X, input_node("g", (3, 5), float64), "must have its type"),
        (X, input_node("g", (3, 4), float32), "must have its type"),
    ],
)
def test_seeds_that_do_not_fit(output: Node, seed: Node | None, message: str) -> None:
    with pytest.raises(AutogradError, match=message):
        gradients([output], [seed], [X])


def test_deep_chains_are_no_limit() -> None:
    node = Y
    for _ in range(5000):
        node = sin(node)
    (grad,) = gradients([total(node)], [None], [Y])
    assert grad is not None
    assert grad.type == Y.type
