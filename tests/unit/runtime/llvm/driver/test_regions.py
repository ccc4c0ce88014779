"""Phases that go piece by piece together: only where no unit meets another one's memory."""

from collections.abc import Iterable, Iterator

import numpy as np
import pytest

import graphc as gc
from graphc.dtypes import float32
from graphc.ops.leaf import placeholder
from graphc.runtime.llvm.driver import program
from graphc.runtime.llvm.driver.regions import PhaseCall, Region, regions
from graphc.runtime.llvm.native_step import Phase
from graphc.runtime.plan import Buffer, Operand, Plan
from graphc.types import TensorType

ROWS, COLUMNS = 64, 256
NODE = placeholder("x", TensorType((ROWS, COLUMNS), float32))
BUFFERS = tuple(Buffer(number, "output", 4 * ROWS * COLUMNS, NODE) for number in range(4))
PLAN = Plan((), BUFFERS, 4, {}, (), 0, 0, 0)
ROW = 4 * COLUMNS


def whole(buffer: int, offset: int = 0) -> Operand:
    return Operand(buffer, offset, (ROWS, COLUMNS), (COLUMNS, 1), float32)


def call(source: Operand, target: Operand, spans: tuple[int | None, ...] = (ROW, ROW), *,
         units: int = ROWS, alone: bool = False, refusal: int = 0) -> PhaseCall:  # fmt: skip
    return PhaseCall(0, Phase("k", units, 9e3, spans), (source, target), 1, alone, refusal)


FIRST = call(whole(0), whole(1))


@pytest.mark.parametrize(
    ("second", "joined"),
    [
        (call(whole(1), whole(2)), True),  # reads what the first one wrote, row by row
        (call(whole(2), whole(0)), True),  # writes what the first one has read
        (call(whole(2), whole(3)), True),  # has nothing to do with it
        (call(whole(0), whole(2), (None, ROW)), True),  # both only read
        (call(whole(1), whole(2), (None, ROW)), False),  # a unit reads all rows
        (call(whole(1), whole(2), (2 * ROW, ROW)), False),  # units of two rows
        (call(whole(1, COLUMNS), whole(2)), False),  # the next unit's row
        (call(whole(1), whole(2), ()), False),  # nothing is known
        (call(whole(1), whole(2), units=ROWS // 2), False),
        (call(whole(2), whole(3), refusal=2), False),
    ],
)
def test_what_may_go_together(second: PhaseCall, joined: bool) -> None:
    assert len(list(regions(PLAN, [FIRST, second]))) == (1 if joined else 2)


def test_phases_that_share_nothing_go_side_by_side() -> None:
    few, shared = call(whole(2), whole(3), units=48), call(whole(2), whole(3), alone=True)
    (region,) = regions(PLAN, [FIRST, few])
    assert (region.beside, region.units, region.nanoseconds) == (True, ROWS + 48, 18e3)
    assert [one.beside for one in regions(PLAN, [FIRST, shared])] == [True]
    assert [
        one.beside for one in regions(PLAN, [call(whole(0), whole(1), alone=True), shared])
    ] == [
        False,
        False,
    ]


@pytest.mark.parametrize(
    "second",
    [
        call(whole(1), whole(2), units=48),  # reads what the first one writes
        call(whole(2), whole(0), units=48),  # writes what the first one reads
        call(whole(2), whole(1), units=48),  # writes what the first one writes
        call(whole(2), whole(3), units=48, refusal=1),
        call(whole(2), whole(3), units=1),  # one long piece among short ones
    ],
)
def test_what_does_not_go_side_by_side(second: PhaseCall) -> None:
    assert len(list(regions(PLAN, [FIRST, second]))) == 2


def test_short_phases_go_side_by_side_whatever_their_units() -> None:
    short = [PhaseCall(0, Phase("k", units, 10.0), (whole(k), whole(k + 2)), 1, False, 0)
             for k, units in enumerate((1, 64))]  # fmt: skip
    (region,) = regions(PLAN, short)
    assert region.beside
    assert not region.is_parallel


def test_a_region_side_by_side_takes_no_dependent_phase() -> None:
    few, last = call(whole(2), whole(3), units=48), call(whole(1), whole(0))
    assert [len(one.calls) for one in regions(PLAN, [FIRST, few, last])] == [2, 1]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_kernels_of_any_units_share_a_region(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Region] = []

    def noted(plan: Plan, calls: Iterable[PhaseCall]) -> Iterator[Region]:
        seen.extend(regions(plan, calls))
        return iter(seen)

    monkeypatch.setattr(program, "regions", noted)
    monkeypatch.setenv("GRAPHC_CACHE", "0")
    shapes = {"a": (300, 401), "b": (1000, 90), "c": (77, 1024)}
    with gc.Graph() as graph:
        for name, shape in shapes.items():
            graph.output(gc.placeholder(shape, name=name).exp().sum(1), f"r_{name}")
    session = graph.compile(threads=threads)
    generator = np.random.default_rng(0)
    feed = {name: generator.normal(size=shape).astype("f") for name, shape in shapes.items()}
    for _ in range(20):
        found = session.run(feed)
    assert [(one.beside, len(one.calls), one.is_parallel) for one in seen] == [(True, 3, True)]
    for name, x in feed.items():
        np.testing.assert_allclose(found[f"r_{name}"], np.exp(x).sum(1), rtol=1e-5)
    times = session.profile(feed).steps
    assert all(one.microseconds > 5 for one in times), "each is timed by itself"


def test_a_third_phase_must_fit_both() -> None:
    second = call(whole(2), whole(3))
    third = call(whole(1), whole(2), (None, ROW))
    assert [len(one.calls) for one in regions(PLAN, [FIRST, second, third])] == [2, 1]


def test_regions_are_parallel_by_what_they_cost_together() -> None:
    (alone,) = regions(PLAN, [FIRST])
    (both,) = regions(PLAN, [FIRST, call(whole(1), whole(2))])
    assert (alone.is_parallel, both.is_parallel) == (False, True)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_kernels_over_the_same_rows_share_a_region(threads: int) -> None:
    """Reductions over different dims do not fuse, but both walk the rows."""
    with gc.Graph() as graph:
        x = gc.placeholder((300, 40, 50), name="x")
        wide = (x - x.mean((1, 2), keepdim=True)).tanh()
        graph.output((wide - wide.amax(2, keepdim=True)).exp(), "y")
    session = graph.compile(threads=threads)
    feed = {"x": np.random.default_rng(0).normal(size=(300, 40, 50)).astype(np.float32)}
    expected = graph.compile(backend="numpy").run(feed)["y"]
    np.testing.assert_allclose(session.run(feed)["y"], expected, rtol=1e-5, atol=1e-6)
