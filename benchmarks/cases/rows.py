"""Layer norm and softmax over the rows of a matrix, in one function."""

from typing import Any

import numpy as np

import graphc as gc
import graphc.nn.functional as F
from benchmarks.case import Array, Case, Job
from benchmarks.cases.stateless import all_peers
from benchmarks.peers import find

COLUMNS, EPS = 1024, 1e-5


def _by_numpy(x: Array, weight: Array, bias: Array) -> Array:
    centered = x - x.mean(axis=1, keepdims=True)
    variance = np.square(centered).mean(axis=1, keepdims=True)
    scores = centered / np.sqrt(variance + np.float32(EPS)) * weight + bias
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def _by_graphc(x: Any, weight: Any, bias: Any) -> Any:
    return gc.softmax(F.layer_norm(x, (COLUMNS,), weight, bias, EPS), dim=1)


def _by_torch(x: Any, weight: Any, bias: Any) -> Any:
    torch: Any = find("torch")
    return torch.nn.functional.layer_norm(x, (COLUMNS,), weight, bias, EPS).softmax(dim=1)


def _by_jax(x: Any, weight: Any, bias: Any) -> Any:
    jax: Any = find("jax")
    centered = x - x.mean(axis=1, keepdims=True)
    variance = (centered * centered).mean(axis=1, keepdims=True)
    scores = centered * jax.lax.rsqrt(variance + EPS) * weight + bias
    return jax.nn.softmax(scores, axis=1)


def _make(quick: bool) -> Job:
    x = np.random.default_rng(0).normal(size=(512 if quick else 4096, COLUMNS)).astype(np.float32)
    weight = np.linspace(0.5, 1.5, COLUMNS, dtype=np.float32)
    bias = np.full(COLUMNS, 0.1, np.float32)
    return all_peers(
        {"x": x, "weight": weight, "bias": bias},
        by_numpy=_by_numpy, by_graphc=_by_graphc, by_torch=_by_torch, by_jax=_by_jax,
        quick=quick, tolerance=1e-5, bytes=2 * x.nbytes,
    )  # fmt: skip


ROWS = Case("layer norm and softmax of rows, 4096 x 1024", _make)
