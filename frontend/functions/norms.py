"""Norms of vectors and matrices (``torch.norm``, ``torch.linalg.norm`` and the like)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphc.dtypes import DTypeLike, as_dtype, float32
from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions import pointwise, reduction
from graphc.frontend.functions.convert import cast, normalize_dim, require_tensor, scalar_tensor
from graphc.frontend.functions.reduction import Dims, dims_argument, require_float, safe_root
from graphc.frontend.functions.shaping import drop_dims, permute, reshape
from graphc.ops import comparison, reduce, select
from graphc.ops.orthogonal import svdvals
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["norm"]


def _values(function: str, x: Tensor, dtype: DTypeLike | None) -> Tensor:
    values = require_tensor(function, x)
    values = values if dtype is None else cast(values, as_dtype(dtype))
    require_float(function, values)
    return values


def norm(
    input: Tensor, p: float | str | None = "fro", dim: Dims = None, keepdim: bool = False,
    *, dtype: DTypeLike | None = None,
) -> Tensor:  # fmt: skip
    """The norm over dims, as if they were one, unless it is that of matrices.

    Args:
        input: floating point tensor.
        p: a number as in ``gc.linalg.vector_norm``; ``"fro"`` is 2, ``"nuc"`` is the sum of the
            singular values.
        dim: dim or dims, two for ``"nuc"``; None for all.
        keepdim: keep reduced dims with size 1.
        dtype: cast to this type first.

    Raises:
        ArgumentError: for an unknown order.

    Source: ``torch.norm``.
    """
    if p == "nuc":
        x = require_tensor("norm", input)
        return matrix_norm(x, "nuc", tuple(range(x.ndim)) if dim is None else dim, keepdim,
                           dtype=dtype)  # fmt: skip
    if isinstance(p, str) and p != "fro":
        raise _unknown_order("norm", p, "a number, 'fro' or 'nuc'")
    order = 2.0 if p is None or isinstance(p, str) else p
    return vector_norm(_values("norm", input, None), order, dim, keepdim, dtype=dtype)


def _unknown_order(function: str, order: object, expected: str) -> ArgumentError:
    return ArgumentError(
        f"{function}: unknown order", got=repr(order), expected=expected,
        where=user_location_text(),
    )  # fmt: skip


def vector_norm(
    x: Tensor, ord: float = 2, dim: Dims = None, keepdim: bool = False,
    *, dtype: DTypeLike | None = None,
) -> Tensor:  # fmt: skip
    """The vector norm over dims, as if they were one.

    Args:
        x: floating point tensor.
        ord: 0 counts non-zero elements, inf and -inf give the largest and smallest magnitude,
            any other number p gives ``sum(|x|^p)^(1/p)``.
        dim: dim or dims; None for all.
        keepdim: keep reduced dims with size 1.
        dtype: cast to this type first.

    Raises:
        ArgumentError: for an unknown order.
        ShapeError: for a negative order of no elements.

    Source: ``torch.linalg.vector_norm``.

    Example:
        >>> import graphc as gc
        >>> gc.linalg.vector_norm(gc.tensor([3.0, 4.0]))
        tensor(5.)
    """
    values = _values("vector_norm", x, dtype)
    if values.dtype.is_floating_point and values.dtype.itemsize == 2:
        single = vector_norm(cast(values, float32), ord, dim, keepdim)
        return cast(single, values.dtype)
    if isinstance(ord, bool) or not isinstance(ord, int | float):
        raise _unknown_order("vector_norm", ord, "a number")
    dims = dims_argument("vector_norm", values, dim)
    if ord < 0 and reduce.reduced_count(values.shape, dims) == 0:
        raise ShapeError(f"vector_norm: no elements have a norm of order {ord}",
                         got=f"{values.type}, dim={dim}", where=user_location_text())  # fmt: skip
    if ord == 2:
        return safe_root(reduction.sum(reduction.squared_size(values), dims, keepdim))
    values = pointwise.abs(values) if values.dtype.is_complex else values
    if ord == 0:
        present = cast(comparison.ne(values, scalar_tensor(0, values.dtype)), values.dtype)
        return reduction.sum(present, dims, keepdim)
    magnitude = pointwise.abs(values)
    if ord == 1:
        return reduction.sum(magnitude, dims, keepdim)
    if ord == math.inf:
        return reduction.amax(magnitude, dims, keepdim)
    if ord == -math.inf:
        return reduction.amin(magnitude, dims, keepdim)
    powers = _power(magnitude, ord)
    return _power(reduction.sum(powers, dims, keepdim), 1.0 / ord)


def _power(x: Tensor, exponent: float) -> Tensor:
    """The power of magnitudes with gradient 0 at 0, where the true one may be infinite."""
    zero, one = scalar_tensor(0, x.dtype), scalar_tensor(1, x.dtype)
    is_zero = comparison.eq(x, zero)
    of_zero = scalar_tensor(0.0 if exponent > 0 else math.inf, x.dtype)
    return select.where(is_zero, of_zero, pointwise.pow(select.where(is_zero, one, x), exponent))


def matrix_norm(
    A: Tensor,  # noqa: N803 - PyTorch's name
    ord: float | str = "fro",
    dim: Dims = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """The norm of matrices in two dims.

    Args:
        A: ``(..., m, n)``, floating point.
        ord: ``"fro"``, ``"nuc"``, inf and -inf (largest and smallest sum of a row's magnitudes),
            1 and -1 (of a column's), 2 and -2 (largest and smallest singular value).
        dim: the two dims.
        keepdim: keep them with size 1.
        dtype: cast to this type first.

    Raises:
        ArgumentError: for an unknown order, or one dim twice.

    Source: ``torch.linalg.matrix_norm``.

    Example:
        >>> import graphc as gc
        >>> gc.linalg.matrix_norm(gc.tensor([[3.0, 0.0], [0.0, -4.0]]), 2)
        tensor(4.)
    """
    x = _values("matrix_norm", A, dtype)
    dims = [normalize_dim("matrix_norm", each, x.ndim) for each in _two_dims(x, dim)]
    if dims[0] == dims[1]:
        raise ArgumentError(
            "matrix_norm: a dim is named twice", got=str(dim), where=user_location_text()
        )
    if ord == "fro":
        return vector_norm(x, 2, dims, keepdim)
    if ord == "nuc" or ord == 2 or ord == -2:
        return _of_singular_values(x, ord, dims, keepdim)
    if isinstance(ord, str) or ord not in (1, -1, math.inf, -math.inf):
        raise _unknown_order("matrix_norm", ord, "'fro', 'nuc', inf, -inf, 1, -1, 2 or -2")
    along, across = dims if abs(ord) == 1 else dims[::-1]
    sums = reduction.sum(pointwise.abs(x), along, keepdim=True)
    found = _largest(sums, across) if ord > 0 else reduction.amin(sums, across, True)
    return found if keepdim else drop_dims(found, dims)


def _largest(x: Tensor, dim: int) -> Tensor:
    """The largest number of 0 or more along a dim, which is kept; 0 of none."""
    return (reduction.sum if x.shape[dim] == 0 else reduction.amax)(x, dim, True)


def _two_dims(x: Tensor, dim: Dims) -> Sequence[int]:
    if x.ndim < 2 or not isinstance(dim, Sequence) or len(dim) != 2:
        raise ShapeError(
            "matrix_norm: expected a matrix, and two dims", got=f"{x.type}, dim={dim}",
            where=user_location_text(),
        )  # fmt: skip
    return dim


def _of_singular_values(x: Tensor, ord: float | str, dims: list[int], keepdim: bool) -> Tensor:
    others = [axis for axis in range(x.ndim) if axis not in dims]
    values = svdvals(permute(x, [*others, *dims]))
    if ord == "nuc":
        found = reduction.sum(values, -1, keepdim=True)
    else:
        found = _largest(values, -1) if ord == 2 else reduction.amin(values, -1, keepdim=True)
    if not keepdim:
        return drop_dims(found, [found.ndim - 1])
    return reshape(found, tuple(1 if axis in dims else x.shape[axis] for axis in range(x.ndim)))
