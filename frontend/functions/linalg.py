"""Linear algebra from products and norms (``torch.linalg``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions import pointwise, products, reduction
from graphc.frontend.functions.convert import require_tensor
from graphc.frontend.functions.creation import eye
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """The inner products along a dim; other dims broadcast (``torch.linalg.vecdot``)."""
    return reduction.sum(pointwise.mul(x, y), dim)


def matrix_power(A: Tensor, n: int) -> Tensor:  # noqa: N803 - PyTorch's name
    """The product of ``n`` copies of square matrices, by repeated squaring.

    Args:
        A: ``(..., m, m)``.
        n: 0 or more.

    Raises:
        ShapeError: for matrices that are not square.
        ArgumentError: for a negative power, which needs an inverse.

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
        raise ArgumentError("matrix_power: expected n >= 0", got=str(n), where=user_location_text())
    result = eye(int(x.shape[-1]), dtype=x.dtype).expand(x.shape)
    factor = x
    while n:
        if n % 2:
            result = products.matmul(result, factor)
        n //= 2
        factor = products.matmul(factor, factor) if n else factor
    return result


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of two or more matrices, in the order that needs the fewest multiplications.

    Args:
        tensors: matrices; the first and the last may be vectors.

    Raises:
        ShapeError: for fewer than two tensors, or sizes that do not fit.

    Source: ``torch.linalg.multi_dot``.
    """
    chain = [require_tensor("multi_dot", x) for x in tensors]
    if len(chain) < 2 or any(x.ndim != 2 for x in chain[1:-1]):
        raise ShapeError(
            "multi_dot: expected two or more matrices",
            got=", ".join(str(x.type) for x in chain),
            where=user_location_text(),
        )
    row, column = chain[0].ndim == 1, chain[-1].ndim == 1
    matrices = [
        chain[0].unsqueeze(0) if row else chain[0],
        *chain[1:-1],
        chain[-1].unsqueeze(1) if column else chain[-1],
    ]
    product = _chain_product(matrices)
    product = product.squeeze(0) if row else product
    return product.squeeze(-1) if column else product


def _chain_product(matrices: list[Tensor]) -> Tensor:
    """Matrix-chain multiplication by dynamic programming over (first, last)."""
    sizes = [int(matrices[0].shape[0]), *(int(x.shape[1]) for x in matrices)]
    count = len(matrices)
    cost = {(i, i): 0 for i in range(count)}
    split: dict[tuple[int, int], int] = {}
    for length in range(1, count):
        for first in range(count - length):
            last = first + length
            options = {
                k: cost[first, k]
                + cost[k + 1, last]
                + sizes[first] * sizes[k + 1] * sizes[last + 1]
                for k in range(first, last)
            }
            split[first, last] = min(options, key=options.__getitem__)
            cost[first, last] = options[split[first, last]]

    def product(first: int, last: int) -> Tensor:
        if first == last:
            return matrices[first]
        k = split[first, last]
        return products.matmul(product(first, k), product(k + 1, last))

    return product(0, count - 1)
