"""The benchmarks' machinery: wrong results stop them, and graphc agrees with numpy by hand."""

import importlib.util
from collections.abc import Iterator

import pytest

from benchmarks import peers
from benchmarks.case import Case, Job
from benchmarks.cases import CASES
from benchmarks.limits import fma_peak
from benchmarks.report import table
from benchmarks.suite import require_agreement
from benchmarks.timing import Timing, interleaved, summary


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide PyTorch and JAX: what they compute is not graphc's to test."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    peers.find.cache_clear()
    yield
    peers.find.cache_clear()


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_graphc_computes_what_numpy_does(case: Case) -> None:
    job = case.make(True)
    assert {"numpy", "graphc dynamic", "graphc"} <= set(job.runs)
    require_agreement(case.name, job)


@pytest.mark.parametrize("wrong", [1.1, float("nan")])
def test_a_wrong_peer_stops_the_benchmark(wrong: float) -> None:
    job = Job({"numpy": lambda: 1.0, "other": lambda: wrong}, tolerance=1e-3)
    with pytest.raises(SystemExit, match="case: other is off"):
        require_agreement("case", job)


def test_runs_take_turns() -> None:
    order: list[str] = []
    timings = interleaved({n: lambda n=n: order.append(n) for n in "ab"}, seconds=0, rounds=9)
    assert [timing.samples for timing in timings.values()] == [5, 5]
    assert "".join(order).count("ab") == 6  # one while warming up


def test_the_table_shows_ratios_to_graphc() -> None:
    assert summary([1.0, 2.0, 3.0, 4.0, 5.0]) == Timing(3.0, 2.0, 4.0, 5)
    text = table("title", {"numpy": Timing(2e-3, 1e-3, 3e-3, 5), "graphc": Timing(1e-3, 0, 0, 5)})
    assert text.splitlines()[1].split() == ["numpy", "2.00", "ms", "±100%", "2.00x"]


def test_the_peak_is_measured_by_working_code() -> None:
    assert fma_peak(1) > 0
