"""Scans, loops and branches as native code: the same results, in no other memory."""

import functools
import pickle
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphc.config import CACHE, CACHE_DIR, CHECK, ISA
from graphc.dtypes import DType, bool_, float32, float64, int64
from graphc.errors import IndexRangeError
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
from graphc.ops.matrix_exp import matrix_exp
from graphc.ops.shape import flip, permute
from graphc.passes.pipeline import optimize
from graphc.runtime.llvm.backend import LlvmBackend
from graphc.runtime.llvm.compiler.target import host_target
from graphc.runtime.llvm.driver.program import NativeCall
from graphc.runtime.llvm.driver.translate import translate_step
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.lowering.steps import build_step
from graphc.runtime.plan import Step
from graphc.runtime.planning.planner import make_plan
from graphc.runtime.sessions.bindings import Variables, read_now
from graphc.runtime.sessions.session import Session
from graphc.storage import Array, Storage
from graphc.types import TensorType
from tests.forking import fork_and
from tests.native_programs import is_detached, warm
from tests.random_control import ControlProgram, control_program
from tests.unit.runtime.llvm.guard import guarded

SEEDS = st.integers(0, 10**6)
OPTIMIZE = functools.partial(optimize, level="O2")
COUNT = TensorType((), int64)


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    directory: Path = tmp_path_factory.mktemp("objects")
    with CACHE.override("1"), CACHE_DIR.override(str(directory)):
        yield


def scan(
    body: Graph, inits: tuple[Node, ...], xs: tuple[Node, ...], captured: tuple[Node, ...] = (),
    *, length: int, reverse: bool = False,
) -> Node:  # fmt: skip
    attrs = {
        "body": body, "carries": len(inits), "sequences": len(xs), "length": length,
        "reverse": reverse,
    }  # fmt: skip
    return make_node(SCAN, (*inits, *xs, *captured), attrs)


def cell(size: int, batch: int, length: int) -> Graph:
    """A recurrent network that is stacked, and a sum over its steps."""
    state = TensorType((batch, size), float32)
    h, total, x = (placeholder(name, state) for name in ("carry0", "carry1", "item0"))
    w = placeholder("captured0", TensorType((size, size), float32))
    after = e.tanh(e.add(matmul(h, permute(w, dims=(1, 0))), x))
    body = Graph([h, total, x, w], {"h": after, "total": e.add(total, after), "all": after})
    start, weight = placeholder("h", state), placeholder("w", w.type)
    xs = placeholder("xs", TensorType((length, batch, size), float32))
    node = scan(body, (start, e.sub(start, start)), (xs,), (weight,), length=length)
    return Graph([start, weight, xs], {n: item(node, at) for at, n in enumerate(body.outputs)})


def feed_of(graph: Graph, scale: float = 0.2) -> dict[str, Array]:
    source = np.random.default_rng(0)
    return {
        node.attrs["name"]: (
            scale * source.standard_normal(node.type.static_shape)
        ).astype(node.type.dtype.numpy)
        for node in graph.inputs
    }  # fmt: skip


def values_after(program: ControlProgram, **options: Any) -> dict[str, Array]:
    """The outputs of a run, and what the variables hold behind it; they are put back."""
    before = [storage.array.copy() for storage in program.storages]
    with Session(program.graph, **options) as session:
        found = dict(session.run(program.feed))
    for number, storage in enumerate(program.storages):
        found[f"variable {number}"] = storage.array.copy()
        storage.array[...] = before[number]
    return found


def assert_close(found: dict[str, Array], wanted: dict[str, Array]) -> None:
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert (found[name].dtype, found[name].shape) == (value.dtype, value.shape)
        bound = 2e-4 if value.dtype == np.float32 else 1e-11
        np.testing.assert_allclose(found[name], value, rtol=bound, atol=bound, err_msg=name)


@settings(max_examples=80, deadline=None)
@given(SEEDS)
def test_random_programs_give_what_numpy_gives(seed: int) -> None:
    program = control_program(seed)
    wanted = values_after(program, backend="numpy")
    plain = values_after(program, backend="llvm")
    assert_close(plain, wanted)
    assert_close(values_after(program, backend="llvm", optimize=OPTIMIZE), wanted)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_random_programs_are_native(seed: int) -> None:
    program = control_program(seed)
    session = Session(program.graph, backend="llvm", optimize=OPTIMIZE)
    session.run(program.feed)
    assert [kernel.reason for kernel in session.kernels() if not kernel.native] == []


