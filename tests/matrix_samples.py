"""Matrices for decompositions and solvers: plain arrays, which op_samples.py collects."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.scan_samples import Array, Maker, Operands

DTYPES: list[Any] = [np.float32, np.float64, np.complex64, np.complex128]
SQUARES: list[tuple[int, ...]] = [
    (1, 1),
    (2, 2),
    (4, 4),
    (0, 0),
    (3, 2, 2),
    (2, 1, 3, 3),
    (0, 2, 2),
]
OBLONGS: list[tuple[int, ...]] = [*SQUARES, (4, 2), (2, 4), (0, 3), (3, 0), (2, 3, 2), (2, 1, 5)]


def _normal(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Array:
    values = rng.normal(size=shape)
    return values + 1j * rng.normal(size=shape) if np.dtype(dtype).kind == "c" else values


def well_posed(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Array:
    """Matrices whose singular values are far from 0 and from each other."""
    *batch, rows, columns = shape
    side = min(rows, columns)
    left = np.linalg.qr(_normal(rng, (*batch, rows, side), dtype))[0]
    right = np.linalg.qr(_normal(rng, (*batch, columns, side), dtype))[0]
    values = 1 + np.arange(side) + rng.uniform(-0.1, 0.1, (*batch, side))
    product = (left * values[..., None, :]) @ np.swapaxes(right, -1, -2)
    return np.asarray(product, dtype)


def positive(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Array:
    """Hermitian matrices with eigenvalues 1, 2, 3 and so on, nearly."""
    basis = np.linalg.qr(_normal(rng, shape, dtype))[0]
    values = 1 + np.arange(shape[-1]) + rng.uniform(-0.1, 0.1, shape[:-1])
    product = (basis * values[..., None, :]) @ np.conj(np.swapaxes(basis, -1, -2))
    return np.asarray((product + np.conj(np.swapaxes(product, -1, -2))) / 2, dtype)


def symmetric(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Array:
    """Symmetric matrices with few numbers on the diagonal, so that blocks of two rows arise."""
    values = _normal(rng, shape, dtype)
    diagonal = np.eye(shape[-1]) * rng.choice([0.0, 4.0], size=(*shape[:-1], 1))
    return np.asarray(values + np.swapaxes(values, -1, -2) + diagonal, dtype)


def _packed_ldl(rng: np.random.Generator) -> Iterator[Operands]:
    for left, right in EQUATIONS:
        for dtype in DTYPES:
            size = left[-1]
            coupled = size > 1
            factors = np.tril(_normal(rng, left, dtype), -1) + np.eye(size) * 3
            pivots = np.broadcast_to(np.arange(1, size + 1), left[:-1]).copy()
            if coupled:  # the first two rows are a block, exchanged with the last row
                factors[..., 1, 0] = 5
                pivots[..., :2] = -size
            b = _normal(rng, right, dtype).astype(dtype)
            for hermitian in (False, True):
                yield (factors.astype(dtype), pivots[..., None], b), {"hermitian": hermitian}


def matrices(
    shapes: list[tuple[int, ...]],
    make: Callable[[np.random.Generator, tuple[int, ...], Any], Array] = well_posed,
    **choices: list[Any],
) -> Maker:
    """One operand of each shape, real and complex with two precisions, and several layouts."""

    def made(rng: np.random.Generator) -> Iterator[Operands]:
        for attrs in _combinations(choices):
            for shape in shapes:
                for dtype in DTYPES:
                    yield (make(rng, shape, dtype),), attrs
            yield (np.asfortranarray(make(rng, (3, 3), np.float64)),), attrs
            yield (np.repeat(make(rng, (2, 2), np.float32), 2, 1)[:, ::2],), attrs

    return made


def _combinations(choices: dict[str, list[Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{}]
    for name, values in choices.items():
        found = [{**each, name: value} for each in found for value in values]
    return found


EQUATIONS: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((1, 1), (1, 1)), ((3, 3), (3, 2)), ((2, 2), (2, 0)), ((0, 0), (0, 2)), ((2, 3, 3), (3, 1)),
    ((3, 3), (2, 3, 1)), ((2, 1, 2, 2), (3, 2, 2)),
]  # fmt: skip


def _equations(rng: np.random.Generator) -> Iterator[Operands]:
    for left, right in EQUATIONS:
        for dtype in DTYPES:
            yield (well_posed(rng, left, dtype), _normal(rng, right, dtype).astype(dtype)), {}
    yield (well_posed(rng, (3, 3), np.float64).T, rng.normal(size=(2, 3)).T), {}


def _triangular(rng: np.random.Generator) -> Iterator[Operands]:
    for attrs in _combinations({"upper": [False, True], "unitriangular": [False, True]}):
        for (a, b), _ in _equations(rng):
            yield (a + 2 * np.eye(a.shape[-1], dtype=a.dtype), b), attrs


def _least_squares(rng: np.random.Generator) -> Iterator[Operands]:
    for left, right in [
        *EQUATIONS[:3], ((4, 2), (4, 3)), ((2, 4), (2, 1)), ((2, 4, 2), (4, 1)),
        ((3, 2), (2, 3, 1)),
    ]:  # fmt: skip
        for dtype in DTYPES:
            operands = well_posed(rng, left, dtype), _normal(rng, right, dtype).astype(dtype)
            yield operands, {"rtol": 1e-6}


def _singular(rng: np.random.Generator) -> Iterator[Operands]:
    yield from matrices(SQUARES)(rng)
    yield (np.array([[1.0, 2.0], [2.0, 4.0]]),), {}
    yield (np.zeros((3, 3), np.float32),), {}


def _pairs(rng: np.random.Generator) -> Iterator[Operands]:
    """A matrix, and a factor for each cofactor."""
    for (a,), _ in matrices(SQUARES)(rng):
        yield (a, _normal(rng, a.shape, a.dtype).astype(a.dtype)), {}


def _exponents(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Array:
    return np.asarray(well_posed(rng, shape, dtype) * 0.5, dtype)


def _pivots(rng: np.random.Generator) -> Iterator[Operands]:
    """Each step exchanges with a row that is not done."""
    for batch, steps, rows in (((), 3, 3), ((2,), 2, 5), ((), 4, 4), ((0,), 2, 2), ((), 0, 2)):
        for dtype in (np.int32, np.int64):
            pivots = rng.integers(np.arange(steps), rows, (*batch, steps)) + 1
            yield (pivots.astype(dtype),), {"rows": rows}


MATRIX_SAMPLES: dict[str, Maker] = {
    "solve": _equations,
    "solve_triangular": _triangular,
    "inv": matrices(SQUARES),
    "cholesky": matrices(SQUARES, positive),
    "cholesky_ex": matrices(SQUARES, positive),
    "ldl": matrices(SQUARES, symmetric, hermitian=[False]),
    "ldl_solve": _packed_ldl,
    "lu": matrices(OBLONGS),
    "row_order": _pivots,
    "det": _singular,
    "cofactors": matrices(SQUARES),
    "cofactor_slopes": _pairs,
    "slogdet": matrices(SQUARES),
    "eigh": matrices(SQUARES, positive, lower=[True, False]),
    "eigvalsh": matrices(SQUARES, positive, lower=[True, False]),
    "eig": matrices(SQUARES, positive),
    "qr": matrices([s for s in OBLONGS if s[-2] >= s[-1]], complete=[False]),
    "svd": matrices(OBLONGS, full=[False, True]),
    "svdvals": matrices(OBLONGS),
    "pinv": matrices(OBLONGS, atol=[0.0], rtol=[1e-6]),
    "lstsq": _least_squares,
    "matrix_exp": matrices(SQUARES, _exponents),
}
