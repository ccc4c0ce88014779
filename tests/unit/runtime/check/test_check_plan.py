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
from graphc.node import Node
from graphc.ops import elementwise as e
from graphc.ops.fused import fused, item
from graphc.ops.index import index
from graphc.ops.leaf import placeholder, variable
from graphc.ops.linalg import matmul
from graphc.ops.reduce import sum_
from graphc.ops.shape import concat, pad, reshape
from graphc.runtime.check.plan import check_plan
from graphc.runtime.plan import Operand, Plan, Step
from graphc.runtime.planning.planner import make_plan
from graphc.runtime.sessions.bindings import Variables
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


def parts() -> Graph:
    """A frame around two halves that are computed in their places, and a rows' update."""
    x = placeholder("x", SQUARE)
    w = variable("w", TensorType((4,), float64), Storage(np.ones(4)))
    both = concat(e.neg(x), e.abs_(x), dim=1)
    framed = pad(both, low=(1, 0), high=(0, 0), interior=(0, 0), value=2.0)
    a, b = placeholder("a0", SQUARE), placeholder("a1", w.type)
    total = sum_(a, dims=(0,))
    results = {"r0": e.add(b, total), "r1": e.mul(a, total)}
    kernel = fused((x, w), Graph([a, b], results))
    update = reshape(item(kernel, 0), shape=(4,))
    return Graph([x], {"framed": framed, "full": item(kernel, 1)}, {w: update})


def halves_swapped(plan: Plan) -> Plan:
    one, other = step_of(plan, "neg"), step_of(plan, "abs")
    places = plan.steps[one].outputs, plan.steps[other].outputs
    plan = with_step(plan, one, lambda step: replace(step, outputs=places[1]))
    return with_step(plan, other, lambda step: replace(step, outputs=places[0]))


def half_moved(plan: Plan) -> Plan:
    def change(step: Step) -> Step:
        (target,) = step.outputs
        return replace(step, outputs=(moved(target, offset=target.offset - 1),))

    return with_step(plan, step_of(plan, "abs"), change)


def half_missing(plan: Plan) -> Plan:
    gone = step_of(plan, "abs")
    return replace(plan, steps=plan.steps[:gone] + plan.steps[gone + 1 :])


def border_missing(plan: Plan) -> Plan:
    return replace(plan, steps=tuple(step for step in plan.steps if step.kind == "compute"))


def border_of_another_value(plan: Plan) -> Plan:
    buffers = tuple(
        replace(one, array=np.array(3.0)) if one.kind == "constant" else one for one in plan.buffers
    )
    return replace(plan, buffers=buffers)


def border_short(plan: Plan) -> Plan:
    def change(step: Step) -> Step:
        cut = [moved(each, shape=(1, 7)) for each in (*step.inputs, *step.outputs)]
        return replace(step, inputs=(cut[0],), outputs=(cut[1],))

    (position,) = (k for k, step in enumerate(plan.steps) if step.kind == "copy")
    return with_step(plan, position, change)


def border_over_a_half(plan: Plan) -> Plan:
    """The border is written last, and a row too low."""
    (border,) = (step for step in plan.steps if step.kind == "copy")
    (target,) = border.outputs
    low = replace(border, outputs=(moved(target, offset=target.offset + 8),))
    return replace(plan, steps=(*(step for step in plan.steps if step is not border), low))


def full_result_over_the_row(plan: Plan) -> Plan:
    """The kernel's full result is read where the variable is."""

    def change(step: Step) -> Step:
        x, w = step.inputs
        return replace(step, inputs=(x, moved(w, offset=1, shape=(4,), strides=(0,))))

    return with_step(plan, step_of(plan, "fused"), change)


def transposed_operand(plan: Plan) -> Plan:
    def change(step: Step) -> Step:
        return replace(step, inputs=(moved(step.inputs[0], strides=(1, 4)),))

    return with_step(plan, step_of(plan, "neg"), change)


