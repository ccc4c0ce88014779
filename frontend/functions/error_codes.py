"""Decompositions and solutions that give LAPACK's code of an error instead of raising.

``info`` is int32, one number a matrix: 0 where all is well. What stands in the other results of a
matrix with another number is what LAPACK left there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from graphc.dtypes import int32
from graphc.errors import ArgumentError, LinAlgError, SymbolicValueError
from graphc.frontend.functions import decompositions
from graphc.frontend.functions.convert import cast, require_tensor
from graphc.frontend.functions.equations import is_vector, matrix
from graphc.frontend.functions.shaping import drop_dims, unsqueeze
from graphc.ops import comparison, reduce
from graphc.ops.definite import cholesky_ex as cholesky_op
from graphc.ops.definite import cholesky_parts
from graphc.ops.diagonal import diagonal
from graphc.ops.elementwise_parts import real
from graphc.ops.linalg import adjoint
from graphc.ops.matrices import constant_like, matrix_sizes, require_matrix
from graphc.ops.shape import reshape
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


class FactorAndInfo(NamedTuple):
    """Cholesky's factor, and the order of the leading minor that is not positive; 0 for none."""

    L: Tensor
    info: Tensor


class InverseAndInfo(NamedTuple):
    """The inverse, and the pivot that is exactly 0, from 1; 0 for none."""

    inverse: Tensor
    info: Tensor


class ResultAndInfo(NamedTuple):
    """The solution, and the pivot that is exactly 0, from 1; 0 for none."""

    result: Tensor
    info: Tensor


class PackedLUAndInfo(NamedTuple):
    """What ``lu_factor`` gives, and the pivot that is exactly 0, from 1; 0 for none."""

    LU: Tensor
    pivots: Tensor
    info: Tensor


def require_success(function: str, info: Tensor, why: Callable[[int], str]) -> None:
    """Raise if one of the codes is not 0.

    Args:
        function: the name for errors.
        info: the codes.
        why: what a code means.

    Raises:
        LinAlgError: for the first matrix with an error.
        SymbolicValueError: while recording, when no code is known yet.
    """
    if info.is_symbolic:
        raise SymbolicValueError(
            f"{function}: check_errors=True needs values, which exist only at run time",
            got=str(info.type), fix="return info as an output and look at it after the run",
            where=user_location_text(),
        )  # fmt: skip
    codes = info.detach().numpy()
    places = np.argwhere(codes)
    if len(places):
        first = tuple(places[0].tolist())
        of = f"matrix {first}: " if first else ""
        raise LinAlgError(
            f"{function}: {of}{why(int(codes[first]))}", where=user_location_text()
        )  # fmt: skip


def cholesky_ex(
    A: Tensor,  # noqa: N803 - PyTorch's name
    *,
    upper: bool = False,
    check_errors: bool = False,
) -> FactorAndInfo:
    """``cholesky`` that tells which matrices are not positive definite.

    Args:
        A: ``(..., n, n)``, of which the lower triangle is read.
        upper: read the upper triangle, and give the upper factor.
        check_errors: raise after all; not while recording.

    Raises:
        LinAlgError: with ``check_errors``, for a matrix that is not positive definite.

    Source: ``torch.linalg.cholesky_ex``.

    Example:
        >>> import graphc as gc
        >>> gc.linalg.cholesky_ex(gc.tensor([[4.0, 2.0], [2.0, 0.0]])).info
        tensor(2, dtype=graphc.int32)
    """
    x = matrix("cholesky_ex", A)
    require_matrix("cholesky_ex", x.type, square=True)
    side, _ = matrix_sizes("cholesky_ex", x.type)
    factor, code = cholesky_parts(cholesky_op(adjoint(x) if upper else x), side)
    info = cast(real(code) if x.dtype.is_complex else code, int32)
    if check_errors:
        require_success(
            "cholesky_ex", info, lambda code: f"its leading minor of order {code} is not positive"
        )
    return FactorAndInfo(adjoint(factor) if upper else factor, info)


def lu_factor_ex(
    A: Tensor,  # noqa: N803 - PyTorch's name
    *,
    pivot: bool = True,
    check_errors: bool = False,
) -> PackedLUAndInfo:
    """``lu_factor`` that tells which matrices are singular.

    Args:
        A: ``(..., m, n)``, float32 or float64, real or complex.
        pivot: must be True.
        check_errors: raise for singular matrices; not while recording.

    Raises:
        LinAlgError: with ``check_errors``, for a singular matrix.

    Source: ``torch.linalg.lu_factor_ex``.

    Example:
        >>> import graphc as gc
        >>> gc.linalg.lu_factor_ex(gc.tensor([[1.0, 2.0], [2.0, 4.0]])).info
        tensor(2, dtype=graphc.int32)
    """
    return _factorized("lu_factor_ex", A, check_errors, pivot)


