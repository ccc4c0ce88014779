"""A chain of eight elementwise operations: what fusion is for."""

from typing import Any

import numpy as np

import graphc as gc
from benchmarks.case import Case, Job
from benchmarks.cases.stateless import all_peers
from benchmarks.peers import find


def _chain(library: Any, x: Any, y: Any) -> Any:
    z = library.tanh(x * y + x)
    return library.exp(-z) * y - library.abs(x)


def _make(quick: bool) -> Job:
    random = np.random.default_rng(0)
    size = 1 << (18 if quick else 22)
    x, y = (random.normal(size=size).astype(np.float32) for _ in range(2))
    runs = all_peers(
        [x, y],
        by_numpy=lambda x, y: _chain(np, x, y),
        by_graphc=lambda x, y: _chain(gc, x, y),
        by_torch=lambda x, y: _chain(find("torch"), x, y),
        by_jax=lambda x, y: _chain(_jax_numpy(), x, y),
        quick=quick,
    )
    return Job(runs, tolerance=1e-5, bytes=3 * x.nbytes)


def _jax_numpy() -> Any:
    jax = find("jax")
    assert jax is not None
    return jax.numpy


CHAIN = Case("chain of 8 elementwise operations, 4 M elements", _make)
