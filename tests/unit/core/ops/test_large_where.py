"""``where`` over many elements chooses bits: any of them, of any size, however operands lie."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from graphc.ops.select import where

DTYPES = [np.float32, np.float64, np.float16, ml_dtypes.bfloat16, np.int8, np.int64, np.bool_,
          np.complex64, np.complex128]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_bit_is_kept(dtype: Any) -> None:
    random = np.random.default_rng(0)
    shape = (65, 131)
    nbytes = shape[0] * shape[1] * np.dtype(dtype).itemsize
    a, b = (np.frombuffer(random.bytes(nbytes), np.uint8).copy() for _ in range(2))
    if dtype is np.bool_:
        a, b = a & 1, b & 1
    a, b = (each.view(dtype).reshape(shape) for each in (a, b))
    condition = random.random(shape) < 0.5
    flags = condition.astype(bool)
    for yes, no, which in (
        (a, b, flags),
        (a[:1], b, flags),
        (a[0, 0], b, flags),
        (a, b[:, :1], flags),
        (np.asfortranarray(a), b[::-1], flags.T.copy().T),
        (a, b, flags[:, ::-1]),
        (a[:, :1], b[0, 0], flags),
        (a, b, flags[:1]),
    ):
        got = where.eval(which, np.asarray(yes, dtype), np.asarray(no, dtype))
        wide = [np.broadcast_to(each, shape) for each in (which, yes, no)]
        expected = np.empty(shape, dtype)
        expected[...] = wide[2]
        expected[wide[0]] = wide[1][wide[0]]
        assert got.dtype == expected.dtype
        assert got.flags.c_contiguous
        assert got.tobytes() == expected.tobytes()
