"""Times of runs that take turns, so that a busy machine slows all of them alike."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.case import Run


@dataclass(frozen=True)
class Timing:
    """Seconds of one run: the median, and the quartiles around it."""

    median: float
    low: float
    high: float
    samples: int

    @property
    def spread(self) -> float:
        """The distance of the quartiles, relative to the median."""
        return (self.high - self.low) / self.median


def interleaved(runs: Mapping[str, Run], seconds: float, rounds: int) -> dict[str, Timing]:
    """Time all runs in turns.

    Args:
        runs: by peer.
        seconds: about how long all of it may take.
        rounds: how many turns at most; at least five are made.
    """
    repeats = {name: _repeats(run) for name, run in runs.items()}
    samples: dict[str, list[float]] = {name: [] for name in runs}
    end = time.perf_counter() + seconds
    for turn in range(rounds):
        if turn >= 5 and time.perf_counter() > end:
            break
        for name, run in runs.items():
            start = time.perf_counter()
            for _ in range(repeats[name]):
                run()
            samples[name].append((time.perf_counter() - start) / repeats[name])
    return {name: summary(values) for name, values in samples.items()}


def summary(values: list[float]) -> Timing:
    """Median and quartiles of measured seconds."""
    low, median, high = np.percentile(values, [25, 50, 75])
    return Timing(float(median), float(low), float(high), len(values))


def _repeats(run: Run) -> int:
    """How many runs make about a millisecond: the clock itself costs time."""
    run()
    start = time.perf_counter()
    run()
    return max(1, min(1000, round(1e-3 / max(time.perf_counter() - start, 1e-7))))
