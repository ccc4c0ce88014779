"""Bunch and Kaufman's decomposition of symmetric matrices, step by step in mpmath's numbers."""

from typing import Any

import numpy as np
import numpy.typing as npt
from mpmath import mp

Array = npt.NDArray[Any]
Rows = list[list[Any]]

ALPHA = (1 + 17**0.5) / 8


def _number(value: Any) -> Any:
    return mp.mpc(complex(value)) if np.iscomplexobj(value) else mp.mpf(float(value))


def _python(value: Any) -> Any:
    return complex(value) if isinstance(value, mp.mpc) else float(value)


def _conjugate(value: Any, hermitian: bool) -> Any:
    return mp.conj(value) if hermitian else value


def _size(value: Any) -> Any:
    return abs(value.real) + abs(value.imag)


def _exchange(work: Rows, start: int, row: int, other: int) -> None:
    """Rows and columns of the part of the matrix that begins at ``start``."""
    work[row][start:], work[other][start:] = work[other][start:], work[row][start:]
    for each in work[start:]:
        each[row], each[other] = each[other], each[row]


def _choice(work: Rows, step: int) -> tuple[int, int]:
    """The row that comes next, and how many rows its block has."""
    size = len(work)
    if step == size - 1:
        return step, 1
    here = _size(work[step][step])
    best = max(range(step + 1, size), key=lambda row: _size(work[row][step]))
    below = _size(work[best][step])
    if here >= ALPHA * below:
        return step, 1
    beside = max(_size(work[best][j]) for j in range(step, size) if j != best)
    if here >= ALPHA * below * (below / beside):
        return step, 1
    return best, 1 if _size(work[best][best]) >= ALPHA * beside else 2


def ldl(a: Array, *, hermitian: bool) -> Array:
    """The lower triangle of both factors, the pivots and 0, in one row."""
    rows = range(len(a))
    work = [
        [
            _number(a[i, j]) if i >= j else _conjugate(_number(a[j, i]), hermitian) for j in rows
        ]
        for i in rows
    ]  # fmt: skip
    kept: Rows = [[mp.mpf(0) for _ in rows] for _ in rows]
    pivots: list[int] = []
    step = 0
    while step < len(a):
        other, width = _choice(work, step)
        _exchange(work, step, step + width - 1, other)
        stop = step + width
        block = mp.matrix([row[step:stop] for row in work[step:stop]])
        inverse = mp.inverse(block)
        for i in range(stop, len(a)):
            row = mp.matrix([work[i][step:stop]]) * inverse
            for column in range(width):
                kept[i][step + column] = row[0, column]
        for i in range(width):
            for j in range(i + 1):
                kept[step + i][step + j] = block[i, j]
        for i in range(stop, len(a)):
            for j in range(stop, len(a)):
                for k in range(width):
                    work[i][j] -= kept[i][step + k] * work[step + k][j]
        pivots += [other + 1] if width == 1 else [-other - 1] * 2
        step = stop
    return np.array([*(_python(x) for row in kept for x in row), *pivots, 0])


def ldl_solve(factors: Array, column: Array, right: Array, *, hermitian: bool) -> Array:
    """Put the matrix together again, from its last block to its first, and invert it."""
    size = len(factors)
    if not right.size:
        return np.zeros(right.shape)
    pivots = [int(value) for value in column[:, 0].real]
    starts, row = [], 0
    while row < size:
        starts.append(row)
        row += 1 if pivots[row] > 0 else 2
    work: Rows = [[mp.mpf(0) for _ in range(size)] for _ in range(size)]
    for start, stop in zip(reversed(starts), reversed([*starts[1:], size]), strict=True):
        block = [
            [
                _number(factors[i, j]) if i >= j else _conjugate(_number(factors[j, i]), hermitian)
                for j in range(start, stop)
            ]
            for i in range(start, stop)
        ]
        left = [[_number(x) for x in line[start:stop]] for line in factors]
        for i in range(start, stop):
            work[i][start:stop] = block[i - start]
        for i in range(stop, size):
            scaled = mp.matrix([left[i]]) * mp.matrix(block)
            for j in range(stop - start):
                work[i][start + j] = scaled[0, j]
                work[start + j][i] = _conjugate(scaled[0, j], hermitian)
            for j in range(stop, size):
                for k in range(stop - start):
                    work[i][j] += scaled[0, k] * _conjugate(left[j][k], hermitian)
        _exchange(work, start, stop - 1, min(abs(pivots[stop - 1]), size) - 1)
    found = mp.inverse(mp.matrix(work)) * mp.matrix([[_number(x) for x in b] for b in right])
    lines = range(right.shape[0])
    return np.array([[_python(found[i, j]) for j in range(right.shape[1])] for i in lines])