@settings(max_examples=80, deadline=None)
@given(SEEDS, st.booleans())
def test_nothing_touches_other_memory(seed: int, at_start: bool) -> None:
    program = control_program(seed)
    wanted, updates = evaluate(program.graph, program.feed)
    snapshot = Variables(program.graph).snapshot()
    plan = make_plan(program.graph, snapshot.layouts)
    executable = LlvmBackend(1).prepare(plan)
    bound: list[Array] = []
    for buffer in plan.buffers[: plan.bound]:
        if buffer.kind == "input":
            bound.append(guarded(program.feed[buffer.name], at_start=at_start))
        elif buffer.kind == "variable":
            staged = buffer.node in snapshot.staged
            base = read_now(buffer.node) if staged else snapshot.bases[buffer.node]
            bound.append(guarded(base, at_start=at_start))
        else:
            kind = program.graph.outputs[buffer.name].type
            blank = np.full(kind.static_shape, 7, kind.dtype.numpy)
            bound.append(guarded(blank, at_start=at_start))
    arena = guarded(np.full(plan.arena_bytes, 255, np.uint8), at_start=at_start)
    executable.run(arena, bound)
    found = {buffer.name: bound[buffer.id] for buffer in plan.buffers if buffer.kind == "output"}
    assert_close(found, {name: np.asarray(value) for name, value in wanted.items()})
    for buffer in plan.buffers[: plan.bound]:
        if buffer.kind == "input":
            assert bound[buffer.id].tobytes() == program.feed[buffer.name].tobytes()
        elif buffer.node in updates:
            assert_close({"": bound[buffer.id]}, {"": np.asarray(updates[buffer.node])})
    executable.close()


@pytest.mark.parametrize("isa", ["avx2", "baseline"])
def test_other_processors(isa: str) -> None:
    for seed in range(20):
        program = control_program(seed)
        wanted = values_after(program, backend="numpy")
        with ISA.override(isa):
            assert_close(values_after(program, backend="llvm", optimize=OPTIMIZE), wanted)


