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
from graphc.runtime.layout import Layout, is_contiguous
from graphc.runtime.planning.inside import SCAN
from graphc.runtime.planning.weights import Use, uses_of

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
        if 0 < body.inputs[number].type.nbytes <= LARGEST
        and _is_read_across(uses_of(body, body.inputs[number], operands[number]))
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


def _is_read_across(uses: Sequence[Use]) -> bool:
    """True if products of enough rows are all that reads a weight, and go across its lines."""
    return bool(uses) and all(use.across and use.rows >= FEWEST_ROWS for use in uses)
