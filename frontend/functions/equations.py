"""Linear equations, inverses and determinants (``torch.linalg``)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from graphc.dtypes import int64
from graphc.errors import ArgumentError, GraphcError, SymbolicValueError
from graphc.frontend.functions import choosing, exponential, pointwise, reduction
from graphc.frontend.functions.aliases import also_called
from graphc.frontend.functions.complexes import real
from graphc.frontend.functions.convert import cast, require_tensor, scalar_tensor
from graphc.frontend.functions.shaping import drop_dims, unsqueeze
from graphc.frontend.making import concrete
from graphc.frontend.modes import is_recording
from graphc.ops import determinants, elementwise, orthogonal
from graphc.ops import solve as ops
from graphc.ops.elementwise_parts import conjugated, part_dtype
from graphc.ops.linalg import adjoint, matmul, swap_last
from graphc.ops.matrices import lower, require_matrix
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["det", "inverse", "logdet", "pinverse", "slogdet"]


def matrix(function: str, x: Tensor) -> Tensor:
    """Raise unless it is a matrix that LAPACK takes, or a batch of them."""
    tensor = require_tensor(function, x)
    try:
        require_matrix(function, tensor.type)
    except GraphcError as error:
        raise error.located(user_location_text()) from None
    return tensor


def transposed(x: Tensor) -> Tensor:
    """The last two dims exchanged."""
    return swap_last(x)


def is_vector(a: Tensor, b: Tensor) -> bool:
    """Whether the right sides are vectors, one per matrix, by PyTorch's rule."""
    return b.ndim == 1 or (a.ndim - 1 == b.ndim and tuple(b.shape) == tuple(a.shape[:-1]))


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:  # noqa: N803 - PyTorch's names
    """The solution of ``A @ X = B`` for square matrices of full rank.

    Args:
        A: ``(..., n, n)``, float32 or float64, real or complex.
        B: ``(..., n, k)``, or a vector per matrix.
        left: False solves ``X @ A = B``.

    Raises:
        LinAlgError: for a singular matrix, when it runs.

    Source: ``torch.linalg.solve``.

    Example:
        >>> import graphc as gc
        >>> gc.linalg.solve(gc.tensor([[2.0, 0.0], [0.0, 4.0]]), gc.tensor([2.0, 2.0]))
        tensor([1.0000, 0.5000])
    """
    a, b = matrix("solve", A), require_tensor("solve", B)
    if is_vector(a, b):
        if not left:
            raise ArgumentError("solve: vectors need left=True", got=f"{a.type} and {b.type}",
                                where=user_location_text())  # fmt: skip
        return drop_dims(ops.solve(a, unsqueeze(b, -1)), (max(a.ndim, b.ndim + 1) - 1,))
    if left:
        return ops.solve(a, b)
    return swap_last(ops.solve(swap_last(a), swap_last(matrix("solve", b))))


def solve_triangular(
    A: Tensor,  # noqa: N803 - PyTorch's name
    B: Tensor,  # noqa: N803 - PyTorch's name
    *,
    upper: bool,
    left: bool = True,
    unitriangular: bool = False,
) -> Tensor:
    """The solution of ``A @ X = B`` for triangular matrices.

    Args:
        A: ``(..., n, n)``, of which one triangle is read.
        B: ``(..., n, k)``.
        upper: which triangle.
        left: False solves ``X @ A = B``.
        unitriangular: the diagonal counts as ones, and is not read.

    Source: ``torch.linalg.solve_triangular``.
    """
    a, b = matrix("solve_triangular", A), matrix("solve_triangular", B)
    unit = bool(unitriangular)
    if left:
        return ops.solve_triangular(a, b, upper=bool(upper), unitriangular=unit)
    turned = ops.solve_triangular(swap_last(a), swap_last(b), upper=not upper, unitriangular=unit)
    return swap_last(turned)


def inv(A: Tensor) -> Tensor:  # noqa: N803 - PyTorch's name
    """The inverse of square matrices ``(..., n, n)``.

    Raises:
        LinAlgError: for a singular matrix, when it runs.

    Source: ``torch.linalg.inv``.

    Example:
        >>> import graphc as gc
        >>> gc.linalg.inv(gc.tensor([[2.0, 0.0], [0.0, 4.0]]))
        tensor([[0.5000, 0.0000],
                [0.0000, 0.2500]])
    """
    return ops.inv(require_tensor("inv", A))


