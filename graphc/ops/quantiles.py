"""Random numbers of other distributions, from uniform and normal ones.

numpy and scipy evaluate them on every backend, so that all backends draw the same numbers. They
have no gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.opdef import OpDef, Trait
from graphc.ops.elementwise import elementwise
from graphc.ops.infer import FLOAT
from graphc.storage import Array

_TRAITS = Trait.COSTLY | Trait.LIBRARY
_HALF_STEP = 2.0**-54
"""Uniform numbers are multiples of ``2**-53``; the middle of a step is neither 0 nor 1."""
_LARGE = 1e5
"""Variances above it take the formula for sums of many parts; below, the exact distribution."""


def _quantile(name: str, compute: Callable[..., Any]) -> OpDef:
    """An operation that is computed in float64 and rounded."""

    def run(*arrays: Array) -> Array:
        wide = [x.astype(np.float64) for x in arrays]
        return np.asarray(compute(*wide), dtype=arrays[0].dtype, order="C")

    return elementwise(name, run, None, accepts=FLOAT, traits=_TRAITS)


def _inside(u: Array) -> Any:
    return np.minimum(u + _HALF_STEP, 1 - 2 * _HALF_STEP)


def _many(level: Array, mean: Array, variance: Array, asymmetry: Array, flatness: Array) -> Any:
    """The quantile of a sum of so many parts that its distribution is nearly normal.

    Args:
        level: of the quantile.
        mean: mean of the distribution.
        variance: its variance.
        asymmetry: its skewness times the standard deviation.
        flatness: its excess kurtosis times the variance.

    Source: Cornish, Fisher, "Moments and cumulants in the specification of distributions" (1938).
    """
    import scipy.special as special

    z, spread = special.ndtri(level), np.sqrt(variance)
    second = (z * z - 1) * asymmetry / 6
    third = (z**3 - 3 * z) * flatness / 24 - (2 * z**3 - 5 * z) * asymmetry**2 / 36
    return np.floor(mean + spread * z + second + third / spread + 0.5)


def _poisson(u: Array, rate: Array) -> Any:
    import scipy.special as special

    level, one = _inside(u), np.ones_like(rate)
    is_large = rate > _LARGE
    rare = np.where((rate > 0) & ~is_large, rate, 1.0)
    above = np.ceil(special.pdtrik(level, rare))
    below = np.maximum(above - 1, 0)
    found = np.where(special.pdtr(below, rare) >= level, below, above)
    common = np.where(is_large, rate, 1.0)
    found = np.where(is_large, _many(level, common, common, one, one), found)
    return np.where(rate > 0, found, np.where(rate == 0, 0.0, np.nan))


def _binomial(u: Array, count: Array, prob: Array) -> Any:
    import scipy.special as special

    level, tries = _inside(u), np.trunc(count)
    is_open = (tries > 0) & (prob > 0) & (prob < 1)
    n, p = np.where(is_open, tries, 1.0), np.where(is_open, prob, 0.5)
    variance = n * p * (1 - p)
    is_large = variance > _LARGE
    few, part = np.where(is_large, 1.0, n), np.where(is_large, 0.5, p)
    above = np.minimum(np.ceil(special.bdtrik(level, few, part)), few)
    below = np.maximum(above - 1, 0)
    found = np.where(special.betainc(few - below, below + 1, 1 - part) >= level, below, above)
    many = _many(level, n * p, variance, 1 - 2 * p, 1 - 6 * p * (1 - p))
    found = np.where(is_large, np.clip(many, 0, n), found)
    certain = np.where(prob == 1, np.maximum(tries, 0), 0.0)
    is_known = (prob >= 0) & (prob <= 1) & ~np.isnan(count)
    return np.where(is_open, found, np.where(is_known, certain, np.nan))


exponential_quantile = _quantile(
    "exponential_quantile", lambda u: -np.log1p(-np.maximum(u, _HALF_STEP))
)
"""``exponential_quantile(u)``: exponential numbers of rate 1 from uniform ones; never 0."""
log_normal = _quantile("log_normal", np.exp)
"""``log_normal(x)``: ``exp`` of normal numbers."""
poisson_quantile = _quantile("poisson_quantile", _poisson)
"""``poisson_quantile(u, rate)``: Poisson numbers from uniform float64 ones."""
binomial_quantile = _quantile("binomial_quantile", _binomial)
"""``binomial_quantile(u, count, prob)``: binomial numbers from uniform float64 ones."""
