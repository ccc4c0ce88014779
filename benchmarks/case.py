"""What a benchmark is: one job, done by several peers from the same data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]
Run = Callable[[], Any]
"""One complete run, finished when it returns; its result converts to a numpy array."""


@dataclass(frozen=True)
class Job:
    """The peers' runs of one case.

    Args:
        runs: by peer; the first is the reference that the others must agree with.
        tolerance: how far results may differ, relative to the largest element.
        flops: arithmetic of one run where that is what limits it; 0 otherwise.
        bytes: memory traffic that one run cannot avoid; 0 if it is not what limits it.
        profile: makes a printable profile of graphc's run.
    """

    runs: Mapping[str, Run]
    tolerance: float
    flops: float = 0.0
    bytes: float = 0.0
    profile: Callable[[], Any] | None = None


@dataclass(frozen=True)
class Case:
    """A named job; ``make`` builds data and runs, smaller ones if ``quick``."""

    name: str
    make: Callable[[bool], Job]
