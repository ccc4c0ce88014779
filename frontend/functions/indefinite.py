"""Decompositions of symmetric matrices that need not be definite (``torch.linalg``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphc.dtypes import INTEGER, int32
from graphc.errors import DTypeError
from graphc.frontend.functions.convert import cast, require_tensor
from graphc.frontend.functions.equations import matrix
from graphc.frontend.functions.error_codes import require_success
from graphc.frontend.functions.shaping import unsqueeze
from graphc.ops import indefinite
from graphc.ops.elementwise_parts import real
from graphc.ops.matrices import matrix_sizes
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


class PackedLDL(NamedTuple):
    """L and D in one matrix as LAPACK packs them, and its pivots."""

    LD: Tensor
    pivots: Tensor


class PackedLDLAndInfo(NamedTuple):
    """What ``ldl_factor`` gives, and the block of D that is exactly 0, from 1; 0 for none."""

    LD: Tensor
    pivots: Tensor
    info: Tensor


def ldl_factor_ex(
    A: Tensor,  # noqa: N803 - PyTorch's name
    *,
    hermitian: bool = False,
    check_errors: bool = False,
) -> PackedLDLAndInfo:
    """``ldl_factor`` that tells which matrices are singular.

    Args:
        A: ``(..., n, n)``, of which the lower triangle is read.
        hermitian: complex matrices are Hermitian, not symmetric.
        check_errors: raise for singular matrices; not while recording.

    Raises:
        LinAlgError: with ``check_errors``, for a singular matrix.

    Source: ``torch.linalg.ldl_factor_ex``. There is no gradient, as there.
    """
    found = _factorized("ldl_factor_ex", A, hermitian)
    if check_errors:
        require_success("ldl_factor_ex", found.info, _singular)
    return found


def _singular(code: int) -> str:
    return f"the matrix is singular: block {code} of D is 0"


def _factorized(
    function: str,
    A: Tensor,  # noqa: N803 - PyTorch's name
    hermitian: bool,
) -> PackedLDLAndInfo:
    x = matrix(function, A)
    packed = indefinite.ldl(x.detach(), hermitian=bool(hermitian))
    side, _ = matrix_sizes(function, x.type)
    factors, pivots, code = indefinite.ldl_parts(packed, side)
    if x.dtype.is_complex:
        pivots, code = real(pivots), real(code)
    return PackedLDLAndInfo(factors, cast(pivots, int32), cast(code, int32))


def ldl_factor(A: Tensor, *, hermitian: bool = False) -> PackedLDL:  # noqa: N803 - PyTorch's name
    """The factors of ``A = L @ D @ L.mT``, D with blocks of one or two rows, for ``ldl_solve``.

    Args:
        A: ``(..., n, n)``, float32 or float64, real or complex; the lower triangle is read.
        hermitian: complex matrices are Hermitian, and ``A = L @ D @ L.mH``.

    Raises:
        LinAlgError: for a singular matrix; while recording nothing is checked.

    Source: ``torch.linalg.ldl_factor``. There is no gradient, as there.

    Example:
        >>> import graphc as gc
        >>> LD, pivots = gc.linalg.ldl_factor(gc.tensor([[0.0, 2.0], [2.0, 0.0]]))
        >>> gc.linalg.ldl_solve(LD, pivots, gc.tensor([[2.0], [4.0]]))
        tensor([[2.],
                [1.]])
    """
    factors, pivots, info = _factorized("ldl_factor", A, hermitian)
    if not info.is_symbolic:
        require_success("ldl_factor", info, _singular)
    return PackedLDL(factors, pivots)


def ldl_solve(
    LD: Tensor,  # noqa: N803 - PyTorch's name
    pivots: Tensor,
    B: Tensor,  # noqa: N803 - PyTorch's name
    *,
    hermitian: bool = False,
) -> Tensor:
    """The solution of ``A @ X = B`` from what ``ldl_factor`` gives for ``A``.

    Args:
        LD: ``(..., n, n)``.
        pivots: ``(..., n)``, integers.
        B: ``(..., n, k)``.
        hermitian: as it was given to ``ldl_factor``.

    Raises:
        DTypeError: for pivots that are not integers.

    Source: ``torch.linalg.ldl_solve``. There is no gradient, as there.
    """
    factors, right = matrix("ldl_solve", LD), matrix("ldl_solve", B)
    exchanges = require_tensor("ldl_solve", pivots)
    if exchanges.dtype.category != INTEGER:
        raise DTypeError("ldl_solve: pivots must be integers", got=exchanges.dtype.name,
                         where=user_location_text())  # fmt: skip
    return indefinite.ldl_solve(
        factors.detach(), unsqueeze(exchanges, -1), right.detach(), hermitian=bool(hermitian)
    )
