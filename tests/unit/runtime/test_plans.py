"""Plans of random programs: checked, and executed to the same bits as the graph's meaning."""

import numpy as np
from hypothesis import given, settings

from graphc.evaluate import evaluate
from graphc.runtime.bindings import Variables
from graphc.runtime.check_plan import check_plan
from graphc.runtime.planner import make_plan
from graphc.runtime.session import Session
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
    plan = make_plan(program.graph, Variables(program.graph).snapshot().layouts)
    check_plan(plan, program.graph)
    assert plan.lower_bound_bytes <= plan.arena_bytes <= plan.naive_bytes


@settings(max_examples=50)
@given(programs())
def test_planning_is_deterministic(program: Program) -> None:
    layouts = Variables(program.graph).snapshot().layouts
    one, other = make_plan(program.graph, layouts), make_plan(program.graph, layouts)
    assert one.steps == other.steps
    assert [b.offset for b in one.buffers] == [b.offset for b in other.buffers]
