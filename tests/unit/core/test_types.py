"""Types of values."""

import pickle

import pytest

from graphc.dims import Dim
from graphc.dtypes import bfloat16, float32, int64
from graphc.errors import ShapeError
from graphc.types import TensorType, TupleType

N = Dim.named("N")


def test_a_static_type() -> None:
    type = TensorType((2, 0, 3), bfloat16)
    assert (type.rank, type.numel, type.nbytes, type.is_static) == (3, 0, 0, True)
    assert type.static_shape == (2, 0, 3)
    assert str(type) == "bf16[2,0,3]"
    assert str(TensorType((), float32)) == "f32[]"


def test_a_type_with_unknown_sizes() -> None:
    type = TensorType((N, 4), float32)
    assert type.numel == 4 * N
    assert not type.is_static
    assert str(type) == "f32[N,4]"
    for ask in ("static_shape", "nbytes"):
        with pytest.raises(ShapeError, match="known only at run time"):
            getattr(type, ask)


def test_equality_is_by_content() -> None:
    assert TensorType((N, 4), float32) == TensorType((Dim.named("N"), 4), float32)
    assert TensorType((2,), float32) != TensorType((2,), int64)
    assert TensorType((2,), float32) != TensorType((2, 1), float32)
    assert TensorType((2,), int64).with_dtype(float32).with_shape((3,)) == TensorType((3,), float32)


def test_a_tuple_of_types() -> None:
    both = TupleType((TensorType((2,), float32), TensorType((), int64)))
    assert str(both) == "(f32[2], i64[])"
    assert pickle.loads(pickle.dumps(both)) == both
