"""Programs inside scans, loops and branches: planned, checked, and in memory of the outer plan."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphc.config import CHECK
from graphc.dtypes import float64, int64
from graphc.errors import VerifyError
from graphc.evaluate import evaluate
from graphc.graph import Graph
from graphc.node import Node, constant, make_node
from graphc.ops import elementwise as e
from graphc.ops.comparison import lt
from graphc.ops.control import COND, SCAN, WHILE_LOOP
from graphc.ops.fused import item
from graphc.ops.index import index
from graphc.ops.leaf import placeholder, variable
from graphc.ops.linalg import matmul
from graphc.ops.shape import flip, permute
from graphc.runtime.check.plan import check_plan
from graphc.runtime.plan import Inside, Plan, Step
from graphc.runtime.planning.planner import make_plan
from graphc.runtime.poison import poisoned
from graphc.runtime.sessions.bindings import Variables
from graphc.runtime.sessions.session import Session
from graphc.storage import Storage
from graphc.types import TensorType
from tests.random_control import control_program

VECTOR, SQUARE = TensorType((4,), float64), TensorType((4, 4), float64)
SEEDS = st.integers(0, 10**6)


def recurrence(length: int = 3, *, reverse: bool = False, start: Node | None = None) -> Graph:
    """A scan of two carries, of which the first is stacked, too."""
    h, total = placeholder("carry0", SQUARE), placeholder("carry1", SQUARE)
    x, w = placeholder("item0", SQUARE), placeholder("captured0", SQUARE)
    after = e.tanh(e.add(matmul(h, w), x))
    outputs = {"carry0": after, "carry1": e.add(total, after), "result0": after}
    body = Graph([h, total, x, w], outputs)
    xs = placeholder("xs", TensorType((length, 4, 4), float64))
    weight, first = placeholder("w", SQUARE), start or placeholder("h", SQUARE)
    node = make_node(
        SCAN, (first, e.neg(weight), xs, weight),
        {"body": body, "carries": 2, "sequences": 1, "length": length, "reverse": reverse},
    )  # fmt: skip
    inputs = [xs, weight] if start is not None else [xs, weight, first]
    return Graph(inputs, {name: item(node, at) for at, name in enumerate(("h", "sum", "all"))})


def step_of(plan: Plan) -> tuple[int, Step, Inside]:
    """The step that runs programs."""
    ((position, step),) = [
        (position, step) for position, step in enumerate(plan.steps) if step.inside is not None
    ]
    assert step.inside is not None
    return position, step, step.inside


def kinds(plan: Plan) -> dict[str, str]:
    """The kinds of a plan's inputs and carries by name."""
    return {each.name: each.kind for each in plan.buffers[: plan.bound] if each.kind != "output"}


@settings(max_examples=300, deadline=None)
@given(SEEDS)
def test_random_programs_give_the_bits_of_evaluate(seed: int) -> None:
    program = control_program(seed)
    wanted, updates = evaluate(program.graph, program.feed)
    wanted = {name: np.array(value, order="C") for name, value in wanted.items()}
    updates = {node: np.array(value, order="C") for node, value in updates.items()}
    layouts = Variables(program.graph).snapshot().layouts
    plan = make_plan(program.graph, layouts)
    check_plan(plan, program.graph, layouts)
    assert plan.lower_bound_bytes <= plan.arena_bytes <= plan.naive_bytes
    found = Session(program.graph, backend="numpy").run(program.feed)
    assert all(found[name].tobytes() == wanted[name].tobytes() for name in wanted)
    for node, value in updates.items():
        assert np.array(node.attrs["source"].array, order="C").tobytes() == value.tobytes()


def test_a_stacked_carry_moves_on_and_the_other_stays() -> None:
    _, _, inside = step_of(make_plan(recurrence()))
    (body,) = inside.plans
    assert kinds(body) == {
        "carry0": "input", "carry1": "variable", "item0": "input", "captured0": "input",
    }  # fmt: skip
    assert [one.kind for one in body.steps] == ["compute"] * len(body.steps)
    assert body.copied == {}


