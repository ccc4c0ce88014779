"""Classes of kernels on large arrays, beside what limits them at the same moment.

What limits a kernel is the memory's bandwidth, or its own instructions: the time that it takes for
each element where all of them are in the cache.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import graphc as gc
import graphc.nn.functional as F
from benchmarks.case import Array
from benchmarks.limits import copies
from benchmarks.report import seconds
from benchmarks.timing import interleaved
from graphc import optim

CACHED = 1 << 16
"""Elements of a matrix that stays in the cache with all that is made of it."""


@dataclass(frozen=True)
class Kernel:
    """A function of a square matrix and more.

    Args:
        name: what it is called in the table.
        function: on symbolic tensors; returns a tensor.
        arrays: how many times the matrix's size it must read or write.
        more: makes the other arguments from the matrix.
    """

    name: str
    function: Callable[..., Any]
    arrays: float
    more: Callable[[Array], list[Array]] = lambda x: []


def _rows_of(x: Array) -> list[Array]:
    return [np.random.default_rng(1).integers(0, len(x), len(x))]


KERNELS = (
    Kernel("add", lambda x, y: x + y, 3, lambda x: [x[::-1].copy()]),
    Kernel("exp", gc.exp, 2),
    Kernel("tanh", gc.tanh, 2),
    Kernel("sum of all", lambda x: x.sum(), 1),
    Kernel("sum of rows", lambda x: x.sum(dim=1), 1),
    Kernel("sum of columns", lambda x: x.sum(dim=0), 1),
    Kernel("argmax of rows", lambda x: x.argmax(dim=1), 1),
    Kernel("softmax of rows", lambda x: gc.softmax(x, dim=1), 2),
    Kernel("layer norm of rows", lambda x: F.layer_norm(x, x.shape[1:]), 2),
    Kernel("transpose", lambda x: x.T.contiguous(), 2),
    Kernel("gather of rows", lambda x, i: x[i], 2, _rows_of),
)


def measure_kernels(quick: bool, threads: int) -> dict[str, Any]:
    """Time each class in turns with a copy, print a table and return its numbers."""
    side = 512 if quick else 4096
    time, rounds = (0.3, 10) if quick else (2.0, 40)
    x = np.random.default_rng(0).normal(size=(side, side)).astype(np.float32)
    jobs: list[tuple[str, float, Callable[[Array], _Job]]] = [
        *((kernel.name, kernel.arrays, partial(_job, kernel)) for kernel in KERNELS),
        ("Adam update", 7.0, _adam),
    ]
    limit, results = copies(threads), {}
    print(f"kernels, {side} x {side} float32, beside numpy's copy of 64 MB")
    for name, arrays, make in jobs:
        timings = interleaved({"copy": limit.run, name: make(x).run}, time, rounds)
        timing, moved = timings[name], arrays * x.nbytes
        cached = make(x[: max(1, CACHED // side)]).nanoseconds()
        found = {
            "median": timing.median,
            "bytes": moved,
            "part of copy": timings["copy"].over(timing) * moved / limit.amount,
            "nanoseconds": timing.median / x.size * 1e9,
            "in cache": cached,
            "at copy": timings["copy"].median / limit.amount * moved / x.size * 1e9,
        }
        print(_line(name, found))
        results[name] = found
    print()
    return {"kernels": results}


def _line(name: str, found: Mapping[str, float]) -> str:
    """One row of the table; the larger one of two least times is what limits a kernel."""
    rate = found["bytes"] / found["median"] / 1e9
    limit = "compute" if found["in cache"] > found["at copy"] else "memory"
    return (
        f"  {name:<20}{seconds(found['median']):>11}{rate:7.1f} GB/s"
        f"{found['part of copy']:6.0%} of the copy   per element{found['nanoseconds']:7.3f} ns,"
        f"{found['at copy']:7.3f} at the copy's rate,{found['in cache']:7.3f} in cache: {limit}"
    )


@dataclass(frozen=True)
class _Job:
    """A session and its feed."""

    session: Any
    feed: Mapping[str, Array]
    size: int
    out: Any = None

    def run(self) -> None:
        """Once, into an array that is there: new memory costs as much as a copy."""
        self.session.run(self.feed, out=self.out)

    def nanoseconds(self) -> float:
        """Of an element in native code alone."""
        return float(self.session.profile(self.feed, runs=100).microseconds) * 1e3 / self.size


def _job(kernel: Kernel, x: Array) -> _Job:
    arrays: Mapping[str, Array] = {f"x{k}": a for k, a in enumerate([x, *kernel.more(x)])}
    with gc.Graph() as graph:
        inputs = [gc.placeholder(a.shape, str(a.dtype), name=name) for name, a in arrays.items()]
        output = kernel.function(*inputs)
    session = graph.compile(outputs={"result": output})
    return _Job(session, arrays, x.size, session.run(arrays))


def _adam(x: Array) -> _Job:
    """A step of Adam, given the gradient."""
    parameter = gc.nn.Parameter(gc.tensor(x))
    optimizer = optim.Adam([parameter])
    with gc.Graph() as graph:
        gradient = gc.placeholder(x.shape, gc.float32, name="gradient")
        parameter.grad = gradient
        optimizer.step()
    return _Job(graph.compile(outputs={}), {"gradient": x}, x.size)
