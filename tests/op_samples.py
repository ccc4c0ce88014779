"""Operands for every primitive: many shapes, dtypes, layouts and hostile values.

``samples(name, seed)`` gives what the unit tests, the gradient test and the differential tests of
the backends run each operation on. ``smooth_samples`` gives float64 operands away from kinks.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from graphc.dtypes import DTYPES, DType, from_short, of_array
from graphc.graph import Graph
from graphc.literal import Literal
from graphc.node import constant
from graphc.ops.elementwise import add, exp, mul
from graphc.ops.leaf import placeholder
from graphc.ops.reduce import sum_
from graphc.storage import Storage
from graphc.types import TensorType, TupleType
from tests.control_samples import CONTROL_SAMPLES
from tests.convolution_samples import CONVOLUTION_SAMPLES
from tests.fourier_samples import FOURIER_SAMPLES
from tests.matrix_samples import MATRIX_SAMPLES
from tests.put_samples import PUT_SAMPLES
from tests.quantile_samples import QUANTILE_SAMPLES
from tests.scan_samples import SCAN_SAMPLES, Maker

Array = npt.NDArray[Any]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Sample:
    """Operand arrays (a tuple of arrays for ``item``) and attributes of one application."""

    arrays: tuple[Any, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def types(self) -> tuple[TensorType | TupleType, ...]:
        """The operands' types."""
        return tuple(map(type_of, self.arrays))

    def __str__(self) -> str:
        operands = ", ".join(map(str, self.types))
        return f"({operands}) {dict(self.attrs)}"


def type_of(value: Any) -> TensorType | TupleType:
    """The type of an array, or of a tuple of arrays."""
    if isinstance(value, tuple):
        return TupleType(tuple(TensorType(each.shape, of_array(each)) for each in value))
    return TensorType(value.shape, of_array(value))


BOOLS = [dtype for dtype in DTYPES if dtype.category == 0]
INTS = [dtype for dtype in DTYPES if dtype.category == 1]
FLOATS = [dtype for dtype in DTYPES if dtype.category == 2]
COMPLEXES = [dtype for dtype in DTYPES if dtype.category == 3]
ANY = list(DTYPES)
REAL = BOOLS + INTS + FLOATS
NUMBER = INTS + FLOATS + COMPLEXES
F32, F64, I32, I64, BOOL = (from_short(name) for name in ("f32", "f64", "i32", "i64", "bool"))


def hostile(dtype: DType) -> Array:
    """The values at which arithmetic of this dtype goes wrong first."""
    if dtype.category == 0:
        return np.array([False, True])
    if dtype.category == 1:
        limits = np.iinfo(dtype.numpy)
        small = [value for value in (-7, -2, -1, 0, 1, 2, 3, 7) if value >= limits.min]
        return np.array(
            [limits.min, limits.min + 1, *small, limits.max - 1, limits.max], dtype.numpy
        )
    values = [
        np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -1.5, 2.5, 3.0, -3.0, 1e-3,
        0.1, 7.25, -20.0, 88.0,
    ]  # fmt: skip
    if dtype.category == 3:
        parts = [0.0, -0.0, 1.0, -2.5, np.inf, np.nan]
        return np.array([complex(a, b) for a in parts for b in parts], dtype.numpy)
    extremes = {
        "f16": [65504.0, 6e-8, 6.104e-5, -65504.0],
        "bf16": [3.38e38, 1e-40, 1.18e-38, -3.38e38],
        "f32": [3.4028235e38, 1e-45, 1.17549435e-38, -3.4028235e38],
        "f64": [1.7976931348623157e308, 5e-324, 2.2250738585072014e-308, -1.7976931348623157e308],
    }
    return np.array([*values, *extremes[dtype.short]]).astype(dtype.numpy)


def zero_dim(values: Array) -> list[Array]:
    """The first values and the last, each as a 0-d array."""
    return [values[place, ...] for place in (0, 1, -1)]