def test_without_steps_nothing_is_stacked() -> None:
    _, _, inside = step_of(make_plan(recurrence(0)))
    assert kinds(inside.plans[0])["carry0"] == "variable"


def test_a_dying_start_is_where_the_carry_lives() -> None:
    graph = recurrence()
    plan = make_plan(Graph(graph.inputs, {"n": e.neg(graph.outputs["sum"])}))
    _, step, _ = step_of(plan)
    assert step.inputs[1].same_elements(step.outputs[1])


def test_a_variable_is_its_carry() -> None:
    storage = Storage(np.ones((4, 4)))
    state = variable("state", SQUARE, storage)
    x = placeholder("carry0", SQUARE)
    body = Graph([x], {"carry0": e.mul(x, constant(np.float64(0.5)))})
    attrs = {"body": body, "carries": 1, "sequences": 0, "length": 3, "reverse": False}
    graph = Graph([], {}, {state: item(make_node(SCAN, (state,), attrs), 0)})
    plan = make_plan(graph)
    _, step, _ = step_of(plan)
    assert step.inputs[0].same_elements(step.outputs[0])
    assert (len(plan.steps), plan.arena_bytes) == (1, 0)
    for backend in ("numpy", "llvm"):
        storage.array[...] = 8
        Session(graph, backend=backend).run()
        assert (storage.array == 1).all()


def test_a_start_that_an_error_needs_again_is_kept() -> None:
    state, rows = placeholder("carry0", VECTOR), placeholder("item0", TensorType((4,), int64))
    body = Graph([state, rows], {"carry0": index(state, rows, dims=(0,))})
    start, xs = placeholder("start", VECTOR), placeholder("xs", TensorType((2, 4), int64))
    attrs = {"body": body, "carries": 1, "sequences": 1, "length": 2, "reverse": False}
    node = make_node(SCAN, (e.neg(start), xs), attrs)
    plan = make_plan(Graph([start, xs], {"y": e.neg(item(node, 0))}))
    _, step, _ = step_of(plan)
    assert not step.inputs[0].same_elements(step.outputs[0])


def test_variables_are_written_behind_a_loop_that_may_raise() -> None:
    storage = Storage(np.ones(4))
    w = variable("w", VECTOR, storage)
    state, rows = placeholder("carry0", VECTOR), placeholder("item0", TensorType((4,), int64))
    body = Graph([state, rows], {"carry0": index(state, rows, dims=(0,))})
    start, xs = placeholder("start", VECTOR), placeholder("xs", TensorType((2, 4), int64))
    attrs = {"body": body, "carries": 1, "sequences": 1, "length": 2, "reverse": False}
    node = make_node(SCAN, (start, xs), attrs)
    graph = Graph([start, xs], {"y": item(node, 0)}, {w: e.add(w, w)})
    plan = make_plan(graph)
    check_plan(plan, graph)
    position, _, _ = step_of(plan)
    assert position == 0
    swapped = replace(plan, steps=plan.steps[::-1])
    with pytest.raises(VerifyError, match=r"step 1 \(scan\) may raise after a variable"):
        check_plan(swapped, graph)


def test_swapped_carries_keep_their_values() -> None:
    a, b, n = (placeholder(f"carry{at}", VECTOR) for at in range(3))
    body = Graph([a, b, n], {"carry0": b, "carry1": e.add(a, b), "carry2": a})
    starts = [placeholder(name, VECTOR) for name in "abn"]
    attrs = {"body": body, "carries": 3, "sequences": 0, "length": 5, "reverse": False}
    node = make_node(SCAN, tuple(starts), attrs)
    graph = Graph(starts, {f"r{at}": item(node, at) for at in range(3)})
    feed = {"a": np.ones(4), "b": np.ones(4), "n": np.zeros(4)}
    for backend in ("numpy", "llvm"):
        found = Session(graph, backend=backend).run(feed)
        assert [int(found[f"r{at}"][0]) for at in range(3)] == [8, 13, 5]


