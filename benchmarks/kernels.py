"""Classes of kernels on large arrays, as parts of the copy bandwidth at the same moment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import graphc as gc
import graphc.nn.functional as F
from benchmarks.case import Array, Run
from benchmarks.limits import copies
from benchmarks.report import seconds
from benchmarks.timing import interleaved
from graphc import optim


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
    runs: dict[str, tuple[Run, float]] = {
        kernel.name: (_run(kernel, x), kernel.arrays * x.nbytes) for kernel in KERNELS
    }
    runs["Adam update"] = (_adam(x), 7.0 * x.nbytes)
    limit, results = copies(threads), {}
    print(f"kernels, {side} x {side} float32, beside numpy's copy of 64 MB")
    for name, (run, moved) in runs.items():
        timings = interleaved({"copy": limit.run, name: run}, time, rounds)
        timing = timings[name]
        part = timings["copy"].over(timing) * moved / limit.amount
        results[name] = {"median": timing.median, "bytes": moved, "part of copy": part}
        print(
            f"  {name:<24}{seconds(timing.median):>11}{moved / timing.median / 1e9:8.1f} GB/s"
            f"{part:8.0%} of the copy{timing.median / x.size * 1e9:8.3f} ns per element"
        )
    print()
    return {"kernels": results}


def _run(kernel: Kernel, x: Array) -> Run:
    """A session that writes into an array that is there: new memory costs as much as a copy."""
    arrays: Mapping[str, Array] = {f"x{k}": a for k, a in enumerate([x, *kernel.more(x)])}
    with gc.Graph() as graph:
        inputs = [gc.placeholder(a.shape, str(a.dtype), name=name) for name, a in arrays.items()]
        output = kernel.function(*inputs)
    session = graph.compile(outputs={"result": output})
    out = session.run(arrays)
    return lambda: session.run(arrays, out=out)


def _adam(x: Array) -> Run:
    """A step of Adam, given the gradient."""
    parameter = gc.nn.Parameter(gc.tensor(x))
    optimizer = optim.Adam([parameter])
    with gc.Graph() as graph:
        gradient = gc.placeholder(x.shape, gc.float32, name="gradient")
        parameter.grad = gradient
        optimizer.step()
    session = graph.compile(outputs={})
    return lambda: session.run({"gradient": x})
