"""Operands for writing at positions, diagonals and searching; op_samples.py collects them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Operands = tuple[tuple[Array, ...], Mapping[str, Any]]
Maker = Callable[[np.random.Generator], Iterator[Operands]]

REAL: list[Any] = [
    np.bool_, np.uint8, np.int8, np.int16, np.int32, np.int64, np.float16, ml_dtypes.bfloat16,
    np.float32, np.float64,
]  # fmt: skip
ANY: list[Any] = [*REAL, np.complex64, np.complex128]


def _values(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Array:
    """Numbers of small size; some are 0, and some are equal."""
    return np.asarray(rng.integers(0, 4, shape) * 0.5).astype(dtype)


def diagonals(rng: np.random.Generator) -> Iterator[Operands]:
    """Every offset of small matrices, two dims of several, and other layouts."""
    for offset in range(-4, 6):
        for shape in ((3, 4), (4, 3), (3, 3), (0, 3), (1, 1)):
            matrix = _values(rng, shape, np.float32)
            yield (matrix,), {"offset": offset, "dim1": 0, "dim2": 1}
    for dims in ((0, 1), (1, 0), (0, 2), (2, 1)):
        attrs = {"offset": 1, "dim1": dims[0], "dim2": dims[1]}
        cube = _values(rng, (3, 4, 5), np.float64)
        yield (cube,), attrs
        yield (cube[::-1, ::2, 1:],), attrs
        yield (cube.transpose(2, 0, 1),), attrs
    for dtype in ANY:
        yield (_values(rng, (2, 3, 3), dtype),), {"offset": -1, "dim1": 1, "dim2": 2}


def index_puts(rng: np.random.Generator) -> Iterator[Operands]:
    """One and two indexed dims, repeated positions, no positions."""
    for shape, dims, index_shapes in (
        ((5,), (0,), ((3,),)), ((4, 3), (0,), ((2,),)), ((4, 6), (1,), ((2, 2),)),
        ((5, 5), (0, 1), ((5,), (5,))), ((4, 3), (0, 1), ((2, 1), (3,))),
        ((2, 3, 4), (0, 2), ((3,), ())), ((4, 3), (0,), ((0,),)), ((4, 3), (1,), ((),)),
    ):  # fmt: skip
        indices = tuple(
            rng.permutation(np.arange(np.prod(each, dtype=int)) % shape[dim]).reshape(each)
            for dim, each in zip(dims, index_shapes, strict=True)
        )
        kept = tuple(size for dim, size in enumerate(shape) if dim not in dims)
        values = _values(rng, (*np.broadcast_shapes(*index_shapes), *kept), np.float32)
        for x in (_values(rng, shape, np.float32), _values(rng, shape[::-1], np.float32).T):
            yield (x, values, *indices), {"dims": dims}
    for dtype in ANY:
        index = np.array([0, 3, 0], np.int32)
        operands = _values(rng, (4, 2), dtype), _values(rng, (3, 2), dtype), index
        yield operands, {"dims": (0,)}


def scatters(dtypes: list[Any], reduces: tuple[str, ...] = ()) -> Maker:
    """Each dim, an index that is larger, smaller or empty, repeated positions."""

    def make(rng: np.random.Generator) -> Iterator[Operands]:
        for reduce in reduces or (None,):
            more = {} if reduce is None else {"reduce": reduce}
            for shape, index_shape, dim in (
                ((5,), (7,), 0), ((3, 4), (3, 2), 1), ((3, 4), (6, 4), 0), ((3, 4), (2, 1), 1),
                ((2, 3, 4), (2, 5, 3), 1), ((3, 4), (3, 0), 1),
            ):  # fmt: skip
                x = _values(rng, shape, np.float64)
                order = rng.permutation(max(shape[dim], index_shape[dim])) % shape[dim]
                lined_up = [-1 if axis == dim else 1 for axis in range(x.ndim)]
                row = order[: index_shape[dim]].reshape(lined_up)
                index = np.array(np.broadcast_to(row, index_shape))
                yield (x, index, _values(rng, index_shape, np.float64)), {"dim": dim, **more}
            for dtype in dtypes:
                index = np.array([[0, 1, 1, 1], [2, 2, 2, 2]], np.int32)
                operands = _values(rng, (3, 2), dtype).T, index, _values(rng, (2, 4), dtype)
                wide = np.concatenate([operands[0], operands[0][:, :1]], 1)[:, ::-1]
                yield (wide, index, operands[2]), {"dim": 1, **more}

    return make


def searches(rng: np.random.Generator) -> Iterator[Operands]:
    """A sequence for all values, a sequence per row, equal elements, NaN, empty ones."""
    for right in (False, True):
        attrs = {"right": right}
        for dtype in REAL:
            yield (np.sort(_values(rng, (6,), dtype)), _values(rng, (3, 2), dtype)), attrs
            rows = np.sort(_values(rng, (2, 4), dtype), axis=-1)
            yield (rows, _values(rng, (2, 3), dtype)), attrs
        edge = np.array([-np.inf, np.nan, np.inf, -0.0], np.float32)
        yield (np.array([-np.inf, 0.0, 1.0, np.inf], np.float32), edge), attrs
        yield (np.zeros(0), np.ones((2, 2))), attrs
        yield (np.ones(3), np.zeros((2, 0))), attrs
        yield (np.ones(3), np.array(1.0)), attrs


PUT_SAMPLES: dict[str, Maker] = {
    "diagonal": diagonals,
    "index_put": index_puts,
    "scatter": scatters(ANY),
    "scatter_reduce": scatters(REAL, ("prod", "amax", "amin")),
    "searchsorted": searches,
}
