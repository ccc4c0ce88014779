"""Let matrix products compute their factors while they read them.

A factor that an elementwise kernel makes for one product alone, such as widened weights or scaled
inputs, need not be stored: a product can compute it while it copies blocks of it. That is less work
for the right factor, each of whose elements is copied once, and for a left one that is too large
for a cache. Otherwise a kernel of its own is as fast or faster, as measurements say.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.graph import Graph, has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.ops.leaf import IOTA
from graphc.ops.shape import permute
from graphc.passes.base import Journal
from graphc.passes.fusion.groups import TOO_LARGE
from graphc.passes.fusion.kernel import operands_of
from graphc.passes.fusion.partition import Partition, Unit
from graphc.passes.fusion.parts import base_of, products_of
from graphc.passes.fusion.products import swaps_last

READ_BY_OTHERS = "a product's factor is read by others, too"
MADE_WITH_OTHERS = "a product's factor is made together with other values"
CONSTANT = "a product's factor is made of nothing but constants"
COUNTS = "a product's factor counts positions"
TOO_OFTEN = "a product would compute its factor again and again"
FEW_ROWS = "a product has too few rows to hide the work on its factor"
CACHED = "a product's factor stays in a cache until it is read"
SMALL = "a product is too small to copy its factors"
MAX_OPERATIONS = 24
MAX_OPERANDS = 6
"""Limits for what is computed on the way, whose values must stay in registers."""
_MIN_TERMS = 1 << 17
"""Multiplications of a product that repay the copies."""
_FEW_ROWS = 16
"""Fewer rows leave no time for a costly function between two elements of the right factor."""
_BLOCK_COLUMNS = 256
"""More columns are done in blocks, and rows of the left factor computed again for each."""
_CACHED = 1 << 20
"""Bytes of a left factor that a kernel may store, as they are still in a cache when read."""


def attach_prologues(graph: Graph, partition: Partition, notes: Journal) -> None:
    """Move kernels that make a factor into the product that reads it.

    Args:
        graph: the program.
        partition: its kernels; changed in place.
        notes: where changes and refusals are written.
    """
    for product in products_of(graph):
        for side in (0, 1):
            _attach(product, side, partition, notes)


def _attach(product: Node, side: int, partition: Partition, notes: Journal) -> None:
    operand = product.inputs[side]
    source = operand.inputs[0] if _is_transpose(operand) else operand
    if not product.type.dtype.is_floating_point or not partition.is_kernel(source):
        return
    made = _what_makes(source, partition)
    reason = _obstacle(product, side, source, made, partition)
    if reason:
        notes.refuse(reason, product)
    elif notes.fire("product prologue", product):
        rest = tuple(node for node in partition.unit(source) if node not in set(made))
        partition.replace([made, *([rest] if rest else [])])
        partition.absorb(product, side, made)


def _is_transpose(node: Node) -> bool:
    return node.op is permute and swaps_last(node.attrs["dims"])


def _what_makes(source: Node, partition: Partition) -> Unit:
    """What of its kernel a value needs."""
    needed = {source}
    unit = partition.unit(source)
    for node in reversed(unit):
        if node in needed:
            needed.update(map(base_of, node.inputs))
    return tuple(node for node in unit if node in needed)


def _obstacle(product: Node, side: int, source: Node, made: Unit, partition: Partition) -> str:
    """Why the product cannot or should not compute its factor; empty if it should."""
    operand, other = product.inputs[side], product.inputs[1 - side]
    chain = {source, operand, product}
    if other in chain or (_is_transpose(other) and other.inputs[0] in chain):
        return READ_BY_OTHERS
    if any(partition.leaves(node, chain) for node in {source, operand}):
        return READ_BY_OTHERS
    if any(has_trait(node, Trait.REDUCE) for node in made) or any(
        node is not source and partition.leaves(node, made) for node in made
    ):
        return MADE_WITH_OTHERS
    if any(base_of(each).op is IOTA for node in made for each in node.inputs):
        return COUNTS
    operands = operands_of(made)
    if not operands:
        return CONSTANT
    if len(made) > MAX_OPERATIONS or len(operands) > MAX_OPERANDS:
        return TOO_LARGE
    return _loss(product, side, made, partition)


def _loss(product: Node, side: int, made: Sequence[Node], partition: Partition) -> str:
    """Why computing the factor on the way would take longer than storing it; empty if not."""
    *_, rows, terms = product.inputs[0].type.static_shape
    columns = product.inputs[1].type.static_shape[-1]
    if rows * columns * terms < _MIN_TERMS:
        return SMALL
    if _is_turned(product, partition):
        side, rows, columns = 1 - side, columns, rows
    if side == 1:
        costly = any(has_trait(node, Trait.COSTLY) for node in made)
        return FEW_ROWS if costly and rows < _FEW_ROWS else ""
    if columns > _BLOCK_COLUMNS:
        return TOO_OFTEN
    return CACHED if made[-1].type.nbytes < _CACHED else ""


def _is_turned(product: Node, partition: Partition) -> bool:
    """True if the product is computed as the product of the transposes."""
    unit = partition.unit(product)
    return len(unit) > 1 and unit[1].op is permute