@pytest.mark.parametrize("size", [5, 200])
def test_threads_do_not_change_a_bit(size: int) -> None:
    graph = cell(size, 2 * size // 5 + 1, 6)
    feed = feed_of(graph)
    results = [
        Session(graph, threads=threads, optimize=OPTIMIZE).run(feed) for threads in (1, 2, 3)
    ]
    for other in results[1:]:
        assert all(results[0][name].tobytes() == other[name].tobytes() for name in other)
    wanted, _ = evaluate(graph, feed)
    assert_close(results[0], wanted)


def test_large_steps_inside_are_divided_among_threads() -> None:
    graph = cell(200, 100, 2)
    session = Session(graph, threads=2, optimize=OPTIMIZE)
    session.run(feed_of(graph))
    (text,) = [kernel.llvm for kernel in session.kernels() if kernel.name.startswith("scan")]
    assert "@graphc.parallel_for(ptr %pool" in text
    small = Session(cell(5, 3, 2), threads=2, optimize=OPTIMIZE)
    small.run(feed_of(small.graph))
    (text,) = [kernel.llvm for kernel in small.kernels() if kernel.name.startswith("scan")]
    assert "@graphc.parallel_for(ptr %pool" not in text


def counting(*, may_fail: bool = False) -> Graph:
    """Counts to a limit and doubles a vector each time, or picks its elements in another order."""
    k, x = placeholder("k", COUNT), placeholder("x", TensorType((4,), float64))
    limit, rows = placeholder("limit", COUNT), placeholder("rows", TensorType((4,), int64))
    after = index(x, rows, dims=(0,)) if may_fail else e.add(x, x)
    inputs = [k, x, limit, rows]
    body = Graph(inputs, {"k": e.add(k, constant(np.int64(1))), "x": after})
    test = Graph(inputs, {"test": lt(k, limit)})
    start = constant(np.int64(0))
    node = make_node(
        WHILE_LOOP, (start, x, limit, rows), {"condition": test, "body": body, "carries": 2}
    )
    return Graph([x, limit, rows], {"k": item(node, 0), "x": item(node, 1)})


@pytest.mark.parametrize("limit", [-3, 0, 1, 7])
def test_loops_run_as_often_as_their_data_says(limit: int) -> None:
    session = Session(counting(), optimize=OPTIMIZE)
    rows = np.arange(4)
    for _ in range(3):
        found = session.run({"x": np.ones(4), "limit": limit, "rows": rows})
        assert found["k"] == max(limit, 0)
        assert (found["x"] == 2.0 ** max(limit, 0)).all()


def test_programs_of_which_data_decides_the_length_let_other_threads_go_on() -> None:
    session = Session(counting())
    feed = {"x": np.zeros(4), "limit": np.asarray(1), "rows": np.arange(4)}
    native = warm(session, feed)
    assert is_detached(session)
    ticks = []
    done = threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    before, start = native(), time.monotonic()
    session.run({**feed, "limit": np.asarray(15_000_000)})
    stop = time.monotonic()
    done.set()
    thread.join()
    assert native() == before + 1
    inside = [each for each in ticks if start < each < stop]
    assert len(inside) > 3


def test_an_interrupt_is_raised_when_the_loop_is_over() -> None:
    storage = Storage(np.zeros(4))
    w = variable("w", TensorType((4,), float64), storage)
    graph = counting()
    state = e.add(w, constant(np.ones(4)))
    session = Session(Graph(graph.inputs, graph.outputs, {w: state}))
    feed = {"x": np.zeros(4), "limit": np.asarray(1), "rows": np.arange(4)}
    native = warm(session, feed)
    before, runs = storage.array.copy(), native()

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(KeyboardInterrupt):
            session.run({**feed, "limit": np.asarray(15_000_000)})
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert native() == runs + 1
    assert (storage.array == before + 1).all()
    assert session.run(feed)["k"] == 1


def test_an_error_in_a_step_ends_the_loop_and_writes_nothing() -> None:
    state = placeholder("carry0", TensorType((4,), float64))
    rows = placeholder("item0", TensorType((4,), int64))
    body = Graph([state, rows], {"carry0": e.mul(index(state, rows, dims=(0,)), state)})
    start = placeholder("start", state.type)
    xs = placeholder("xs", TensorType((3, 4), int64))
    storage = Storage(np.ones(4))
    w = variable("w", state.type, storage)
    last = item(scan(body, (e.neg(start),), (xs,), length=3), 0)
    session = Session(Graph([start, xs], {"last": last}, {w: e.add(w, last)}), optimize=OPTIMIZE)
    right, wrong = np.zeros((3, 4), np.int64), np.zeros((3, 4), np.int64)
    wrong[1, 2] = 4
    for _ in range(3):
        before = storage.array.copy()
        with pytest.raises(IndexRangeError, match="4"):
            session.run({"start": np.ones(4), "xs": wrong})
        assert (storage.array == before).all()
        session.run({"start": np.ones(4), "xs": right})
        assert (storage.array != before).all()


def test_an_error_in_a_loop_is_raised() -> None:
    session = Session(counting(may_fail=True))
    feed = {"x": np.ones(4), "limit": np.asarray(2), "rows": np.asarray([0, 1, 2, 4])}
    for _ in range(3):
        with pytest.raises(IndexRangeError):
            session.run(feed)
        assert session.run({**feed, "limit": np.asarray(0)})["k"] == 0


def test_only_the_chosen_branch_is_computed() -> None:
    x, rows = placeholder("x", TensorType((4,), float64)), placeholder("rows", COUNT)
    p = placeholder("p", TensorType((), bool_))
    operands = [placeholder("operand0", x.type), placeholder("operand1", COUNT)]
    risky = Graph(operands, {"r0": index(*operands, dims=(0,))})
    safe = Graph(operands, {"r0": constant(np.asarray(3.0))})
    node = make_node(COND, (p, x, rows), {"true": risky, "false": safe})
    session = Session(Graph([p, x, rows], {"y": item(node, 0)}), optimize=OPTIMIZE)
    feed = {"x": np.arange(4.0), "rows": np.asarray(9), "p": np.asarray(False)}
    for _ in range(3):
        assert session.run(feed)["y"] == 3
        assert session.run({**feed, "p": np.asarray(True), "rows": np.asarray(2)})["y"] == 2
        with pytest.raises(IndexRangeError):
            session.run({**feed, "p": np.asarray(True)})


def test_a_loop_with_a_step_that_is_not_native_is_evaluated_and_says_so() -> None:
    square = TensorType((3, 3), float64)
    x, w = placeholder("carry0", square), placeholder("captured0", square)
    body = Graph([x, w], {"carry0": matrix_exp(matmul(x, w)), "result0": e.exp(x)})
    start, weight = placeholder("start", square), placeholder("w", square)
    node = scan(body, (start,), (), (weight,), length=3, reverse=True)
    graph = Graph([start, weight], {"last": item(node, 0), "all": e.neg(item(node, 1))})
    feed = feed_of(graph)
    session = Session(graph, optimize=OPTIMIZE)
    found = session.run(feed)
    (fallback,) = [kernel for kernel in session.kernels() if not kernel.native]
    assert fallback.name == "numpy.scan"
    assert fallback.reason == "inside scan: matrix_exp: no native code"
    assert "inside scan: matrix_exp" in str(session.explain())
    assert_close(found, evaluate(graph, feed)[0])


def test_many_runs_in_a_row() -> None:
    graph = cell(5, 3, 4)
    feeds = [feed_of(graph, scale) for scale in (0.1, 0.2, 0.3)]
    session = Session(graph, optimize=OPTIMIZE)
    stacked = {name: np.stack([feed[name] for feed in feeds]) for name in feeds[0]}
    found = session.run_many(stacked)
    for number, feed in enumerate(feeds):
        for name, value in session.run(feed).items():
            assert found[name][number].tobytes() == value.tobytes()


def test_a_kept_program_runs_in_the_next_session() -> None:
    x = placeholder("carry0", TensorType((64, 64), float32))
    table = constant(np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64))
    body = Graph([x], {"carry0": e.tanh(matmul(x, table)), "result0": flip(x, dims=(1,))})
    start = placeholder("start", x.type)

    def session() -> Session:
        node = scan(body, (start,), (), length=3)
        return Session(Graph([start], {"a": item(node, 0), "b": item(node, 1)}), optimize=OPTIMIZE)

    feed = feed_of(Graph([start]))
    first, second = session(), session()
    with CHECK.override("0"):
        wanted, found = first.run(feed), second.run(feed)
    assert "optimize" in first.cache_info().entries[0].phases
    assert "optimize" not in second.cache_info().entries[0].phases
    assert all(wanted[name].tobytes() == found[name].tobytes() for name in wanted)
    assert str(second.kernels()[0]) == str(first.kernels()[0])


