"""Numpy evaluation shared by elementwise operations, where it is more than one ufunc."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.storage import Array


def ufunc(function: Callable[..., Any]) -> Callable[..., Array]:
    """Evaluate by a numpy ufunc, into a C-contiguous array (0-d stays an array)."""

    def run(*arrays: Array) -> Array:
        return np.asarray(function(*arrays, order="C"))

    return run


def scipy_special(name: str) -> Callable[..., Array]:
    """Evaluate by a function of scipy.special; half types through float32, which it lacks."""

    def run(*arrays: Array) -> Array:
        import scipy.special

        function = getattr(scipy.special, name)
        dtype = arrays[0].dtype
        if dtype.itemsize == 2:
            arrays = tuple([x.astype(np.float32) for x in arrays])
        return np.asarray(function(*arrays), dtype=dtype, order="C")

    return run


_expit = scipy_special("expit")


def sigmoid_eval(x: Array) -> Array:
    """``1 / (1 + exp(-x))``."""
    if x.dtype.kind == "c":
        one = np.ones((), x.dtype)
        return np.asarray(np.true_divide(one, one + np.exp(-x), order="C"))
    return _expit(x)


def floor_divide_eval(a: Array, b: Array) -> Array:
    """Python's ``//``; an integer divided by zero is 0."""
    return np.asarray(np.floor_divide(a, b, order="C"))


def _root(a: Array, half: Array) -> Array:
    """C's power 1/2: numpy takes the root for one exponent, which differs at -0 and -inf."""
    root = np.power(a, half)
    return np.asarray(np.where(a == -np.inf, np.array(np.inf, a.dtype), root + 0.0), order="C")


def int_pow_eval(a: Array, b: Array) -> Array:
    """The power; integers to negative powers round towards zero as in PyTorch."""
    if a.dtype.kind == "f" and b.size == 1 and b.item() == 0.5:
        return _root(a, b)
    if a.dtype.kind not in "iu" or a.dtype.kind == "u" or not (b < 0).any():
        return np.asarray(np.power(a, b, order="C"))
    powers = np.power(a, np.maximum(b, 0))
    odd = np.where(b % 2 == 1, a, np.ones((), a.dtype))
    inverse = np.where(a == 1, 1, np.where(a == -1, odd, 0))
    return np.asarray(np.where(b < 0, inverse, powers), dtype=a.dtype, order="C")


def saturating_cast(x: Array, dtype: np.dtype[Any]) -> Array:
    """Float to integer: truncate, clip to the range, NaN becomes 0; the same on every machine."""
    limits = np.iinfo(dtype)
    low, beyond = float(limits.min), float(limits.max) + 1.0
    wide = x if x.dtype.itemsize >= 4 else x.astype(np.float32)
    truncated = np.trunc(wide)
    fits = (truncated >= low) & (truncated < beyond)
    if fits.all():
        return np.asarray(truncated.astype(dtype, order="C"))
    inside = np.where(fits, truncated, 0).astype(dtype)
    high = np.where(truncated >= beyond, limits.max, inside)
    return np.ascontiguousarray(np.where(truncated < low, limits.min, high), dtype=dtype).reshape(
        x.shape
    )
