"""Which dtypes are positions and which are masks; bools without dims; more than one ``...``."""

import warnings
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import IndexRangeError, SymbolicValueError
from tests.both_modes import check_both
from tests.torch_oracle import check

MATRIX = np.arange(6.0).reshape(3, 2)


@pytest.mark.parity
@pytest.mark.parametrize(
    ("index", "dtype"),
    [([0, 1, 1], "uint8"), ([2, -1], "int32"), ([2, -1], "int64"), ([True, False, True], "bool"),
     ([[0, 1], [1, 0], [3, 3]], "uint8"), (1, "uint8"), (0, "uint8"), (1, "int8"), (-1, "int16")],
)  # fmt: skip
def test_dtypes_of_an_index(index: Any, dtype: str) -> None:
    def read(m: Any, x: Any) -> Any:
        return x[m.tensor(index, dtype=getattr(m, dtype))]

    is_mask = dtype in ("bool", "uint8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's: bytes are deprecated
        check(read, MATRIX, record=not is_mask)


def test_bytes_write_as_masks_do() -> None:
    def write(x: Any, mask: Any) -> Any:
        y = x * 1
        y[mask] = 9.0
        return y

    outcome = check_both(write, MATRIX, np.array([0, 1, 2], np.uint8))
    np.testing.assert_array_equal(outcome.outputs[0], [[0, 1], [9, 9], [9, 9]])
    put = gc.zeros(3).index_put((gc.tensor([0, 1, 0], dtype=gc.uint8),), gc.tensor(5.0))
    assert put.tolist() == [0, 5, 0]
    assert gc.arange(3)[np.array([0, 1, 1], np.uint8)].tolist() == [1, 2]
    assert gc.arange(3)[np.array([0, 1, 1], np.int8)].tolist() == [0, 1, 1]


@pytest.mark.parametrize("dtype", [gc.int8, gc.int16])
def test_small_integers_are_no_index(dtype: gc.DType) -> None:
    x, index = gc.zeros(3, 2), gc.tensor([0, 1], dtype=dtype)
    with pytest.raises(IndexRangeError, match="of this dtype is no index"):
        x[index]
    with pytest.raises(IndexRangeError, match="of this dtype is no index"):
        x[:, index] = 1.0


KEYS = [
    True, False, (True, 0), (0, True), (slice(None), True), (True, True), (True, False),
    (..., True), (..., ...), (0, ..., ...), (..., 0, ...), (None, True), ([0, 1], True),
    (True, [0, 1]), ([0, 1], slice(None), True), (slice(None), [0, 1], True),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("key", KEYS, ids=str)
def test_bools_and_ellipses(key: Any) -> None:
    def write(m: Any, x: Any) -> Any:
        y = x * 1
        y[key] = 9.0
        return y

    check(lambda m, x: x[key], MATRIX)
    check(write, MATRIX)


@pytest.mark.parity
@pytest.mark.parametrize("truth", [True, False])
@pytest.mark.parametrize("array", [np.array(5.0), MATRIX, np.zeros((0, 2))], ids=lambda x: x.shape)
def test_a_mask_without_dims(array: Any, truth: bool) -> None:
    def write(m: Any, x: Any) -> Any:
        y = x * 1
        y[m.tensor(truth)] = 3
        return y

    check(lambda m, x: x[m.tensor(truth)], array, record=False)
    check(lambda m, x: x[truth], array)
    check(write, array)


def test_bools_without_torch() -> None:
    x = gc.arange(4).reshape(2, 2)
    assert x[True].shape == (1, 2, 2)
    assert x[False].shape == (0, 2, 2)
    assert x[..., gc.tensor(True)].shape == (2, 2, 1)
    x[gc.tensor(False)] = 7
    assert x.tolist() == [[0, 1], [2, 3]]
    x[gc.tensor(True), 0] = 7
    assert x.tolist() == [[7, 7], [2, 3]]
    with pytest.raises(IndexRangeError, match="behind a second"):
        x[..., ..., 0]
    with pytest.raises(SymbolicValueError, match="a shape that depends on values"):
        gc.compile(lambda x: x[x.sum() > 0])(gc.ones(2))


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["float16", "float64", "int64"])
def test_lerp_casts_a_weight_without_dims(dtype: str) -> None:
    ends = [np.array([1.0, 2.0], np.float32), np.array([3.0, 5.0], np.float32)]
    check(lambda m, a, b: m.lerp(a, b, m.tensor(0.25, dtype=m.float64)), *ends)
    check(lambda m, a, b: m.lerp(a, b, m.tensor(1, dtype=getattr(m, dtype))), *ends)
