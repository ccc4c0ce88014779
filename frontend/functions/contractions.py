"""Products over chosen dims: outer and inner, Kronecker's, of chains (``torch.tensordot`` ...)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.convert import cast, normalize_dim, promote, require_tensor
from graphc.frontend.functions.linalg import cross as cross_along
from graphc.frontend.functions.products import matmul
from graphc.frontend.functions.reduction import sum
from graphc.frontend.functions.shaping import broadcast_tensors, permute, unsqueeze
from graphc.ops import elementwise, linalg
from graphc.ops.shape import reshape
from graphc.provenance import user_location_text
from graphc.shapes import unify

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["chain_matmul", "cross", "ger", "inner", "kron", "outer", "tensordot"]


def inner(input: Tensor, other: Tensor) -> Tensor:
    """The inner products along both last dims; times a number (``torch.inner``)."""
    a, b = promote("inner", require_tensor("inner", input), require_tensor("inner", other))
    if a.ndim == 0 or b.ndim == 0:
        return elementwise.mul(a, b)
    return tensordot(a, b, ([a.ndim - 1], [b.ndim - 1]))


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """All products of the elements of two vectors, ``(n, m)`` (``torch.outer``).

    Raises:
        ShapeError: for anything but vectors.
    """
    a, b = require_tensor("outer", input), require_tensor("outer", vec2)
    if (a.ndim, b.ndim) != (1, 1):
        raise ShapeError(
            "outer: expected two vectors", got=f"{a.type} and {b.type}",
            where=user_location_text(),
        )  # fmt: skip
    return elementwise.mul(*promote("outer", unsqueeze(a, 1), b))


def ger(input: Tensor, vec2: Tensor) -> Tensor:
    """Older name of ``outer`` (``torch.ger``)."""
    return outer(input, vec2)


def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The vector product along a dim of size 3; other dims broadcast.

    Args:
        input: tensor.
        other: tensor.
        dim: None for the first dim of size 3.

    Source: ``torch.cross``.
    """
    a, b = promote("cross", require_tensor("cross", input), require_tensor("cross", other))
    if dim is None:
        shape = broadcast_tensors(a, b)[0].shape
        dim = next((axis for axis, size in enumerate(shape) if size == 3), -1)
    return cross_along(a, b, dim=dim)


def tensordot(a: Tensor, b: Tensor, dims: int | Sequence[Sequence[int]] | Tensor = 2) -> Tensor:
    """The sum of products over pairs of dims.

    Args:
        a: tensor.
        b: tensor.
        dims: the dims of ``a`` and those of ``b``; a number pairs so many last dims of ``a`` with
            the first of ``b``.

    Returns:
        The other dims of ``a``, then those of ``b``.

    Raises:
        ShapeError: if the sizes of paired dims differ.

    Source: ``torch.tensordot``.

    Example:
        >>> import graphc as gc
        >>> gc.tensordot(gc.ones(2, 3), gc.ones(3, 2), 1)
        tensor([[3., 3.],
                [3., 3.]])
    """
    x, y = promote("tensordot", require_tensor("tensordot", a), require_tensor("tensordot", b))
    left, right = _paired_dims(x, y, dims)
    x, y = _summed(x, left, y, right), _summed(y, right, x, left)
    if len(left) != len(right) or any(
        unify(x.shape[one], y.shape[other]) is None for one, other in zip(left, right, strict=True)
    ):
        raise ShapeError(
            "tensordot: the paired dims differ", got=f"{x.type} over {left}, {y.type} over {right}",
            where=user_location_text(),
        )  # fmt: skip
    rows = [dim for dim in range(x.ndim) if dim not in left]
    columns = [dim for dim in range(y.ndim) if dim not in right]
    row_sizes, column_sizes = [x.shape[dim] for dim in rows], [y.shape[dim] for dim in columns]
    depth = math.prod(x.shape[dim] for dim in left)
    product = linalg.matmul(
        reshape(permute(x, [*rows, *left]), shape=(math.prod(row_sizes), depth)),
        reshape(permute(y, [*right, *columns]), shape=(depth, math.prod(column_sizes))),
    )
    return reshape(product, shape=(*row_sizes, *column_sizes))


def _summed(x: Tensor, dims: list[int], other: Tensor, others: list[int]) -> Tensor:
    """The sums of a tensor along the dims that meet a size of 1: that repeats for each element."""
    meets_one = [
        dim for dim, at in zip(dims, others, strict=False)
        if other.shape[at] == 1 and x.shape[dim] != 1
    ]  # fmt: skip
    return cast(sum(x, meets_one, keepdim=True), x.dtype) if meets_one else x


def _paired_dims(
    x: Tensor, y: Tensor, dims: int | Sequence[Sequence[int]] | Tensor
) -> list[list[int]]:
    pairs = dims if isinstance(dims, int | Sequence) else dims.tolist()
    if isinstance(pairs, int):
        if not 0 <= pairs <= min(x.ndim, y.ndim):
            raise ArgumentError(
                "tensordot: unknown number of dims", got=str(pairs),
                expected=f"0..{min(x.ndim, y.ndim)}", where=user_location_text(),
            )  # fmt: skip
        return [list(range(x.ndim - pairs, x.ndim)), list(range(pairs))]
    return [
        [normalize_dim("tensordot", dim, each.ndim) for dim in chosen]
        for each, chosen in zip((x, y), pairs, strict=True)
    ]


def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: every element of the first times the whole second (``torch.kron``)."""
    a, b = promote("kron", require_tensor("kron", input), require_tensor("kron", other))
    rank = max(a.ndim, b.ndim)
    first = (1,) * (rank - a.ndim) + tuple(a.shape)
    second = (1,) * (rank - b.ndim) + tuple(b.shape)
    left = tuple(size for each in first for size in (each, 1))
    right = tuple(size for each in second for size in (1, each))
    products = elementwise.mul(reshape(a, shape=left), reshape(b, shape=right))
    sizes = tuple(one * another for one, another in zip(first, second, strict=True))
    return reshape(products, shape=sizes)


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of two or more matrices, in the order that needs the fewest multiplications.

    Args:
        tensors: matrices; the first and the last may be vectors.

    Raises:
        ShapeError: for fewer than two tensors, or sizes that do not fit.

    Source: ``torch.linalg.multi_dot``.
    """
    chain = [require_tensor("multi_dot", x) for x in tensors]
    ends = [x.ndim for x in chain[:1] + chain[-1:]]
    if len(chain) < 2 or any(x.ndim != 2 for x in chain[1:-1]) or not set(ends) <= {1, 2}:
        raise ShapeError(
            "multi_dot: expected two or more matrices, of which the first and last may be vectors",
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
        return matmul(product(first, k), product(k + 1, last))

    return product(0, count - 1)


def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of one or more matrices, in the best order (``torch.chain_matmul``).

    Raises:
        ShapeError: for anything but matrices.
    """
    for each in matrices:
        if require_tensor("chain_matmul", each).ndim != 2:
            raise ShapeError(
                "chain_matmul: expected matrices", got=str(each.type), where=user_location_text()
            )
    return matrices[0] if len(matrices) == 1 else multi_dot(matrices)
