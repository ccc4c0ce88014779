"""What shares a kernel, what does not and why."""

from __future__ import annotations

import numpy as np
import pytest

from graphc.dims import Dim
from graphc.dtypes import float32, int64
from graphc.evaluate import evaluate
from graphc.graph import Graph
from graphc.node import Node, constant
from graphc.ops.comparison import eq
from graphc.ops.elementwise import (
    add,
    div,
    exp,
    log,
    maximum,
    mul,
    neg,
    power,
    rsqrt,
    sqrt,
    sub,
    tanh,
)  # fmt: skip
from graphc.ops.leaf import iota, placeholder, variable
from graphc.ops.linalg import matmul
from graphc.ops.reduce import amax, argmax, sum_
from graphc.ops.select import cast, where
from graphc.ops.shape import expand, permute, reshape
from graphc.passes.autodiff import gradients
from graphc.passes.base import PassRecord
from graphc.passes.fuse import Fuse
from graphc.passes.fusion.groups import Group, Groups
from graphc.passes.fusion.space import DIFFERENT_DIMS, DIFFERENT_SHAPES, Space, join
from graphc.passes.pipeline import PIPELINE, optimize, run_passes
from graphc.storage import Storage
from graphc.types import TensorType
from tests.unit.passes.programs import (
    assert_same_program,
    enumerate_names,
    feeds,
    graph_of,
    input_node,
    kernels,
    mean,
    normalized,
    number,
    softmax,
)  # fmt: skip

X = input_node("x", (8, 16))
G = input_node("g", (8, 16))
WEIGHT, BIAS = input_node("weight", (16,)), input_node("bias", (16,))


def fused(*outputs: Node) -> tuple[Graph, PassRecord]:
    graph = graph_of(*outputs)
    new, records = optimize(graph, stop_after="fuse")
    assert_same_program(new, graph, feeds(graph))
    return new, records[-1]


def bordered(*outputs: Node) -> tuple[Graph, PassRecord]:
    """With products as they were: a border of kernels."""
    graph = graph_of(*outputs)
    passes = [each for _, each in PIPELINE if not isinstance(each, Fuse)]
    new, records = run_passes(graph, [*passes, Fuse()])
    assert_same_program(new, graph, feeds(graph))
    return new, records[-1]


def count(*outputs: Node) -> int:
    return len(kernels(fused(*outputs)[0]))


def grads(output: Node, *wrt: Node) -> list[Node]:
    found = gradients([output], [G], list(wrt))
    return [grad for grad in found if grad is not None]


def cross_entropy(logits: Node, labels: Node) -> Node:
    """The mean loss, with labels chosen by comparison: one space until the mean."""
    highest = amax(logits, dims=(1,))
    shifted = sub(logits, highest)
    log_probabilities = sub(shifted, log(sum_(exp(shifted), dims=(1,))))
    rows, classes = logits.type.static_shape
    chosen = eq(iota((rows, classes), 1, int64), reshape(labels, shape=(rows, 1)))
    picked = sum_(where(chosen, log_probabilities, number(0)), dims=(1,))
    return neg(reshape(mean(picked, (0, 1)), shape=()))


def test_softmax_is_one_kernel() -> None:
    new, _ = fused(softmax(X))
    assert kernels(new) == [["amax", "sub", "exp", "sum", "div"]]


def test_log_softmax_with_its_gradient_is_one_kernel() -> None:
    shifted = sub(X, amax(X, dims=(1,)))
    out = sub(shifted, log(sum_(exp(shifted), dims=(1,))))
    assert count(out) == 1
    assert count(out, *grads(out, X)) == 1


def test_softmax_backward_is_one_kernel() -> None:
    assert count(*grads(softmax(X), X)) == 1


def test_layer_norm_is_one_kernel() -> None:
    out = add(mul(normalized(X, (1,)), WEIGHT), BIAS)
    assert count(out) == 1


def test_layer_norm_backward_is_two_kernels_as_its_sums_go_over_different_dims() -> None:
    out = add(mul(normalized(X, (1,)), WEIGHT), BIAS)
    _, record = fused(*grads(out, X, WEIGHT, BIAS))
    assert record.fired["reduce kernel"].count == 2
    assert DIFFERENT_DIMS in record.refused


def test_batch_norm_is_one_kernel_each_way() -> None:
    out = add(mul(normalized(X, (0,)), WEIGHT), BIAS)
    assert count(out) == 1
    assert count(*grads(out, X, WEIGHT, BIAS)) == 1


def test_batch_norm_with_running_statistics_is_one_kernel() -> None:
    """Dropped dims of size 1 are no border."""
    running = input_node("running", (16,))
    average = reshape(mean(X, (0,)), shape=(16,))
    kept = add(mul(running, number(0.9)), mul(average, number(0.1)))
    assert count(normalized(X, (0,)), kept) == 1


