"""The results as a table for people and as data for programs."""

from collections.abc import Mapping
from typing import Any

from benchmarks.case import Job
from benchmarks.timing import Timing

BASE = "graphc"


def table(title: str, timings: Mapping[str, Timing]) -> str:
    """One line per peer: median, spread, and how many times graphc's median that is."""
    base = next((t for name, t in timings.items() if name.startswith(BASE)), None)
    base = timings.get(BASE, base)
    lines = [title]
    for name, timing in timings.items():
        ratio = f"{timing.median / base.median:8.2f}x" if base is not None else ""
        lines.append(f"  {name:<24}{_seconds(timing.median):>11} ±{timing.spread:4.0%} {ratio}")
    return "\n".join(lines)


def against_limits(job: Job, timing: Timing, flops: float, bandwidth: float) -> str:
    """Which part of the machine's limit graphc reaches; empty where nothing limits the job."""
    if job.flops:
        rate = job.flops / timing.median
        return f"  graphc: {rate / 1e9:.1f} GF/s, {rate / flops:.0%} of the multiply-add peak"
    if job.bytes:
        rate = job.bytes / timing.median
        return f"  graphc: {rate / 1e9:.1f} GB/s, {rate / bandwidth:.0%} of the copy bandwidth"
    return ""


def as_data(timings: Mapping[str, Timing]) -> dict[str, Any]:
    """Seconds by peer, for ``--json``."""
    return {
        name: {"median": t.median, "low": t.low, "high": t.high, "samples": t.samples}
        for name, t in timings.items()
    }


def _seconds(value: float) -> str:
    for unit, factor in (("s ", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= factor:
            return f"{value / factor:,.2f} {unit}"
    return f"{value * 1e9:,.0f} ns"
