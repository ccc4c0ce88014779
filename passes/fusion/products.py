"""Let matrix products compute what is made of each of their elements, before they store it.

What a kernel does with a product before its first reduction can run on the product's tiles, in
registers. It does so if its results are stored anyway: then the product itself never is.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphc.dtypes import float32, float64
from graphc.graph import Graph, has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.ops.leaf import IOTA
from graphc.ops.reduce import sum_
from graphc.ops.shape import permute
from graphc.passes.base import Journal
from graphc.passes.fusion.groups import CYCLE, TOO_LARGE
from graphc.passes.fusion.kernel import operands_of
from graphc.passes.fusion.partition import Partition, Unit
from graphc.passes.fusion.parts import base_of, products_of
from graphc.passes.fusion.space import DIFFERENT_SHAPES

FOLDED_FIRST = "a product's reader folds it before it stores anything"
READ_AGAIN = "a product is read again behind a reduction"
BOTH_WAYS = "a product's reader needs it as it is and transposed"
COUNTS = "a product's reader counts positions"
SUMMED = (float32, float64)
MAX_SUMMED = 4096
"""More rows are added in chunks by a kernel, which is more exact."""
MAX_OPERATIONS = 48
MAX_OPERANDS = 24
MAX_RESULTS = 4
"""Limits for what runs on one tile, whose values must stay in registers."""


def attach_products(graph: Graph, partition: Partition, notes: Journal) -> None:
    """Move the fronts of kernels into the products that they read.

    Args:
        graph: the program.
        partition: its kernels; changed in place.
        notes: where changes and refusals are written.
    """
    for product in products_of(graph):
        for seen, reader in _kernels_behind(product, partition):
            if _attach(product, seen, reader, partition, notes):
                break


def _attach(product: Node, seen: Node, reader: Node, partition: Partition, notes: Journal) -> bool:
    """Move the front of a reader's kernel into a product, which it reads as ``seen``, if it can."""
    unit = partition.unit(reader)
    front = _front(unit, seen, partition)
    head = (product,) if seen is product else (product, seen)
    if isinstance(front, str):
        notes.refuse(front, product)
    elif seen is not product and product in operands_of(front):
        notes.refuse(BOTH_WAYS, product)
    elif partition.closes_cycle((*head, *front)):
        notes.refuse(CYCLE, product)
    elif notes.fire("product kernel", product):
        rest = tuple(node for node in unit if node not in set(front))
        if rest and _adds_rows(seen, front, rest, partition):
            front, rest = unit, ()
        partition.replace([(*head, *front), *([rest] if rest else [])])
        return True
    return False


def _kernels_behind(product: Node, partition: Partition) -> Iterator[tuple[Node, Node]]:
    """The product or its transpose, and a kernel's node that reads it so."""
    for seen in _as_seen(product, partition):
        for reader in partition.readers(seen):
            if partition.is_kernel(reader):
                yield seen, reader


def _as_seen(product: Node, partition: Partition) -> Iterator[Node]:
    """The product, if it is of a type that products run natively for, and its transposes."""
    if not product.type.dtype.is_floating_point:
        return
    yield product
    for reader in partition.readers(product):
        if reader.op is permute and swaps_last(reader.attrs["dims"]):
            yield reader


def swaps_last(dims: tuple[int, ...]) -> bool:
    """True for dims of a permutation that transposes matrices."""
    rank = len(dims)
    return dims == (*range(rank - 2), rank - 1, rank - 2)


def _front(unit: Unit, product: Node, partition: Partition) -> Unit | str:
    """What of a kernel can run on the product's tiles, or why nothing can."""
    front = _before_reductions(unit, partition)
    if not any(product in map(base_of, node.inputs) for node in front):
        return FOLDED_FIRST
    results = [node for node in front if partition.leaves(node, front)]
    if any(node.type.shape != product.type.shape for node in results):
        return DIFFERENT_SHAPES
    rest = set(unit) - set(front)
    again = [node for node in (product, *front) if rest.intersection(partition.readers(node))]
    if any(node is product or not partition.leaves(node, unit) for node in again):
        return READ_AGAIN
    extras = [operand for operand in operands_of(front) if operand is not product]
    too_large = len(front) > MAX_OPERATIONS or len(extras) > MAX_OPERANDS
    if too_large or len(results) + partition.leaves(product, front) > MAX_RESULTS:
        return TOO_LARGE
    counts = any(base_of(each).op is IOTA for node in front for each in node.inputs)
    return COUNTS if counts else front


def _adds_rows(seen: Node, front: Unit, rest: Unit, partition: Partition) -> bool:
    """True if what is left of a kernel are sums over the rows of the front, and works on those.

    Each tile then adds up its own rows, which are in registers, and a last phase the tiles.
    """
    shape = seen.type.static_shape
    results = [node for node in (seen, *front, *rest) if partition.leaves(node, (*front, *rest))]
    if len(shape) != 2 or not 1 < shape[0] <= MAX_SUMMED or len(results) > 2 * MAX_RESULTS:
        return False
    if len(operands_of((*front, *rest))) > MAX_OPERANDS:
        return False
    late: set[Node] = set()
    for node in rest:
        operands = list(map(base_of, node.inputs))
        if has_trait(node, Trait.REDUCE):
            of_rows = node.op is sum_ and node.attrs["dims"] == (0,) and node.type.dtype in SUMMED
            if not of_rows or node.inputs[0] not in front or node.inputs[0].type.shape != shape:
                return False
            late.add(node)
        elif not _is_row(node, shape[1]):
            return False
        elif late.intersection(operands):
            late.add(node)
    stored = [node for node in rest if partition.leaves(node, (*front, *rest))]
    return late.issuperset(stored) and all(node.type.shape == (1, shape[1]) for node in stored)


def _is_row(node: Node, columns: int) -> bool:
    """True for a value of one row, or that a row repeats."""
    *others, last = (1, *node.type.static_shape)
    return last in (1, columns) and set(others) == {1}


def _before_reductions(unit: Unit, partition: Partition) -> Unit:
    """What a kernel stores without need of its reductions, and what that is made from."""
    folding: set[Node] = set()
    for node in unit:
        if has_trait(node, Trait.REDUCE) or any(base_of(each) in folding for each in node.inputs):
            folding.add(node)
    if not folding:
        return unit
    wanted: set[Node] = set()
    for node in reversed(unit):
        if node in wanted or (node not in folding and partition.leaves(node, unit)):
            wanted |= {node, *map(base_of, node.inputs)}
    return tuple(node for node in unit if node in wanted)