def looping() -> Graph:
    """Adds a table to a vector while a counter is below a limit; both graphs have constants."""
    k, x = placeholder("carry0", TensorType((), int64)), placeholder("carry1", VECTOR)
    limit = placeholder("captured0", TensorType((), int64))
    table = constant(np.arange(4.0))
    body = Graph([k, x, limit], {"k": e.add(k, constant(np.int64(1))), "x": e.add(x, table)})
    test = Graph([k, x, limit], {"test": lt(e.mul(k, constant(np.int64(2))), limit)})
    start, until = placeholder("x", VECTOR), placeholder("until", TensorType((), int64))
    inputs = (constant(np.int64(0)), start, until)
    node = make_node(WHILE_LOOP, inputs, {"condition": test, "body": body, "carries": 2})
    return Graph([start, until], {"k": item(node, 0), "x": item(node, 1)})


def test_constants_inside_are_constants_of_the_plan() -> None:
    plan = make_plan(looping())
    _, _, inside = step_of(plan)
    for own, numbers in zip(inside.plans, inside.constants, strict=True):
        arrays = [buffer.array for buffer in own.buffers if buffer.kind == "constant"]
        assert arrays
        assert all(
            plan.buffers[number].array is array
            for number, array in zip(numbers, arrays, strict=True)
        )


def broken(change: Callable[[Plan, Step, Inside], Step], graph: Graph) -> None:
    """Check a plan of which the step with programs was changed."""
    plan = make_plan(graph)
    check_plan(plan, graph)
    position, step, inside = step_of(plan)
    steps = list(plan.steps)
    steps[position] = change(plan, step, inside)
    check_plan(replace(plan, steps=tuple(steps)), graph)


def with_inside(step: Step, **changes: object) -> Step:
    assert step.inside is not None
    return replace(step, inside=replace(step.inside, **changes))


def test_missing_and_superfluous_programs_are_found() -> None:
    with pytest.raises(VerifyError, match="plans inside are not those"):
        broken(lambda plan, step, inside: replace(step, inside=None), recurrence())
    with pytest.raises(VerifyError, match="plans inside are not those"):
        broken(lambda plan, step, inside: with_inside(step, plans=inside.plans * 2), recurrence())


def test_another_program_is_found() -> None:
    _, _, other = step_of(make_plan(recurrence(start=constant(np.ones((4, 4))))))
    graph = recurrence()
    nodes = [node for node in graph.nodes if node.op is SCAN]
    body: Graph = nodes[0].attrs["body"]
    wrong = make_plan(Graph(body.inputs, {"result0": body.inputs[0]}))
    with pytest.raises(VerifyError):
        broken(lambda plan, step, inside: with_inside(step, plans=(wrong,)), graph)
    broken(lambda plan, step, inside: with_inside(step, plans=other.plans), graph)


def test_too_little_memory_is_found() -> None:
    def shrink(plan: Plan, step: Step, inside: Inside) -> Step:
        less = inside.work.size - 64
        return with_inside(step, work=replace(inside.work, shape=(less,)))

    with pytest.raises(VerifyError, match="does not fit into its memory"):
        broken(shrink, recurrence())


def test_memory_that_others_use_is_found() -> None:
    def overlap(plan: Plan, step: Step, inside: Inside) -> Step:
        shared = replace(inside.work, buffer=step.inputs[1].buffer)
        return with_inside(step, work=shared)

    with pytest.raises(VerifyError):
        broken(overlap, Graph(recurrence().inputs, {"s": recurrence().outputs["sum"]}))

    def outside(plan: Plan, step: Step, inside: Inside) -> Step:
        return with_inside(step, work=replace(inside.work, buffer=0))

    with pytest.raises(VerifyError):
        broken(outside, recurrence())


def test_other_constants_are_found() -> None:
    def exchange(plan: Plan, step: Step, inside: Inside) -> Step:
        return with_inside(step, constants=inside.constants[::-1])

    def drop(plan: Plan, step: Step, inside: Inside) -> Step:
        return with_inside(step, constants=((), ()))

    with pytest.raises(VerifyError, match="other constants"):
        broken(drop, looping())
    with pytest.raises(VerifyError, match="other constants"):
        broken(exchange, looping())


