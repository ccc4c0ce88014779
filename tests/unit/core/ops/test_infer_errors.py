"""Ill-typed applications raise the right class, with what was found and what would do."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from graphc.dims import Dim
from graphc.dtypes import DTYPES, DType, from_short
from graphc.errors import (
    ArgumentError,
    DTypeError,
    GraphcError,
    IndexRangeError,
    ShapeError,
)
from graphc.opdef import Trait, all_ops, get_op
from graphc.types import TensorType, TupleType
from tests.op_samples import samples


def type_from(text: str) -> TensorType:
    short, sizes = text.removesuffix("]").split("[")
    shape = tuple(int(s) if s.isdigit() else Dim.named(s) for s in sizes.split(",") if s)
    return TensorType(shape, from_short(short))


@pytest.mark.parametrize(
    ("name", "operands", "attrs", "error", "message"),
    [
        ("add", "f32[2] f32[3]", {}, ShapeError, "do not broadcast\n  got: f32[2] and f32[3]"),
        ("add", "f32[N] f32[N,M]", {}, None, ""),
        ("add", "f32[N,2] f32[N,3]", {}, ShapeError, "do not broadcast"),
        ("add", "f32[2] f64[2]", {}, DTypeError, "one dtype\n  got: float32, float64"),
        ("sub", "bool[2] bool[2]", {}, DTypeError, "integer or floating point or complex"),
        ("exp", "i32[2]", {}, DTypeError, "got: int32\n  expected: floating point"),
        ("lt", "c64[2] c64[2]", {}, DTypeError, "operand 0"),
        ("logical_and", "i32[2] i32[2]", {}, DTypeError, "expected: bool"),
        ("bitwise_and", "f32[2] f32[2]", {}, DTypeError, "expected: bool or integer"),
        ("shift_left", "bool[2] bool[2]", {}, DTypeError, "expected: integer"),
        ("where", "f32[2] f32[2] f32[2]", {}, DTypeError, "where: operand 0"),
        ("where", "bool[2] f32[2] f64[2]", {}, DTypeError, "one dtype"),
        ("where", "bool[4] f32[2] f32[2]", {}, ShapeError, "broadcast"),
        ("sum", "f32[2]", {"dims": (1,)}, ArgumentError, "got: 1\n  expected: 0..0 for 1 dims"),
        ("sum", "f32[2]", {"dims": (-1,)}, ArgumentError, "dim out of range"),
        ("amax", "f32[2,0]", {"dims": (1,)}, ShapeError, "no elements"),
        ("amax", "f32[2,0]", {"dims": (0,)}, None, ""),
        ("argmax", "f32[2,3]", {"dims": (0, 1)}, ShapeError, "one dim"),
        ("argmin", "c64[2]", {"dims": (0,)}, DTypeError, "unsupported dtype"),
        ("reshape", "f32[2,3]", {"shape": (7,)}, ShapeError, "f32[2,3] has 6, [7] has 7"),
        ("reshape", "f32[2,3]", {"shape": (-2, -3)}, ArgumentError, "negative"),
        ("permute", "f32[2,3]", {"dims": (0, 0)}, ArgumentError, "every dim once"),
        ("permute", "f32[2,3]", {"dims": (1,)}, ArgumentError, "2 dims"),
        ("expand", "f32[2,3]", {"shape": (4, 3)}, ShapeError, "f32[2,3] to [4,3]"),
        ("expand", "f32[2,3]", {"shape": (3,)}, ShapeError, "size 1"),
        (
            "slice", "f32[4]", {"starts": (2,), "stops": (1,), "steps": (1,)},
            ArgumentError, "2:1:1 of size 4",
        ),
        (
            "slice", "f32[4]", {"starts": (0,), "stops": (5,), "steps": (1,)},
            ArgumentError, "dim 0",
        ),
        (
            "slice", "f32[4]", {"starts": (0,), "stops": (4,), "steps": (0,)},
            ArgumentError, "step >= 1",
        ),
        (
            "slice", "f32[4,4]", {"starts": (0,), "stops": (4,), "steps": (1,)},
            ArgumentError, "one start, stop and step per dim",
        ),
        (
            "pad", "f32[4]", {"low": (-1,), "high": (0,), "interior": (0,), "value": 0.0},
            ArgumentError, "negative",
        ),
        (
            "pad", "f32[4,4]", {"low": (1,), "high": (0,), "interior": (0,), "value": 0.0},
            ArgumentError, "one amount per dim",
        ),
        (
            "pad", "u8[4]", {"low": (1,), "high": (0,), "interior": (0,), "value": -2},
            ArgumentError, "pad: uint8 has no such value",
        ),
        ("flip", "f32[4]", {"dims": (1,)}, ArgumentError, "flip: dim out of range"),
        ("flip", "f32[4,2]", {"dims": (1, 1)}, ArgumentError, "flip: a dim is named twice"),
        ("sum", "f32[4,2]", {"dims": (1, 1)}, ArgumentError, "sum: a dim is named twice"),
        ("concat", "f32[2] f64[2]", {"dim": 0}, DTypeError, "one dtype"),
        ("concat", "f32[2,3] f32[2]", {"dim": 0}, ShapeError, "f32[2,3], f32[2]"),
        ("concat", "f32[2,3] f32[2,4]", {"dim": 0}, ShapeError, "every dim but 0"),
        ("concat", "f32[]", {"dim": 0}, ArgumentError, "dim out of range"),
        ("matmul", "f32[3] f32[3,2]", {}, ShapeError, "two dims or more"),
        ("matmul", "f32[2,3] f32[4,2]", {}, ShapeError, "inner sizes differ, 3 and 4"),
        ("matmul", "f32[2,2,3] f32[3,3,2]", {}, ShapeError, "batch dims"),
        ("matmul", "f32[2,3] f64[3,2]", {}, DTypeError, "one dtype"),
        ("index", "f32[4] f32[2]", {"dims": (0,)}, DTypeError, "index: operand 0"),
        ("index", "f32[4,4] i64[2] i64[2]", {"dims": (1, 0)}, ShapeError, "ascending"),
        ("index", "f32[4,4] i64[2]", {"dims": (0, 1)}, ShapeError, "one index per dim"),
        ("index", "f32[4,4] i64[2] i64[3]", {"dims": (0, 1)}, ShapeError, "do not broadcast"),
        ("index", "f32[4] i64[2]", {"dims": (3,)}, ArgumentError, "dim out of range"),
        ("index_add", "f32[3] i64[2]", {"shape": (4,), "dims": (0,)}, ShapeError, "indexed shape"),
        (
            "index_add", "f32[2] i64[2]", {"shape": (4,), "dims": (1,)},
            ArgumentError, "dim out of range",
        ),
        ("gather", "f32[2,3] i64[2]", {"dim": 0}, ShapeError, "rank"),
        ("gather", "f32[2,3] i64[3,3]", {"dim": 1}, ShapeError, "no larger"),
        ("gather", "f32[2,3] f32[2,3]", {"dim": 1}, DTypeError, "operand 0"),
        ("scatter_add", "f32[4] i64[3] f32[2]", {"dim": 0}, ShapeError, "fit inside the source"),
        ("scatter_add", "f32[4] i64[3] f64[3]", {"dim": 0}, DTypeError, "one dtype"),
        ("random_bits", "i64[3]", {"call": 0, "shape": (2,)}, ShapeError, "i64[2]"),
        ("normal_from_bits", "i64[2] i64[2]", {"dtype": from_short("f32")}, DTypeError, "int32"),
        ("normal_from_bits", "i32[2] i32[2]", {"dtype": from_short("i32")}, DTypeError, "floating"),
        ("polygamma", "i32[2]", {"n": 1}, DTypeError, "polygamma: operand 0"),
        ("polygamma", "f32[2]", {"n": 0}, ArgumentError, "order must be positive"),
        ("complex", "f32[2] f64[2]", {}, DTypeError, "one dtype"),
        ("complex", "f16[2] f16[2]", {}, DTypeError, "float32 or float64"),
        ("real", "f32[2]", {}, DTypeError, "expected: complex"),
        ("iota", "", {"shape": (2,), "dim": 1, "dtype": from_short("f32")}, ShapeError, "iota"),
        ("item", "f32[2]", {"index": 0}, ShapeError, "item 0 of f32[2]"),
    ],
)  # fmt: skip
def test_wrong_operands(
    name: str,
    operands: str,
    attrs: Mapping[str, Any],
    error: type[GraphcError] | None,
    message: str,
) -> None:
    types = [type_from(text) for text in operands.split()]
    if error is None:
        get_op(name).infer(*types, **attrs)
        return
    with pytest.raises(error) as caught:
        get_op(name).infer(*types, **attrs)
    assert message in str(caught.value)


def test_item_out_of_range() -> None:
    both = TupleType((type_from("f32[2]"),))
    with pytest.raises(ShapeError, match="no such result"):
        get_op("item").infer(both, index=1)


ELEMENTWISE = [op.name for op in all_ops() if op.traits & Trait.ELEMENTWISE]


WITH_ATTRIBUTES = {"cast", "normal_from_bits", "polygamma"}


@pytest.mark.parametrize("name", [n for n in ELEMENTWISE if n not in WITH_ATTRIBUTES])
def test_dtypes_are_accepted_where_there_are_samples_and_refused_elsewhere(name: str) -> None:
    sampled: set[DType] = set()
    for sample in samples(name):
        last = sample.types[-1]
        assert isinstance(last, TensorType)
        sampled.add(last.dtype)
    arity = len(samples(name)[0].arrays)
    for dtype in DTYPES:
        types = [TensorType((), dtype)] * arity
        if name == "where":
            types[0] = TensorType((), from_short("bool"))
        if dtype in sampled:
            get_op(name).infer(*types)
        else:
            with pytest.raises(DTypeError, match=name):
                get_op(name).infer(*types)


@pytest.mark.parametrize(
    ("name", "arrays", "attrs"),
    [
        ("index", "values indices", {"dims": (0,)}),
        ("gather", "values indices", {"dim": 0}),
        ("index_add", "values indices", {"dims": (0,), "shape": (3,)}),
        ("scatter_add", "values indices values", {"dim": 0}),
    ],
)
@pytest.mark.parametrize("position", [-1, 3, 2**40])
def test_positions_outside_raise(
    name: str, arrays: str, attrs: Mapping[str, Any], position: int
) -> None:
    named = {"values": np.zeros(3), "indices": np.array([0, position, 1])}
    with pytest.raises(IndexRangeError) as caught:
        get_op(name).eval(*(named[each] for each in arrays.split()), **attrs)
    assert f"got: {position}\n  expected: 0..2" in str(caught.value)
