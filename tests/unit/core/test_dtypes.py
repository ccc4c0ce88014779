"""Element types: lookup, and promotion against PyTorch's table."""

import copy
import pickle
from itertools import product

import ml_dtypes
import numpy as np
import pytest

from graphc.dtypes import (
    DTYPES,
    DType,
    as_dtype,
    bfloat16,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    from_short,
    int64,
    of_array,
    promote_types,
    result_type,
)
from graphc.errors import DTypeError
from graphc.frontend.settings.default_dtype import dtype_of_number

PROMOTION = """
      bool u8   i8   i16  i32  i64  f16  bf16 f32  f64  c64  c128
bool  bool u8   i8   i16  i32  i64  f16  bf16 f32  f64  c64  c128
u8    u8   u8   i16  i16  i32  i64  f16  bf16 f32  f64  c64  c128
i8    i8   i16  i8   i16  i32  i64  f16  bf16 f32  f64  c64  c128
i16   i16  i16  i16  i16  i32  i64  f16  bf16 f32  f64  c64  c128
i32   i32  i32  i32  i32  i32  i64  f16  bf16 f32  f64  c64  c128
i64   i64  i64  i64  i64  i64  i64  f16  bf16 f32  f64  c64  c128
f16   f16  f16  f16  f16  f16  f16  f16  f32  f32  f64  c64  c128
bf16  bf16 bf16 bf16 bf16 bf16 bf16 f32  bf16 f32  f64  c64  c128
f32   f32  f32  f32  f32  f32  f32  f32  f32  f32  f64  c64  c128
f64   f64  f64  f64  f64  f64  f64  f64  f64  f64  f64  c128 c128
c64   c64  c64  c64  c64  c64  c64  c64  c64  c64  c128 c64  c128
c128  c128 c128 c128 c128 c128 c128 c128 c128 c128 c128 c128 c128
"""
"""``torch.promote_types``, written down so that the test needs no PyTorch."""


def test_promotion_table() -> None:
    header, *rows = PROMOTION.strip().splitlines()
    for row in rows:
        first, *results = row.split()
        for second, result in zip(header.split(), results, strict=True):
            assert promote_types(from_short(first), from_short(second)) is from_short(result)


@pytest.mark.parity
def test_promotion_is_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    for first, second in product(DTYPES, DTYPES):
        wanted = torch.promote_types(getattr(torch, first.name), getattr(torch, second.name))
        assert str(wanted) == f"torch.{promote_types(first, second).name}", (first, second)


@pytest.mark.parity
def test_mixed_operands_promote_as_in_pytorch() -> None:
    torch = pytest.importorskip("torch")
    numbers = {bool: True, int: 1, float: 1.0, complex: 1j}
    for array, zero_dim in product(DTYPES, DTYPES):
        vector = torch.zeros(1, dtype=getattr(torch, array.name))
        zero = torch.zeros((), dtype=getattr(torch, zero_dim.name))
        wanted = str(torch.result_type(vector, zero))
        wanted = wanted.replace("complex32", "complex64")  # graphc has no complex32
        assert wanted == f"torch.{result_type([array], [zero_dim], []).name}", (array, zero_dim)
    for array, (kind, number) in product(DTYPES, numbers.items()):
        vector = torch.zeros(1, dtype=getattr(torch, array.name))
        wanted = str(torch.result_type(vector, number))
        wanted = wanted.replace("complex32", "complex64")
        found = result_type([array], [], [dtype_of_number(kind)])
        assert wanted == f"torch.{found.name}", (array, kind)


def test_a_scalar_raises_the_category_only() -> None:
    assert result_type([float16], [float64], []) is float16
    assert result_type([int64], [float64], []) is float64
    assert result_type([int64], [], [float32]) is float32
    assert result_type([float64], [], [complex64]) is complex128
    assert result_type([float32], [complex128], []) is complex64
    assert result_type([], [float16], [float32]) is float16
    with pytest.raises(DTypeError):
        result_type([], [], [])


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.name)
def test_every_dtype_is_found_by_all_its_names(dtype: DType) -> None:
    assert as_dtype(dtype) is dtype
    assert as_dtype(dtype.name) is dtype
    assert as_dtype(dtype.numpy) is dtype
    assert as_dtype(dtype.numpy.type) is dtype
    assert from_short(dtype.short) is dtype
    assert of_array(np.zeros(1, dtype.numpy)) is dtype
    assert pickle.loads(pickle.dumps(dtype)) is dtype
    assert copy.deepcopy(dtype) is dtype
    assert dtype.itemsize == dtype.numpy.itemsize


@pytest.mark.parametrize(
    ("like", "name"),
    [
        (bool, "bool"), (int, "int64"), (float, "float64"), (complex, "complex128"),
        ("float", "float32"), ("double", "float64"), ("long", "int64"), ("half", "float16"),
        (np.float64, "float64"), (ml_dtypes.bfloat16, "bfloat16"), (np.dtype(">f4"), None),
        (np.uint32, None), ("flaot32", None), (object, None), (np.dtype("M8[s]"), None),
    ],
)  # fmt: skip
def test_as_dtype(like: object, name: str | None) -> None:
    if name is not None:
        assert as_dtype(like).name == name
        return
    with pytest.raises(DTypeError, match="unknown dtype"):
        as_dtype(like)


def test_a_misspelt_name_gets_a_suggestion() -> None:
    with pytest.raises(DTypeError, match="did you mean 'float32'"):
        as_dtype("flaot32")
    with pytest.raises(DTypeError, match="expected: bool, u8"):
        from_short("float")


def test_kinds() -> None:
    assert [d.short for d in DTYPES if d.is_floating_point] == ["f16", "bf16", "f32", "f64"]
    assert [d.short for d in DTYPES if d.is_complex] == ["c64", "c128"]
    assert not int64.is_differentiable
    assert bfloat16.is_differentiable
    assert repr(float32) == "graphc.float32"
