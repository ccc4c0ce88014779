"""Every elementwise operation and dtype in native code against its numpy definition."""

import itertools
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import graphc.ops.comparison
import graphc.ops.elementwise
import graphc.ops.random
import graphc.ops.select
from graphc.dtypes import DTYPES, DType, float32, float64, of_array
from graphc.errors import CompileError, GraphcError
from graphc.graph import Graph
from graphc.node import Node, make_node
from graphc.opdef import OpDef, Trait, all_ops
from graphc.ops.leaf import placeholder
from graphc.runtime.llvm.math.table import ULP_BOUNDS
from graphc.types import TensorType
from tests.unit.runtime.llvm.guard import Array, reference, run_kernel
from tests.unit.runtime.llvm.harness import targets

REAL = [dtype for dtype in DTYPES if not dtype.is_complex]
FLOATS = [dtype for dtype in REAL if dtype.is_floating_point]
NATIVE = [
    op
    for op in all_ops()
    if op.traits & Trait.ELEMENTWISE
    and not op.traits & Trait.LIBRARY
    and op.name not in ("cast", "where")
]

TWO_OPERANDS = set(
    "add sub mul div floor_divide remainder pow maximum minimum eq ne lt le gt ge logical_and "
    "logical_or logical_xor bitwise_and bitwise_or bitwise_xor shift_left shift_right "
    "normal_from_bits atan2 hypot fmod copysign xlogy xlog1py".split()
)

# numpy's own float32 functions are up to this far from the exact result.
NUMPY_ULP = 4.0
SCIPY_ULP = {"erfc": 64.0}


def values_of(dtype: DType, count: int, seed: int) -> Array:
    """Ordinary and awkward values, shuffled."""
    generator = np.random.default_rng(seed)
    if dtype.is_floating_point:
        special = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.5, 1e-40, -1e-40, 65504.0, -3e38]
        special += [float("inf"), -float("inf"), float("nan"), 6e-8, 1e-45]
        many = np.concatenate([special, generator.normal(size=count) * 4])
    elif dtype.category == 0:
        many = generator.integers(0, 2, count + 4)
    else:
        info = np.iinfo(dtype.numpy)
        special = [0, 1, 2, 3, 7, 31, info.max, info.min, info.max - 1, info.min + 1]
        if info.min:
            special += [-1, -2, -7]
        drawn = generator.integers(info.min, info.max, count, dtype=dtype.numpy, endpoint=True)
        small = generator.integers(0, 9, count).astype(dtype.numpy)
        many = np.concatenate([np.array(special, dtype.numpy), drawn, small])
    generator.shuffle(many)
    with np.errstate(over="ignore"):
        return many[:count].astype(dtype.numpy)


def pairs_of(dtype: DType, arity: int, count: int) -> list[Array]:
    return [values_of(dtype, count, seed) for seed in range(arity)]


def arity_of(op: OpDef) -> int:
    return 2 if op.name in TWO_OPERANDS else 1


def body_of(op: OpDef, arrays: list[Array], **attrs: Any) -> Graph:
    """A body of one operation."""
    inputs: tuple[Node, ...] = tuple(
        placeholder(f"a{k}", TensorType(array.shape, of_array(array)))
        for k, array in enumerate(arrays)
    )
    return Graph(inputs, {"r0": make_node(op, inputs, attrs)})


def assert_close(got: Array, expected: Array, name: str) -> None:
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    half = got.dtype.itemsize == 2
    if got.dtype == ml_dtypes.bfloat16:
        got, expected = got.astype(np.float32), expected.astype(np.float32)
    if name not in ULP_BOUNDS:
        np.testing.assert_array_equal(got, expected)
        if got.dtype.kind == "f":
            known = ~np.isnan(expected) & (expected != 0 if name in TIES else True)
            np.testing.assert_array_equal(np.signbit(got)[known], np.signbit(expected)[known])
        return
    if half:
        tolerance = 2.0**-9 if got.dtype == np.float16 else 2.0**-6
        with np.errstate(over="ignore"):
            wide, exact = got.astype(np.float64), expected.astype(np.float64)
        np.testing.assert_allclose(wide, exact, rtol=tolerance, atol=1e-40)
        return
    bound = SCIPY_ULP.get(name, NUMPY_ULP) + max(ULP_BOUNDS[name])
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    finite = np.isfinite(got) & np.isfinite(expected)
    np.testing.assert_array_equal(got[~finite], expected[~finite])
    spacing = np.spacing(np.abs(expected[finite]).astype(got.dtype))
    assert np.all(np.abs(got[finite] - expected[finite]) <= bound * spacing)


# IEEE leaves open which zero is the larger one.
TIES = {"maximum", "minimum"}


def defined(op: OpDef, dtype: DType) -> bool:
    try:
        op.infer(*[TensorType((3,), dtype)] * arity_of(op), **attrs_of(op))
    except GraphcError:
        return False
    return True


