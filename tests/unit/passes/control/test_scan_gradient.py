"""What the gradient of a scan is made of: two loops, no product twice, one product per weight."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc.graph import Graph as CoreGraph
from graphc.node import Node
from graphc.ops.control import SCAN
from tests.control_programs import check

T, B, N = 6, 5, 4


def data(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape) * 0.7


def lowered(function: Callable[..., Any], *arrays: Any) -> CoreGraph:
    """The gradients by all arguments, when loops do no more than they must."""
    with gc.Graph() as graph:
        given = []
        for i, array in enumerate(arrays):
            known = gc.tensor(array)
            tracked = known.dtype.is_differentiable
            given.append(gc.placeholder(known.shape, known.dtype, f"a{i}", tracked))
        wanted = [x for x in given if x.requires_grad]
        for i, grad in enumerate(gc.grad(function(*given), wanted, allow_unused=True)):
            if grad is not None:
                graph.output(grad, f"g{i}")
    return graph.lower("control")


def loops(graph: CoreGraph) -> list[Node]:
    return [node for node in graph.nodes if node.op is SCAN]


def counted(loop: Node) -> Counter[str]:
    body: CoreGraph = loop.attrs["body"]
    return Counter(node.op.name for node in body.nodes)


def squares(x: gc.Tensor) -> gc.Tensor:
    return (x * x).sum()


def rnn(xs: gc.Tensor, h: gc.Tensor, w: gc.Tensor, b: gc.Tensor) -> gc.Tensor:
    return squares(gc.scan(lambda h, x: ((x + h @ w + b).tanh(), h), h, xs)[1])


def test_a_weight_has_one_product_and_a_bias_one_sum() -> None:
    arrays = data(T, B, N), data(B, N, seed=1), data(N, N, seed=2), data(N, seed=3)
    graph = lowered(rnn, *arrays)
    forward, back = loops(graph)
    assert counted(forward)["matmul"] == 1
    assert counted(back)["matmul"] == 1  # the gradient of the state, and none of the weight
    assert (forward.attrs["reverse"], back.attrs["reverse"]) == (False, True)
    assert back.attrs["carries"] == 1
    outside = [node for node in graph.nodes if node.op.name == "matmul"]
    assert [str(node.type) for node in outside] == [f"f64[{N},{N}]"]
    assert [node.inputs[0].type.shape for node in outside] == [(N, T * B)]
    check(rnn, *arrays, outputs=1)


def test_the_loop_forward_keeps_states_and_what_is_expensive() -> None:
    """The states, for the weight, and the slope of tanh, which is all that the tanh is read for."""
    arrays = data(T, B, N), data(B, N, seed=1), data(N, N, seed=2), data(N, seed=3)
    forward, back = loops(lowered(rnn, *arrays))
    kept = list(forward.attrs["body"].outputs.values())[1:]
    assert [node.op.name for node in kept] == ["placeholder", "sub"]
    assert counted(back)["tanh"] == 0


def test_elementwise_values_are_computed_again() -> None:
    def run(xs: gc.Tensor, h: gc.Tensor) -> gc.Tensor:
        return squares(gc.scan(lambda h, x: (h * x.sin() + (h * x).exp(), None), h, xs)[0])

    forward, back = loops(lowered(run, data(T, N), data(N, seed=1)))
    assert len(forward.attrs["body"].outputs) == 2  # the next state, and the state before
    assert counted(back)["exp"] == counted(back)["cos"] == 1
    check(run, data(T, N), data(N, seed=1), outputs=1)


def test_what_is_the_same_in_every_step_is_no_part_of_the_loops() -> None:
    def run(xs: gc.Tensor, h: gc.Tensor, w: gc.Tensor, v: gc.Tensor) -> gc.Tensor:
        return squares(gc.scan(lambda h, x: ((x + h @ (w.exp() @ v)).tanh(), None), h, xs)[0])

    arrays = data(T, B, N), data(B, N, seed=1), data(N, N, seed=2), data(N, N, seed=3)
    forward, back = loops(lowered(run, *arrays))
    assert [counted(loop)["matmul"] for loop in (forward, back)] == [1, 1]
    assert [counted(loop)["exp"] for loop in (forward, back)] == [0, 0]
    check(run, *arrays, outputs=1)


def test_what_nobody_asks_for_is_not_computed() -> None:
    """The gradient of the sequence alone needs no gradient of the weight."""

    def run(xs: gc.Tensor, h: gc.Tensor, w: gc.Tensor, b: gc.Tensor) -> gc.Tensor:
        return rnn(xs, h.detach(), w.detach(), b.detach())

    graph = lowered(run, data(T, B, N), data(B, N, seed=1), data(N, N, seed=2), data(N, seed=3))
    assert [node.op.name for node in graph.nodes].count("matmul") == 0
    _, back = loops(graph)
    assert len(back.attrs["body"].outputs) == 2


def test_lookups_are_added_up_after_the_loop() -> None:
    def run(words: gc.Tensor, h: gc.Tensor, table: gc.Tensor) -> gc.Tensor:
        def step(h: gc.Tensor, word: gc.Tensor) -> Any:
            return (h + F.embedding(word, table)).tanh(), None

        return squares(gc.scan(step, h, words)[0])

    words = np.random.default_rng(0).integers(0, 7, (T, B))
    arrays = words, data(B, N, seed=1), data(7, N, seed=2)
    graph = lowered(run, *arrays)
    assert [counted(loop)["index_add"] for loop in loops(graph)] == [0, 0]
    assert [node.op.name for node in graph.nodes].count("index_add") == 1
    check(run, *arrays, outputs=1)


@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_lookups_of_columns_are_added_up_after_the_loop(dtype: str) -> None:
    def run(words: gc.Tensor, h: gc.Tensor, table: gc.Tensor) -> gc.Tensor:
        def step(h: gc.Tensor, word: gc.Tensor) -> Any:
            return (h + table[:, word]).tanh(), None

        return squares(gc.scan(step, h, words)[0])

    words = np.random.default_rng(0).integers(0, 7, (T, B))
    arrays = words, data(N, B, seed=1).astype(dtype), data(N, 7, seed=2).astype(dtype)
    graph = lowered(run, *arrays)
    assert [counted(loop)["scatter_add"] for loop in loops(graph)] == [0, 0]
    assert [node.op.name for node in graph.nodes].count("index_add") == 1
    if dtype == "float64":
        check(run, *arrays, outputs=1)


def test_positions_of_each_row_are_added_up_in_the_loop() -> None:
    def run(words: gc.Tensor, h: gc.Tensor, table: gc.Tensor) -> gc.Tensor:
        def step(h: gc.Tensor, word: gc.Tensor) -> Any:
            return (h + table.gather(1, word)).tanh(), None

        return squares(gc.scan(step, h, words)[0])

    words = np.random.default_rng(0).integers(0, 7, (T, N, B))
    arrays = words, data(N, B, seed=1), data(N, 7, seed=2)
    assert [counted(loop)["scatter_add"] for loop in loops(lowered(run, *arrays))] == [0, 1]
    check(run, *arrays, outputs=1)


def test_parts_of_a_weight() -> None:
    def run(xs: gc.Tensor, h: gc.Tensor, w: gc.Tensor) -> gc.Tensor:
        def step(h: gc.Tensor, x: gc.Tensor) -> Any:
            return (x @ w[:, :N] + h @ w[:, N:] + w[0, :N]).tanh(), None

        return squares(gc.scan(step, h, xs)[0])

    arrays = data(T, B, N), data(B, N, seed=1), data(N, 2 * N, seed=2)
    _, back = loops(lowered(run, *arrays))
    assert counted(back)["matmul"] == 2  # by the state and by the item
    assert counted(back)["pad"] == 0
    check(run, *arrays, outputs=1)


def test_products_with_more_dims_are_added_up_in_the_loop() -> None:
    def run(xs: gc.Tensor, h: gc.Tensor, w: gc.Tensor) -> gc.Tensor:
        return squares(gc.scan(lambda h, x: ((x + h @ w).tanh(), None), h, xs)[0])

    check(run, data(T, 2, B, N), data(2, B, N, seed=1), data(2, N, N, seed=2), outputs=1)


def test_a_gradient_that_does_not_go_on() -> None:
    """The next carry does not read the carry, or only its whole part."""

    def run(xs: gc.Tensor, h: gc.Tensor, w: gc.Tensor) -> gc.Tensor:
        def step(carry: Any, x: gc.Tensor) -> Any:
            a, n = carry
            return (x * w, n + a.detach().sum().long()), a * x + n

        (last, count), ys = gc.scan(step, (h, gc.tensor(1)), xs)
        return squares(ys) + last.sum() + count

    check(run, data(T, N), data(N, seed=1), data(N, seed=2), outputs=1)


@pytest.mark.parametrize("length", ["T", 3])
def test_the_length_may_be_unknown(length: str | int) -> None:
    arrays = data(3, B, N), data(B, N, seed=1), data(N, N, seed=2), data(N, seed=3)
    check(rnn, *arrays, shapes=[(length, B, N), (B, N), (N, N), (N,)], outputs=1)
