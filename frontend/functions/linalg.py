"""More linear algebra: powers, condition, products and inverses of tensors (``torch.linalg``)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from graphc.dtypes import DTypeLike, as_dtype
from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions import pointwise, products, reduction
from graphc.frontend.functions.aliases import also_called
from graphc.frontend.functions.convert import (
    cast,
    normalize_dim,
    promote,
    require_tensor,
    scalar_tensor,
)  # fmt: skip
from graphc.frontend.functions.counting import eye
from graphc.frontend.functions.equations import inv, matrix, slogdet
from graphc.frontend.functions.norms import matrix_norm, vector_norm
from graphc.frontend.functions.pieces import cat
from graphc.frontend.functions.reduction import Dims
from graphc.frontend.functions.shaping import expand, permute, reshape, unsqueeze
from graphc.ops import elementwise, scan, select
from graphc.ops.elementwise_parts import conjugated
from graphc.ops.linalg import adjoint, matmul
from graphc.ops.matrices import constant_like, lower, matrix_sizes
from graphc.ops.matrix_exp import matrix_exp as matrix_exp_op
from graphc.ops.orthogonal import svdvals
from graphc.ops.shape import narrow
from graphc.ops.solve import solve
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["matrix_exp", "matrix_power"]


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """The inner products along a dim, of the first conjugated (``torch.linalg.vecdot``)."""
    return reduction.sum(pointwise.mul(conjugated(require_tensor("vecdot", x)), y), dim)


def matrix_exp(A: Tensor) -> Tensor:  # noqa: N803 - PyTorch's name
    """The exponential of matrices, ``I + A + A @ A / 2 + ...`` (``torch.linalg.matrix_exp``).

    Example:
        >>> import graphc as gc
        >>> gc.linalg.matrix_exp(gc.zeros(2, 2))
        tensor([[1., 0.],
                [0., 1.]])
    """
    return matrix_exp_op(require_tensor("matrix_exp", A))


def matrix_power(A: Tensor, n: int) -> Tensor:  # noqa: N803 - PyTorch's name
    """The product of ``n`` copies of square matrices, by repeated squaring.

    Args:
        A: ``(..., m, m)``.
        n: how many; negative for powers of the inverse.

    Raises:
        ShapeError: for matrices that are not square.
        LinAlgError: for a negative power of a singular matrix, when it runs.

    Source: ``torch.linalg.matrix_power``.
    """
    x = require_tensor("matrix_power", A)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError(
            "matrix_power: expected square matrices",
            got=str(x.type),
            where=user_location_text(),
        )
    if n < 0:
        return matrix_power(inv(x), -n)
    if n == 0:
        return eye(int(x.shape[-1]), dtype=x.dtype).expand(x.shape)
    result, factor, rest = None, x, n
    while rest:
        if rest % 2:
            result = factor if result is None else products.matmul(result, factor)
        rest //= 2
        factor = products.matmul(factor, factor) if rest else factor
    assert result is not None, "a bit of n is set"
    return result.clone() if n == 1 else result


_NORMS = (None, "fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)


def cond(A: Tensor, p: float | str | None = None) -> Tensor:  # noqa: N803 - PyTorch's name
    """How much a matrix can magnify relative errors: its norm times that of its inverse.

    Args:
        A: ``(..., m, n)``, square unless ``p`` is None, 2 or -2; singular ones give inf, empty
            ones 0.
        p: the norm, as of ``matrix_norm``; None is 2.

    Source: ``torch.linalg.cond``.
    """
    x = matrix("cond", A)
    if p not in _NORMS:
        raise ArgumentError("cond: unknown norm", got=repr(p), expected=str(_NORMS)[1:-1],
                            where=user_location_text())  # fmt: skip
    rows, columns = x.shape[-2:]
    if (rows == 0 or columns == 0) and (rows == columns or not isinstance(p, str)):
        return expand(pointwise.abs(scalar_tensor(0, x.dtype)), x.shape[:-2]).clone()
    if p is None or p in (2, -2):
        values = svdvals(x)
        first, last = values[..., 0], values[..., -1]
        return elementwise.div(last, first) if p == -2 else elementwise.div(first, last)
    size, _ = matrix_sizes("cond", x.type)
    is_singular = pointwise.eq(slogdet(x.detach()).sign, 0)
    mask = reshape(is_singular, (*is_singular.shape, 1, 1))
    regular = select.where(mask, constant_like(x, np.eye(size)), x)
    found = elementwise.mul(matrix_norm(regular, p), matrix_norm(inv(regular), p))
    return select.where(is_singular, scalar_tensor(math.inf, found.dtype), found)


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The vector product along a dim of size 3; other dims broadcast (``torch.linalg.cross``).

    Raises:
        ShapeError: if the numbers of dims differ, or the dim has not 3 elements.

    Example:
        >>> import graphc as gc
        >>> gc.linalg.cross(gc.tensor([1.0, 0.0, 0.0]), gc.tensor([0.0, 1.0, 0.0]))
        tensor([0., 0., 1.])
    """
    a, b = promote("cross", require_tensor("cross", input), require_tensor("cross", other))
    if a.ndim != b.ndim:
        raise ShapeError("cross: the number of dims differs", got=f"{a.type} and {b.type}",
                         where=user_location_text())  # fmt: skip
    axis = normalize_dim("cross", dim, a.ndim)
    if a.ndim == 0 or a.shape[axis] != 3 or b.shape[axis] != 3:
        raise ShapeError("cross: expected 3 elements along the dim", got=f"{a.type} and {b.type}",
                         where=user_location_text())  # fmt: skip
    return cat([_minor(a, b, axis, place) for place in range(3)], axis)