def attrs_of(op: OpDef) -> dict[str, Any]:
    return {"dtype": float32} if op.name == "normal_from_bits" else {}


CASES = [(op, dtype) for op in NATIVE for dtype in REAL if defined(op, dtype)]


@pytest.mark.parametrize("target", targets())
@pytest.mark.parametrize(("op", "dtype"), CASES, ids=lambda part: part.name)
def test_operation(op: OpDef, dtype: DType, target: str) -> None:
    arrays = pairs_of(dtype, arity_of(op), 75)
    body = body_of(op, arrays, **attrs_of(op))
    if target == "baseline" and dtype.name == "float16":
        with pytest.raises(CompileError, match="float16"):
            run_kernel(body, arrays, targets()[target])
        return
    (expected,) = reference(body, arrays)
    (got,) = run_kernel(body, arrays, targets()[target])
    assert_close(got, expected, op.name)


@pytest.mark.parametrize("target", targets())
@pytest.mark.parametrize(
    ("source", "goal"), list(itertools.product(REAL, REAL)), ids=lambda dtype: dtype.name
)
def test_cast(source: DType, goal: DType, target: str) -> None:
    array = values_of(source, 91, 7)
    cast = graphc.ops.select.cast
    body = body_of(cast, [array], dtype=goal)
    if target == "baseline" and "float16" in (source.name, goal.name):
        with pytest.raises(CompileError, match="float16"):
            run_kernel(body, [array], targets()[target])
        return
    (expected,) = reference(body, [array])
    (got,) = run_kernel(body, [array], targets()[target])
    np.testing.assert_array_equal(got.astype(np.float64), expected.astype(np.float64))
    if goal.is_floating_point:
        known = ~np.isnan(expected.astype(np.float64))
        np.testing.assert_array_equal(np.signbit(got)[known], np.signbit(expected)[known])


@pytest.mark.parametrize("target", targets())
@pytest.mark.parametrize("source", FLOATS, ids=lambda dtype: dtype.name)
def test_cast_at_the_ends_of_the_integers(source: DType, target: str) -> None:
    ends = np.array([[0, 1 << bits, -(1 << bits)] for bits in (7, 8, 15, 31, 63)], np.float64)
    with np.errstate(over="ignore"):
        near = ends.astype(source.numpy).ravel()
    beside = [np.nextafter(near, np.asarray(way, source.numpy)) for way in (-np.inf, np.inf)]
    array = np.concatenate([near, *beside, near + 1, near - 1, beside[0] - 1, beside[1] + 1])
    array = array.astype(source.numpy)
    for goal in REAL:
        if goal.is_floating_point or goal.name == "bool":
            continue
        body = body_of(graphc.ops.select.cast, [array], dtype=goal)
        if target == "baseline" and source.name == "float16":
            with pytest.raises(CompileError, match="float16"):
                run_kernel(body, [array], targets()[target])
            continue
        (got,) = run_kernel(body, [array], targets()[target])
        info = np.iinfo(goal.numpy)
        wanted = [
            max(info.min, min(info.max, int(each))) if abs(each) < np.inf
            else info.max if each > 0 else info.min
            for each in map(float, array)
        ]  # fmt: skip
        assert got.tolist() == wanted


@pytest.mark.parametrize("dtype", REAL, ids=lambda dtype: dtype.name)
def test_where(dtype: DType) -> None:
    condition = np.arange(53) % 3 == 0
    arrays = [condition, *pairs_of(dtype, 2, 53)]
    body = body_of(graphc.ops.select.where, arrays)
    assert_close(run_kernel(body, arrays)[0], reference(body, arrays)[0], "where")


def test_normal_numbers_have_the_same_bits() -> None:
    generator = np.random.default_rng(3)
    arrays = [generator.integers(-(2**31), 2**31, 1000).astype(np.int32) for _ in range(2)]
    arrays[0][:4] = [0, -1, 2**31 - 1, -(2**31)]
    body = body_of(graphc.ops.random.normal_from_bits, arrays, dtype=float64)
    for target in targets().values():
        (got,) = run_kernel(body, arrays, target)
        assert got.tobytes() == reference(body, arrays)[0].tobytes()


@pytest.mark.parametrize("name", sorted(TIES))
def test_float16_chooses_between_zeros_as_numpy_does(name: str) -> None:
    zeros = np.array([0.0, -0.0] * 9, np.float16)
    arrays = [zeros, -zeros]
    body = body_of(getattr(graphc.ops.elementwise, name), arrays)
    assert run_kernel(body, arrays)[0].tobytes() == reference(body, arrays)[0].tobytes()


def test_complex_numbers_are_refused() -> None:
    arrays = [np.ones(3, np.complex64)] * 2
    body = body_of(graphc.ops.elementwise.add, arrays)
    with pytest.raises(CompileError, match="complex"):
        run_kernel(body, arrays)


def test_every_elementwise_operation_was_tested() -> None:
    assert {"add", "exp", "normal_from_bits", "shift_left"} <= {op.name for op in NATIVE}
