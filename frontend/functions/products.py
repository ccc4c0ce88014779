"""Matrix products with all rank combinations (``torch.matmul`` and friends)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphc.errors import ShapeError
from graphc.frontend.functions.convert import promote, require_tensor
from graphc.frontend.functions.shaping import drop_dims, unsqueeze
from graphc.ops import linalg
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "bmm",
    "dot",
    "matmul",
    "mm",
    "mv",
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
