"""Comparing what was saved with what was loaded."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc


def same(a: Any, b: Any) -> bool:
    """Equal values of equal types, tensors bit for bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, gc.Tensor):
        return a.type == b.type and bits(a) == bits(b)
    if isinstance(a, np.ndarray):
        return bool(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes())
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return np.float64(a).tobytes() == np.float64(b).tobytes()
    return bool(a == b)


def bits(x: gc.Tensor) -> bytes:
    """The bytes of all elements."""
    return x.detach().numpy().tobytes()
