"""The checker refuses every kind of broken plan."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphc.dtypes import float32, float64, int64
from graphc.errors import VerifyError
from graphc.graph import Graph
from graphc.ops import elementwise as e
from graphc.ops.index import index
from graphc.ops.leaf import placeholder, variable
from graphc.ops.linalg import matmul
from graphc.runtime.bindings import Variables
from graphc.runtime.check_plan import check_plan
from graphc.runtime.plan import Operand, Plan, Step
from graphc.runtime.planner import make_plan
from graphc.storage import Storage
from graphc.types import TensorType
from tests.random_graphs import Program, programs

SQUARE = TensorType((4, 4), float64)


def example() -> Graph:
    """Two products that are live together, a row lookup and an updated variable."""
    x = placeholder("x", SQUARE)
    rows = placeholder("rows", TensorType((2,), int64))
    w = variable("w", SQUARE, Storage(np.ones((4, 4))))
    one, two = matmul(x, x), matmul(x, w)
    mixed = matmul(e.tanh(one), e.tanh(two))
    picked = index(mixed, rows, dims=(0,))
    return Graph([x, rows], {"picked": picked, "old": w}, {w: e.sub(w, mixed)})


def step_of(plan: Plan, op: str, number: int = 0) -> int:
    return [
        position for position, step in enumerate(plan.steps)
        if step.kind == "compute" and step.node.op.name == op
    ][number]  # fmt: skip


def with_step(plan: Plan, position: int, change: Callable[[Step], Step]) -> Plan:
    steps = list(plan.steps)
    steps[position] = change(steps[position])
    return replace(plan, steps=tuple(steps))


def moved(operand: Operand, **changes: object) -> Operand:
    return replace(operand, **changes)


def all_at_zero(plan: Plan) -> Plan:
    return replace(plan, buffers=tuple(replace(buffer, offset=0) for buffer in plan.buffers))


def unaligned(plan: Plan) -> Plan:
    buffers = list(plan.buffers)
    buffers[-1] = replace(buffers[-1], offset=buffers[-1].offset + 8)
    return replace(plan, buffers=tuple(buffers), arena_bytes=plan.arena_bytes + 64)


def small_arena(plan: Plan) -> Plan:
    return replace(plan, arena_bytes=plan.arena_bytes - 64)


def without_last_product(plan: Plan) -> Plan:
    gone = step_of(plan, "matmul", 1)
    return replace(plan, steps=plan.steps[:gone] + plan.steps[gone + 1 :])


def reversed_steps(plan: Plan) -> Plan:
    return replace(plan, steps=plan.steps[::-1])


def outside(plan: Plan) -> Plan:
    def change(step: Step) -> Step:
        return replace(step, inputs=(moved(step.inputs[0], offset=1), *step.inputs[1:]))

    return with_step(plan, step_of(plan, "matmul"), change)


def below(plan: Plan) -> Plan:
    def change(step: Step) -> Step:
        return replace(step, inputs=(moved(step.inputs[0], strides=(4, -1)), *step.inputs[1:]))

    return with_step(plan, step_of(plan, "matmul"), change)


def writes_input(plan: Plan) -> Plan:
    def change(step: Step) -> Step:
        return replace(step, outputs=(moved(step.outputs[0], buffer=0),))

    return with_step(plan, step_of(plan, "tanh"), change)


def half_written(plan: Plan) -> Plan:
    def change(step: Step) -> Step:
        return replace(step, outputs=(moved(step.outputs[0], strides=(0, 1)),))

    return with_step(plan, step_of(plan, "tanh"), change)


def wrong_dtype(plan: Plan) -> Plan:
    def change(step: Step) -> Step:
        return replace(step, inputs=(moved(step.inputs[0], dtype=float32), *step.inputs[1:]))

    return with_step(plan, step_of(plan, "matmul"), change)


def swapped_operands(plan: Plan) -> Plan:
    return with_step(
        plan, step_of(plan, "sub"), lambda step: replace(step, inputs=step.inputs[::-1])
    )


def product_in_place(plan: Plan) -> Plan:
    return with_step(
        plan, step_of(plan, "matmul", 2), lambda step: replace(step, outputs=(step.inputs[0],))
    )


def update_before_lookup(plan: Plan) -> Plan:
    steps = list(plan.steps)
    lookup = steps.pop(step_of(plan, "index"))
    return replace(plan, steps=(*steps, lookup))


def old_value_after_update(plan: Plan) -> Plan:
    steps = list(plan.steps)
    (copy,) = (step for step in steps if step.kind == "copy")
    steps.remove(copy)
    return replace(plan, steps=(*steps, copy))


def update_forgotten(plan: Plan) -> Plan:
    steps = tuple(step for step in plan.steps if step.node.op.name != "sub")
    return replace(plan, steps=steps, written=())


def shared_outputs(plan: Plan) -> Plan:
    return replace(plan, outputs=dict.fromkeys(plan.outputs, plan.outputs["old"]))


def output_in_variable(plan: Plan) -> Plan:
    (number,) = plan.written
    return replace(plan, outputs={**plan.outputs, "old": number})


def silent_write(plan: Plan) -> Plan:
    return replace(plan, written=())


MUTATIONS = [
    (all_at_zero, "overwritten|another value|overwrites|share"),
    (unaligned, "does not lie in the arena"),
    (small_arena, "does not lie in the arena"),
    (without_last_product, "never written"),
    (reversed_steps, "never written|another value|may raise"),
    (outside, "leaves buffer"),
    (below, "leaves buffer"),
    (writes_input, "of kind input"),
    (half_written, "writes an element twice"),
    (wrong_dtype, "do not fit the node"),
    (swapped_operands, "another value"),
    (product_in_place, "overwrites an operand"),
    (update_before_lookup, "may raise after a variable was written"),
    (old_value_after_update, "another value"),
    (update_forgotten, "another value"),
    (shared_outputs, "share a buffer"),
    (output_in_variable, "not in memory of its own"),
    (silent_write, "names other variables"),
]


def test_the_unchanged_plan_passes() -> None:
    graph = example()
    plan = make_plan(graph)
    check_plan(plan, graph)
    assert [step.kind for step in plan.steps].count("copy") == 1
    assert len(plan.written) == 1


@pytest.mark.parametrize(("mutate", "message"), MUTATIONS, ids=lambda p: getattr(p, "__name__", ""))
def test_a_broken_plan_is_refused(mutate: Callable[[Plan], Plan], message: str) -> None:
    graph = example()
    broken = mutate(make_plan(graph))
    with pytest.raises(VerifyError, match=message):
        check_plan(broken, graph)


def test_the_message_names_the_step_and_the_users_line() -> None:
    graph = example()
    with pytest.raises(VerifyError, match=r"step \d+ \(tanh\): it writes") as caught:
        check_plan(writes_input(make_plan(graph)), graph)
    assert "test_check_plan.py" in str(caught.value)


@settings(max_examples=200)
@given(programs(), st.data())
def test_two_buffers_in_one_place_are_refused_or_harmless(
    program: Program, data: st.DataObject
) -> None:
    """Moving one buffer onto another is refused exactly if both are live at one step.

    Buffers that some step uses in part are left out: the parts may fit beside each other.
    """
    layouts = Variables(program.graph).snapshot().layouts
    plan = make_plan(program.graph, layouts)
    operands = [each for step in plan.steps for each in (*step.inputs, *step.outputs)]
    in_part = {each.buffer for each in operands if not whole(plan, each)}
    arena = [
        buffer
        for buffer in plan.buffers
        if buffer.kind == "arena" and buffer.nbytes and buffer.id not in in_part
    ]
    if len(arena) < 2:
        return
    one, other = data.draw(st.permutations(arena))[:2]
    offset = plan.arena_bytes
    buffers = tuple(replace(b, offset=offset) if b in (one, other) else b for b in plan.buffers)
    moved_together = replace(
        plan, buffers=buffers, arena_bytes=offset + max(one.nbytes, other.nbytes)
    )
    if live(plan, one.id) & live(plan, other.id):
        with pytest.raises(VerifyError):
            check_plan(moved_together, program.graph, layouts)
    else:
        check_plan(moved_together, program.graph, layouts)


def whole(plan: Plan, operand: Operand) -> bool:
    return operand.span == (0, plan.buffers[operand.buffer].nbytes)


def live(plan: Plan, buffer: int) -> set[int]:
    uses = [
        position
        for position, step in enumerate(plan.steps)
        if any(operand.buffer == buffer for operand in (*step.inputs, *step.outputs))
    ]
    return set(range(uses[0], uses[-1] + 1))


def test_a_view_of_the_wrong_node_is_refused() -> None:
    x, y = (placeholder(name, SQUARE) for name in "xy")
    graph: Graph = Graph([x, y], {"z": e.sub(x, y)})
    plan = make_plan(graph)

    def both_from_x(step: Step) -> Step:
        return replace(step, inputs=(step.inputs[0], step.inputs[0]))

    with pytest.raises(VerifyError, match="another value"):
        check_plan(with_step(plan, 0, both_from_x), graph)
