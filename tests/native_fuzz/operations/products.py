"""Matrix products in all layouts and batch combinations, with arithmetic before and after."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import graphc as gc
import graphc.nn.functional as F
from tests.native_fuzz.builder import Builder
from tests.native_fuzz.program import Spread, Step
from tests.programs.base import Array

MOST = 2e8
"""How many multiplications a product may take."""

AFTER: dict[str, Callable[[Any], Any]] = {
    "": lambda y: y,
    "tanh": lambda y: y.tanh(),
    "scale": lambda y: y * 0.5 + 1,
    "gelu": F.gelu,
    "square": lambda y: y * y,
    "transpose": lambda y: y.mT if y.ndim > 1 else y,
}
BEFORE: dict[str, Callable[[Any], Any]] = {
    "": lambda x: x,
    "sin": lambda x: x.sin(),
    "scale": lambda x: x * 2 - 1,
}


def product(b: Builder) -> Step | None:
    """``x @ w`` with a `w` that fits, often new, read as it is or transposed."""
    first = b.pick(lambda one: one.kind == "f" and 1 <= len(one.shape) <= 4)
    if first is None:
        return None
    x = b[first]
    terms = x.shape[-1]
    turned = b.chance(0.4)
    if b.chance(0.6):
        columns = int(b.rng.choice(b.sizes.palette))
        batch: tuple[int, ...] = ()
        if len(x.shape) > 2 and b.chance(0.5):
            batch = tuple(n if b.chance(0.7) else 1 for n in x.shape[:-2])
        shape = (*batch, columns, terms) if turned else (*batch, terms, columns)
        if b.chance(0.1):
            shape, turned = (terms,), False
        if not b.fits(shape):
            return None
        second = b.source(shape, x.dtype)
    else:
        fits = [
            n for n, one in enumerate(b.drawn)
            if one.dtype == x.dtype and len(one.shape) == 2 and one.shape[turned] == terms
        ]  # fmt: skip
        if not fits:
            return None
        second = fits[b.below(len(fits))]
    columns = b[second].shape[-2 if turned else -1] if len(b[second].shape) > 1 else 1
    if x.size * columns > MOST:
        return None
    before, after = b.choose(sorted(BEFORE)), b.choose(sorted(AFTER))
    factor = 0.5 / max(1.0, math.sqrt(terms))
    left = len(x.shape) == 2 and not turned and b.chance(0.2)

    def plain(v: Any, w: Any) -> Any:
        other = w.mT if turned else w
        if left and other.ndim == 2:  # as the product of the transposed operands
            return (other.mT @ v.mT).mT
        return gc.matmul(v, other)

    def apply(v: Any, w: Any) -> Any:
        return AFTER[after](plain(BEFORE[before](v), w) * factor)

    text = f"matmul{' turned' * turned}{' left' * left} {before}, {after}".rstrip(", ")
    return Step(text, (first, second), apply, False, magnitudes(plain, factor * math.sqrt(terms)))


def magnitudes(plain: Callable[[Any, Any], Any], scale: float) -> Spread:
    """In proportion to the largest product of magnitudes, times a number."""

    def spread(operands: Sequence[Array], result: Array) -> float:
        v, w = (gc.tensor(np.where(np.isfinite(x), np.abs(x), 0) + 1) for x in operands)
        largest = plain(v, w).numpy().max(initial=0.0)
        return float(scale * largest * np.abs(result[np.isfinite(result)]).max(initial=1.0))

    return spread
