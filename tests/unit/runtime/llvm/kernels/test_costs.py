"""Estimates: what moves much memory takes as long as that takes."""

import pytest

from graphc.dtypes import float32
from graphc.node import Node
from graphc.ops.elementwise import add, exp, neg
from graphc.ops.reduce import sum_
from graphc.runtime.llvm.driver.regions import PARALLEL_FROM
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels import costs
from graphc.runtime.llvm.kernels.costs import CACHED_BYTES, duration, moved_bytes, nanoseconds
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.runtime.llvm.kernels.kernel import phases_of
from graphc.runtime.llvm.kernels.schedule import Schedule
from tests.unit.runtime.llvm.kernels.test_kernel import graph, inputs_of, normal
from tests.unit.runtime.llvm.kernels.test_schedule import AVX512, schedules


def map_of(rows: int, *results: str) -> tuple[Schedule, ...]:
    x, y = normal(rows, 1024), normal(1, 1024)
    a, b = inputs_of(x, y)
    made: dict[str, Node] = {"add": add(a, b), "exp": exp(a), "sum": sum_(a, dims=(1,))}
    return schedules(graph((a, b), *(made[name] for name in results)), x, y)


def test_each_element_counts_once() -> None:
    (schedule,) = map_of(64, "add")
    assert moved_bytes(schedule.analysis) == 4 * (64 * 1024 + 1024 + 64 * 1024)


def test_elements_far_apart_move_a_line_each() -> None:
    """The zeros beside 32768 rows of images take long enough to be divided among threads."""
    (a,) = inputs_of(normal(1024, 32, 1))
    source, target = (
        Layout((1024, 32, 1), strides, float32) for strides in ((0, 0, 0), (34 * 34, 34, 1))
    )
    body = graph((a,), neg(a))
    (schedule,) = phases_of(Module(AVX512), body, [source], [target]).schedules
    assert moved_bytes(schedule.analysis) == 4 + 1024 * 32 * 64
    assert schedule.nanoseconds > PARALLEL_FROM
    assert schedule.units.count > 8


@pytest.mark.parametrize("rows", [64, 4096])
def test_the_slower_one_of_instructions_and_memory_counts(rows: int) -> None:
    (schedule,) = map_of(rows, "add")
    analysis, lanes = schedule.analysis, schedule.lanes[0]
    assert nanoseconds(analysis, lanes) < duration(analysis, lanes) == schedule.nanoseconds
    x = normal(rows, 1024)
    (a,) = inputs_of(x)
    value = a
    for _ in range(40):
        value = exp(value)
    (heavy,) = schedules(graph((a,), value), x)
    assert heavy.nanoseconds == nanoseconds(heavy.analysis, heavy.lanes[0])


def test_maps_of_a_megabyte_are_worth_dividing() -> None:
    (small,), (large,) = map_of(8, "add"), map_of(256, "add")
    assert moved_bytes(large.analysis) > CACHED_BYTES
    assert small.nanoseconds < PARALLEL_FROM < large.nanoseconds
    assert large.units.count > 8


def test_the_order_of_sums_does_not_depend_on_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    x = normal(300_000)
    (a,) = inputs_of(x)
    before = [phase.units for phase in schedules(graph((a,), sum_(a, dims=(0,))), x)]
    monkeypatch.setattr(costs, "_FROM_MEMORY", 0.001)
    monkeypatch.setattr(costs, "_FROM_CACHE", 0.001)
    after = [phase.units for phase in schedules(graph((a,), sum_(a, dims=(0,))), x)]
    assert before == after
    assert before[0].blocked is not None