def inverse(input: Tensor) -> Tensor:
    """Older name of ``gc.linalg.inv`` (``torch.inverse``)."""
    return inv(input)


def default_rtol(x: Tensor) -> float:
    """The larger size times the distance of 1 to the next number."""
    return max(int(x.shape[-1]), int(x.shape[-2])) * float(np.finfo(x.dtype.numpy).eps)


def tolerances(
    function: str, x: Tensor, atol: float | None, rtol: float | None
) -> tuple[float, float]:
    """What PyTorch takes where nothing is given."""
    for value in (atol, rtol):
        if value is not None and not isinstance(value, int | float):
            raise ArgumentError(f"{function}: tolerances must be numbers",
                                got=type(value).__name__, where=user_location_text())  # fmt: skip
    if rtol is None:
        rtol = default_rtol(x) if atol is None or atol == 0 else 0.0
    return 0.0 if atol is None else float(atol), float(rtol)


def _require_one_kind(
    function: str, name: str, older: float | None, atol: float | None, rtol: float | None
) -> None:
    if older is not None and (atol is not None or rtol is not None):
        raise ArgumentError(f"{function}: {name} is the older form of atol and rtol",
                            got=f"{name}={older}, atol={atol}, rtol={rtol}",
                            fix="give one or the others", where=user_location_text())  # fmt: skip


def _require_square(function: str, x: Tensor) -> None:
    """Raise unless the matrices are square."""
    try:
        require_matrix(function, x.type, square=True)
    except GraphcError as error:
        raise error.located(user_location_text()) from None


def mirrored(x: Tensor) -> Tensor:
    """Hermitian matrices of the lower triangles."""
    return elementwise.add(lower(x), adjoint(lower(x, -1)))


def pinv(
    A: Tensor,  # noqa: N803 - PyTorch's name
    rcond: float | None = None,
    hermitian: bool = False,
    *,
    atol: float | None = None,
    rtol: float | None = None,
) -> Tensor:
    """The pseudoinverse of any matrices, by their singular values.

    Args:
        A: ``(..., m, n)``, float32 or float64, real or complex.
        rcond: older name of ``rtol``.
        hermitian: the matrices are Hermitian; their lower triangles are read.
        atol: singular values up to this count as 0.
        rtol: so do those up to this share of the largest; by default the larger size times the
            dtype's precision, unless ``atol`` is given.

    Returns:
        ``(..., n, m)``.

    Source: ``torch.linalg.pinv``.
    """
    x = matrix("pinv", A)
    _require_one_kind("pinv", "rcond", rcond, atol, rtol)
    if hermitian:
        _require_square("pinv", x)
    least, share = tolerances("pinv", x, atol, rtol if rcond is None else rcond)
    return orthogonal.pinv(mirrored(x) if hermitian else x, atol=least, rtol=share)


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """Older name of ``gc.linalg.pinv`` (``torch.pinverse``)."""
    return pinv(input, rcond)


def det(A: Tensor) -> Tensor:  # noqa: N803 - PyTorch's name
    """The determinants of square matrices ``(..., n, n)`` (``torch.linalg.det``).

    Example:
        >>> import graphc as gc
        >>> gc.linalg.det(gc.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor(-2.)
    """
    return determinants.det(require_tensor("det", A))


class SignAndLog(NamedTuple):
    """A determinant as its sign and the logarithm of its magnitude."""

    sign: Tensor
    logabsdet: Tensor


def slogdet(A: Tensor) -> SignAndLog:  # noqa: N803 - PyTorch's name
    """The signs of determinants, or their directions if complex, and the logarithms of magnitudes.

    Args:
        A: ``(..., n, n)``; a singular matrix gives 0 and -inf.

    Source: ``torch.linalg.slogdet``.
    """
    both = determinants.slogdet(require_tensor("slogdet", A))
    sign, size = both[..., 0], both[..., 1]
    return SignAndLog(sign if both.dtype.is_complex else sign.detach(), real(size))


def logdet(input: Tensor) -> Tensor:
    """The logarithms of determinants; NaN of negative ones (``torch.logdet``)."""
    sign, size = slogdet(input)
    if sign.dtype.is_complex:
        return pointwise.add(exponential.log(sign), size)
    return choosing.where(pointwise.lt(sign, 0), math.nan, size)