def ordinary(rng: np.random.Generator, shape: Shape, dtype: DType) -> Array:
    """Random values of moderate size."""
    if dtype.category == 0:
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.category == 1:
        low = 0 if np.iinfo(dtype.numpy).min == 0 else -9
        return rng.integers(low, 10, shape).astype(dtype.numpy)
    values = rng.normal(size=shape)
    if dtype.category == 3:
        return np.asarray(values + 1j * rng.normal(size=shape)).astype(dtype.numpy)
    return np.asarray(values).astype(dtype.numpy)


def layouts(rng: np.random.Generator, shape: Shape, dtype: DType) -> Iterator[Array]:
    """The same shape as C-contiguous, transposed, strided, reversed and broadcast memory."""
    yield ordinary(rng, shape, dtype)
    if shape:
        yield ordinary(rng, shape[::-1], dtype).T
        yield ordinary(rng, (*shape[:-1], shape[-1] * 2), dtype)[..., ::2]
        yield ordinary(rng, shape, dtype)[..., ::-1]
        yield np.broadcast_to(ordinary(rng, shape[-1:], dtype), shape)


SHAPES: list[Shape] = [(), (1,), (7,), (0,), (3, 5), (1, 4), (2, 0, 3), (2, 3, 4), (2, 1, 3, 2)]
PAIRS: list[tuple[Shape, Shape]] = [
    ((), ()), ((3,), ()), ((), (2, 3)), ((2, 3), (3,)), ((4, 1), (1, 5)), ((0,), (1,)),
    ((2, 0, 3), (1, 3)), ((2, 1, 3, 1), (3, 1, 4)), ((1, 1), (3,)),
]  # fmt: skip


def _unary(dtypes: list[DType]) -> Callable[[np.random.Generator], Iterator[Sample]]:
    def make(rng: np.random.Generator) -> Iterator[Sample]:
        for dtype in dtypes:
            yield Sample((hostile(dtype),))
            yield from (Sample((each,)) for each in zero_dim(hostile(dtype)))
        for shape in SHAPES:
            yield Sample((ordinary(rng, shape, dtypes[-1]),))
        for array in layouts(rng, (3, 4), dtypes[0]):
            yield Sample((array,))

    return make


def _without_nan(rng: np.random.Generator) -> Iterator[Sample]:
    for shape in SHAPES:
        for dtype in (F32, F64):
            values = ordinary(rng, shape, dtype)
            yield Sample((values,), {"what": "a gradient is NaN", "where": "model.py:3"})
    yield Sample((np.array([np.inf, -0.0, 1e300]),), {"what": "a gradient is NaN", "where": ""})


def _binary(dtypes: list[DType]) -> Callable[[np.random.Generator], Iterator[Sample]]:
    def make(rng: np.random.Generator) -> Iterator[Sample]:
        for dtype in dtypes:
            values = hostile(dtype)
            yield Sample((values[:, None], values))
            yield from (Sample((each, values[0, ...])) for each in zero_dim(values))
        for left, right in PAIRS:
            yield Sample((ordinary(rng, left, dtypes[-1]), ordinary(rng, right, dtypes[-1])))
        for left_array in layouts(rng, (3, 4), dtypes[0]):
            for right_array in layouts(rng, (3, 4), dtypes[0]):
                yield Sample((left_array, right_array))

    return make


def _shifts(rng: np.random.Generator) -> Iterator[Sample]:
    for dtype in INTS:
        yield Sample((hostile(dtype)[0, ...], np.array(1, dtype.numpy)))
        amounts = np.arange(8 * dtype.itemsize + 2).astype(dtype.numpy)
        yield Sample((hostile(dtype)[:, None], amounts))
    yield Sample((ordinary(rng, (0, 2), I32), np.int32([[1]])))


def _where(rng: np.random.Generator) -> Iterator[Sample]:
    for dtype in ANY:
        values = hostile(dtype)
        yield Sample((ordinary(rng, values.shape, BOOL), values, values[::-1]))
    for left, right in PAIRS:
        yield Sample(
            (ordinary(rng, right, BOOL), ordinary(rng, left, F32), ordinary(rng, right, F32))
        )
    yield Sample((np.array(True), np.array(1, np.float32), np.float32([[2, 3]]).T))