def _minor(a: Tensor, b: Tensor, axis: int, place: int) -> Tensor:
    one, two = (place + 1) % 3, (place + 2) % 3

    def at(x: Tensor, where: int) -> Tensor:
        return narrow(x, axis, where, where + 1)

    return elementwise.sub(
        elementwise.mul(at(a, one), at(b, two)), elementwise.mul(at(a, two), at(b, one))
    )


def vander(x: Tensor, N: int | None = None) -> Tensor:  # noqa: N803 - PyTorch's name
    """The powers 0, 1, ... of each element, along a new last dim.

    Args:
        x: ``(..., n)``; bools and integers as int64.
        N: how many powers, 2 or more; default n.

    Raises:
        ShapeError: for tensors without dims.
        ArgumentError: for fewer than two powers.

    Source: ``torch.linalg.vander``.
    """
    values = reduction.wide(require_tensor("vander", x), None)
    if values.ndim == 0:
        raise ShapeError("vander: expected one dim or more", got=str(values.type),
                         where=user_location_text())  # fmt: skip
    count = values.shape[-1] if N is None else N
    if isinstance(count, int) and count < 2:
        raise ArgumentError("vander: expected two powers or more", got=str(count),
                            where=user_location_text())  # fmt: skip
    ones = expand(scalar_tensor(1, values.dtype), (*values.shape, 1))
    factors = expand(unsqueeze(values, -1), (*values.shape, count - 1))
    return scan.cumprod(cat([ones, factors], -1), dim=values.ndim)


def tensorinv(A: Tensor, ind: int = 2) -> Tensor:  # noqa: N803 - PyTorch's name
    """The inverse for ``tensordot`` over ``ind`` dims.

    Args:
        A: its first ``ind`` sizes have the product of the others.
        ind: 1 or more.

    Returns:
        A tensor with the last dims of ``A`` first.

    Raises:
        ShapeError: if the dims in front and those behind have not as many elements.

    Source: ``torch.linalg.tensorinv``.
    """
    x = require_tensor("tensorinv", A)
    rows, columns = math.prod(x.shape[:ind]), math.prod(x.shape[ind:])
    if not 1 <= ind <= x.ndim or rows != columns:
        raise ShapeError("tensorinv: both groups of dims need one number of elements",
                         got=f"{x.type}, ind={ind}", where=user_location_text())  # fmt: skip
    inverse = inv(reshape(x, (rows, columns)))
    return reshape(inverse, (*x.shape[ind:], *x.shape[:ind]))


