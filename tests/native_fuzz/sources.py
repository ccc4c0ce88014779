"""Sizes that matter to native code, and values in every layout."""

from __future__ import annotations

import math
from dataclasses import dataclass

import ml_dtypes
import numpy as np

from tests.programs.base import Array, sprinkled

Shape = tuple[int, ...]

SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 100, 127, 128, 129, 192]
LARGE = [255, 256, 257, 384, 500, 511, 513, 640, 777, 1000, 1023, 1025, 1536, 2049, 3000]
FLOATS = ["float32"] * 10 + ["float64"] * 4 + ["float16", "bfloat16"]
OTHERS = ["int32", "int64", "int64", "uint8", "int8", "int16", "bool", "bool"]


@dataclass(frozen=True)
class Sizes:
    """The few sizes that a program's shapes are made of, so that shapes fit each other.

    Args:
        palette: the sizes.
        most: how many elements a value may have.
    """

    palette: tuple[int, ...]
    most: int

    def shape(self, rng: np.random.Generator, rank: int | None = None) -> Shape:
        """A shape within the limit."""
        if rank is None:
            rank = int(rng.choice([0, 1, 1, 2, 2, 2, 2, 3, 3, 4]))
        shape = [int(rng.choice(self.palette)) if rng.random() < 0.9 else 1 for _ in range(rank)]
        while math.prod(shape) > self.most:
            largest = shape.index(max(shape))
            shape[largest] = int(rng.choice(SIZES[:10]))
        return tuple(shape)


def draw_sizes(rng: np.random.Generator) -> Sizes:
    """A palette: mostly small, now and then large, seldom with a zero."""
    palette = [int(rng.choice(SIZES)) if rng.random() < 0.6 else int(rng.integers(1, 201))
               for _ in range(3)]  # fmt: skip
    kind = rng.random()
    most = 4_000
    if kind < 0.35:
        most = 40_000
    if kind < 0.12:
        most = 500_000
        palette += [int(rng.choice(LARGE)) for _ in range(2)] * 2
    if rng.random() < 0.05:
        palette.append(0)
    return Sizes((*palette, 1), most)


def values(rng: np.random.Generator, shape: Shape, dtype: str, special: bool = False) -> Array:
    """Moderate numbers, some of them equal; NaN, infinities and such among them if `special`."""
    of = np.dtype(getattr(ml_dtypes, dtype)) if dtype == "bfloat16" else np.dtype(dtype)
    if dtype == "bool":
        return np.asarray(rng.random(shape) < 0.5)
    whole = rng.integers(0 if dtype == "uint8" else -9, 9, shape)
    if dtype in FLOATS:
        mixed = np.where(rng.random(shape) < 0.3, whole, rng.standard_normal(shape))
        made = np.asarray(mixed).astype(of)
        return np.asarray(sprinkled(made, rng)) if special else made
    if rng.random() < 0.2:
        limits = np.iinfo(of)
        whole = rng.integers(limits.min, limits.max, shape, endpoint=True, dtype=of)
    return np.asarray(whole).astype(of)


def laid_out(rng: np.random.Generator, array: Array) -> Array:
    """The same values, or some of them repeated, somehow in memory."""
    kind = rng.random()
    if not array.ndim or kind < 0.7:
        return array
    if kind < 0.78:
        return np.asarray(array.T.copy().T)
    if kind < 0.86:
        return np.ascontiguousarray(array[::-1])[::-1]
    if kind < 0.94:
        spread = np.zeros((*array.shape, 3), array.dtype)
        spread[..., 1] = array
        return np.asarray(spread[..., 1])
    return np.broadcast_to(array[:1], array.shape)
