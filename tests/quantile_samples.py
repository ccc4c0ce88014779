"""Operands and oracles of the quantiles that random numbers are made by."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from graphc.dtypes import bfloat16, float16, float32, float64

Array = npt.NDArray[Any]
Operands = tuple[tuple[Array, ...], Mapping[str, Any]]

NARROW = [dtype.numpy for dtype in (float16, bfloat16, float32)]
LEVELS = [0.0, 2.0**-53, 1e-9, 0.125, 0.25, 0.5, 0.62, 0.875, 0.99, 0.999999]
HALF_STEP = 2.0**-54


def waits(rng: np.random.Generator) -> Iterator[Operands]:
    """Uniform numbers of each dtype."""
    for dtype in (float16, bfloat16, float32, float64):
        yield (np.array([0.0, 0.125, 0.5, 0.75, 0.9375]).astype(dtype.numpy),), {}
        yield (np.zeros((0, 3), dtype.numpy),), {}
    yield (np.array(LEVELS),), {}
    yield (np.array([1 - 2.0**-53]),), {}
    yield (rng.random((4, 6)).T,), {}
    yield (np.array(0.3),), {}


def levels_and_rates(rng: np.random.Generator) -> Iterator[Operands]:
    """Levels with rates that are common, 0, negative and NaN."""
    levels = np.array(LEVELS)
    for dtype in NARROW:
        narrow = np.array([0.0, 0.125, 0.9375]).astype(dtype)
        yield (narrow[:, None], np.array([0.25, 2.0]).astype(dtype)), {}
    yield (levels[:, None], np.array([0.0, 0.01, 1.5, 20.0, -1.0, math.nan])), {}
    yield (rng.random((3, 2)), np.array(4.0)), {}
    yield (np.zeros((2, 0)), np.ones((2, 1))), {}


def levels_tries_and_shares(rng: np.random.Generator) -> Iterator[Operands]:
    """Levels with counts and probabilities, ordinary and certain ones."""
    levels = np.array(LEVELS)
    for dtype in NARROW:
        share, narrow = np.array(0.25).astype(dtype), np.array([0.0, 0.125, 0.9375]).astype(dtype)
        yield (narrow[:, None], np.array([1.0, 8.0]).astype(dtype), share), {}
    counts = np.array([0.0, 1.0, 6.5, 30.0, -2.0, math.nan])
    for share in (0.0, 0.25, 0.9, 1.0, 1.5, math.nan):
        yield (levels[:, None], counts, np.array(share)), {}
    yield (rng.random(3), np.full(3, 12.0), rng.random(3)), {}


def _per_element(function: Callable[..., float]) -> Callable[..., Array]:
    def oracle(*arrays: Array) -> Array:
        dtype = arrays[0].dtype
        each = np.broadcast_arrays(*(x.astype(np.float64) for x in arrays))
        made = [function(*map(float, row)) for row in zip(*(x.flat for x in each), strict=True)]
        return np.array(made, np.float64).reshape(each[0].shape).astype(dtype)

    return oracle


def _wait(level: float) -> float:
    return -math.log1p(-max(level, HALF_STEP))


def _first_reaching(level: float, chance: Callable[[int], float], most: float) -> float:
    """The smallest number whose chances up to it add up to the level."""
    wanted = min(level + HALF_STEP, 1 - 2 * HALF_STEP)
    place, total = 0, chance(0)
    while total < wanted and place < most:
        place += 1
        total += chance(place)
    return float(place)


def _poisson(level: float, rate: float) -> float:
    if not rate > 0:
        return 0.0 if rate == 0 else math.nan
    return _first_reaching(
        level, lambda k: math.exp(k * math.log(rate) - rate - math.lgamma(k + 1)), 10_000
    )


def _binomial(level: float, count: float, share: float) -> float:
    if math.isnan(count) or not 0 <= share <= 1:
        return math.nan
    tries = max(math.trunc(count), 0)
    return _first_reaching(
        level, lambda k: math.comb(tries, k) * share**k * (1 - share) ** (tries - k), tries
    )


QUANTILE_SAMPLES = {
    "exponential_quantile": waits,
    "log_normal": waits,
    "poisson_quantile": levels_and_rates,
    "binomial_quantile": levels_tries_and_shares,
}

QUANTILE_ORACLES = {
    "exponential_quantile": _per_element(_wait),
    "log_normal": _per_element(math.exp),
    "poisson_quantile": _per_element(_poisson),
    "binomial_quantile": _per_element(_binomial),
}

QUANTILE_ULPS = {"exponential_quantile": 1, "log_normal": 1}
