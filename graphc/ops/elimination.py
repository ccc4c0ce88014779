"""Gaussian elimination of matrices that hold NaN or infinities.

LAPACK's kernels compare and skip in their own ways, and may lose a NaN: solutions would look like
numbers. Here it reaches what is computed from it.
"""

from __future__ import annotations

import numpy as np

from graphc.storage import Array


def is_finite(matrix: Array) -> bool:
    """True if there is neither NaN nor infinity."""
    return bool(np.isfinite(matrix).all())


def eliminated(matrix: Array) -> tuple[Array, Array]:
    """What LAPACK's getrf gives for a finite matrix.

    Args:
        matrix: ``(m, n)``.

    Returns:
        L and U in one matrix, and for each row the one that it was exchanged with, from 0.
    """
    factors = matrix.copy()
    steps = min(factors.shape)
    pivots = np.arange(steps)
    with np.errstate(all="ignore"):
        for step in range(steps):
            pivots[step] = step + np.argmax(_sizes(factors[step:, step]))  # NaN counts as largest
            factors[[step, pivots[step]]] = factors[[pivots[step], step]]
            below = factors[step + 1 :, step]
            if factors[step, step] != 0:
                below /= factors[step, step]
            factors[step + 1 :, step + 1 :] -= np.outer(below, factors[step, step + 1 :])
    return factors, pivots


def _sizes(column: Array) -> Array:
    """Those by which LAPACK compares."""
    return np.asarray(np.abs(column.real) + np.abs(column.imag))


def solved(matrix: Array, right: Array) -> Array:
    """``x`` of ``matrix @ x = right`` for a square matrix.

    Raises:
        numpy.linalg.LinAlgError: for a pivot of 0.
    """
    factors, pivots = eliminated(matrix)
    if not factors.diagonal().all():
        raise np.linalg.LinAlgError("Singular matrix")
    x = np.array(right)
    with np.errstate(all="ignore"):
        for step, other in enumerate(pivots):
            x[[step, other]] = x[[other, step]]
        for step in range(len(x)):
            x[step + 1 :] -= np.outer(factors[step + 1 :, step], x[step])
        for step in reversed(range(len(x))):
            x[step] /= factors[step, step]
            x[:step] -= np.outer(factors[:step, step], x[step])
    return x
