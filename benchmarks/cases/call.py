"""What one call costs when there is nothing to compute."""

from typing import Any

import numpy as np

import graphc as gc
from benchmarks.case import Case, Job
from benchmarks.cases.stateless import all_peers


def _function(a: Any, b: Any) -> Any:
    return a * b + a + b


def _make(quick: bool) -> Job:
    a, b = np.array(2, np.float32), np.array(3, np.float32)
    runs = all_peers(
        [a, b], by_numpy=_function, by_graphc=_function, by_torch=_function, by_jax=_function,
        quick=quick,
    )  # fmt: skip
    with gc.Graph() as graph:
        left, right = (gc.placeholder((), name=name) for name in "ab")
        result = _function(left, right)
    session, feed = graph.compile(outputs=result), {"a": a, "b": b}
    runs["graphc session.run"] = lambda: session.run(feed)
    return Job(runs, tolerance=1e-6)


CALL = Case("call of a scalar graph, a * b + a + b", _make)
