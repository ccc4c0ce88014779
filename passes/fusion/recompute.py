"""Compute light values again where they are read, if that moves fewer bytes than storing them.

A value that one kernel makes and others read costs a store and a load for each. What it was made
from is often in memory anyway: a mask beside the activation's input, a normalized row beside its
mean and scale. Then each reader makes the value itself. Costly operations are never repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graphc.graph import Graph, has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.ops.leaf import IOTA
from graphc.passes.base import Journal
from graphc.passes.fusion.kernel import is_product, needs_of
from graphc.passes.fusion.partition import Partition, Unit
from graphc.passes.fusion.parts import base_of, is_cheap, is_glue
from graphc.types import TensorType

MAX_STEPS = 6
"""Operations that one reader repeats for one value."""
SMALL = 8
"""A value this many times smaller than another is stored for its sake."""
NO_GAIN = "stored, as computing it again where it is read would move as many bytes"


def recompute_light(graph: Graph, partition: Partition, notes: Journal) -> None:
    """Let kernels repeat what is cheaper to compute than to load.

    Args:
        graph: the program.
        partition: its kernels; changed in place.
        notes: where changes and refusals are written.
    """
    traffic = _Traffic(graph, partition)
    for node in graph.nodes:
        traffic.store_for_several(node)
    for node in reversed(graph.nodes):
        readers = traffic.readers_to_spare(node)
        if not readers:
            continue
        recipes = [traffic.recipe(node, reader) for reader in readers]
        if not all(recipes):
            continue
        if traffic.cost(recipes) >= node.type.nbytes * (1 + len(readers)):
            notes.refuse(NO_GAIN, node)
        elif notes.fire("value computed again", node):
            traffic.repeat(node, readers, recipes)
    partition.change(traffic.changes())


@dataclass(frozen=True, slots=True)
class _Recipe:
    """How one kernel computes a value again.

    Args:
        steps: the operations that it repeats.
        reads: what it loads for that, besides what it has.
        stores: what must be stored for that.
    """

    steps: tuple[Node, ...]
    reads: tuple[Node, ...]
    stores: tuple[Node, ...]


class _Traffic:
    """Which kernel stores and loads which values."""

    def __init__(self, graph: Graph, partition: Partition) -> None:
        self._order = {node: position for position, node in enumerate(graph.nodes)}
        self._units = partition.kernels()
        self._home = {node: number for number, unit in enumerate(self._units) for node in unit}
        self._has = [set(unit) for unit in self._units]
        self._reads = [set(needs_of(unit)) for unit in self._units]
        self._fixed = set(map(base_of, (*graph.roots, *self._factors(graph))))
        self._users: dict[Node, list[Node]] = {}
        for node in self._home:
            for base in dict.fromkeys(map(base_of, node.inputs)):
                self._users.setdefault(base, []).append(node)
        self._readers: dict[Node, set[int]] = {}
        for number, reads in enumerate(self._reads):
            for node in reads:
                self._readers.setdefault(node, set()).add(number)

    def _factors(self, graph: Graph) -> Iterable[Node]:
        """What is read by others than bodies of kernels."""
        for node in graph.nodes:
            if node not in self._home and not is_glue(node):
                yield from node.inputs
        for unit in filter(is_product, self._units):
            yield from unit[0].inputs

    def readers_to_spare(self, node: Node) -> Sequence[int]:
        """The kernels that read a light value from another one; none if it must be stored."""
        if node not in self._home or node in self._fixed or not _is_light(node):
            return ()
        return sorted(self._readers.get(node, set()) - {self._home[node]})

    def store_for_several(self, source: Node) -> None:
        """Have a value stored that several stored ones are made of, if that moves fewer bytes."""
        if source not in self._home or self._is_stored(source):
            return
        users = [node for node in self._users.get(source, ()) if self.readers_to_spare(node)]
        readers = {reader for node in users for reader in self.readers_to_spare(node)}
        for reader in readers:
            self._reads[reader].add(source)
        known = [node for node in users if self._is_known_to_readers(node)]
        now = sum(node.type.nbytes * (1 + len(self.readers_to_spare(node))) for node in known)
        wanted = {reader for node in known for reader in self.readers_to_spare(node)}
        gain = now > source.type.nbytes * (1 + len(wanted))
        for reader in readers - (wanted if gain else set()):
            self._reads[reader].discard(source)
        if gain:
            self._readers.setdefault(source, set()).update(wanted)

    def _is_known_to_readers(self, node: Node) -> bool:
        """True if each reader can compute a value from what it has."""
        recipes = [self.recipe(node, reader) for reader in self.readers_to_spare(node)]
        return all(recipe is not None and not recipe.reads for recipe in recipes)

    def recipe(self, node: Node, reader: int) -> _Recipe | None:
        """How a kernel can compute a value; None if it would take too much."""
        steps: dict[Node, None] = {}
        reads: dict[Node, None] = {}
        stores: dict[Node, None] = {}
        stack = [node]
        while stack:
            step = stack.pop()
            if step in steps:
                continue
            steps[step] = None
            if len(steps) > MAX_STEPS:
                return None
            for operand in map(base_of, step.inputs):
                if operand in self._has[reader] or operand in self._reads[reader]:
                    continue
                if is_cheap(operand):
                    if operand.op is IOTA and is_product(self._units[reader]):
                        return None
                elif self._is_stored(operand):
                    reads[operand] = None
                elif operand.type.nbytes * SMALL <= node.type.nbytes:
                    reads[operand] = stores[operand] = None
                elif _is_light(operand):
                    stack.append(operand)
                else:
                    return None
        return _Recipe(tuple(steps), tuple(reads), tuple(stores))

    def _is_stored(self, node: Node) -> bool:
        return node not in self._home or self._leaves(node)

    def cost(self, recipes: Iterable[_Recipe | None]) -> int:
        """The bytes that these recipes load and store."""
        found = [recipe for recipe in recipes if recipe is not None]
        stores = {node for recipe in found for node in recipe.stores}
        loaded = sum(node.type.nbytes for recipe in found for node in recipe.reads)
        return loaded + sum(node.type.nbytes for node in stores)

    def repeat(self, node: Node, readers: Sequence[int], recipes: Sequence[_Recipe | None]) -> None:
        """Note that these kernels compute a value themselves."""
        for reader, recipe in zip(readers, recipes, strict=True):
            assert recipe is not None
            self._has[reader].update(recipe.steps)
            self._reads[reader].update(recipe.reads)
            for operand in recipe.reads:
                self._readers.setdefault(operand, set()).add(reader)
            self._readers[node].discard(reader)
            self._reads[reader].discard(node)

    def changes(self) -> Iterable[tuple[Unit, Unit]]:
        """The kernels that repeat something or have lost their readers, before and after."""
        for number, unit in enumerate(self._units):
            head = sum(1 for node in unit if not _is_work(node))
            every = sorted({*unit[head:], *self._has[number]} - set(unit[:head]), key=self._place)
            needed = {node for node in unit if self._leaves(node)}
            for node in reversed(every):
                if node in needed:
                    needed.update(map(base_of, node.inputs))
            work = tuple(node for node in every if node in needed)
            after = (*unit[:head], *work) if work else ()
            if after != unit:
                yield unit, after

    def _place(self, node: Node) -> int:
        return self._order[node]

    def _leaves(self, node: Node) -> bool:
        """True if others than its own kernel need a value."""
        return node in self._fixed or bool(self._readers.get(node, set()) - {self._home[node]})


def _is_work(node: Node) -> bool:
    """False for a product and its transpose, which stand in a kernel before what reads them."""
    return has_trait(node, Trait.ELEMENTWISE | Trait.REDUCE)


def _is_light(node: Node) -> bool:
    """True for an operation on each element that takes less time than to load its result."""
    light = has_trait(node, Trait.ELEMENTWISE) and not has_trait(node, Trait.COSTLY)
    return light and isinstance(node.result_type, TensorType) and node.type.is_static
