"""Decompositions of matrices (``torch.linalg``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from graphc.dtypes import INTEGER, int32
from graphc.errors import ArgumentError, DTypeError
from graphc.frontend.functions.complexes import real
from graphc.frontend.functions.convert import cast, require_tensor
from graphc.frontend.functions.equations import matrix, solve_triangular
from graphc.frontend.functions.pieces import cat
from graphc.frontend.making import concrete
from graphc.ops import eigen, elementwise, orthogonal, solve
from graphc.ops.linalg import adjoint as conjugate_transpose
from graphc.ops.linalg import matmul, swap_last
from graphc.ops.lu import lu as lu_op
from graphc.ops.lu import lu_parts, row_exchanges, row_order
from graphc.ops.matrices import constant_like, lower, matrix_sizes, upper
from graphc.ops.shape import narrow
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:  # noqa: N803 - PyTorch's name
    """The lower factor ``L`` of ``A = L @ L.mH`` for Hermitian, positive definite matrices.

    Args:
        A: ``(..., n, n)``, of which the lower triangle is read.
        upper: read the upper triangle, and give ``L.mH``.

    Raises:
        LinAlgError: for a matrix that is not positive definite, when it runs.

    Source: ``torch.linalg.cholesky``.

    Example:
        >>> import graphc as gc
        >>> gc.linalg.cholesky(gc.tensor([[4.0, 2.0], [2.0, 5.0]]))
        tensor([[2., 0.],
                [1., 2.]])
    """
    x = matrix("cholesky", A)
    if upper:
        return conjugate_transpose(solve.cholesky(conjugate_transpose(x)))
    return solve.cholesky(x)


class QR(NamedTuple):
    """An orthogonal and an upper triangular factor."""

    Q: Tensor
    R: Tensor


def qr(A: Tensor, mode: str = "reduced") -> QR:  # noqa: N803 - PyTorch's name
    """The factors of ``A = Q @ R``, Q with orthonormal columns and R upper triangular.

    Args:
        A: ``(..., m, n)``, float32 or float64, real or complex.
        mode: ``"reduced"`` gives ``(m, k)`` and ``(k, n)`` with ``k = min(m, n)``; ``"complete"``
            gives ``(m, m)`` and ``(m, n)``, without a gradient if m > n; ``"r"`` gives an empty Q
            and the reduced R, without a gradient.

    Raises:
        ArgumentError: for an unknown mode.

    Source: ``torch.linalg.qr``.
    """
    x = matrix("qr", A)
    rows, columns = matrix_sizes("qr", x.type)
    if mode not in ("reduced", "complete", "r"):
        raise ArgumentError("qr: unknown mode", got=repr(mode), expected="reduced, complete or r",
                            where=user_location_text())  # fmt: skip
    if mode == "r":
        _, r = _reduced_qr(x, rows, columns)
        return QR(concrete(np.zeros(0, x.dtype.numpy)), r.detach())
    if mode == "complete" and rows > columns:
        q, r = orthogonal.qr_parts(orthogonal.qr(x, complete=True), rows, columns, True)
        return QR(q, r)
    return _reduced_qr(x, rows, columns)


def _reduced_qr(x: Tensor, rows: int, columns: int) -> QR:
    """The columns beyond a square are ``Q`` times something, which needs no decomposition."""
    side = min(rows, columns)
    first = narrow(x, x.ndim - 1, 0, side)
    q, r = orthogonal.qr_parts(orthogonal.qr(first, complete=False), rows, side, False)
    if columns > rows:
        beside = matmul(conjugate_transpose(q), narrow(x, x.ndim - 1, side, columns))
        r = cat([r, beside], -1)
    return QR(q, r)


class SVD(NamedTuple):
    """Left singular vectors as columns, singular values, right singular vectors as rows."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def svd(
    A: Tensor,  # noqa: N803 - PyTorch's name
    full_matrices: bool = True,
    *,
    driver: str | None = None,
) -> SVD:
    """The factors of ``A = U @ diag(S) @ Vh``, with singular values in falling order.

    Args:
        A: ``(..., m, n)``, float32 or float64, real or complex.
        full_matrices: square U and Vh; else ``k = min(m, n)`` columns and rows. The vectors that
            belong to no singular value get no gradient.
        driver: must be None; it chooses among the algorithms of another device.

    Source: ``torch.linalg.svd``. The sign or phase of each pair of vectors is arbitrary.
    """
    x = matrix("svd", A)
    _require_no_driver("svd", driver)
    rows, columns = matrix_sizes("svd", x.type)
    full = bool(full_matrices)
    u, s, vh = orthogonal.svd_parts(orthogonal.svd(x, full=full), rows, columns, full)
    return SVD(u, real(s), vh)