class LeastSquares(NamedTuple):
    """What ``lstsq`` gives; without elements where the driver does not say."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


DRIVERS = ("gelsy", "gels", "gelsd", "gelss")


@also_called(b="B")
def lstsq(
    A: Tensor,  # noqa: N803 - PyTorch's name
    B: Tensor,  # noqa: N803 - PyTorch's name
    rcond: float | None = None,
    *,
    driver: str | None = None,
) -> LeastSquares:
    """The ``X`` of least norm that minimizes ``|A @ X - B|``.

    Args:
        A: ``(..., m, n)``, float32 or float64, real or complex.
        B: ``(..., m, k)``, or a vector per matrix.
        rcond: singular values up to this share of the largest count as 0; by default the larger
            size times the dtype's precision.
        driver: one of LAPACK's ``"gelsy"`` (default), ``"gels"``, ``"gelsd"``, ``"gelss"``. It
            says which results there are, as in PyTorch; the solution is the same.

    Returns:
        The solution ``(..., n, k)``; the squared residuals ``(..., k)`` if all matrices have
        more rows than columns and full rank, not for gelsy; the ranks, not for gels; and the
        singular values for gelsd and gelss.

    Raises:
        ArgumentError: for an unknown driver.

    Source: ``torch.linalg.lstsq``.
    """
    a, b = matrix("lstsq", A), require_tensor("lstsq", B)
    driver = "gelsy" if driver is None else driver
    if driver not in DRIVERS:
        raise ArgumentError("lstsq: unknown driver", got=repr(driver), expected=", ".join(DRIVERS),
                            where=user_location_text())  # fmt: skip
    _, share = tolerances("lstsq", a, None, rcond)
    one_column = is_vector(a, b) and b.ndim < a.ndim
    right = unsqueeze(b, -1) if one_column else matrix("lstsq", b)
    solution = orthogonal.lstsq(a, right, rtol=share)
    values = orthogonal.svdvals(a.detach())
    rank = _rank(values, 0.0, share)
    nothing = concrete(np.zeros(0, part_dtype(a.dtype).numpy))
    residuals = nothing
    if a.shape[-2] > a.shape[-1] and driver != "gelsy" and _is_full(driver, rank, a):
        rest = elementwise.sub(matmul(a, solution), right)
        residuals = reduction.sum(real(elementwise.mul(rest, conjugated(rest))), -2)
    return LeastSquares(
        drop_dims(solution, (solution.ndim - 1,)) if one_column else solution,
        residuals,
        concrete(np.zeros(0, np.int64)) if driver == "gels" else rank,
        values if driver in ("gelsd", "gelss") else nothing,
    )


def _is_full(driver: str, rank: Tensor, a: Tensor) -> bool:
    if driver == "gels":
        return True
    if is_recording() or rank.is_symbolic:
        raise SymbolicValueError(
            "lstsq: whether there are residuals depends on values", got=f"driver={driver!r}",
            fix="use driver='gels' or 'gelsy' while recording", where=user_location_text(),
        )  # fmt: skip
    return bool((rank.storage.array == a.shape[-1]).all())


def _rank(values: Tensor, atol: float, rtol: float) -> Tensor:
    """How many singular values are above the tolerances."""
    if values.type.numel == 0:
        return reduction.sum(cast(values, int64), -1)
    largest = reduction.amax(values, -1, keepdim=True)
    least = choosing.clamp(elementwise.mul(largest, scalar_tensor(rtol, values.dtype)), min=atol)
    return reduction.sum(pointwise.gt(values, least), -1)


def matrix_rank(
    A: Tensor,  # noqa: N803 - PyTorch's name
    tol: float | None = None,
    hermitian: bool = False,
    *,
    atol: float | None = None,
    rtol: float | None = None,
) -> Tensor:
    """How many singular values are not 0, as int64.

    Args:
        A: ``(..., m, n)``, float32 or float64, real or complex.
        tol: older name of ``atol``, then without a share of the largest.
        hermitian: the matrices are Hermitian; their lower triangles are read.
        atol: singular values up to this count as 0.
        rtol: so do those up to this share of the largest; default as of ``pinv``.

    Source: ``torch.linalg.matrix_rank``.
    """
    x = matrix("matrix_rank", A)
    _require_one_kind("matrix_rank", "tol", tol, atol, rtol)
    if hermitian:
        _require_square("matrix_rank", x)
    least, share = tolerances("matrix_rank", x, atol, rtol) if tol is None else (float(tol), 0.0)
    return _rank(orthogonal.svdvals(mirrored(x) if hermitian else x), least, share)
