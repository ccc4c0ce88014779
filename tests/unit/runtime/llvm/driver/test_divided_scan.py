"""Scans whose rows go through all iterations apart: only where no row looks at another one."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from graphc.config import CACHE, CACHE_DIR
from graphc.dtypes import float32
from graphc.evaluate import evaluate
from graphc.graph import Graph
from graphc.node import Node, make_node
from graphc.ops import elementwise as e
from graphc.ops.control import SCAN
from graphc.ops.fused import item
from graphc.ops.leaf import placeholder
from graphc.ops.linalg import matmul
from graphc.ops.reduce import sum_
from graphc.ops.shape import concat, flip, permute, slice_
from graphc.passes.pipeline import optimize
from graphc.runtime.llvm.compiler.target import host_target
from graphc.runtime.llvm.driver.divided_scan import row_units
from graphc.runtime.llvm.driver.program import NativeCall
from graphc.runtime.llvm.driver.row_parts import are_apart
from graphc.runtime.llvm.driver.translate import translate_step
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.native_step import NativeStep, Phase
from graphc.runtime.plan import Buffer, Inside, Operand, Plan, Step
from graphc.runtime.planning.planner import make_plan
from graphc.runtime.sessions.session import Session
from graphc.storage import Array
from graphc.types import TensorType


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    directory: Path = tmp_path_factory.mktemp("objects")
    with CACHE.override("1"), CACHE_DIR.override(str(directory)):
        yield


def recurrence(
    size: int, batch: int, length: int, kind: str = "", *, reverse: bool = False
) -> Graph:
    """Two gates; a stacked carry, one that is not, and what the kind adds."""
    state = TensorType((batch, size), float32)
    h, c, x = (placeholder(name, state) for name in ("carry0", "carry1", "item0"))
    w = placeholder("captured0", TensorType((2 * size, size), float32))
    gates = matmul(h, permute(w, dims=(1, 0)))
    first, second = (
        slice_(gates, starts=(0, at), stops=(batch, at + size), steps=(1, 1)) for at in (0, size)
    )
    kept = e.add(e.mul(e.sigmoid(first), c), x)
    after = e.mul(e.tanh(kept), e.sigmoid(second))
    if kind == "mixed":  # rows look at other rows
        after = e.add(after, flip(h, dims=(0,)))
    if kind == "summed":  # all rows give one number
        after = e.add(after, sum_(h, dims=(0,)))
    both = concat(first, e.mul(second, c), dim=1)
    outputs = {"carry0": after, "carry1": kept, "result0": after, "result1": both}
    body = Graph([h, c, x, w], outputs)
    inits = placeholder("h", state), placeholder("c", state)
    xs, weight = placeholder("xs", TensorType((length, *state.shape), float32)), w
    attrs = {"body": body, "carries": 2, "sequences": 1, "length": length, "reverse": reverse}
    weight = placeholder("w", w.type)
    node = make_node(SCAN, (*inits, xs, weight), attrs)
    return Graph([*inits, xs, weight], {f"y{at}": item(node, at) for at in range(4)})


def feed_of(graph: Graph) -> dict[str, Array]:
    source = np.random.default_rng(1)
    return {
        node.attrs["name"]: (source.standard_normal(node.type.static_shape) / 4).astype(np.float32)
        for node in graph.inputs
    }


def scan_of(plan: Plan) -> tuple[Step, Inside]:
    (found,) = [(step, step.inside) for step in plan.steps if step.inside is not None]
    step, inside = found
    assert inside is not None
    return step, inside


def phase_of(graph: Graph) -> Phase:
    """The phase that does the iterations."""
    step, _ = scan_of(make_plan(optimize(graph)[0]))
    call = translate_step(Module(host_target()), 0, step)
    assert isinstance(call, NativeCall)
    return call.native.phases[-1]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("size", "batch", "units"), [(64, 32, 4), (32, 20, 4), (48, 10, 2)])
def test_rows_go_apart(size: int, batch: int, units: int, reverse: bool) -> None:
    graph = recurrence(size, batch, 17, reverse=reverse)
    phase = phase_of(graph)
    assert phase.units == units
    assert phase.timed
    feed = feed_of(graph)
    wanted = evaluate(graph, feed)[0]
    sessions = [Session(graph, optimize=lambda g: optimize(g), threads=n) for n in (1, 2, 3)]
    results = [session.run(feed) for session in sessions]
    for name, value in wanted.items():
        np.testing.assert_allclose(results[0][name], value, rtol=2e-4, atol=2e-5, err_msg=name)
        assert {result[name].tobytes() for result in results} == {results[0][name].tobytes()}
    times = sessions[1].profile(feed)
    assert any(step.inside for step in times.steps)
    assert sessions[1].run(feed)["y0"].tobytes() == results[0]["y0"].tobytes()


@pytest.mark.parametrize("kind", ["mixed", "summed"])
def test_rows_that_look_at_others_stay_together(kind: str) -> None:
    graph = recurrence(64, 32, 17, kind)
    assert phase_of(graph).runs_programs
    feed = feed_of(graph)
    wanted, got = evaluate(graph, feed)[0], Session(graph, threads=2).run(feed)
    for name, value in wanted.items():
        np.testing.assert_allclose(got[name], value, rtol=2e-4, atol=2e-4, err_msg=name)


@pytest.mark.parametrize(("batch", "length"), [(1, 9), (4, 9), (31, 9), (32, 1)])
def test_scans_without_blocks_of_rows(batch: int, length: int) -> None:
    step, inside = scan_of(make_plan(recurrence(16, batch, length)))
    assert row_units(step, inside) is None


def test_large_weights_are_shared_by_all_threads() -> None:
    assert phase_of(recurrence(256, 32, 17)).units == 4
    assert phase_of(recurrence(512, 32, 17)).runs_programs


ROWS, COLUMNS = 8, 16
NODE: Node = placeholder("x", TensorType((ROWS, COLUMNS), float32))
BUFFERS = tuple(Buffer(number, "output", 4 * ROWS * COLUMNS, NODE) for number in range(3))
ROW = 4 * COLUMNS


def part(buffer: int, first: int = 0, width: int = COLUMNS) -> Operand:
    return Operand(buffer, first, (ROWS, width), (COLUMNS, 1), float32)


def apart(*pairs: tuple[Operand, Operand, int | None], units: int = 4) -> bool:
    """Whether steps that read one operand and write another are apart; with what they read."""
    steps = tuple(Step("compute", NODE, (source,), (target,)) for source, target, _ in pairs)
    calls = [
        NativeCall(at, NativeStep((Phase("k", units, 1.0, (span, 2 * ROW)),)), (source, target))
        for at, (source, target, span) in enumerate(pairs)
    ]
    plan = Plan(steps, BUFFERS, 3, {}, (), 0, 0, 0)
    return are_apart(plan, calls, 4, lambda number: number)


def test_parts_within_windows_are_apart() -> None:
    block = 2 * ROW
    assert apart((part(0), part(1), block), (part(1), part(2), block))
    assert apart((part(0), part(1), None))  # nobody writes what all units read
    assert apart((part(0), part(1, 0, 8), block), (part(1, 8, 8), part(2), block))
    assert not apart((part(0), part(1), block), (part(1), part(2), None))
    assert not apart((part(0), part(1), block), (part(1), part(2), ROW))
    assert not apart((part(0), part(1), block), units=2)
    up = Operand(1, COLUMNS, (ROWS, COLUMNS), (COLUMNS, 1), float32)
    assert not apart((part(0), part(1), block), (up, part(2), block))
