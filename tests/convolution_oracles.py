"""Oracles for convolutions: sums of products of Python numbers, element by element."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def conv(
    x: Array, weight: Array, *, stride: tuple[int, ...], dilation: tuple[int, ...], groups: int,
    low: tuple[int, ...] = (), high: tuple[int, ...] = (),
) -> Array:  # fmt: skip
    """Each element of the result on its own."""
    if low:
        x = np.pad(x, [(0, 0), (0, 0), *zip(low, high, strict=True)])
    spatial = [
        len(range(0, size - (k - 1) * gap, step))
        for size, k, gap, step in zip(x.shape[2:], weight.shape[2:], dilation, stride, strict=True)
    ]
    result = np.zeros((len(x), len(weight), *spatial))
    for place in np.ndindex(*result.shape):
        n, out, *at = place
        group = out // (len(weight) // groups)
        products = []
        for channel, *k in itertools.product(*map(range, weight.shape[1:])):
            source = [a * s + b * d for a, s, b, d in zip(at, stride, k, dilation, strict=True)]
            value = x[(n, group * weight.shape[1] + channel, *source)]
            products.append(float(value) * float(weight[(out, channel, *k)]))
        finite = all(map(math.isfinite, products))
        result[place] = math.fsum(products) if finite else sum(products)
    return result.astype(x.dtype)


CONVOLUTION_ORACLES: dict[str, Callable[..., Array]] = {"conv": conv}
