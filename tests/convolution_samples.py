"""Operands for convolutions: every number of dims, strides, dilations, groups and layouts."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.scan_samples import FLOATS, Maker, Operands

_CASES: list[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...], int]] = [
    ((2, 3, 7), (4, 3, 3), (1,), (1,), 1),
    ((1, 1, 1), (1, 1, 1), (1,), (1,), 1),
    ((2, 4, 8), (6, 2, 2), (3,), (2,), 2),
    ((2, 3, 6), (3, 1, 3), (2,), (1,), 3),
    ((2, 2, 5, 6), (3, 2, 2, 3), (1, 1), (1, 1), 1),
    ((1, 4, 6, 5), (4, 2, 2, 1), (2, 3), (2, 1), 2),
    ((2, 1, 3, 4, 5), (2, 1, 2, 3, 2), (1, 2, 1), (2, 1, 1), 1),
    ((2, 2, 70), (4, 1, 3), (1,), (2,), 2),
    ((0, 2, 4), (3, 2, 2), (1,), (1,), 1),
    ((2, 0, 4), (3, 0, 2), (1,), (1,), 1),
    ((2, 2, 4), (0, 2, 2), (1,), (1,), 1),
]


def convolutions(rng: np.random.Generator) -> Iterator[Operands]:
    """Inputs and kernels."""

    def values(shape: tuple[int, ...], dtype: Any) -> Any:
        return rng.normal(size=shape).astype(dtype)

    for x, weight, stride, dilation, groups in _CASES:
        attrs = {"stride": stride, "dilation": dilation, "groups": groups}
        for dtype in (np.float32, np.float64):
            yield (values(x, dtype), values(weight, dtype)), attrs
        turned = values(x[::-1], np.float64).T, values((*weight[:-1], 2 * weight[-1]), np.float64)
        yield (turned[0], turned[1][..., ::2]), attrs
        yield (turned[0][..., ::-1], turned[1][..., 1::2][::-1]), attrs
    for low, high in (((1, 0), (1, 2)), ((0, 0), (0, 0)), ((0, 3), (2, 0))):
        around = {"stride": (2, 1), "dilation": (1, 1), "groups": 1, "low": low, "high": high}
        yield (values((2, 2, 4, 3), np.float32), values((3, 2, 2, 2), np.float32)), around
    plain = {"stride": (1,), "dilation": (1,), "groups": 1}
    for dtype in FLOATS:
        yield (values((2, 3, 7), dtype), values((4, 3, 3), dtype)), plain
    special = np.array([[[np.nan, 1.0, np.inf, -np.inf, 0.0, 2.0]]])
    yield (special, np.array([[[1.0, -1.0]]])), plain
    wide = np.broadcast_to(values((1, 1, 7), np.float32), (2, 3, 7))
    yield (wide, values((4, 3, 3), np.float32)), plain


CONVOLUTION_SAMPLES: dict[str, Maker] = {"conv": convolutions}
