"""Weights that a loop multiplies by: turned once before it, instead of packed in each iteration.

A product reads its right factor fastest with rows in one piece. A captured weight that all products
of a body take transposed, as linear layers do, is copied once in the other order, with gaps between
rows that would else lie at the same places of the caches. Measured with one core and 32 rows, that
saves 1/6 of a product by 256 KB and 1/5 by 1 MB; by 4 MB it saves less than the copy takes.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.graph import Graph
from graphc.node import Node
from graphc.ops.fused_matmul import FUSED_MATMUL, split_factors
from graphc.ops.linalg import matmul
from graphc.ops.shape import permute
from graphc.runtime.inside import SCAN
from graphc.runtime.layout import Layout, is_contiguous

LARGEST = 1 << 20
"""Bytes of the largest weight that is worth it."""

FEWEST = 16
"""Iterations that make up for the copy."""

COMPETING = 2048
"""Rows that are a multiple of so many bytes apart compete for places in the caches."""

GAP = 64
"""Bytes between two such rows."""

FEWEST_ROWS = 4
"""Products of fewer rows are better off the other way: with one row in 0.4 of the time."""


def turned_inputs(node: Node, operands: Sequence[Layout]) -> tuple[int, ...]:
    """The numbers of a scan's operands that its body should get in the other order.

    Args:
        node: what runs programs.
        operands: where its operands lie.
    """
    if node.op.name != SCAN or node.attrs["length"] < FEWEST:
        return ()
    body: Graph = node.attrs["body"]
    first = node.attrs["carries"] + node.attrs["sequences"]
    return tuple(
        number
        for number in range(first, len(body.inputs))
        if _is_read_across(body, body.inputs[number], operands[number])
    )


def turned(layout: Layout, itemsize: int) -> Layout:
    """The same matrix in the other order: by columns if it lies by rows, by rows otherwise."""
    rows, columns = layout.shape
    if is_contiguous(layout):
        return Layout(0, layout.shape, (1, _apart(rows, itemsize)))
    return Layout(0, layout.shape, (_apart(columns, itemsize), 1))


def _apart(length: int, itemsize: int) -> int:
    """How many elements lines of this length should be apart."""
    competing = length * itemsize % COMPETING == 0
    return length + (GAP // itemsize if competing else 0)


def _is_read_across(body: Graph, weight: Node, layout: Layout) -> bool:
    """True if a weight lies by rows or by columns, and all who read it go across them."""
    kind = weight.type
    if kind.rank != 2 or 1 in kind.shape or not kind.dtype.is_floating_point:
        return False
    by_rows = is_contiguous(layout)
    by_columns = layout.strides == (1, kind.shape[0])
    if not (by_rows or by_columns) or not 0 < kind.nbytes <= LARGEST:
        return False
    if weight in body.roots:
        return False
    factors = [(user, weight, by_rows) for user in body.users[weight] if user.op is not permute]
    for view in body.users[weight]:
        if view.op is permute:
            if view in body.roots:
                return False
            factors += [(user, view, not by_rows) for user in body.users[view]]
    return bool(factors) and all(
        not lies_by_rows and _is_right_factor(user, factor)
        for user, factor, lies_by_rows in factors
    )


def _is_right_factor(product: Node, factor: Node) -> bool:
    """True if a product of enough rows takes a value as its right factor, and nowhere else."""
    if product.inputs.count(factor) != 1:
        return False
    if product.op is matmul:
        return product.inputs[1] is factor and product.type.static_shape[-2] >= FEWEST_ROWS
    if product.op is not FUSED_MATMUL or product.attrs["transposed"] or product.attrs.get("right"):
        return False
    _, rest = split_factors(product.inputs, product.attrs.get("left"))
    body: Graph = product.attrs["body"]
    return rest[0] is factor and body.inputs[0].type.static_shape[-2] >= FEWEST_ROWS
