"""The benchmarks' machinery: wrong results stop them, and graphc agrees with numpy by hand."""

import builtins
import importlib.util
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from benchmarks import first_call, peers
from benchmarks.agreement import CHECKED_RUNS, require_agreement
from benchmarks.case import Case, Job
from benchmarks.cases import CASES, IMAGES, SEQUENCES
from benchmarks.gemm import measure_products
from benchmarks.kernels import measure_kernels
from benchmarks.limits import Limit, copies, multiply_adds
from benchmarks.loading import measure_loading
from benchmarks.mlp.problem import make_problem
from benchmarks.report import Row, row_of, seconds, summary, table
from benchmarks.suite import Options, run
from benchmarks.timing import FEWEST, Timing, interleaved


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide PyTorch and JAX: what they compute is not graphc's to test."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    peers.find.cache_clear()
    yield
    peers.find.cache_clear()


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_all_forms_of_a_case_agree(case: Case) -> None:
    job = case.make(True)
    by_hand = [] if case in (*IMAGES, *SEQUENCES) else ["numpy"]
    assert list(job.runs) == [*by_hand, "graphc dynamic", "graphc", "graphc session.run"]
    assert require_agreement(case.name, job).runs == job.runs
    assert job.profile is not None
    assert job.profile().microseconds > 0


@pytest.mark.parametrize("wrong", [1.1, float("nan")])
def test_a_wrong_peer_stops_the_benchmark(wrong: float) -> None:
    job = Job({"numpy": lambda: 1.0, "other": lambda: wrong}, tolerance=1e-3)
    with pytest.raises(SystemExit, match="case: other is off"):
        require_agreement("case", job)


def test_steps_are_compared_one_by_one() -> None:
    def counting(stop: int) -> Callable[[], int]:
        done = [0]

        def step() -> int:
            done[0] = min(done[0] + 1, stop)
            return done[0]

        return step

    job = Job({"numpy": counting(99), "other": counting(CHECKED_RUNS - 1)}, tolerance=1e-3)
    with pytest.raises(SystemExit, match="case: other is off"):
        require_agreement("case", job)


def _fails() -> None:
    raise RuntimeError("no compiler")


def test_a_compiler_that_does_not_work_here_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    runs = {"numpy": lambda: 1.0, "torch.compile step": _fails, "torch": lambda: 1.0}
    job = require_agreement("case", Job(runs, tolerance=0.0, bytes=5.0))
    assert list(job.runs) == ["numpy", "torch"]
    assert job.bytes == 5.0
    assert "torch.compile step is left out: RuntimeError" in capsys.readouterr().out


@pytest.mark.parametrize("peer", ["torch", "graphc", "jax.jit"])
def test_other_failures_are_failures(peer: str) -> None:
    with pytest.raises(RuntimeError, match="no compiler"):
        require_agreement("case", Job({"numpy": lambda: 1.0, peer: _fails}, tolerance=1.0))


def test_runs_take_turns() -> None:
    order: list[str] = []

    def slow(name: str) -> Callable[[], None]:
        return lambda: (time.sleep(3e-3), order.append(name))[1]

    timings = interleaved({name: slow(name) for name in "ab"}, seconds=0, rounds=9)
    assert [len(timing.samples) for timing in timings.values()] == [FEWEST, FEWEST]
    assert "".join(order) == "aabb" + "aabb" * FEWEST  # to warm up; then one untimed, one timed


def test_ratios_are_of_the_same_turn() -> None:
    noisy, other = Timing((1.0, 10.0, 2.0)), Timing((3.0, 30.0, 6.0))
    assert other.over(noisy) == 3.0
    assert Timing((1.0, 2.0, 3.0, 4.0, 5.0)).quartiles == (2.0, 3.0, 4.0)


TIMINGS = {
    "numpy": Timing((0.1e-3,) * 3),
    "graphc": Timing((2e-3,) * 3),
    "graphc session.run": Timing((1e-3,) * 3),
    "torch": Timing((6e-3,) * 3),
    "torch.compile": Timing((4e-3,) * 3),
    "jax.jit": Timing((5e-3,) * 3),
}


def test_the_table_shows_quartiles_and_ratios_to_graphc() -> None:
    title, _, function, session, *_ = table("title", TIMINGS).splitlines()
    assert title == "title"
    assert function.split() == ["graphc", "2.00", "ms", "2.00", "ms", "..", "2.00", "ms", "1.00x"]
    assert session.split()[-1] == "0.50x"
    assert "x" not in table("title", {"one": Timing((1.0,))})