@also_called(other="B")
def tensorsolve(
    A: Tensor,  # noqa: N803 - PyTorch's name
    B: Tensor,  # noqa: N803 - PyTorch's name
    dims: tuple[int, ...] | None = None,
) -> Tensor:
    """The ``X`` of ``tensordot(A, X, X.ndim) = B``.

    Args:
        A: ``(*B.shape, *X.shape)``, both with one number of elements.
        B: tensor.
        dims: dims of ``A`` that are moved to the end first.

    Raises:
        ShapeError: if the numbers of elements do not fit.

    Source: ``torch.linalg.tensorsolve``.
    """
    x, right = require_tensor("tensorsolve", A), require_tensor("tensorsolve", B)
    if dims is not None:
        last = [normalize_dim("tensorsolve", dim, x.ndim) for dim in dims]
        x = permute(x, [*(dim for dim in range(x.ndim) if dim not in last), *last])
    shape = tuple(x.shape[right.ndim :])
    size = math.prod(shape)
    if size != math.prod(right.shape) or math.prod(x.shape) != size * size:
        raise ShapeError("tensorsolve: the number of elements differs",
                         got=f"{x.type} and {right.type}", where=user_location_text())  # fmt: skip
    solution = solve(reshape(x, (size, size)), reshape(right, (size, 1)))
    return reshape(solution, shape)


def householder_product(A: Tensor, tau: Tensor) -> Tensor:  # noqa: N803 - PyTorch's name
    """The first columns of a product of reflections ``I - tau * v @ v.mH``.

    Args:
        A: ``(..., m, n)`` with m >= n; below the diagonal of each column is what follows the 1
            of a vector ``v``.
        tau: ``(..., k)`` with k <= n.

    Returns:
        ``(..., m, n)`` with orthonormal columns, if A and tau are as LAPACK's geqrf gives them.

    Raises:
        ShapeError: unless ``m >= n``, ``k <= n`` and both have one dtype.

    Source: ``torch.linalg.householder_product``.
    """
    x, scales = matrix("householder_product", A), require_tensor("householder_product", tau)
    rows, columns = matrix_sizes("householder_product", x.type)
    count = scales.shape[-1] if scales.ndim else -1
    if (
        rows < columns or scales.dtype is not x.dtype or scales.ndim != x.ndim - 1
        or not isinstance(count, int) or not 0 <= count <= columns
    ):  # fmt: skip
        raise ShapeError("householder_product: expected m >= n and k <= n of one dtype",
                         got=f"{x.type} and {scales.type}", where=user_location_text())  # fmt: skip
    vectors = elementwise.add(lower(x, -1), constant_like(x, np.eye(rows, columns)))
    result = expand(constant_like(x, np.eye(rows, columns)), x.shape)
    for place in reversed(range(count)):
        vector = narrow(vectors, x.ndim - 1, place, place + 1)
        scale = unsqueeze(narrow(scales, scales.ndim - 1, place, place + 1), -1)
        reflected = matmul(elementwise.mul(vector, scale), matmul(adjoint(vector), result))
        result = elementwise.sub(result, reflected)
    return result


def norm(
    A: Tensor,  # noqa: N803 - PyTorch's name
    ord: float | str | None = None,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """A vector norm over one dim or a matrix norm over two.

    Args:
        A: floating point tensor.
        ord: as in ``vector_norm`` or ``matrix_norm``; None is the square root of all squares.
        dim: dim or two dims; None for those of a vector or matrix, or for all if ``ord`` is None.
        keepdim: keep reduced dims with size 1.
        dtype: cast to this type first.

    Raises:
        ArgumentError: for an order that does not go with the number of dims.

    Source: ``torch.linalg.norm``.
    """
    x = require_tensor("norm", A)
    x = x if dtype is None else cast(x, as_dtype(dtype))
    if ord is None:
        return vector_norm(x, 2, dim, keepdim)
    over = x.ndim if dim is None else len(dim) if isinstance(dim, Sequence) else 1
    if over == 2:
        return matrix_norm(x, ord, (0, 1) if dim is None else dim, keepdim)
    if over != 1 or isinstance(ord, str):
        raise ArgumentError(
            "norm: this order needs one dim for vectors or two for matrices",
            got=f"ord={ord!r}, dim={dim}, {x.type}", where=user_location_text(),
        )  # fmt: skip
    return vector_norm(x, ord, dim, keepdim)