def _factorized(
    function: str,
    A: Tensor,  # noqa: N803 - PyTorch's name
    check_errors: bool,
    pivot: bool = True,
) -> PackedLUAndInfo:
    """The LU decomposition; raises for singular matrices if that is wanted."""
    factors, pivots = decompositions.factorized(function, A, pivot)
    info = _zero_pivots(factors)
    if check_errors:
        require_success(function, info, lambda code: f"the matrix is singular: pivot {code} is 0")
    return PackedLUAndInfo(factors, pivots, info)


def _zero_pivots(factors: Tensor) -> Tensor:
    """The first 0 on the diagonal of U, from 1; 0 for none."""
    rank = factors.ndim
    pivots = diagonal(factors, offset=0, dim1=rank - 2, dim2=rank - 1)
    batch = tuple(pivots.shape[:-1])
    if not pivots.shape[-1]:
        return cast(reduce.sum_(pivots.detach(), dims=(rank - 2,)).reshape(batch), int32)
    is_zero = cast(comparison.eq(pivots, constant_like(pivots, np.zeros(()))), int32)
    first = cast(reduce.argmax(is_zero, dims=(rank - 2,)), int32)
    found = reduce.amax(is_zero, dims=(rank - 2,))
    return reshape((first + 1) * found, shape=batch)


def solve_ex(
    A: Tensor,  # noqa: N803 - PyTorch's names
    B: Tensor,  # noqa: N803 - PyTorch's names
    *,
    left: bool = True,
    check_errors: bool = False,
) -> ResultAndInfo:
    """``solve`` that tells which matrices are singular; their solutions hold infinities or NaN.

    Args:
        A: ``(..., n, n)``, float32 or float64, real or complex.
        B: ``(..., n, k)``, or a vector per matrix.
        left: False solves ``X @ A = B``.
        check_errors: raise for singular matrices; not while recording.

    Raises:
        LinAlgError: with ``check_errors``, for a singular matrix.

    Source: ``torch.linalg.solve_ex``.

    Example:
        >>> import graphc as gc
        >>> gc.linalg.solve_ex(gc.tensor([[2.0, 0.0], [0.0, 4.0]]), gc.tensor([2.0, 2.0])).result
        tensor([1.0000, 0.5000])
    """
    a, b = matrix("solve_ex", A), require_tensor("solve_ex", B)
    require_matrix("solve_ex", a.type, square=True)
    of_vectors = is_vector(a, b)
    if of_vectors and not left:
        raise ArgumentError("solve_ex: vectors need left=True", got=f"{a.type} and {b.type}",
                            where=user_location_text())  # fmt: skip
    factors, pivots, info = _factorized("solve_ex", a, check_errors)
    right = unsqueeze(b, -1) if of_vectors else b
    solution = decompositions.lu_solve(factors, pivots, right, left=left)
    return ResultAndInfo(
        drop_dims(solution, (solution.ndim - 1,)) if of_vectors else solution, info
    )


def inv_ex(A: Tensor, *, check_errors: bool = False) -> InverseAndInfo:  # noqa: N803 - PyTorch's name
    """``inv`` that tells which matrices are singular; their inverses hold infinities or NaN.

    Args:
        A: ``(..., n, n)``, float32 or float64, real or complex.
        check_errors: raise for singular matrices; not while recording.

    Raises:
        LinAlgError: with ``check_errors``, for a singular matrix.

    Source: ``torch.linalg.inv_ex``.

    Example:
        >>> import graphc as gc
        >>> gc.linalg.inv_ex(gc.tensor([[2.0, 0.0], [0.0, 4.0]])).inverse
        tensor([[0.5000, 0.0000],
                [0.0000, 0.2500]])
    """
    x = matrix("inv_ex", A)
    require_matrix("inv_ex", x.type, square=True)
    side, _ = matrix_sizes("inv_ex", x.type)
    factors, pivots, info = _factorized("inv_ex", x, check_errors)
    ones = constant_like(x, np.eye(side))
    return InverseAndInfo(decompositions.lu_solve(factors, pivots, ones), info)