def test_cross_entropy_and_its_gradient_are_three_kernels() -> None:
    logits, labels = input_node("logits", (8, 10)), input_node("labels", (8,), int64)
    loss = cross_entropy(logits, labels)
    (grad,) = gradients([loss], [None], [logits])
    assert grad is not None
    new, _ = optimize(graph_of(loss, grad))
    graph = graph_of(loss, grad)
    values = {"logits": feeds(graph)["logits"], "labels": np.arange(8)}
    assert_same_program(new, graph, values)
    assert len(kernels(new)) <= 3


def test_an_elementwise_chain_is_one_kernel_with_several_results() -> None:
    first = tanh(add(X, BIAS))
    second = exp(neg(mul(first, first)))
    new, _ = fused(first, second)
    assert len(kernels(new)) == 1
    assert [node.op.name for node in new.outputs.values()] == ["item", "item"]


def test_single_nodes_become_kernels_too() -> None:
    new, _ = fused(exp(X))
    assert kernels(new) == [["exp"]]
    new, _ = fused(argmax(X, dims=(1,)))
    assert kernels(new) == [["argmax"]]


def test_scalar_chains_fuse() -> None:
    """Adam's bias correction."""
    step = input_node("step", ())
    correction = sub(number(1), power(number(0.9), step))
    new, _ = fused(div(number(0.001), correction), sqrt(correction))
    assert len(kernels(new)) == 1


def test_an_adam_update_is_one_kernel_for_each_parameter_and_one_for_the_scalars() -> None:
    def zeros() -> Storage:
        return Storage(np.zeros((4, 5), np.float32))

    kind = TensorType((4, 5), float32)
    step = input_node("step", ())
    correction = sub(number(1), power(number(0.9), step))
    updates, inputs = {}, [step]
    for name in ("w1", "w2"):
        grad = input_node(f"grad_{name}", (4, 5))
        inputs.append(grad)
        weight, m, v = (variable(f"{name}.{part}", kind, zeros()) for part in ("w", "m", "v"))
        new_m = add(mul(m, number(0.9)), mul(grad, number(0.1)))
        new_v = add(mul(v, number(0.999)), mul(mul(grad, grad), number(0.001)))
        change = div(div(new_m, correction), add(sqrt(new_v), number(1e-8)))
        updates |= {m: new_m, v: new_v, weight: sub(weight, mul(number(0.01), change))}
    graph = Graph(inputs, {}, updates)
    new, _ = optimize(graph)
    assert_same_program(new, graph, feeds(graph))
    assert len(kernels(new)) == 3


def test_matmul_is_a_border_with_a_reason() -> None:
    new, record = bordered(tanh(matmul(exp(X), permute(G, dims=(1, 0)))))
    assert kernels(new) == [["exp"], ["tanh"]]
    assert record.refused["used by matmul"].count == 1
    assert "test_fuse.py" in record.refused["used by matmul"].places[0]


def test_views_stay_outside() -> None:
    new, record = fused(exp(permute(tanh(X), dims=(1, 0))))
    assert kernels(new) == [["tanh"], ["exp"]]
    assert "used by permute" in record.refused


def test_a_path_that_leaves_and_comes_back_is_no_kernel() -> None:
    square = input_node("square", (8, 8))
    start = exp(square)
    new, record = bordered(add(start, matmul(start, start)))
    assert kernels(new) == [["exp"], ["add"]]
    assert "would make a cycle" in record.refused


def test_a_cycle_through_merged_kernels_is_seen() -> None:
    """a -> matmul -> b and c -> matmul -> d: with {a, d} merged, {b, c} may not merge."""
    a_input, c_input = input_node("p", (8, 8)), input_node("q", (8, 8))
    a, c = exp(a_input), exp(c_input)
    b = add(matmul(a, a), c_input)
    d = add(matmul(c, c), a_input)
    new, _ = bordered(a, b, c, d)
    assert len(kernels(new)) == 3


def test_different_shapes_are_a_border() -> None:
    scale = exp(WEIGHT)
    new, record = fused(mul(X, scale))
    assert kernels(new) == [["exp"], ["mul"]]
    assert DIFFERENT_SHAPES in record.refused


def test_kernels_that_read_one_value_over_one_space_merge() -> None:
    assert count(sum_(X, dims=(0,)), sum_(mul(X, X), dims=(0,))) == 1
    assert count(sum_(X, dims=(0,)), sum_(mul(X, X), dims=(1,))) == 2


def test_cheap_operands_are_repeated_in_each_kernel() -> None:
    two = constant(np.full((), 2, np.float32))
    ramp = iota((8, 16), 1, float32)
    new, _ = bordered(mul(ramp, X), mul(matmul(X, permute(G, dims=(1, 0))), two))
    assert all(node.op.name != "iota" for node in new.nodes)
    assert all(node.op.name != "constant" for node in new.nodes)


def test_large_constants_are_operands() -> None:
    table = constant(np.arange(128, dtype=np.float32).reshape(8, 16))
    new, _ = fused(mul(X, table))
    (kernel,) = [node for node in new.nodes if node.op.name == "fused"]
    assert [operand.op.name for operand in kernel.inputs] == ["placeholder", "constant"]


