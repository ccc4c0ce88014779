"""Runs of one function of arrays by every peer."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import graphc as gc
from benchmarks.case import Array, Job, Run
from benchmarks.peers import find


def all_peers(
    arrays: Mapping[str, Array],
    *,
    by_numpy: Callable[..., Any],
    by_graphc: Callable[..., Any],
    by_torch: Callable[..., Any],
    by_jax: Callable[..., Any],
    quick: bool,
    tolerance: float,
    bytes: float = 0.0,
) -> Job:
    """The same function of the same arrays, once for each peer that is there.

    Args:
        arrays: the arguments by name, in order.
        by_numpy: the function on numpy arrays; the reference.
        by_graphc: on graphc tensors; run dynamically, compiled, and as a session.
        by_torch: on PyTorch tensors; run eagerly and, unless ``quick``, compiled.
        by_jax: on JAX arrays, run by ``jax.jit``.
        quick: leave out what takes long to prepare.
        tolerance: of the job.
        bytes: of the job.
    """
    values = tuple(arrays.values())
    tensors = [gc.tensor(array) for array in values]
    compiled = gc.compile(by_graphc)
    with gc.Graph() as graph:
        inputs = [gc.placeholder(a.shape, gc.float32, name=name) for name, a in arrays.items()]
        output = by_graphc(*inputs)
    session, feed = graph.compile(outputs=output), dict(arrays)
    runs: dict[str, Run] = {
        "numpy": lambda: by_numpy(*values),
        "graphc dynamic": lambda: by_graphc(*tensors),
        "graphc": lambda: compiled(*tensors),
        "graphc session.run": lambda: session.run(feed),
        **_torch(values, by_torch, quick),
        **_jax(values, by_jax),
    }
    return Job(runs, tolerance, bytes=bytes, profile=lambda: session.profile(feed))


def _torch(values: tuple[Array, ...], function: Callable[..., Any], quick: bool) -> dict[str, Run]:
    torch = find("torch")
    if torch is None:
        return {}
    tensors = [torch.from_numpy(np.array(value)) for value in values]
    runs: dict[str, Run] = {"torch": lambda: function(*tensors)}
    if not quick:
        fast = torch.compile(function)
        runs["torch.compile"] = lambda: fast(*tensors)
    return runs


def _jax(values: tuple[Array, ...], function: Callable[..., Any]) -> dict[str, Run]:
    jax = find("jax")
    if jax is None:
        return {}
    arrays = [jax.numpy.asarray(value) for value in values]
    fast = jax.jit(function)
    return {"jax.jit": lambda: fast(*arrays).block_until_ready()}