def _cast(rng: np.random.Generator) -> Iterator[Sample]:
    for source in ANY:
        for target in ANY:
            yield Sample((hostile(source),), {"dtype": target})
            for each in zero_dim(hostile(source)):
                yield Sample((each,), {"dtype": target})
    for array in layouts(rng, (3, 4), F64):
        yield Sample((array,), {"dtype": I32})
    for shape in SHAPES:
        yield Sample((ordinary(rng, shape, F32),), {"dtype": I64})


def _reduce(
    dtypes: list[DType], *, empty: bool, several: bool
) -> Callable[[np.random.Generator], Iterator[Sample]]:
    def make(rng: np.random.Generator) -> Iterator[Sample]:
        for dtype in dtypes:
            yield Sample((hostile(dtype),), {"dims": (0,)})
            yield Sample((ordinary(rng, (3, 4, 5), dtype),), {"dims": (1,)})
        for array in layouts(rng, (3, 4), dtypes[-1]):
            for dims in ((0,), (1,), (0, 1), ()):
                if several or len(dims) == 1:
                    yield Sample((array,), {"dims": dims})
        yield Sample((ordinary(rng, (2, 0, 3), F32),), {"dims": (2,)})
        yield Sample((ordinary(rng, (300, 17), F32),), {"dims": (1,)})
        yield Sample((ordinary(rng, (2, 1, 3, 2), F32),), {"dims": (1,)})
        yield Sample((np.float32([[1, 3, 3], [np.nan, 1, np.nan]]),), {"dims": (1,)})
        if several:
            yield Sample((ordinary(rng, (), F32),), {"dims": ()})
            yield Sample((ordinary(rng, (2, 3, 4, 2), F64),), {"dims": (0, 3)})
            yield Sample((ordinary(rng, (1000,), F32),), {"dims": (0,)})
        if empty:
            yield Sample((ordinary(rng, (2, 0, 3), F32),), {"dims": (1,)})
            yield Sample((ordinary(rng, (0,), I32),), {"dims": (0,)})

    return make


def _reshape(rng: np.random.Generator) -> Iterator[Sample]:
    for source, target in (
        ((), (1, 1)), ((6,), (2, 3)), ((2, 3), (6,)), ((2, 3, 4), (4, 6)), ((0, 3), (3, 0, 2)),
        ((1,), ()), ((2, 1, 3), (2, 3)), ((2, 3), (2, 3)),
    ):  # fmt: skip
        for array in layouts(rng, source, F32):
            yield Sample((array,), {"shape": target})
    for dtype in ANY:
        yield Sample((hostile(dtype),), {"shape": (hostile(dtype).size, 1)})


def _permute(rng: np.random.Generator) -> Iterator[Sample]:
    for dims in ((), (0,), (1, 0), (0, 1), (2, 0, 1), (1, 2, 0), (3, 1, 0, 2)):
        for array in layouts(rng, (2, 3, 4, 5)[: len(dims)], F32):
            yield Sample((array,), {"dims": dims})
    yield Sample((ordinary(rng, (0, 3), BOOL),), {"dims": (1, 0)})


def _expand(rng: np.random.Generator) -> Iterator[Sample]:
    for source, target in (
        ((), (2, 3)), ((), ()), ((1,), (4,)), ((3,), (2, 3)), ((2, 1), (2, 5)), ((1,), (0,)),
        ((2, 1, 3), (4, 2, 5, 3)), ((2, 3), (2, 3)), ((0,), (2, 0)),
    ):  # fmt: skip
        yield Sample((ordinary(rng, source, F32),), {"shape": target})
    yield Sample((ordinary(rng, (1, 6), I64)[:, ::2],), {"shape": (2, 3)})