PART_MUTATIONS = [
    (halves_swapped, "another value"),
    (half_moved, "another value"),
    (half_missing, "another value|never written"),
    (border_missing, "another value"),
    (border_of_another_value, "another value|never written"),
    (border_short, "another value"),
    (border_over_a_half, "another value"),
    (full_result_over_the_row, "overwrites|another value"),
    (transposed_operand, "another value"),
]


@pytest.mark.parametrize(
    ("mutate", "message"), PART_MUTATIONS, ids=lambda p: getattr(p, "__name__", "")
)
def test_a_plan_with_broken_parts_is_refused(mutate: Callable[[Plan], Plan], message: str) -> None:
    graph = parts()
    plan = make_plan(graph)
    check_plan(plan, graph)
    assert [step.kind for step in plan.steps].count("copy") == 1  # the border
    with pytest.raises(VerifyError, match=message):
        check_plan(mutate(plan), graph)


def kernel_update(*results: Node, inputs: tuple[Node, ...], reads: int) -> tuple[Graph, Plan]:
    """A kernel whose first result is written over the variable that it reads, by force.

    Args:
        results: of the kernel.
        inputs: the kernel's placeholders.
        reads: which of them is the variable.
    """
    operands = [placeholder(f"x{k}", each.type) for k, each in enumerate(inputs)]
    w = variable("w", inputs[reads].type, Storage(np.ones(inputs[reads].type.static_shape)))
    operands[reads] = w
    kernel = fused(tuple(operands), Graph(inputs, {f"r{k}": r for k, r in enumerate(results)}))
    first = item(kernel, 0) if len(results) > 1 else kernel
    update = reshape(first, shape=w.type.shape)
    outputs = {f"y{k}": item(kernel, k) for k in range(1, len(results))}
    graph = Graph([node for node in operands if node is not w], outputs, {w: update})
    plan = make_plan(graph)
    check_plan(plan, graph)

    def into_the_variable(step: Step) -> Step:
        target = replace(step.outputs[0], buffer=step.inputs[reads].buffer, offset=0)
        return replace(step, outputs=(target, *step.outputs[1:]))

    changed = with_step(plan, step_of(plan, "fused"), into_the_variable)
    steps = tuple(
        step for step in changed.steps
        if step.kind == "compute" or plan.buffers[step.outputs[0].buffer].kind != "variable"
    )  # fmt: skip
    return graph, replace(changed, steps=steps)


def test_what_rows_of_a_kernel_may_overwrite() -> None:
    """Each kernel is planned as the planner likes, then made to write into the variable."""
    a, row = placeholder("a0", SQUARE), placeholder("a1", TensorType((4,), float64))
    total = sum_(a, dims=(0,))
    spread = sum_(e.abs_(e.sub(a, total)), dims=(0,))
    graph, plan = kernel_update(e.add(row, total), e.mul(a, total), inputs=(a, row), reads=1)
    check_plan(plan, graph)
    refused = [
        (e.add(row, total), e.mul(a, row)),  # points read the row
        (e.add(row, total), e.add(row, spread)),  # a later row reads it
        (e.add(row, sum_(e.mul(a, row), dims=(0,))),),  # a reduction reads it
    ]
    for results in refused:
        graph, plan = kernel_update(*results, inputs=(a, row), reads=1)
        with pytest.raises(VerifyError, match="overwrites an operand"):
            check_plan(plan, graph)


def test_what_full_results_of_a_kernel_may_overwrite() -> None:
    a = placeholder("a0", SQUARE)
    total = sum_(a, dims=(0,))
    graph, plan = kernel_update(e.mul(a, total), total, inputs=(a,), reads=0)
    check_plan(plan, graph)
    refused = [
        (e.mul(a, total), e.add(a, total)),  # two full results
        (e.neg(a), total),  # before the reduction
    ]
    for results in refused:
        graph, plan = kernel_update(*results, inputs=(a,), reads=0)
        with pytest.raises(VerifyError, match="overwrites an operand"):
            check_plan(plan, graph)


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