def _require_no_driver(function: str, driver: str | None) -> None:
    if driver is not None:
        raise ArgumentError(f"{function}: drivers are for other devices", got=repr(driver),
                            expected="None", where=user_location_text())  # fmt: skip


def svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:  # noqa: N803 - PyTorch's name
    """The singular values of matrices ``(..., m, n)``, falling (``torch.linalg.svdvals``)."""
    _require_no_driver("svdvals", driver)
    return orthogonal.svdvals(matrix("svdvals", A))


class Eigen(NamedTuple):
    """Eigenvalues, and eigenvectors as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


def eigh(A: Tensor, UPLO: str = "L") -> Eigen:  # noqa: N803 - PyTorch's names
    """The eigenvalues of Hermitian matrices, rising, and their eigenvectors.

    Args:
        A: ``(..., n, n)``, float32 or float64, real or complex.
        UPLO: the triangle that is read, ``"L"`` or ``"U"``.

    Source: ``torch.linalg.eigh``. The sign or phase of each vector is arbitrary.

    Example:
        >>> import graphc as gc
        >>> gc.linalg.eigh(gc.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
        tensor([1., 2.])
    """
    x = matrix("eigh", A)
    both = eigen.eigh(x, lower=_reads_lower("eigh", UPLO))
    values, vectors = eigen.eigh_parts(both, matrix_sizes("eigh", x.type)[0])
    return Eigen(real(values), vectors)


def _reads_lower(function: str, uplo: str) -> bool:
    if uplo not in ("L", "U", "l", "u"):
        raise ArgumentError(f"{function}: unknown triangle", got=repr(uplo), expected="'L' or 'U'",
                            where=user_location_text())  # fmt: skip
    return uplo in ("L", "l")


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:  # noqa: N803 - PyTorch's names
    """The eigenvalues of Hermitian matrices, rising (``torch.linalg.eigvalsh``); see ``eigh``."""
    return eigen.eigvalsh(matrix("eigvalsh", A), lower=_reads_lower("eigvalsh", UPLO))


def eig(A: Tensor) -> Eigen:  # noqa: N803 - PyTorch's name
    """The complex eigenvalues and eigenvectors of square matrices.

    Args:
        A: ``(..., n, n)``, float32 or float64, real or complex.

    Source: ``torch.linalg.eig``. Each vector has length 1 and an arbitrary phase, on which
    nothing that is differentiated may depend.
    """
    x = matrix("eig", A)
    return Eigen(*eigen.eigh_parts(eigen.eig(x), matrix_sizes("eig", x.type)[0]))


def eigvals(A: Tensor) -> Tensor:  # noqa: N803 - PyTorch's name
    """The complex eigenvalues of square matrices (``torch.linalg.eigvals``)."""
    return eig(A).eigenvalues


class LU(NamedTuple):
    """A permutation, a unit lower and an upper triangular factor."""

    P: Tensor
    L: Tensor
    U: Tensor


def _require_pivot(function: str, pivot: bool) -> None:
    if not pivot:
        raise ArgumentError(f"{function}: without exchanges of rows is for other devices",
                            got="pivot=False", expected="True",
                            where=user_location_text())  # fmt: skip


def lu(A: Tensor, *, pivot: bool = True) -> LU:  # noqa: N803 - PyTorch's name
    """The factors of ``A = P @ L @ U``.

    Args:
        A: ``(..., m, n)``, float32 or float64, real or complex.
        pivot: must be True.

    Returns:
        P ``(..., m, m)`` of zeros and ones, L ``(..., m, k)`` with ones on the diagonal, and U
        ``(..., k, n)``, with ``k = min(m, n)``.

    Source: ``torch.linalg.lu``.
    """
    x = matrix("lu", A)
    _require_pivot("lu", pivot)
    rows, columns = matrix_sizes("lu", x.type)
    side = min(rows, columns)
    factors, _, order = lu_parts(lu_op(x), rows, columns)
    left = lower(narrow(factors, x.ndim - 1, 0, side), -1)
    right = upper(narrow(factors, x.ndim - 2, 0, side))
    ones = constant_like(x, np.eye(rows, side))
    return LU(swap_last(row_exchanges(order)).detach(), elementwise.add(left, ones), right)


class PackedLU(NamedTuple):
    """Both factors in one matrix, and the row that each row was exchanged with, from 1."""

    LU: Tensor
    pivots: Tensor


def lu_factor(A: Tensor, *, pivot: bool = True) -> PackedLU:  # noqa: N803 - PyTorch's name
    """The factors of ``lu`` in one matrix, L below the diagonal, and int32 pivots.

    A singular matrix has a 0 on the diagonal of U; ``gc.linalg.lu_factor_ex`` tells where.

    Source: ``torch.linalg.lu_factor``.
    """
    return factorized("lu_factor", A, pivot)


def factorized(function: str, A: Tensor, pivot: bool) -> PackedLU:  # noqa: N803 - PyTorch's name
    """What ``lu_factor`` gives, for a function of another name."""
    x = matrix(function, A)
    _require_pivot(function, pivot)
    rows, columns = matrix_sizes(function, x.type)
    factors, pivots, _ = lu_parts(lu_op(x), rows, columns)
    return PackedLU(factors, cast(pivots, int32))


def lu_solve(
    LU: Tensor,  # noqa: N803 - PyTorch's name
    pivots: Tensor,
    B: Tensor,  # noqa: N803 - PyTorch's name
    *,
    left: bool = True,
    adjoint: bool = False,
) -> Tensor:
    """The solution of ``A @ X = B`` from what ``lu_factor`` gives for ``A``.

    Args:
        LU: ``(..., n, n)``.
        pivots: ``(..., n)``, integers from 1 on.
        B: ``(..., n, k)``.
        left: False solves ``X @ A = B``.
        adjoint: solve with the conjugate transpose of ``A``.

    Raises:
        DTypeError: for pivots that are not integers.

    Source: ``torch.linalg.lu_solve``.
    """
    factors, right = matrix("lu_solve", LU), matrix("lu_solve", B)
    exchanges = require_tensor("lu_solve", pivots)
    if exchanges.dtype.category != INTEGER:
        raise DTypeError("lu_solve: pivots must be integers", got=exchanges.dtype.name,
                         where=user_location_text())  # fmt: skip
    if not left:
        turned = conjugate_transpose(right)
        solution: Tensor = lu_solve(factors, exchanges, turned, adjoint=not adjoint)
        return conjugate_transpose(solution)
    order = row_order(exchanges, rows=matrix_sizes("lu_solve", factors.type)[0])
    changes: Tensor = row_exchanges(cast(order, factors.dtype))
    if adjoint:
        reverse = conjugate_transpose(factors)
        middle = solve_triangular(reverse, right, upper=False)
        last = solve_triangular(reverse, middle, upper=True, unitriangular=True)
        return matmul(swap_last(changes), last)
    first = matmul(changes, right)
    middle = solve_triangular(factors, first, upper=False, unitriangular=True)
    return solve_triangular(factors, middle, upper=True)
