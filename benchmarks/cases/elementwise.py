"""A chain of twelve elementwise operations, five of them transcendental: what fusion is for."""

from collections.abc import Callable
from typing import Any

import numpy as np

import graphc as gc
from benchmarks.case import Array, Case, Job
from benchmarks.cases.stateless import all_peers
from benchmarks.peers import find


def _chain(library: Any, sigmoid: Callable[[Any], Any], x: Any, y: Any) -> Any:
    z = library.tanh(x * y + x)
    return library.log1p(library.exp(-z) * sigmoid(z - y)) * y - library.abs(x)


def _numpy_sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def _by_torch(x: Any, y: Any) -> Any:
    torch: Any = find("torch")
    return _chain(torch, torch.sigmoid, x, y)


def _by_jax(x: Any, y: Any) -> Any:
    jax: Any = find("jax")
    return _chain(jax.numpy, jax.nn.sigmoid, x, y)


def _make(quick: bool) -> Job:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 1 << (18 if quick else 22))).astype(np.float32)
    return all_peers(
        {"x": x, "y": y},
        by_numpy=lambda x, y: _chain(np, _numpy_sigmoid, x, y),
        by_graphc=lambda x, y: _chain(gc, gc.sigmoid, x, y),
        by_torch=_by_torch, by_jax=_by_jax,
        quick=quick, tolerance=1e-5, bytes=3 * x.nbytes,
    )  # fmt: skip


CHAIN = Case("chain of 12 elementwise operations, 4 M elements", _make)