def test_an_input_that_lies_otherwise_is_found() -> None:
    graph = recurrence()
    xs, weight, h = graph.inputs
    (scan,) = [node for node in graph.nodes if node.op is SCAN]
    turned = make_node(SCAN, (h, e.neg(weight), permute(xs, dims=(0, 2, 1)), weight), scan.attrs)
    _, _, straight = step_of(make_plan(graph))
    with pytest.raises(VerifyError):
        broken(
            lambda plan, step, inside: with_inside(step, plans=straight.plans),
            Graph(graph.inputs, {"all": item(turned, 2)}),
        )


def test_a_stacked_carry_that_starts_in_another_order_is_found() -> None:
    graph = recurrence()
    plan = make_plan(graph)
    position, step, _ = step_of(plan)
    (scan,) = [node for node in graph.nodes if node.op is SCAN]
    h = scan.inputs[0]
    turned = make_node(SCAN, (permute(h, dims=(1, 0)), *scan.inputs[1:]), scan.attrs)
    moved = replace(step.inputs[0], strides=step.inputs[0].strides[::-1])
    changed = replace(step, node=turned, inputs=(moved, *step.inputs[1:]))
    steps = [*plan.steps[:position], changed, *plan.steps[position + 1 :]]
    with pytest.raises(VerifyError, match="starts in another order"):
        check_plan(replace(plan, steps=tuple(steps)), Graph(graph.inputs, {"all": item(turned, 2)}))


def test_a_carry_in_the_place_of_something_else_is_found() -> None:
    def onto_sequence(plan: Plan, step: Step, inside: Inside) -> Step:
        return replace(step, inputs=(step.inputs[0], step.outputs[0], *step.inputs[2:]))

    with pytest.raises(VerifyError):
        broken(onto_sequence, recurrence())


def test_branches_share_their_memory() -> None:
    a = placeholder("operand0", SQUARE)
    p, x = placeholder("p", lt(constant(1.0), constant(2.0)).type), placeholder("x", SQUARE)
    long = Graph([a], {"r0": matmul(matmul(matmul(a, a), flip(a, dims=(0,))), a)})
    short = Graph([a], {"r0": matmul(matmul(a, a), a)})
    node = make_node(COND, (p, x), {"true": long, "false": short})
    plan = make_plan(Graph([p, x], {"y": item(node, 0)}))
    _, _, inside = step_of(plan)
    assert plan.arena_bytes == max(each.arena_bytes for each in inside.plans) > 0


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_spoiled_memory_changes_nothing(seed: int) -> None:
    program = control_program(seed)
    before = [storage.array.copy() for storage in program.storages]
    wanted = Session(program.graph, backend="llvm").run(program.feed)
    for storage, array in zip(program.storages, before, strict=True):
        storage.array[...] = array
    with CHECK.override("2"):
        found = Session(program.graph, backend="llvm").run(program.feed)
    assert all(found[name].tobytes() == wanted[name].tobytes() for name in wanted)


def test_programs_inside_are_spoiled_too() -> None:
    plan = make_plan(recurrence())
    _, _, before = step_of(plan)
    steps = [step for step in poisoned(plan).steps if step.inside is not None]
    assert steps[0].inside is not None
    (after,) = steps[0].inside.plans
    assert len(after.steps) > len(before.plans[0].steps)
    assert len(steps[0].inside.constants[0]) == len(before.constants[0]) + 1


def multiplying(
    length: int = 16, *, wide: int = 6, rows: int | None = None, also: bool = False
) -> Graph:
    """A scan whose body multiplies by a transposed weight, and adds it if ``also``."""
    h = placeholder("carry0", TensorType((wide if rows is None else rows, wide), float64))
    w = placeholder("captured0", TensorType((wide, wide), float64))
    after = e.tanh(matmul(h, permute(w, dims=(1, 0))))
    body = Graph([h, w], {"carry0": e.add(after, w) if also else after})
    start, weight = placeholder("h", h.type), placeholder("w", w.type)
    attrs = {"body": body, "carries": 1, "sequences": 0, "length": length, "reverse": False}
    node = make_node(SCAN, (start, weight), attrs)
    return Graph([start, weight], {"last": item(node, 0)})


