"""The addresses of arrays, beside those that ctypes gives of single elements."""

import numpy as np
import pytest

from graphc.addresses import address_range
from graphc.storage import Array

BASE = np.arange(24, dtype=np.int16).reshape(2, 3, 4)


@pytest.mark.parametrize(
    "array",
    [
        BASE, BASE[1], BASE[:, ::-1], BASE[::-1, ::-1, ::-2], BASE.T, BASE[0, 1, 2:3],
        np.broadcast_to(BASE[:, :1, 3:], (2, 5, 7)), np.array(3.0), BASE[1, 2, 3:].reshape(()),
        BASE[:, :, 1].copy(),
    ],
)  # fmt: skip
def test_the_range_is_from_the_first_byte_to_behind_the_last(array: Array) -> None:
    starts = [array[(*place, ...)].ctypes.data for place in np.ndindex(array.shape)]
    assert address_range(array) == (min(starts), max(starts) + array.itemsize)


def test_an_array_without_elements_has_no_bytes() -> None:
    low, high = address_range(np.empty((3, 0)))
    assert low == high
