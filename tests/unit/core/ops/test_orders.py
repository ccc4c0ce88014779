"""Orders and ranks of long lanes, which are found by keys, against numpy's stable sort."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from graphc.ops.orders import some_positions, sorted_values, stable_order
from graphc.storage import Array

DTYPES = [
    np.float32, np.float64, np.int64, np.int32, np.int16, np.int8, np.uint8, np.bool_,
    np.float16, ml_dtypes.bfloat16,
]  # fmt: skip
SHAPES = [((5000,), 0), ((700, 3), 0), ((3, 9001), 1), ((2, 600, 2), 1), ((3, 4), 0), ((3, 0), 1)]
PARTS = [(0, 0), (0, 1), (0, 5), (2, 9), (350, 351)]


def values(dtype: Any, shape: tuple[int, ...], kind: str) -> Array:
    """Many equal numbers, specials among them, or hardly any equal numbers."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=shape) * (2.0**30 if kind == "different" else 40)
    if kind != "different":
        x = x.round()
    if np.dtype(dtype).kind in "iub":
        low, high = (0, 1) if dtype is np.bool_ else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        return np.clip(x, low, high).astype(dtype)
    if kind == "special" and x.size:
        for special in (np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0):
            x.flat[rng.integers(0, x.size, 7)] = special
    with np.errstate(over="ignore"):
        return x.astype(dtype)


def reference(x: Array, dim: int, descending: bool) -> Array:
    wide = x.astype(np.float64) if np.dtype(x.dtype).kind not in "iub" else x
    if not descending:
        return np.argsort(wide, dim, kind="stable")
    backwards = np.argsort(np.flip(wide, dim), dim, kind="stable")
    return x.shape[dim] - 1 - np.flip(backwards, dim)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("kind", ["equal", "special", "different"])
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: np.dtype(dtype).name)
def test_orders_and_values_have_the_bits_of_a_stable_sort(
    dtype: Any, kind: str, descending: bool
) -> None:
    for shape, dim in SHAPES:
        for x in (values(dtype, shape, kind), values(dtype, shape[::-1], kind).T):
            before = x.copy()
            order = reference(x, dim, descending)
            found = stable_order(x, dim, descending)
            assert found.dtype == np.int64
            assert found.flags.c_contiguous
            np.testing.assert_array_equal(found, order)
            ordered = sorted_values(x, dim, descending)
            assert ordered.dtype == x.dtype
            assert ordered.flags.c_contiguous
            assert ordered.tobytes() == np.take_along_axis(x, order, dim).tobytes()
            for start, stop in [*PARTS, (max(x.shape[dim] - 3, 0), x.shape[dim])]:
                if stop <= x.shape[dim]:
                    some = some_positions(x, dim, start, stop, descending)
                    wanted = np.take(order, range(start, stop), dim)
                    np.testing.assert_array_equal(some, wanted)
            assert x.tobytes() == before.tobytes()
