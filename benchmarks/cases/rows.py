"""Softmax and layer norm over the rows of a matrix."""

from typing import Any

import numpy as np

import graphc as gc
import graphc.nn.functional as F
from benchmarks.case import Case, Job
from benchmarks.cases.stateless import Array, all_peers
from benchmarks.peers import find

EPS = 1e-5


def _matrix(quick: bool) -> Array:
    rows = 512 if quick else 4096
    return np.random.default_rng(0).normal(size=(rows, 1024)).astype(np.float32)


def _numpy_softmax(x: Array) -> Array:
    shifted = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def _softmax(quick: bool) -> Job:
    x = _matrix(quick)
    runs = all_peers(
        [x],
        by_numpy=_numpy_softmax,
        by_graphc=lambda x: gc.softmax(x, dim=1),
        by_torch=lambda x: x.softmax(dim=1),
        by_jax=lambda x: _jax().nn.softmax(x, axis=1),
        quick=quick,
    )
    return Job(runs, tolerance=1e-5, bytes=2 * x.nbytes)


def _numpy_layer_norm(x: Array, weight: Array, bias: Array) -> Array:
    centered = x - x.mean(axis=1, keepdims=True)
    variance = np.square(centered).mean(axis=1, keepdims=True)
    return np.asarray(centered / np.sqrt(variance + np.float32(EPS)) * weight + bias)


def _jax_layer_norm(x: Any, weight: Any, bias: Any) -> Any:
    centered = x - x.mean(axis=1, keepdims=True)
    variance = (centered * centered).mean(axis=1, keepdims=True)
    return centered * _jax().lax.rsqrt(variance + EPS) * weight + bias


def _torch_layer_norm(x: Any, weight: Any, bias: Any) -> Any:
    torch = find("torch")
    assert torch is not None
    return torch.nn.functional.layer_norm(x, (1024,), weight, bias, EPS)


def _layer_norm(quick: bool) -> Job:
    x = _matrix(quick)
    weight, bias = np.linspace(0.5, 1.5, 1024, dtype=np.float32), np.full(1024, 0.1, np.float32)
    runs = all_peers(
        [x, weight, bias],
        by_numpy=_numpy_layer_norm,
        by_graphc=lambda x, weight, bias: F.layer_norm(x, (1024,), weight, bias, EPS),
        by_torch=_torch_layer_norm,
        by_jax=_jax_layer_norm,
        quick=quick,
    )
    return Job(runs, tolerance=1e-5, bytes=2 * x.nbytes)


def _jax() -> Any:
    return find("jax")


SOFTMAX = Case("softmax of rows, 4096 x 1024", _softmax)
LAYER_NORM = Case("layer norm of rows, 4096 x 1024", _layer_norm)
