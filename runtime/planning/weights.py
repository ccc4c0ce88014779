"""Captured weights that the body of a loop multiplies by, and how it reads them."""

from __future__ import annotations

from dataclasses import dataclass

from graphc.graph import Graph
from graphc.node import Node
from graphc.ops.fused_matmul import FUSED_MATMUL, split_factors
from graphc.ops.linalg import matmul
from graphc.ops.shape import permute
from graphc.runtime.layout import Layout, is_contiguous


@dataclass(frozen=True, slots=True)
class Use:
    """A product whose right factor is a weight.

    Args:
        rows: of the left factor.
        factor: the weight, or its transpose.
        across: whether neighbours in memory are neighbours along the sum.
    """

    rows: int
    factor: Node
    across: bool


def uses_of(body: Graph, weight: Node, layout: Layout) -> tuple[Use, ...]:
    """The products by a weight; none unless the body does nothing else with it.

    Args:
        body: the body of a loop.
        weight: one of its inputs.
        layout: where the elements of the weight lie; by rows or by columns without gaps.
    """
    kind = weight.type
    if kind.rank != 2 or 1 in kind.shape or 0 in kind.shape or not kind.dtype.is_floating_point:
        return ()
    by_rows = is_contiguous(layout)
    if not by_rows and layout.strides != (1, kind.shape[0]):
        return ()
    if weight in body.roots:
        return ()
    readers = [(user, weight, by_rows) for user in body.users[weight] if user.op is not permute]
    for view in body.users[weight]:
        if view.op is permute:
            if view in body.roots:
                return ()
            readers += [(user, view, not by_rows) for user in body.users[view]]
    if not all(_is_right_factor(user, factor) for user, factor, _ in readers):
        return ()
    return tuple(
        Use(_product_rows(user), factor, across=not lies_by_rows)
        for user, factor, lies_by_rows in readers
    )


def _is_right_factor(product: Node, factor: Node) -> bool:
    """True if a product takes a value as its right factor, and nowhere else."""
    if product.inputs.count(factor) != 1:
        return False
    if product.op is matmul:
        return product.inputs[1] is factor
    if product.op is not FUSED_MATMUL or product.attrs["transposed"] or product.attrs.get("right"):
        return False
    _, rest = split_factors(product.inputs, product.attrs.get("left"))
    return rest[0] is factor


def _product_rows(product: Node) -> int:
    value = product if product.op is matmul else product.attrs["body"].inputs[0]
    rows: int = value.type.static_shape[-2]
    return rows
