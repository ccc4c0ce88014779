"""Programs that read and write at computed places."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc
from tests.programs.base import Array, both, integers, normal, program


@program(
    both(normal((6, 5)), integers((6, 3), low=0, high=5), integers((4,), low=0, high=6)),
    lambda x, columns, rows: [
        np.take_along_axis(x, columns, 1), x[rows], np.exp(x[rows]).sum(0), x.take(rows, 0) * 2
    ],
    absolute=1e-5,
)  # fmt: skip
def gathers(x: Any, columns: Any, rows: Any) -> Any:
    return [x.gather(1, columns), x[rows], x[rows].exp().sum(0), x.index_select(0, rows) * 2]


def _by_arrays(x: Array, i: Array, j: Array) -> list[Array]:
    return [x[i], x[:, j], x[i, j], x[i, :, 1], x[i[:, None], j], x[i[::-1] - 4, 1:], x[[0, -1]]]


@program(
    both(normal((4, 4, 3)), integers((5,), low=-4, high=4), integers((5,), low=0, high=4)),
    lambda x, i, j: _by_arrays(x, np.abs(i) % 4, j),
)
def indexed_by_arrays(x: Any, i: Any, j: Any) -> Any:
    return _by_arrays(x, i.abs() % 4, j)


def _scattered(base: Array, index: Array, source: Array) -> Array:
    result = base.copy()
    for (row, column), value in np.ndenumerate(source):
        result[index[row, column], column] += value
    return result


@program(
    both(
        normal((3, 5)), integers((7, 5), low=0, high=3), normal((7, 5)),
        integers((3, 5)), integers((7, 5)),
    ),
    lambda x, index, source, whole, numbers: (
        _scattered(x, index, source), _scattered(whole, index, numbers) * 2
    ),
    absolute=3e-6,
)  # fmt: skip
def scatter_adds_repeatedly(x: Any, index: Any, source: Any, whole: Any, numbers: Any) -> Any:
    """Seven rows go to three: every place is hit several times."""
    return x.scatter_add(0, index, source), whole.scatter_add(0, index, numbers) * 2


def _embedding_gradient(table: Array, words: Array) -> tuple[Array, Array]:
    rows = table[words]
    gradient = np.zeros_like(table)
    for place in np.ndindex(words.shape):
        gradient[words[place]] += 2 * rows[place]
    return rows, gradient


@program(both(normal((5, 4)), integers((3, 6), low=0, high=5)), _embedding_gradient, absolute=4e-6)
def embedding_gradient(table: Any, words: Any) -> Any:
    table.requires_grad_()
    rows = table[words]
    (gradient,) = gc.grad((rows * rows).sum(), table)
    return rows.detach(), gradient
