"""Runs the cases: first what is computed must be right, then it is timed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.agreement import require_agreement
from benchmarks.case import Case, Job
from benchmarks.cases import CASES
from benchmarks.gemm import measure_products
from benchmarks.kernels import measure_kernels
from benchmarks.limits import Limit, copies, multiply_adds
from benchmarks.loading import measure_loading
from benchmarks.peers import threads
from benchmarks.report import Row, as_data, row_of, summary, table
from benchmarks.startup import first_calls, import_times
from benchmarks.timing import Timing, interleaved

LIMIT = "(limit)"


@dataclass(frozen=True)
class Options:
    """What to run.

    Args:
        only: cases whose name contains this; all if empty.
        quick: small sizes, short times, no torch.compile.
        profile: also print where graphc's time goes.
    """

    only: str = ""
    quick: bool = False
    profile: bool = False

    def wants(self, name: str) -> bool:
        """Whether the case with this name is asked for."""
        return self.only.lower() in name.lower()


def run(options: Options) -> dict[str, Any]:
    """Run what is asked for, print the results and return them."""
    results: dict[str, Any] = {}
    rows: list[Row] = []
    for case in CASES:
        if options.wants(case.name):
            timings = _measure(case, options)
            results[case.name] = as_data(timings)
            row = row_of(case.name, timings)
            rows += [row] if row is not None else []
    if options.wants("kernels"):
        results |= measure_kernels(options.quick, threads())
    if options.wants("gemm"):
        results |= measure_products(options.quick)
    if options.wants("loading"):
        results |= measure_loading(options.quick)
    if options.wants("startup"):
        results |= _startup(1 if options.quick else 3, options.quick)
    if rows:
        print(summary(rows))
    return results


def _measure(case: Case, options: Options) -> dict[str, Timing]:
    """Check one case, time it and print its table."""
    seconds, rounds = (0.7, 20) if options.quick else (10.0, 200)
    settle = 0.02 if threads() > 1 and not options.quick else 0.0
    job = require_agreement(case.name, case.make(options.quick))
    limit = multiply_adds(threads()) if job.flops else copies(threads()) if job.bytes else None
    runs = {**job.runs, **({LIMIT: limit.run} if limit is not None else {})}
    timings = interleaved(runs, seconds, rounds, settle)
    bound = timings.pop(LIMIT, None)
    print(table(case.name + (" (smaller: --quick)" if options.quick else ""), timings))
    if limit is not None and bound is not None:
        what = "part of the multiply-add peak" if job.flops else "part of a copy's bandwidth"
        print(f"  graphc: {what}, {_part(job, timings, limit, bound)}")
    if options.profile and job.profile is not None:
        print(job.profile())
    print()
    return timings


def _part(job: Job, timings: Mapping[str, Timing], limit: Limit, bound: Timing) -> str:
    """Which part of the limit graphc's function reaches, turn by turn."""
    amount, unit = (job.flops, "GF/s") if job.flops else (job.bytes, "GB/s")
    rate, most = amount / timings["graphc"].median, limit.amount / bound.median
    part = bound.over(timings["graphc"]) * amount / limit.amount
    return f"{part:.0%}: {rate / 1e9:.1f} of {most / 1e9:.1f} {unit}"


def _startup(rounds: int, quick: bool) -> dict[str, Any]:
    imports, first = import_times(rounds), first_calls(rounds, quick)
    print(table("import, in a fresh process", imports), end="\n\n")
    print(table("first step of the MLP 784-512-512-10, in a fresh process", first), end="\n\n")
    return {"import": as_data(imports), "first call": as_data(first)}
