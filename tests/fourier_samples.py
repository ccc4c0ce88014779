"""Operands for Fourier transforms: plain arrays and attributes, which op_samples.py collects."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.scan_samples import COMPLEXES, Array, Operands

NORMS = ("forward", "backward", "ortho")
REAL: list[Any] = [np.float32, np.float64]
SHAPES = [((6,), 0), ((5,), 0), ((1,), 0), ((2,), 0), ((3, 4), 0), ((2, 3, 2), 1), ((0, 3), 1)]


def _complex(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Array:
    return np.asarray(rng.normal(size=shape) + 1j * rng.normal(size=shape), dtype)


def _transforms(rng: np.random.Generator) -> Iterator[Operands]:
    several = [((3, 4), (0, 1)), ((2, 5, 3), (2, 0))]
    for dtype in COMPLEXES:
        for norm in NORMS:
            for inverse in (False, True):
                attrs = {"inverse": inverse, "norm": norm}
                for shape, dims in [*((s, (d,)) for s, d in SHAPES), *several]:
                    yield (_complex(rng, shape, dtype),), {"dims": dims, **attrs}
                yield (_complex(rng, (4, 6), dtype)[::-1, ::2].T,), {"dims": (1,), **attrs}
                for shape, dims in [((6,), (0,)), ((3, 5), (1,)), *several]:
                    parts = _complex(rng, shape, dtype).real
                    yield (np.ascontiguousarray(parts),), {"dims": dims, **attrs}


def _of_real(rng: np.random.Generator) -> Iterator[Operands]:
    for dtype in REAL:
        for norm in NORMS:
            for doubled in (False, True):
                for shape, dim in SHAPES:
                    attrs = {"dim": dim, "norm": norm, "doubled": doubled}
                    yield (rng.normal(size=shape).astype(dtype),), attrs
                yield (rng.normal(size=(4, 6)).astype(dtype)[::-1, ::2].T,), attrs | {"dim": 0}


def _to_real(rng: np.random.Generator) -> Iterator[Operands]:
    for dtype in COMPLEXES:
        for norm in NORMS:
            for halved in (False, True):
                for shape, dim in SHAPES:
                    last = 2 * (shape[dim] - 1)
                    for size in (last, last + 1) if last else (1,):
                        attrs = {"dim": dim, "size": size, "norm": norm, "halved": halved}
                        yield (_complex(rng, shape, dtype),), attrs


FOURIER_SAMPLES = {"fft": _transforms, "rfft": _of_real, "irfft": _to_real}
