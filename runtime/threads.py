"""How many threads to use: what somebody asked for, or what the system grants."""

from __future__ import annotations

import math
import os

from graphc.config import NUM_THREADS
from graphc.errors import ArgumentError
from graphc.runtime.quota import cpu_quota

MOST_THREADS = 1024
"""More is a mistake rather than a wish."""


def checked_threads(threads: int, source: str = "threads") -> int:
    """The number, if it is one of threads.

    Args:
        threads: how many may work at once, the caller included.
        source: who says so, for the error.

    Raises:
        ArgumentError: if it is below 1 or too large.
    """
    if not 1 <= threads <= MOST_THREADS:
        raise ArgumentError(
            f"{source}: wrong number of threads", got=str(threads), expected=f"1 to {MOST_THREADS}"
        )
    return threads


def default_threads() -> int:
    """How many threads a session uses unless it is told.

    Returns:
        GRAPHC_NUM_THREADS where that is set, else OMP_NUM_THREADS, else the number of processors
        that this process may run on, or the quota of its control group, rounded up, if that is
        less.

    Raises:
        ArgumentError: if a variable is set to something that is no number of threads.

    Example:
        >>> with NUM_THREADS.override("3"):
        ...     default_threads()
        3
    """
    if NUM_THREADS.text().strip():
        return checked_threads(NUM_THREADS.number(), "GRAPHC_NUM_THREADS")
    openmp = os.environ.get("OMP_NUM_THREADS", "").strip()
    if openmp:
        return checked_threads(_outermost(openmp), "OMP_NUM_THREADS")
    return min(_processors(), MOST_THREADS)


def _outermost(text: str) -> int:
    """The first of OpenMP's numbers, which has one for each level of nested regions."""
    try:
        return int(text.split(",")[0])
    except ValueError:
        raise ArgumentError(
            "OMP_NUM_THREADS must be a whole number",
            got=repr(text),
            fix="or set GRAPHC_NUM_THREADS",
        ) from None


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        present = len(os.sched_getaffinity(0))
    else:
        present = os.cpu_count() or 1
    quota = cpu_quota()
    return present if quota is None else max(1, min(present, math.ceil(quota)))
