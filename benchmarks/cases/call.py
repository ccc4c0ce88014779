"""What one call costs when there is nothing to compute, and what many calls cost."""

from typing import Any

import numpy as np

import graphc as gc
from benchmarks.case import Case, Job, Run
from benchmarks.cases.stateless import all_peers
from benchmarks.peers import find

RUNS = 1000


def _function(a: Any, b: Any) -> Any:
    return a * b + a + b


def _session() -> Any:
    with gc.Graph() as graph:
        left, right = (gc.placeholder((), name=name) for name in "ab")
        result = _function(left, right)
    return graph.compile(outputs=result)


def _make(quick: bool) -> Job:
    a, b = np.array(2, np.float32), np.array(3, np.float32)
    runs = all_peers(
        [a, b], by_numpy=_function, by_graphc=_function, by_torch=_function, by_jax=_function,
        quick=quick,
    )  # fmt: skip
    session, feed = _session(), {"a": a, "b": b}
    runs["graphc session.run"] = lambda: session.run(feed)
    numbers = {"a": 2.0, "b": 3.0}
    runs["  fed with numbers"] = lambda: session.run(numbers)
    return Job(runs, tolerance=1e-6)


def _make_many(quick: bool) -> Job:
    a, b = (np.arange(RUNS, dtype=np.float32) + first for first in (0, 1))
    rows = [(np.array(left), np.array(right)) for left, right in zip(a, b, strict=True)]
    session = _session()
    feeds = [{"a": left, "b": right} for left, right in rows]
    runs: dict[str, Run] = {
        "numpy": lambda: [_function(left, right) for left, right in rows],
        "graphc": lambda: session.run_many({"a": a, "b": b}),
        "graphc session.run": lambda: [session.run(feed) for feed in feeds],
    }
    torch, jax = find("torch"), find("jax")
    if torch is not None:
        tensors = [(torch.from_numpy(left), torch.from_numpy(right)) for left, right in rows]
        runs["torch"] = lambda: [_function(left, right).numpy() for left, right in tensors]
    if jax is not None:
        fast = jax.jit(_function)
        values = [(jax.numpy.asarray(left), jax.numpy.asarray(right)) for left, right in rows]
        runs["jax.jit"] = lambda: [fast(left, right).block_until_ready() for left, right in values]
    return Job(runs, tolerance=1e-6)


CALL = Case("call of a scalar graph, a * b + a + b", _make)
CALLS = Case(f"{RUNS} runs of a scalar graph, a * b + a + b", _make_many)
