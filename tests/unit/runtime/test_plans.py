"""Plans of random programs: checked, and executed to the same bits as the graph's meaning."""

import numpy as np
from hypothesis import given, settings

from graphc.dtypes import float64
from graphc.evaluate import evaluate
from graphc.graph import Graph
from graphc.node import Node, constant
from graphc.ops import elementwise as e
from graphc.ops.leaf import placeholder, variable
from graphc.ops.linalg import matmul
from graphc.ops.shape import permute
from graphc.runtime.check.plan import check_plan
from graphc.runtime.planning.planner import make_plan
from graphc.runtime.sessions.bindings import Variables
from graphc.runtime.sessions.session import Session
from graphc.storage import Storage
from graphc.types import TensorType
from tests.random_graphs import Program, programs


def same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    return (
        one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == other.tobytes()
    )


@settings(max_examples=400)
@given(programs())
def test_a_run_gives_the_bits_of_evaluate(program: Program) -> None:
    wanted, updates = evaluate(program.graph, program.feed)
    wanted = {name: np.array(array, order="C") for name, array in wanted.items()}
    updates = {node: np.array(array, order="C") for node, array in updates.items()}
    before = {name: array.copy() for name, array in program.feed.items()}
    untouched = {
        storage: np.array(storage.array)
        for storage in program.storages
        if all(node.attrs["source"] is not storage for node in updates)
    }
    outputs = Session(program.graph, backend="numpy").run(program.feed)
    assert list(outputs) == list(wanted)
    for name, array in wanted.items():
        assert same_bits(outputs[name], array), name
    for node, array in updates.items():
        assert same_bits(np.array(node.attrs["source"].array, order="C"), array)
    for storage, array in untouched.items():
        assert same_bits(np.array(storage.array), array)
    for name, array in before.items():
        assert same_bits(program.feed[name], array)


@settings(max_examples=200)
@given(programs())
def test_outputs_never_share_memory(program: Program) -> None:
    outputs = Session(program.graph, backend="numpy").run(program.feed)
    arrays = [*outputs.values(), *program.feed.values()]
    arrays += [storage.array for storage in program.storages]
    for position, name in enumerate(outputs):
        assert outputs[name].flags.owndata
        for other in arrays[position + 1 :]:
            assert not np.may_share_memory(outputs[name], other)


@settings(max_examples=200)
@given(programs())
def test_memory_lies_between_the_bounds(program: Program) -> None:
    layouts = Variables(program.graph).snapshot().layouts
    plan = make_plan(program.graph, layouts)
    check_plan(plan, program.graph, layouts)
    assert plan.lower_bound_bytes <= plan.arena_bytes <= plan.naive_bytes


@settings(max_examples=50)
@given(programs())
def test_planning_is_deterministic(program: Program) -> None:
    layouts = Variables(program.graph).snapshot().layouts
    one, other = make_plan(program.graph, layouts), make_plan(program.graph, layouts)
    assert one.steps == other.steps
    assert [b.offset for b in one.buffers] == [b.offset for b in other.buffers]


def training_step(depth: int, size: int) -> Graph:
    """A deep network with momentum: each layer's gradient is as large as its weights."""
    one, rate = constant(1.0), constant(0.1)
    x = placeholder("x", TensorType((8, size), float64))
    matrix = TensorType((size, size), float64)

    def layer(name: str) -> Node:
        return variable(name, matrix, Storage(np.zeros((size, size))))

    weights = [layer(f"w{k}") for k in range(depth)]
    momenta = [layer(f"m{k}") for k in range(depth)]
    hidden = [x]
    for w in weights:
        hidden.append(e.tanh(matmul(hidden[-1], permute(w, dims=(1, 0)))))
    grad, updates = hidden[-1], {}
    for k in reversed(range(depth)):
        grad = e.mul(grad, e.sub(one, e.mul(hidden[k + 1], hidden[k + 1])))
        by_weight = matmul(permute(grad, dims=(1, 0)), hidden[k])
        updates[momenta[k]] = e.add(momenta[k], by_weight)
        updates[weights[k]] = e.sub(weights[k], e.mul(updates[momenta[k]], rate))
        grad = matmul(grad, weights[k])
    return Graph([x], {"y": hidden[-1]}, updates)


def test_a_training_step_updates_in_place_as_soon_as_a_gradient_exists() -> None:
    depth, size = 12, 64
    plan = make_plan(training_step(depth, size))
    assert len(plan.written) == 2 * depth
    assert all(step.kind == "compute" for step in plan.steps)
    assert plan.arena_bytes <= 1.05 * plan.lower_bound_bytes
    assert plan.naive_bytes >= 3 * plan.arena_bytes
    weight, activation = size * size * 8, 8 * size * 8
    assert plan.arena_bytes <= weight + (depth + 3) * activation  # one gradient at a time