def test_a_weight_that_is_multiplied_by_in_many_steps_is_turned_once() -> None:
    plan = make_plan(multiplying())
    _, step, inside = step_of(plan)
    assert list(inside.copies) == [1]
    assert inside.copies[1].strides == (1, 6)
    assert inside.copies[1].offset * 8 >= inside.plans[0].arena_bytes
    (product,) = [each for each in inside.plans[0].steps if each.node.op is matmul]
    assert product.inputs[1].strides == (6, 1)
    assert step.inputs[1].strides == (6, 1)


@pytest.mark.parametrize(
    "graph",
    [multiplying(15), multiplying(rows=3), multiplying(also=True), multiplying(wide=400),
     recurrence(16)],
    ids=["few steps", "few rows", "read otherwise, too", "large", "in rows already"],
)  # fmt: skip
def test_other_weights_stay_as_they_are(graph: Graph) -> None:
    _, _, inside = step_of(make_plan(graph))
    assert dict(inside.copies) == {}


def test_rows_that_would_compete_for_the_caches_have_gaps() -> None:
    graph = multiplying(wide=256, rows=4)
    plan = make_plan(graph)
    check_plan(plan, graph)
    _, _, inside = step_of(plan)
    assert inside.copies[1].strides == (1, 264)
    (product,) = [each for each in inside.plans[0].steps if each.node.op is matmul]
    assert product.inputs[1].strides == (264, 1)


def test_copies_in_wrong_places_are_found() -> None:
    def move(**changes: object) -> Callable[[Plan, Step, Inside], Step]:
        return lambda plan, step, inside: with_inside(
            step, copies={1: replace(inside.copies[1], **changes)}
        )

    offset = step_of(make_plan(multiplying()))[2].copies[1].offset
    broken(move(), multiplying())
    for wrong in (
        {"offset": offset - 8}, {"offset": offset + 8}, {"buffer": 0}, {"strides": (0, 1)},
    ):  # fmt: skip
        with pytest.raises(VerifyError):
            broken(move(**wrong), multiplying())
    with pytest.raises(VerifyError):
        broken(lambda plan, step, inside: with_inside(step, copies={}), multiplying())
    with pytest.raises(VerifyError, match="in the wrong place"):
        broken(
            lambda plan, step, inside: with_inside(step, copies={0: inside.copies[1]}),
            multiplying(),
        )


def test_large_weights_are_given_memory_for_panels() -> None:
    graph = multiplying(wide=400)
    plan = make_plan(graph)
    check_plan(plan, graph)
    _, _, inside = step_of(plan)
    assert list(inside.packed) == [1]
    room = inside.packed[1]
    assert room.offset >= inside.plans[0].arena_bytes
    assert room.nbytes >= 400 * 400 * 8
    assert room.offset + room.nbytes <= inside.work.nbytes
    for other in (multiplying(15, wide=400), multiplying(wide=400, rows=3),
                  multiplying(wide=400, also=True), multiplying()):  # fmt: skip
        assert not step_of(make_plan(other))[2].packed


def test_panels_in_wrong_places_are_found() -> None:
    def change(graph: Graph, number: int = 1, **changes: object) -> None:
        room = step_of(make_plan(multiplying(wide=400)))[2].packed[1]
        broken(
            lambda plan, step, inside: with_inside(step, packed={number: replace(room, **changes)}),
            graph,
        )

    graph = multiplying(wide=400)
    offset = step_of(make_plan(graph))[2].packed[1].offset
    change(graph)
    for wrong in ({"offset": offset - 64}, {"offset": offset + 64}, {"buffer": 0}, {"number": 0}):
        with pytest.raises(VerifyError, match="in the wrong place"):
            change(graph, **wrong)
    work = step_of(make_plan(multiplying(wide=400, also=True)))[2]
    with pytest.raises(VerifyError, match="read as something else"):
        change(
            multiplying(wide=400, also=True), buffer=work.work.buffer, shape=(0,),
            offset=work.work.nbytes,
        )  # fmt: skip