def test_a_row_is_won_against_the_best_peer() -> None:
    row = row_of("name", TIMINGS)
    assert row == Row("name", "graphc session.run", "torch.compile", 2.0, 4.0)
    assert row_of("name", {"graphc": Timing((1.0,)), "numpy": Timing((1.0,))}) is None


def test_the_best_peer_is_the_one_with_the_smallest_ratio() -> None:
    timings = {
        "graphc": Timing((1.0, 5.0, 5.0)),
        "torch": Timing((3.0, 3.0, 10.0)),  # the smaller median, but 3.0, 0.6, 2.0 turn by turn
        "jax.jit": Timing((1.5, 7.5, 7.5)),
    }
    assert timings["torch"].median < timings["jax.jit"].median
    assert row_of("name", timings) == Row("name", "graphc", "jax.jit", 1.5, 1.5)


def test_the_summary_has_geometric_means() -> None:
    rows = [Row("a", "graphc", "torch", 1.0, 2.0), Row("b", "graphc", "jax.jit", 4.0, 8.0)]
    assert summary(rows).splitlines()[-1].split() == ["geometric", "mean", "2.00x", "4.00x"]


@pytest.mark.parametrize(
    ("value", "text"), [(2.5, "2.50 s "), (1e-3, "1.00 ms"), (3e-5, "30.00 us"), (4e-8, "40 ns")]
)
def test_times_have_units(value: float, text: str) -> None:
    assert seconds(value) == text


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("limit", [multiply_adds, copies])
def test_limits_are_measured_by_work_of_all_threads(
    limit: Callable[[int], Limit], threads: int
) -> None:
    one, some = limit(1), limit(threads)
    expected = one.amount * (threads if limit is multiply_adds else 1)
    assert some.amount == expected
    start = time.perf_counter()
    some.run()
    assert 1e8 < some.amount / (time.perf_counter() - start) < 1e13


def test_flops_of_a_step_are_those_of_its_products() -> None:
    batch, sizes = 3, (2, 5, 7)
    forward = [2 * batch * 2 * 5, 2 * batch * 5 * 7]
    backward = [2 * batch * 2 * 5, 2 * (2 * batch * 5 * 7)]  # the first layer's input needs none
    assert make_problem(sizes, batch).flops == sum(forward) + sum(backward)


@pytest.mark.usefixtures("alone")
def test_chosen_cases_run_and_are_returned(capsys: pytest.CaptureFixture[str]) -> None:
    (name, found), *others = run(Options("scalar graph", quick=True, profile=True)).items()
    printed = capsys.readouterr().out
    assert not others
    assert printed.startswith(name)
    assert " steps, median of " in printed
    assert set(found) == {"numpy", "graphc dynamic", "graphc", "graphc session.run"}
    assert all(0 < one["low"] <= one["median"] <= one["high"] for one in found.values())


def test_kernels_are_parts_of_the_copy_bandwidth(capsys: pytest.CaptureFixture[str]) -> None:
    found = measure_kernels(quick=True, threads=1)["kernels"]
    assert len(found) == 12
    assert all(0 < one["part of copy"] < 100 for one in found.values())
    assert all(0 < one["in cache"] < 1000 for one in found.values())
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.endswith((": memory", ": compute")) for line in lines) == len(found)


def test_loaders_are_timed_with_workers_and_without(capsys: pytest.CaptureFixture[str]) -> None:
    found = measure_loading(quick=True)["loading"]
    assert len(found) == 4
    assert all(0 < one["graphc"] < 1 for one in found.values())
    assert capsys.readouterr().out.count("workers") == len(found)


@pytest.mark.usefixtures("alone")
def test_products_are_parts_of_the_peak(capsys: pytest.CaptureFixture[str]) -> None:
    found = measure_products(quick=True)["gemm"]
    assert len(found) > 10
    assert all(one["ratio"] > 0 and 0 < one["part of peak"] < 100 for one in found.values())
    assert capsys.readouterr().out.count("of the peak") == len(found)


def test_the_seconds_of_nested_imports_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(name: str, *rest: Any) -> Any:
        time.sleep(0.05)
        return name if name == "inner" else __import__("inner")

    monkeypatch.setattr(builtins, "__import__", slow)
    with first_call.ImportClock() as clock:
        assert __import__("outer") == "inner"
    assert builtins.__import__ is slow
    assert 0.1 <= clock.seconds < 0.15


def test_the_first_call_of_graphc_is_a_training_step() -> None:
    problem = make_problem((3, 4, 2), 5)
    step = first_call.STEPS["graphc"](problem)
    losses = [float(step()) for _ in range(20)]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