def _slice(rng: np.random.Generator) -> Iterator[Sample]:
    for shape, starts, stops, steps in (
        ((), (), (), ()), ((5,), (0,), (5,), (1,)), ((5,), (1,), (5,), (2,)),
        ((5,), (2,), (2,), (1,)), ((5,), (5,), (5,), (3,)), ((4, 6), (1, 0), (3, 6), (1, 4)),
        ((0, 2), (0, 0), (0, 1), (1, 1)), ((7,), (0,), (6,), (3,)),
        ((2, 3, 4), (0, 1, 0), (2, 3, 4), (1, 1, 5)),
    ):  # fmt: skip
        for array in layouts(rng, shape, F32):
            yield Sample((array,), {"starts": starts, "stops": stops, "steps": steps})


def _pad(rng: np.random.Generator) -> Iterator[Sample]:
    for shape, low, high, interior, value in (
        ((), (), (), (), 1.0), ((3,), (1,), (2,), (0,), 0.0), ((3,), (0,), (0,), (2,), -1.5),
        ((2, 3), (1, 0), (0, 4), (1, 2), float("-inf")), ((0,), (1,), (1,), (3,), 2.0),
        ((1, 2), (0, 0), (0, 0), (5, 0), float("nan")), ((2, 0), (0, 0), (0, 0), (0, 0), 0.0),
    ):  # fmt: skip
        for array in layouts(rng, shape, F32):
            attrs = {"low": low, "high": high, "interior": interior, "value": value}
            yield Sample((array,), attrs)
    for dtype in ANY:
        attrs = {"low": (1,), "high": (0,), "interior": (1,), "value": 1}
        yield Sample((hostile(dtype),), attrs)


def _flip(rng: np.random.Generator) -> Iterator[Sample]:
    for shape, dims in (((), ()), ((4,), (0,)), ((2, 3), (1,)), ((2, 3), (0, 1)), ((0, 2), (0,))):
        for array in layouts(rng, shape, F32):
            yield Sample((array,), {"dims": dims})


def _concat(rng: np.random.Generator) -> Iterator[Sample]:
    for shapes, dim in (
        ([(3,)], 0), ([(2,), (0,), (3,)], 0), ([(2, 3), (2, 1)], 1), ([(1, 3), (2, 3), (4, 3)], 0),
        ([(2, 0, 3), (2, 4, 3)], 1), ([(0, 2), (0, 5)], 1),
    ):  # fmt: skip
        for dtype in (F32, BOOL, I64):
            yield Sample(tuple(ordinary(rng, shape, dtype) for shape in shapes), {"dim": dim})
    yield Sample((ordinary(rng, (3, 2), F32).T, ordinary(rng, (2, 6), F32)[:, ::2]), {"dim": 1})


