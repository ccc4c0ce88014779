"""Matrix products with all rank combinations (``torch.matmul`` and friends)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphc.dtypes import bool_
from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.frontend.functions.convert import (
    Number,
    arrays_as_tensors,
    promote,
    require_tensor,
    scalar_tensor,
    to_operand,
)
from graphc.frontend.functions.shaping import drop_dims, expand, unsqueeze
from graphc.ops import elementwise, linalg, select
from graphc.ops.elementwise_parts import conjugated
from graphc.ops.reduce import sum_
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "addbmm",
    "addmm",
    "addmv",
    "addr",
    "baddbmm",
    "bmm",
    "dot",
    "matmul",
    "mm",
    "mv",
    "vdot",
]


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product; vectors count as a row or column, more dims are batches.

    Args:
        input: ``(n,)`` or ``(..., m, n)``.
        other: ``(n,)`` or ``(..., n, p)``.

    Returns:
        ``(..., m, p)``, without the dims that a vector stood for.

    Raises:
        ShapeError: if inner sizes or batch dims do not fit, or for a tensor without dims.

    Source: ``torch.matmul``.

    Example:
        >>> import graphc as gc
        >>> gc.matmul(gc.ones(2, 3), gc.ones(3))
        tensor([3., 3.])
    """
    input, other = arrays_as_tensors(input, other)
    a, b = require_tensor("matmul", input), require_tensor("matmul", other)
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(
            "matmul: expected one dim or more", got=f"{a.type} and {b.type}",
            fix="use * for numbers", where=user_location_text(),
        )  # fmt: skip
    a, b = promote("matmul", a, b)
    left_vector, right_vector = a.ndim == 1, b.ndim == 1
    product = linalg.matmul(
        unsqueeze(a, 0) if left_vector else a, unsqueeze(b, 1) if right_vector else b
    )
    dropped = [product.ndim - 2] if left_vector else []
    dropped += [product.ndim - 1] if right_vector else []
    return drop_dims(product, dropped)


def _ranked(function: str, a: Any, b: Any, ranks: tuple[int, int]) -> Tensor:
    x, y = require_tensor(function, a), require_tensor(function, b)
    if (x.ndim, y.ndim) != ranks:
        raise ShapeError(
            f"{function}: expected {ranks[0]} and {ranks[1]} dims", got=f"{x.type} and {y.type}",
            where=user_location_text(),
        )  # fmt: skip
    return matmul(x, y)


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices (``torch.mm``)."""
    return _ranked("mm", input, mat2, (2, 2))


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Products of two batches of matrices (``torch.bmm``)."""
    return _ranked("bmm", input, mat2, (3, 3))


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """A matrix times a vector (``torch.mv``)."""
    return _ranked("mv", input, vec, (2, 1))


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The inner product of two vectors (``torch.dot``)."""
    return _ranked("dot", input, tensor, (1, 1))


def vdot(input: Tensor, other: Tensor) -> Tensor:
    """The inner product of two vectors, of the first conjugated (``torch.vdot``)."""
    return _ranked("vdot", conjugated(require_tensor("vdot", input)), other, (1, 1))


def _scaled_sum(
    function: str, input: Tensor, product: Tensor, beta: Number, alpha: Number,
    zeroes: bool = False,
) -> Tensor:  # fmt: skip
    """``beta * input + alpha * product``; with ``beta=0`` the input is not read, NaN or not.

    ``zeroes``: with ``alpha=0`` the product is 0, NaN or not.
    """
    x = require_tensor(function, input)
    if x.dtype is not product.dtype:
        raise DTypeError(
            f"{function}: expected one dtype", got=f"{x.type} and {product.type}",
            where=user_location_text(),
        )  # fmt: skip
    if not x.dtype.is_differentiable and not all(isinstance(f, int) for f in (beta, alpha)):
        raise ArgumentError(
            f"{function}: integers need whole factors", got=f"beta={beta}, alpha={alpha}",
            where=user_location_text(),
        )  # fmt: skip
    wide = expand(x, product.shape)
    if zeroes and alpha == 0:
        scaled = select.where(scalar_tensor(False, bool_), product, scalar_tensor(0, x.dtype))
    else:
        scaled = product if alpha == 1 else elementwise.mul(product, to_operand(alpha, x.dtype))
    if beta == 0:
        return scaled
    first = wide if beta == 1 else elementwise.mul(wide, to_operand(beta, x.dtype))
    return elementwise.add(first, scaled)


def addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)``.

    Args:
        input: broadcasts to ``(n, p)``; with ``beta=0`` its values do not count.
        mat1: ``(n, m)``.
        mat2: ``(m, p)``.
        beta: factor of the input.
        alpha: factor of the product; 0 counts it as 0, NaN or not.

    Source: ``torch.addmm``.
    """
    return _scaled_sum("addmm", input, _ranked("addmm", mat1, mat2, (2, 2)), beta, alpha, True)


def addmv(
    input: Tensor, mat: Tensor, vec: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """``beta * input + alpha * (mat @ vec)`` (``torch.addmv``)."""
    return _scaled_sum("addmv", input, _ranked("addmv", mat, vec, (2, 1)), beta, alpha, True)


def addr(
    input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """``beta * input + alpha * outer(vec1, vec2)`` (``torch.addr``).

    Raises:
        ShapeError: for anything but vectors.
    """
    column, row = require_tensor("addr", vec1), require_tensor("addr", vec2)
    if (column.ndim, row.ndim) != (1, 1):
        raise ShapeError(
            "addr: expected two vectors", got=f"{column.type} and {row.type}",
            where=user_location_text(),
        )  # fmt: skip
    product = elementwise.mul(*promote("addr", unsqueeze(column, 1), row))
    return _scaled_sum("addr", input, product, beta, alpha)


def baddbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """``beta * input + alpha * (batch1 @ batch2)`` for batches (``torch.baddbmm``)."""
    return _scaled_sum("baddbmm", input, _ranked("baddbmm", batch1, batch2, (3, 3)), beta, alpha)


def addbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """``beta * input + alpha * (batch1 @ batch2).sum(0)`` (``torch.addbmm``)."""
    products = _ranked("addbmm", batch1, batch2, (3, 3))
    total = drop_dims(sum_(products, dims=(0,)), (0,))
    return _scaled_sum("addbmm", input, total, beta, alpha, True)