def test_a_broadcast_is_part_of_the_kernel_and_its_operand_stays_small() -> None:
    row = amax(X, dims=(1,))
    new = Fuse().run(graph_of(matmul(expand(row, shape=(8, 16)), permute(X, dims=(1, 0))),
                              sub(X, expand(row, shape=(8, 16)))))  # fmt: skip
    (kernel,) = [node for node in new.nodes if node.op.name == "fused"]
    assert [inner.op.name for inner in kernel.attrs["body"].nodes][-3:] == ["amax", "expand", "sub"]
    assert kernel.result_type.items[0].shape == (8, 1)


def test_unknown_sizes_stay_unfused() -> None:
    x = placeholder("x", TensorType((Dim.named("N"), 4), float32))
    graph = graph_of(exp(neg(x)))
    assert Fuse().run(graph) is graph


def test_large_programs_are_cut_into_kernels_of_bounded_size() -> None:
    node = X
    for _ in range(300):
        node = tanh(node)
    new, record = fused(node)
    assert [len(kernel) for kernel in kernels(new)] == [96, 96, 96, 12]
    assert "the kernel would be too large" in record.refused


def test_operands_are_bounded() -> None:
    terms = [input_node(f"t{position}", (4,)) for position in range(100)]
    node = terms[0]
    for term in terms[1:]:
        node = maximum(node, term)
    new, _ = fused(node)
    assert max(len(k.inputs) for k in new.nodes if k.op.name == "fused") <= 40


def test_zero_size_and_zero_dim_programs() -> None:
    empty = input_node("empty", (0, 4))
    new, _ = fused(sum_(exp(empty), dims=(0,)), exp(empty))
    assert len(kernels(new)) == 1
    scalar = input_node("s", ())
    new, _ = fused(rsqrt(exp(scalar)))
    assert kernels(new) == [["exp", "rsqrt"]]


def test_fusion_does_not_depend_on_the_run() -> None:
    graph = graph_of(*grads(add(mul(normalized(X, (1,)), WEIGHT), BIAS), X, WEIGHT, BIAS))
    first, second = Fuse().run(graph), Fuse().run(graph)
    assert kernels(first) == kernels(second)
    assert [node.op.name for node in first.nodes] == [node.op.name for node in second.nodes]


def test_mixed_dtypes_share_a_kernel() -> None:
    assert count(cast(cast(X, dtype=int64), dtype=float32)) == 1


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        (Space((4, 5)), Space((4, 5)), Space((4, 5))),
        (Space((5,)), Space((1, 5)), Space((1, 5))),
        (Space((5,)), Space((4, 5)), DIFFERENT_SHAPES),
        (Space((4, 5), (1,)), Space((4, 5)), Space((4, 5), (1,))),
        (Space((4, 1)), Space((4, 5), (1,)), Space((4, 5), (1,))),
        (Space((4,)), Space((4, 5), (1,)), DIFFERENT_SHAPES),
        (Space((5,)), Space((4, 5), (0,)), Space((4, 5), (0,))),
        (Space(()), Space((4, 5), (0, 1)), Space((4, 5), (0, 1))),
        (Space((1, 4, 5)), Space((4, 5), (0,)), DIFFERENT_SHAPES),
        (Space((4, 5), (0,)), Space((4, 5), (1,)), DIFFERENT_DIMS),
        (Space((4, 5), (0,)), Space((4, 6), (0,)), DIFFERENT_SHAPES),
    ],
)
def test_joining_spaces(first: Space, second: Space, joined: Space | str) -> None:
    assert join(first, second) == joined
    assert join(second, first) == joined


def test_the_numbers_of_a_kernel_are_those_of_its_body() -> None:
    graph = graph_of(softmax(X))
    values = np.random.default_rng(0).standard_normal((8, 16)).astype(np.float32)
    found = evaluate(Fuse().run(graph), {"x": values})[0]["out0"]
    weights = np.exp(values.astype(np.float64))
    np.testing.assert_allclose(found, weights / weights.sum(1, keepdims=True), rtol=1e-6)


def test_names_of_outputs_survive() -> None:
    graph = Graph((X,), {"loss": exp(X), **dict(enumerate_names((neg(X),)))})
    assert list(Fuse().run(graph).outputs) == ["loss", "out0"]


def test_pairs_of_full_kernels_are_not_tried_for_each_of_their_members(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What all kernels read offers every pair of them, though only few can merge."""
    tried = 0
    obstacle = Groups.obstacle

    def counted(self: Groups, first: Group, second: Group) -> str:
        nonlocal tried
        tried += 1
        return obstacle(self, first, second)

    monkeypatch.setattr(Groups, "obstacle", counted)
    count, rate = 200, input_node("rate", ())
    found = Fuse().run(graph_of(*(mul(exp(input_node(f"s{i}", ())), rate) for i in range(count))))
    kernels = sum(node.op.name == "fused" for node in found.nodes)
    assert count / 40 <= kernels < count / 10
    assert tried < 40 * count