def _matmul(rng: np.random.Generator) -> Iterator[Sample]:
    for left, right in (
        ((2, 3), (3, 4)), ((1, 1), (1, 1)), ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((2, 3), (3, 0)),
        ((5, 2, 3), (5, 3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((2, 1, 2, 3), (4, 3, 2)),
        ((0, 2, 3), (3, 4)), ((17, 33), (33, 9)),
    ):  # fmt: skip
        for dtype in (F32, F64):
            yield Sample((ordinary(rng, left, dtype), ordinary(rng, right, dtype)))
    for dtype in ANY:
        yield Sample((ordinary(rng, (3, 4), dtype), ordinary(rng, (4, 2), dtype)))
    for left_array in layouts(rng, (3, 4), F32):
        for right_array in layouts(rng, (4, 5), F32):
            yield Sample((left_array, right_array))
    special = np.float32([[np.nan, 1], [np.inf, -np.inf]])
    yield Sample((special, np.float32([[0, 1], [-0.0, 2]])))


def _linear(rng: np.random.Generator) -> Iterator[Sample]:
    for x, weight in (
        ((3,), (4, 3)), ((2, 3), (4, 3)), ((5, 2, 3), (1, 3)), ((2, 1, 2, 3), (4, 3)),
        ((0, 3), (2, 3)), ((2, 0), (3, 0)), ((2, 3), (0, 3)), ((17, 33), (9, 33)),
    ):  # fmt: skip
        for dtype in (F32, F64):
            yield Sample((ordinary(rng, x, dtype), ordinary(rng, weight, dtype)))
    for dtype in ANY:
        yield Sample((ordinary(rng, (3, 4), dtype), ordinary(rng, (2, 4), dtype)))
    for x_array in layouts(rng, (3, 4), F32):
        for weight_array in layouts(rng, (5, 4), F32):
            yield Sample((x_array, weight_array))


def _positions(rng: np.random.Generator, shape: Shape, size: int, dtype: DType = I64) -> Array:
    return rng.integers(0, size, shape).astype(dtype.numpy)


_INDEXED: list[tuple[Shape, tuple[int, ...], list[Shape]]] = [
    ((5,), (0,), [()]), ((5,), (0,), [(7,)]), ((5, 3), (0,), [(2, 2)]), ((5, 3), (1,), [(4,)]),
    ((5, 3), (0, 1), [(4,), (4,)]), ((5, 3), (0, 1), [(4, 1), (3,)]),
    ((2, 3, 4), (0, 2), [(3,), ()]),
    ((2, 3, 4, 5), (1, 3), [(2, 1), (1, 3)]), ((5, 3), (0,), [(0,)]), ((5, 0), (0,), [(2,)]),
]  # fmt: skip


def _index(rng: np.random.Generator) -> Iterator[Sample]:
    for shape, dims, index_shapes in _INDEXED:
        for array in layouts(rng, shape, F32):
            indices = (
                _positions(rng, each, shape[dim])
                for each, dim in zip(index_shapes, dims, strict=True)
            )
            yield Sample((array, *indices), {"dims": dims})
    for dtype in ANY:
        array = ordinary(rng, (4, 3), dtype)
        yield Sample((array, _positions(rng, (6,), 4, I32)), {"dims": (0,)})


def _index_add(rng: np.random.Generator) -> Iterator[Sample]:
    for shape, dims, index_shapes in _INDEXED:
        indices = [
            _positions(rng, each, shape[dim]) for each, dim in zip(index_shapes, dims, strict=True)
        ]
        kept = tuple(size for dim, size in enumerate(shape) if dim not in dims)
        full = (*np.broadcast_shapes(*index_shapes), *kept)
        for values in layouts(rng, full, F32):
            yield Sample((values, *indices), {"shape": shape, "dims": dims})
    for dtype in ANY:
        values = ordinary(rng, (9, 2), dtype)
        repeated = np.array([0, 1, 1, 1, 0, 3, 3, 1, 1])
        yield Sample((values, repeated), {"shape": (4, 2), "dims": (0,)})


def _gather(rng: np.random.Generator) -> Iterator[Sample]:
    for shape, index_shape, dim in (
        ((5,), (7,), 0), ((3, 4), (3, 2), 1), ((3, 4), (6, 4), 0), ((3, 4), (2, 1), 1),
        ((2, 3, 4), (2, 5, 3), 1), ((3, 4), (3, 0), 1), ((0, 2), (0, 2), 1),
    ):  # fmt: skip
        for array in layouts(rng, shape, F32):
            index = _positions(rng, index_shape, max(shape[dim], 1))
            yield Sample((array, index), {"dim": dim})
    for dtype in ANY:
        index = _positions(rng, (3, 5), 4, I32)
        yield Sample((ordinary(rng, (3, 4), dtype), index), {"dim": 1})


def _scatter_add(rng: np.random.Generator) -> Iterator[Sample]:
    for shape, index_shape, dim in (
        ((5,), (7,), 0), ((3, 4), (3, 2), 1), ((3, 4), (6, 4), 0), ((2, 3, 4), (2, 5, 3), 1),
        ((3, 4), (3, 0), 1),
    ):  # fmt: skip
        for array in layouts(rng, shape, F32):
            index = _positions(rng, index_shape, shape[dim])
            yield Sample((array, index, ordinary(rng, index_shape, F32)), {"dim": dim})
    larger = ordinary(rng, (4, 9), F32)
    yield Sample((ordinary(rng, (3, 4), F32), _positions(rng, (2, 5), 4), larger), {"dim": 1})
    for dtype in ANY:
        index = np.array([[0, 1, 1, 1], [2, 2, 2, 2]])
        source = ordinary(rng, (2, 4), dtype)
        yield Sample((ordinary(rng, (2, 3), dtype), index, source), {"dim": 1})


def _random_bits(rng: np.random.Generator) -> Iterator[Sample]:
    for shape in ((), (1,), (0,), (63,), (64,), (65,), (3, 50), (2, 0)):
        for seed, offset, call in ((0, 0, 0), (-1, 2**40, 3), (2**62, -1, 1)):
            yield Sample((np.array([seed, offset]),), {"call": call, "shape": shape})


def _normal_from_bits(rng: np.random.Generator) -> Iterator[Sample]:
    limits = np.iinfo(np.int32)
    corners = np.array([limits.min, -1, 0, 1, 2**30, -(2**30), limits.max], np.int32)
    for dtype in FLOATS:
        yield Sample((corners[:, None], corners), {"dtype": dtype})
        yield Sample((corners[0, ...], corners[1, ...]), {"dtype": dtype})
        words = rng.integers(limits.min, limits.max, (2, 40), dtype=np.int32)
        yield Sample((words[0], words[1, ::-1]), {"dtype": dtype})
    yield Sample((corners[:0], corners[:1]), {"dtype": F32})


def _constant(rng: np.random.Generator) -> Iterator[Sample]:
    for array in (np.array(2, np.float32), np.zeros((0, 3), bool), np.arange(6).reshape(2, 3).T):
        yield Sample((), {"value": Literal(array)})


def _placeholder(rng: np.random.Generator) -> Iterator[Sample]:
    yield Sample((), {"name": "x", "type": TensorType((2,), F32)})


def _variable(rng: np.random.Generator) -> Iterator[Sample]:
    for dtype in ANY:
        array = ordinary(rng, (2, 3), dtype)
        attrs = {"name": "v", "type": TensorType((2, 3), dtype), "source": Storage(array)}
        yield Sample((), attrs)


def _size(rng: np.random.Generator) -> Iterator[Sample]:
    yield Sample((), {"size": 0})
    yield Sample((), {"size": 2**40})


def _iota(rng: np.random.Generator) -> Iterator[Sample]:
    for shape, dim in (((5,), 0), ((0,), 0), ((2, 3), 0), ((2, 3), 1), ((2, 0, 3), 2), ((1,), 0)):
        for dtype in INTS + FLOATS:
            yield Sample((), {"shape": shape, "dim": dim, "dtype": dtype})


def _body(operand: TensorType, results: int) -> Graph:
    a0 = placeholder("a0", operand)
    a1 = placeholder("a1", TensorType((), operand.dtype))
    value = exp(mul(a0, a1))
    outputs = {"r0": add(value, sum_(value, dims=(1,))), "r1": mul(a0, constant(np.float32(2)))}
    return Graph([a0, a1], dict(list(outputs.items())[:results]))


def _fused(rng: np.random.Generator) -> Iterator[Sample]:
    for results in (1, 2):
        for array in layouts(rng, (3, 4), F32):
            body = _body(TensorType((3, 4), F32), results)
            yield Sample((array, np.array(0.5, np.float32)), {"body": body})


def _fused_matmul(rng: np.random.Generator) -> Iterator[Sample]:
    for transposed, results in ((False, 1), (True, 2)):
        rows, columns = (4, 3) if transposed else (3, 4)
        a0 = placeholder("a0", TensorType((rows, columns), F32))
        a1 = placeholder("a1", TensorType((columns,), F32))
        outputs = {"r0": add(a0, a1), "r1": a0}
        body = Graph([a0, a1], dict(list(outputs.items())[:results]))
        for b in layouts(rng, (5, 4), F32):
            a, row = ordinary(rng, (3, 5), F32), ordinary(rng, (columns,), F32)
            yield Sample((a, b, row), {"body": body, "transposed": transposed})


def _item(rng: np.random.Generator) -> Iterator[Sample]:
    both = (ordinary(rng, (2,), F32), ordinary(rng, (3, 1), I64))
    yield Sample((both,), {"index": 0})
    yield Sample((both,), {"index": 1})


def _and_complex(
    real: Callable[[np.random.Generator], Iterator[Sample]], arity: int = 1
) -> Callable[[np.random.Generator], Iterator[Sample]]:
    """The samples of real numbers, and complex numbers away from poles and branches."""

    def make(rng: np.random.Generator) -> Iterator[Sample]:
        yield from real(rng)
        for dtype in COMPLEXES:
            for shape in ((), (5,), (2, 0), (3, 4)):
                arrays = [ordinary(rng, shape, dtype) for _ in range(arity)]
                yield Sample(tuple(arrays))
            for array in layouts(rng, (2, 3), dtype):
                yield Sample((array,) * arity)

    return make


def _polygamma(rng: np.random.Generator) -> Iterator[Sample]:
    for n in (1, 2, 3):
        for dtype in FLOATS:
            values = hostile(dtype)
            wide = values.astype(np.float64)
            tame = ~np.isfinite(wide) | ((np.abs(wide) < 100) & (np.abs(wide) > 1e-4)) | (wide == 0)
            positive = (wide >= 0) | (n == 1) | np.isnan(wide)
            yield Sample((values[tame & positive],), {"n": n})
        for array in layouts(rng, (3, 4), F32):
            yield Sample((np.abs(array) + np.float32(0.1),), {"n": n})
    yield Sample((np.array(2.5),), {"n": 2})
    yield Sample((np.zeros((2, 0)),), {"n": 1})


def _of_moderate_size(rng: np.random.Generator) -> Iterator[Sample]:
    """Without numbers at which functions that oscillate, or their scipy versions, have no digit."""
    for sample in _unary(FLOATS)(rng):
        (array,) = sample.arrays
        size = np.abs(array.astype(np.float64))
        tame = ~(size < np.inf) | ((size < 50) & (size > 1e-30)) | (size == 0)
        yield Sample((array if tame.all() else array[tame],))


def _positive_pairs(rng: np.random.Generator) -> Iterator[Sample]:
    for dtype in FLOATS:
        first = np.array([1.25, 1.5, 2.0, 3.0, 7.5, 20.0]).astype(dtype.numpy)
        second = np.array([0.125, 0.5, 1.0, 2.0, 5.5, 10.0]).astype(dtype.numpy)
        yield Sample((first[:, None], second))
        yield Sample((first[0, ...], second[3, ...]))
    for left, right in PAIRS:
        yield Sample((rng.uniform(1.2, 4, left), rng.uniform(0.5, 3, right)))
    for array in layouts(rng, (3, 4), F64):
        yield Sample((np.abs(array) + 1.1, np.abs(array.T.copy().T) + 0.1))


OF_COMPLEX = (
    "exp exp2 expm1 log log2 log10 log1p sqrt rsqrt sin cos tan tanh sigmoid "
    "asin acos atan sinh cosh asinh acosh atanh"
).split()
MORE_FUNCTIONS = (
    "logit erfc erfinv erfcx entr ndtri log_ndtr lgamma digamma i0 i1 i0e i1e mantissa exponent"
).split()
BESSEL = (
    "bessel_j0 bessel_j1 bessel_y0 bessel_y1 bessel_k0 bessel_k1 bessel_k0e bessel_k1e "
    "airy_ai airy_ai_prime"
).split()
MORE_PAIRS = "atan2 hypot copysign nextafter logaddexp logaddexp2 xlogy xlog1py".split()


def _plain(make: Maker) -> Callable[[np.random.Generator], Iterator[Sample]]:
    return lambda rng: (Sample(arrays, attrs) for arrays, attrs in make(rng))


_ORDERED = INTS + FLOATS
_ELSEWHERE = SCAN_SAMPLES | MATRIX_SAMPLES | PUT_SAMPLES | FOURIER_SAMPLES | QUANTILE_SAMPLES
_ELSEWHERE |= CONTROL_SAMPLES

_MAKERS: dict[str, Callable[[np.random.Generator], Iterator[Sample]]] = {
    **dict.fromkeys(("add", "mul", "eq", "ne"), _binary(ANY)),
    "sub": _binary(NUMBER),
    "div": _binary(FLOATS + COMPLEXES),
    **dict.fromkeys(("floor_divide", "remainder"), _binary(_ORDERED)),
    **dict.fromkeys(("maximum", "minimum", "lt", "le", "gt", "ge"), _binary(REAL)),
    "neg": _unary(NUMBER),
    **dict.fromkeys(("abs", "sign"), _unary(_ORDERED)),
    **dict.fromkeys(("floor", "ceil", "round", "trunc"), _unary(FLOATS)),
    "erf": _unary(FLOATS),
    **dict.fromkeys(MORE_FUNCTIONS, _unary(FLOATS)),
    **dict.fromkeys(BESSEL, _of_moderate_size),
    **dict.fromkeys(OF_COMPLEX, _and_complex(_unary(FLOATS))),
    "pow": _and_complex(_binary(_ORDERED), 2),
    **dict.fromkeys(MORE_PAIRS, _binary(FLOATS)),
    "fmod": _binary(_ORDERED),
    **dict.fromkeys(("gcd", "lcm"), _binary(INTS)),
    **dict.fromkeys(("conj", "real", "imag", "magnitude"), _unary(COMPLEXES)),
    "complex": _binary([F32, F64]),
    "polygamma": _polygamma,
    **dict.fromkeys(("zeta", "gammainc", "gammaincc"), _positive_pairs),
    **dict.fromkeys(("logical_and", "logical_or", "logical_xor"), _binary(BOOLS)),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor"), _binary(BOOLS + INTS)),
    "logical_not": _unary(BOOLS),
    "bitwise_not": _unary(BOOLS + INTS),
    **dict.fromkeys(("shift_left", "shift_right"), _shifts),
    "where": _where,
    "cast": _cast,
    **dict.fromkeys(("detach", "copy"), _unary(ANY)),
    "no_nan": _without_nan,
    "sum": _reduce(ANY, empty=True, several=True),
    "prod": _reduce(NUMBER, empty=True, several=True),
    **dict.fromkeys(("amax", "amin"), _reduce(REAL, empty=False, several=True)),
    **dict.fromkeys(("argmax", "argmin"), _reduce(REAL, empty=False, several=False)),
    "reshape": _reshape,
    "permute": _permute,
    "expand": _expand,
    "slice": _slice,
    "pad": _pad,
    "flip": _flip,
    "concat": _concat,
    "matmul": _matmul,
    "linear": _linear,
    "index": _index,
    "index_add": _index_add,
    "gather": _gather,
    "scatter_add": _scatter_add,
    "random_bits": _random_bits,
    "normal_from_bits": _normal_from_bits,
    "constant": _constant,
    "placeholder": _placeholder,
    "variable": _variable,
    "size": _size,
    "iota": _iota,
    "fused": _fused,
    "fused_matmul": _fused_matmul,
    "item": _item,
    **{name: _plain(make) for name, make in CONVOLUTION_SAMPLES.items()},
    **{name: _plain(make) for name, make in _ELSEWHERE.items()},
}

NAMES = tuple(_MAKERS)


def samples(name: str, seed: int = 0) -> list[Sample]:
    """The samples of one operation; the seed changes the random values only.

    Args:
        name: the operation's name.
        seed: chooses the random values.
    """
    rng = np.random.default_rng([zlib.crc32(name.encode()), seed])
    return list(_MAKERS[name](rng))
