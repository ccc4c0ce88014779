"""What Fourier transforms are by their definition: sums of products with roots of one."""

import cmath
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def _scale(size: int, norm: str, *, inverse: bool) -> float:
    if norm == "ortho":
        return 1 / math.sqrt(size)
    return 1 / size if (norm == "backward") is inverse else 1.0


def _sums(row: Sequence[complex], norm: str, *, inverse: bool) -> list[complex]:
    size = len(row)
    turn = (2j if inverse else -2j) * math.pi / size
    scale = _scale(size, norm, inverse=inverse)
    return [
        scale * sum(value * cmath.exp(turn * (place * k % size)) for place, value in enumerate(row))
        for k in range(size)
    ]


def _along(array: Array, dim: int, function: Any) -> Array:
    return np.apply_along_axis(function, dim, array) if array.size else array


def transform(x: Array, *, dims: tuple[int, ...], inverse: bool, norm: str) -> Array:
    """Of any values, one dim after the other."""
    result = x.astype(np.complex128)
    for dim in dims:
        result = _along(result, dim, lambda row: np.array(_sums(row, norm, inverse=inverse)))
    return result.astype(np.result_type(x.dtype, np.complex64))


def of_real(x: Array, *, dim: int, norm: str, doubled: bool) -> Array:
    """The first half of all frequencies; what has a mirror image may count twice."""
    size = x.shape[dim]
    half = size // 2 + 1

    def spectrum(row: Array) -> Array:
        first = _sums(row, norm, inverse=False)[:half]
        mirrored = [doubled and 0 < k < size - k for k in range(half)]
        return np.array([2 * f if m else f for f, m in zip(first, mirrored, strict=True)])

    kind = np.result_type(x.dtype, np.complex64)
    if not x.size:
        return np.zeros((*x.shape[:dim], half, *x.shape[dim + 1 :]), kind)
    return _along(x.astype(np.float64), dim, spectrum).astype(kind)


def to_real(x: Array, *, dim: int, size: int, norm: str, halved: bool) -> Array:
    """By the whole spectrum, whose other half is the conjugate of the given one."""

    def values(row: Array) -> Array:
        whole = [0j] * size
        for k, value in enumerate(row):
            mirrored = 0 < k < size - k
            value = value / 2 if halved and mirrored else value
            whole[k] = value if mirrored else complex(value.real)
            if mirrored:
                whole[size - k] = value.conjugate()
        return np.array(_sums(whole, norm, inverse=True)).real

    kind = np.zeros(0, x.dtype).real.dtype
    if not x.size:
        return np.zeros((*x.shape[:dim], size, *x.shape[dim + 1 :]), kind)
    return _along(x.astype(np.complex128), dim, values).astype(kind)


FOURIER_ORACLES = {"fft": transform, "rfft": of_real, "irfft": to_real}