def test_forked_children_run_loops() -> None:
    graph = cell(200, 100, 3)
    feed = feed_of(graph)
    session = Session(graph, threads=2, optimize=OPTIMIZE)
    wanted = session.run(feed)["h"].tobytes()
    assert fork_and(lambda: session.run(feed)["h"].tobytes() == wanted) == 0


def test_profiles_show_the_steps_inside() -> None:
    graph = cell(40, 20, 50)
    session = Session(graph, optimize=OPTIMIZE)
    profile = session.profile(feed_of(graph), runs=3)
    (loop,) = [step for step in profile.steps if step.inside]
    assert [each.program for each in loop.inside] == ["body"] * len(loop.inside)
    inside = sum(each.microseconds for each in loop.inside)
    assert 0 < inside < 2 * loop.microseconds
    assert all(each.native for each in loop.inside)
    assert f"{loop.step} body 0" in str(profile)


def test_profiles_of_loops_in_branches() -> None:
    p, x = placeholder("p", TensorType((), bool_)), placeholder("x", TensorType((4,), float64))
    a = placeholder("operand0", x.type)
    inner = scan(Graph([a], {"carry0": e.sin(a)}), (a,), (), length=1000)
    branches = {"true": Graph([a], {"r0": item(inner, 0)}), "false": Graph([a], {"r0": e.neg(a)})}
    graph = Graph([p, x], {"y": item(make_node(COND, (p, x), branches), 0)})
    session = Session(graph)
    for chosen in (True, False):
        profile = session.profile({"p": np.asarray(chosen), "x": np.ones(4)}, runs=3)
        (branch,) = [step for step in profile.steps if step.inside]
        times = {each.program: each for each in branch.inside}
        assert (times["true"].microseconds > 0) is chosen
        (step,) = times["true"].inside
        assert (step.microseconds > 0) is chosen
        assert times["false"].inside == ()


