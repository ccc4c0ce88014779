"""Times of runs that take turns, so that a busy machine slows all of them alike."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmarks.case import Run

BURST = 2e-3
"""Seconds of one turn, if one run is shorter: the clock itself costs time."""
FEWEST = 5
"""Turns that are taken however long they last."""


@dataclass(frozen=True)
class Timing:
    """Seconds of one run, measured once a turn."""

    samples: tuple[float, ...]

    @cached_property
    def quartiles(self) -> tuple[float, float, float]:
        """The lower one, the median, the upper one."""
        low, median, high = np.percentile(self.samples, [25, 50, 75])
        return float(low), float(median), float(high)

    @property
    def median(self) -> float:
        """Of all turns."""
        return self.quartiles[1]

    def over(self, base: "Timing") -> float:
        """How many times the base's seconds this takes: the median of the turns' ratios."""
        return float(np.median(np.divide(self.samples, base.samples)))


def interleaved(
    runs: Mapping[str, Run], seconds: float, rounds: int, settle: float = 0.0
) -> dict[str, Timing]:
    """Time all runs in turns; each turn starts with a run that is not timed.

    Args:
        runs: by peer.
        seconds: about how long all of it may take.
        rounds: how many turns at most.
        settle: seconds of sleep before each turn, in which threads of the one before stop
            waiting for work in a loop, as those of OpenMP do.
    """
    repeats = {name: _repeats(run) for name, run in runs.items()}
    samples: dict[str, list[float]] = {name: [] for name in runs}
    end = time.perf_counter() + seconds
    for turn in range(rounds):
        if turn >= FEWEST and time.perf_counter() > end:
            break
        for name, run in runs.items():
            time.sleep(settle)
            run()
            start = time.perf_counter()
            for _ in range(repeats[name]):
                run()
            samples[name].append((time.perf_counter() - start) / repeats[name])
    return {name: Timing(tuple(values)) for name, values in samples.items()}


def _repeats(run: Run) -> int:
    """How many runs make a burst."""
    run()
    start = time.perf_counter()
    run()
    return max(1, min(10_000, round(BURST / max(time.perf_counter() - start, 1e-7))))
