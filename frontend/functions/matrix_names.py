"""Linear algebra by the names of PyTorch's outermost namespace, with their order of arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions import decompositions, diagonals, equations, linalg
from graphc.frontend.functions.aliases import also_called
from graphc.frontend.functions.complexes import adjoint
from graphc.frontend.functions.convert import cast, require_tensor
from graphc.frontend.functions.counting import eye
from graphc.frontend.functions.shaping import flip, transpose
from graphc.ops.lu import row_exchanges, row_order
from graphc.ops.matrices import matrix_sizes
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "cholesky",
    "cholesky_inverse",
    "cholesky_solve",
    "lu",
    "lu_solve",
    "lu_unpack",
    "orgqr",
    "qr",
    "svd",
    "triangular_solve",
    "vander",
]

orgqr = also_called(input2="tau")(linalg.householder_product)


class SVD(NamedTuple):
    """Left vectors, singular values, right vectors; ``U @ diag(S) @ V.mH`` is the matrix."""

    U: Tensor
    S: Tensor
    V: Tensor


class Solved(NamedTuple):
    """The solution, and the matrix that it belongs to."""

    solution: Tensor
    cloned_coefficient: Tensor


class Factors(NamedTuple):
    """A permutation, a unit lower and an upper triangular factor; None if not asked for."""

    P: Tensor | None
    L: Tensor | None
    U: Tensor | None


def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """``linalg.cholesky`` (``torch.cholesky``)."""
    return decompositions.cholesky(input, upper=upper)


@also_called(input2="L", B="input")
def cholesky_solve(input: Tensor, L: Tensor, upper: bool = False) -> Tensor:  # noqa: N803 - PyTorch's name
    """The solution of ``A @ X = input`` from the Cholesky factor of A (``torch.cholesky_solve``).

    Args:
        input: ``(..., n, k)``.
        L: the factor ``(..., n, n)``.
        upper: the factor is the upper one.

    Example:
        >>> import graphc as gc
        >>> gc.cholesky_solve(gc.ones(1, 1), gc.full((1, 1), 2.0))
        tensor([[0.2500]])
    """
    right, factor = require_tensor("cholesky_solve", input), require_tensor("cholesky_solve", L)
    lower = adjoint(factor) if upper else factor
    middle = equations.solve_triangular(lower, right, upper=False)
    return equations.solve_triangular(adjoint(lower), middle, upper=True)


def cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor:  # noqa: N803 - PyTorch's name
    """The inverse of A from its Cholesky factor (``torch.cholesky_inverse``)."""
    factor = equations.matrix("cholesky_inverse", L)
    size = matrix_sizes("cholesky_inverse", factor.type)[0]
    return cholesky_solve(eye(int(size), dtype=factor.dtype), factor, upper)


def qr(input: Tensor, some: bool = True) -> decompositions.QR:
    """``linalg.qr``; ``some=False`` gives square Q (``torch.qr``)."""
    return decompositions.qr(input, "reduced" if some else "complete")


def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> SVD:
    """Singular values and vectors; the right ones are columns of V here (``torch.svd``).

    Args:
        input: ``(..., m, n)``.
        some: False gives square U and V.
        compute_uv: must be True; ``linalg.svdvals`` gives the values alone.

    Raises:
        ArgumentError: for ``compute_uv=False``.
    """
    if not compute_uv:
        raise ArgumentError(
            "svd: without vectors there are only values", got="compute_uv=False",
            fix="use gc.linalg.svdvals", where=user_location_text(),
        )  # fmt: skip
    left, values, right = decompositions.svd(input, full_matrices=not some)
    return SVD(left, values, adjoint(right))


def lu(A: Tensor, pivot: bool = True, get_infos: bool = False) -> Any:  # noqa: N803 - PyTorch's name
    """``linalg.lu_factor`` (``torch.lu``); ``linalg.lu`` gives the factors apart.

    Raises:
        ArgumentError: for ``get_infos=True``.
    """
    if get_infos:
        raise ArgumentError(
            "lu: a matrix without factors is an error here, no number", got="get_infos=True",
            where=user_location_text(),
        )  # fmt: skip
    return decompositions.lu_factor(A, pivot=pivot)


def lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:  # noqa: N803 - PyTorch's names
    """``linalg.lu_solve`` with the right side first (``torch.lu_solve``)."""
    return decompositions.lu_solve(LU_data, LU_pivots, b)


def lu_unpack(
    LU_data: Tensor,  # noqa: N803 - PyTorch's name
    LU_pivots: Tensor,  # noqa: N803 - PyTorch's name
    unpack_data: bool = True,
    unpack_pivots: bool = True,
) -> Factors:
    """The factors of ``A = P @ L @ U`` from what ``linalg.lu_factor`` gives.

    Args:
        LU_data: ``(..., m, n)``.
        LU_pivots: ``(..., min(m, n))``, integers from 1 on.
        unpack_data: give L and U.
        unpack_pivots: give P.

    Source: ``torch.lu_unpack``.
    """
    packed = equations.matrix("lu_unpack", LU_data)
    exchanges = require_tensor("lu_unpack", LU_pivots)
    rows, columns = matrix_sizes("lu_unpack", packed.type)
    small = min(int(rows), int(columns))
    changes = None
    if unpack_pivots:
        order = row_order(exchanges, rows=rows)
        changes = transpose(row_exchanges(cast(order, packed.dtype)), -2, -1)
    if not unpack_data:
        return Factors(changes, None, None)
    ones = eye(int(rows), small, dtype=packed.dtype)
    lower = diagonals.tril(packed[..., :small], -1) + ones
    return Factors(changes, lower, diagonals.triu(packed[..., :small, :]))


def triangular_solve(
    b: Tensor,
    A: Tensor,  # noqa: N803 - PyTorch's name
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
) -> Solved:
    """``linalg.solve_triangular`` with the right side first (``torch.triangular_solve``).

    Args:
        b: ``(..., n, k)``.
        A: ``(..., n, n)``.
        upper: which triangle of A is read.
        transpose: solve with the transpose of A.
        unitriangular: the diagonal counts as ones.
    """
    a = equations.matrix("triangular_solve", A)
    of = a.mT if transpose else a
    found = equations.solve_triangular(of, b, upper=upper != transpose, unitriangular=unitriangular)
    return Solved(found, a.clone())


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:  # noqa: N803 - PyTorch's name
    """The powers of each element of a vector, the highest first (``torch.vander``).

    Args:
        x: vector.
        N: how many powers; default as many as elements.
        increasing: power 0 first.

    Raises:
        ShapeError: for anything but a vector.
    """
    values = require_tensor("vander", x)
    if values.ndim != 1:
        raise ShapeError("vander: expected a vector", got=str(values.type),
                         where=user_location_text())  # fmt: skip
    count = values.shape[0] if N is None else N
    if count < 2:
        made = linalg.vander(values, 2)[:, :count]
    else:
        made = linalg.vander(values, count)
    return made if increasing else flip(made, (-1,))
