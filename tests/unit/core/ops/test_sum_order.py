"""Sums add in an order that splitting and merging dims does not change."""

from __future__ import annotations

import numpy as np
import pytest

from graphc.ops.reduce import SUM_BLOCK, sum_

CASES = [  # one shape with its reduced dims, and others that split or merge the same dims
    (((600, 7), (0,)), [((3, 200, 7), (0, 1)), ((600, 1, 7), (0,)), ((600, 1, 7), (0, 1)),
                        ((2, 1, 300, 7), (0, 2)), ((1, 600, 7, 1), (1,))]),
    (((7, 600), (1,)), [((7, 3, 200), (1, 2)), ((7, 600, 1), (1,)), ((7, 600, 1), (1, 2))]),
    (((600,), (0,)), [((600, 1), (0,)), ((20, 30), (0, 1)), ((1, 600, 1), (0, 1, 2))]),
    (((5, 600, 7), (1,)), [((5, 2, 300, 7), (1, 2)), ((5, 600, 7, 1), (1,))]),
]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize(("plain", "others"), CASES)
def test_equal_bits(
    plain: tuple[tuple[int, ...], tuple[int, ...]],
    others: list[tuple[tuple[int, ...], tuple[int, ...]]],
    dtype: type[np.floating],
) -> None:
    random = np.random.default_rng(0)
    shape, dims = plain
    x = (random.standard_normal(shape) * 10.0 ** random.integers(-3, 3, shape)).astype(dtype)
    assert max(shape) > SUM_BLOCK
    expected = sum_.eval(x, dims=dims)
    for other, folded in others:
        found = sum_.eval(x.reshape(other), dims=folded)
        assert found.shape == tuple(1 if d in folded else n for d, n in enumerate(other))
        assert found.tobytes() == expected.tobytes(), (other, folded)


def test_nothing_to_sum() -> None:
    x = np.array([[-0.0, 1.0]], np.float32)
    assert sum_.eval(x, dims=()).tobytes() == np.array([[0.0, 1.0]], np.float32).tobytes()
    assert sum_.eval(np.zeros((0, 3), np.float32), dims=(0,)).tolist() == [[0, 0, 0]]
    assert sum_.eval(np.zeros((0, 3), np.float32), dims=(1,)).shape == (0, 1)
    assert sum_.eval(np.float32(2), dims=()).shape == ()