def test_explanations_show_kernels_inside() -> None:
    graph = cell(8, 4, 3)
    session = Session(graph, optimize=OPTIMIZE)
    session.run(feed_of(graph))
    (loop,) = [kernel for kernel in session.kernels() if kernel.name.startswith("scan.")]
    assert "body: graph(%carry0" in loop.source
    assert "body step 0: fused_matmul" in loop.schedule
    assert "  c[4, 8] = a[4, 8] @ b[8, 8]" in loop.schedule
    assert loop.assembly
    (program,) = loop.kernel.inside
    assert all(kernel.native for kernel in program)
    assert f"\n  {program[0].name}" in str(session.explain())
    assert "programs inside scan f32[4,8]" in str(session.memory_plan())


def test_sessions_with_deep_bodies_are_picklable() -> None:
    x = placeholder("carry0", TensorType((4,), float64))
    deep = x
    for _ in range(700):
        deep = e.sin(e.add(deep, x))
    start = placeholder("start", x.type)
    node = scan(Graph([x], {"carry0": deep}), (start,), (), length=2)
    session = Session(Graph([start], {"y": item(node, 0)}), optimize=OPTIMIZE)
    feed = {"start": np.ones(4)}
    copy = pickle.loads(pickle.dumps(session))
    assert copy.run(feed)["y"].tobytes() == session.run(feed)["y"].tobytes()


@pytest.mark.parametrize(("rows", "columns"), [(64, 16), (512, 128), (5, 70)])
def test_turned_weights(rows: int, columns: int) -> None:
    h = placeholder("carry0", TensorType((5, columns), float32))
    w = placeholder("captured0", TensorType((rows, columns), float32))
    wide = e.tanh(matmul(h, permute(w, dims=(1, 0))))
    body = Graph([h, w], {"carry0": e.mul(matmul(wide, w), constant(np.float32(0.1)))})
    narrow = Graph([h, w], {"carry0": h, "result0": wide})
    start, weight = placeholder("h", h.type), placeholder("w", w.type)
    both = scan(body, (start,), (), (weight,), length=16)
    across = scan(narrow, (start,), (), (weight,), length=16)
    graph = Graph([start, weight], {"both": item(both, 0), "across": item(across, 1)})
    feed = feed_of(graph)
    wanted = evaluate(graph, feed)[0]
    for threads in (1, 2):
        session = Session(graph, threads=threads)
        assert_close(session.run(feed), wanted)
    (step,) = [
        step for step in make_plan(graph).steps if step.inside is not None and step.inside.copies
    ]
    assert step.inside is not None
    module = Module(host_target())
    call = translate_step(module, 0, step)
    assert isinstance(call, NativeCall)
    turn = Step("copy", step.node, (step.inputs[1],), (step.inside.copies[1],))
    copy = build_step(module, turn)
    assert call.native.scratch_bytes >= copy.scratch_bytes
    assert call.native.shared_bytes >= copy.shared_bytes


@pytest.mark.parametrize(("size", "dtype"), [(544, float32), (370, float64)])
@pytest.mark.parametrize("across", [True, False])
def test_weights_in_panels(size: int, dtype: DType, across: bool) -> None:
    h = placeholder("carry0", TensorType((6, size), dtype))
    w = placeholder("captured0", TensorType((size, size), dtype))
    after = e.tanh(matmul(h, permute(w, dims=(1, 0)) if across else w))
    start, weight = placeholder("h", h.type), placeholder("w", w.type)
    kept = scan(Graph([h, w], {"carry0": after, "result0": after}), (start,), (), (weight,),
                length=17)  # fmt: skip
    graph = Graph([start, weight], {"last": item(kept, 0), "all": item(kept, 1)})
    feed = {name: value / 5 for name, value in feed_of(graph).items()}
    wanted = evaluate(graph, feed)[0]
    results = [Session(graph, threads=threads).run(feed) for threads in (1, 2, 3)]
    assert_close(results[0], wanted)
    for name in wanted:
        assert {result[name].tobytes() for result in results} == {results[0][name].tobytes()}
    (step,) = [step for step in make_plan(graph).steps if step.inside is not None]
    assert step.inside is not None
    assert list(step.inside.packed) == [1]
    call = translate_step(Module(host_target()), 0, step)
    assert isinstance(call, NativeCall)
    assert any(phase.units > 1 for phase in call.native.phases if phase.apart)
