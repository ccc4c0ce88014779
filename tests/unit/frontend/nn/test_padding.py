"""Padding with complex numbers."""

import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc.errors import DTypeError


def test_complex_numbers_surround_complex_ones() -> None:
    padded = gc.constant_pad_nd(gc.ones(1, dtype=gc.complex64), (1, 0), 1 + 2j)
    assert padded.tolist() == [1 + 2j, 1]
    with pytest.raises(DTypeError, match="complex number"):
        F.pad(gc.ones(2), (1, 1), value=1j)
