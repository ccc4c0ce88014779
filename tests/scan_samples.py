"""Operands for scans and sorting: plain arrays and attributes, which op_samples.py collects."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Operands = tuple[tuple[Array, ...], Mapping[str, Any]]
Maker = Callable[[np.random.Generator], Iterator[Operands]]

BOOLS: list[Any] = [np.bool_]
INTS: list[Any] = [np.uint8, np.int8, np.int16, np.int32, np.int64]
FLOATS: list[Any] = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
COMPLEXES: list[Any] = [np.complex64, np.complex128]
SHAPES = [((7,), 0), ((1,), 0), ((0,), 0), ((3, 4), 0), ((3, 4), 1), ((2, 0, 3), 1), ((2, 3, 2), 1)]


def _values(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Array:
    """Small whole numbers and halves: many are equal, and their sums are exact."""
    return (rng.integers(0 if dtype in (np.uint8, np.bool_) else -2, 3, shape) * 0.5).astype(dtype)


def scans(dtypes: list[Any], **attrs: Any) -> Maker:
    """One operand of each dtype, along each dim, in several layouts."""

    def make(rng: np.random.Generator) -> Iterator[Operands]:
        for dtype in dtypes:
            for shape, dim in SHAPES:
                yield (_values(rng, shape, dtype),), {"dim": dim, **attrs}
            yield (_values(rng, (4, 6), dtype)[::-1, ::2].T,), {"dim": 1, **attrs}
        yield (rng.normal(size=(3, 5)).astype(dtypes[-1]),), {"dim": 1, **attrs}
        yield (rng.normal(size=(3, 5)).astype(dtypes[-1]),), {"dim": 0, **attrs}

    return make


def scans_with_specials(dtypes: list[Any], **attrs: Any) -> Maker:
    """Besides, NaN, infinities and both zeros."""

    def make(rng: np.random.Generator) -> Iterator[Operands]:
        yield from scans(dtypes, **attrs)(rng)
        hostile = [[0.0, -0.0, 1, 1, np.nan, 2, np.nan], [np.inf, 1, -np.inf, np.inf, 3, 3, -1]]
        for dtype in FLOATS:
            yield (np.array(hostile).astype(dtype),), {"dim": 1, **attrs}

    return make


def logarithms(rng: np.random.Generator) -> Iterator[Operands]:
    """Large, small and infinite exponents."""
    yield from scans(FLOATS)(rng)
    rows = [[-np.inf, -np.inf, 1, 2], [np.inf, 0, -np.inf, 1], [1000, 999, -1000, 0],
            [0, np.nan, 1, 2]]  # fmt: skip
    yield (np.array(rows),), {"dim": 1}


def recurrences(rng: np.random.Generator) -> Iterator[Operands]:
    """Factors and terms."""
    for dtype in FLOATS + COMPLEXES:
        for shape, dim in SHAPES:
            yield (_values(rng, shape, dtype), _values(rng, shape, dtype)), {"dim": dim}
    a, b = rng.normal(size=(2, 4, 3))
    yield (a, b), {"dim": 0}
    yield (np.asfortranarray(a), b[:, ::-1]), {"dim": 1}


def medians(rng: np.random.Generator) -> Iterator[Operands]:
    """Vectors of odd and even size, with equal elements and NaN."""
    for skip_nan in (False, True):
        for dtype in BOOLS + INTS + FLOATS:
            for size in (1, 2, 7):
                yield (_values(rng, (size,), dtype),), {"skip_nan": skip_nan}
        for dtype in FLOATS:
            for row in ([np.nan, 3, 1, np.nan, 2], [np.nan], [np.inf, -np.inf, np.inf, 0, 1]):
                yield (np.array(row).astype(dtype),), {"skip_nan": skip_nan}
        yield (rng.normal(size=(8,))[::-2],), {"skip_nan": skip_nan}


def sorts(rng: np.random.Generator) -> Iterator[Operands]:
    """In both directions."""
    for descending in (False, True):
        yield from scans_with_specials(BOOLS + INTS + FLOATS, descending=descending)(rng)


def sorted_parts(rng: np.random.Generator) -> Iterator[Operands]:
    """The first, the last, all and none of each lane."""
    for operands, attrs in sorts(rng):
        size = operands[0].shape[attrs["dim"]]
        for start, stop in {(0, size // 2), (max(size - 1, 0), size), (0, size), (0, 0)}:
            yield operands, {**attrs, "start": start, "stop": stop}


SCAN_SAMPLES: dict[str, Maker] = {
    "cumsum": scans(BOOLS + INTS + COMPLEXES + FLOATS),
    "cumprod": scans(INTS + COMPLEXES + FLOATS),
    "logcumsumexp": logarithms,
    "recurrence": recurrences,
    "cumargmax": scans_with_specials(BOOLS + INTS + FLOATS),
    "cumargmin": scans_with_specials(BOOLS + INTS + FLOATS),
    "median": medians,
    "argsort": sorts,
    "sort": sorts,
    "argsort_part": sorted_parts,
}
