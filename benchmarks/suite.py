"""Runs the cases: first what is computed must be right, then it is timed."""

from typing import Any

import numpy as np

from benchmarks.case import Job
from benchmarks.cases import CASES
from benchmarks.limits import copy_bandwidth, fma_peak
from benchmarks.report import against_limits, as_data, table
from benchmarks.startup import first_runs, import_times
from benchmarks.timing import interleaved

CHECKED_RUNS = 3
"""Results compared before timing; a training step gives another one each time."""


def run(only: str, quick: bool) -> dict[str, Any]:
    """Run the cases whose name contains a text, print the results and return them."""
    seconds, rounds = (1.0, 20) if quick else (12.0, 200)
    results: dict[str, Any] = {}
    for case in CASES:
        if only.lower() not in case.name.lower():
            continue
        job = case.make(quick)
        require_agreement(case.name, job)
        flops, bandwidth = fma_peak(5), copy_bandwidth(5)
        timings = interleaved(job.runs, seconds, rounds)
        print(table(case.name + (" (smaller: --quick)" if quick else ""), timings))
        if job.flops or job.bytes:
            print(against_limits(job, timings["graphc"], flops, bandwidth))
            limits = f"{flops / 1e9:.0f} GF/s, copy {bandwidth / 1e9:.1f} GB/s"
            print(f"  at that moment: one thread's multiply-add peak {limits} (numpy's copy)")
        print()
        results[case.name] = as_data(timings)
    if only.lower() in "startup":
        results |= _startup(2 if quick else 5, quick)
    return results


def require_agreement(name: str, job: Job) -> None:
    """Raise unless all peers compute what the first one does."""
    expected: list[Any] = []
    for peer, each in job.runs.items():
        found = [np.asarray(each(), np.float64) for _ in range(CHECKED_RUNS)]
        expected = expected or found
        for want, got in zip(expected, found, strict=True):
            gap = np.abs(want - got).max() / np.abs(want).max()
            if not gap <= job.tolerance:
                raise SystemExit(f"{name}: {peer} is off by {gap:.2g}, more than {job.tolerance}")


def _startup(rounds: int, quick: bool) -> dict[str, Any]:
    imports, first = import_times(rounds), first_runs(rounds, quick)
    print(table("import, in a fresh process", imports), end="\n\n")
    print(table("first run of a small softmax program, in a fresh process", first))
    return {"import": as_data(imports), "first run": as_data(first)}
