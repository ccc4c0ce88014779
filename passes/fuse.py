"""Fusion: elementwise operations and reductions become kernels, each one pass over its data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from graphc.errors import PassError
from graphc.graph import Graph
from graphc.node import Node
from graphc.passes.base import Journal, journal
from graphc.passes.fusion.groups import Group, Groups, readers
from graphc.passes.fusion.kernel import make_kernel, needs_of
from graphc.passes.fusion.partition import Partition, Unit
from graphc.passes.fusion.parts import base_of
from graphc.passes.fusion.products import attach_products
from graphc.passes.fusion.prologues import attach_prologues
from graphc.passes.fusion.recompute import recompute_light
from graphc.passes.fusion.space import Space
from graphc.rebuild import with_inputs

SINGLE = Space(())


@dataclass(frozen=True)
class Fuse:
    """Put elementwise operations and reductions into ``fused`` nodes.

    A producer joins its consumer where both loop over one space (see ``fusion.space``), and
    kernels that read the same large value join, too. Every group is convex: no path leaves it and
    comes back. Nodes with unknown sizes stay as they are; views stay outside of kernels but for
    broadcasts. Each elementwise or reduce node ends up in exactly one kernel.

    Args:
        products: let matrix products compute what is made of each of their elements, and factors
            that they alone need.
    """

    products: bool = False
    name: str = "fuse"
    requires: tuple[str, ...] = ()
    ensures: tuple[str, ...] = ("fused",)

    def run(self, graph: Graph) -> Graph:
        """The graph with kernels; the same object if there is nothing to fuse."""
        notes = journal()
        groups = Groups(graph.nodes)
        if not groups.work:
            return graph
        single = _used_once(graph, groups)
        while (
            _merge_producers(groups, single)
            or _merge_producers(groups, set(groups.work))
            or _merge_readers(groups)
            or _merge_scalars(groups)
        ):
            pass
        _note_refusals(groups, notes)
        kernels = [
            tuple(group.members)
            for group in groups.kernels()
            if notes.fire(_kind(group), group.members[-1])
        ]
        partition = Partition(graph, kernels)
        if self.products:
            attach_products(graph, partition, notes)
        recompute_light(graph, partition, notes)
        if self.products:
            attach_prologues(graph, partition, notes)
        return _rebuilt(graph, partition)


def _used_once(graph: Graph, groups: Groups) -> set[Node]:
    """The values with one reader: in its kernel they are never written to memory."""
    uses = Counter(base for node in groups.nodes for base in groups.of(node).reads)
    uses.update(map(base_of, graph.roots))
    return {node for node, count in uses.items() if count == 1}


def _merge_producers(groups: Groups, chosen: set[Node]) -> bool:
    """Merge along the edges from the chosen nodes, readers in order."""
    changed = False
    for node in groups.work:
        for operand in node.inputs:
            base = base_of(operand)
            if base in chosen and groups.holds(base):
                changed |= _try_merge(groups, groups.of(base), groups.of(node))
    return changed


def _merge_readers(groups: Groups) -> bool:
    """Merge kernels of one space that read the same value at full size."""
    changed = False
    for value, reading in readers(groups).items():
        # Merging kernels of one space changes neither that nor what is read at full size.
        full = [
            group
            for group in map(groups.of, (each.members[0] for each in reading))
            if group.space is not None and group.space.full == value.type.shape
        ]
        for first, second in _neighbours(groups, full):
            if first.space == second.space:
                changed |= _try_merge(groups, first, second)
    return changed


def _merge_scalars(groups: Groups) -> bool:
    """Merge kernels of single elements, whether or not they read the same: all cost one call."""
    single = [group for group in groups.kernels() if group.space == SINGLE]
    changed = False
    for first, second in _neighbours(groups, single):
        changed |= _try_merge(groups, first, second)
    return changed


def _neighbours(groups: Groups, reading: list[Group]) -> Iterable[tuple[Group, Group]]:
    """Pairs of kernels, as they are by now, though earlier pairs may have merged."""
    members = [group.members[0] for group in reading]
    in_vain: dict[Group, int] = {}
    for position, first in enumerate(members):
        merges = groups.merges
        if in_vain.get(groups.of(first)) == merges:
            continue  # Another of its members was paired with all of these, and nothing changed.
        for second in members[position + 1 :]:
            yield groups.of(first), groups.of(second)
        if groups.merges == merges:
            in_vain[groups.of(first)] = merges


def _try_merge(groups: Groups, first: Group, second: Group) -> bool:
    if first is second or groups.obstacle(first, second):
        return False
    groups.merge(first, second)
    return True


def _note_refusals(groups: Groups, notes: Journal) -> None:
    """Say for each value that crosses a kernel's border why it does."""
    for node in groups.nodes:
        reader = groups.of(node)
        for base in reader.reads:
            producer = groups.of(base)
            if producer.space is None or node is not reader.members[0]:
                continue
            if reader.space is None:
                notes.refuse(f"used by {node.op.name}", base)
            else:
                notes.refuse(groups.obstacle(producer, reader), base)


def _kind(group: Group) -> str:
    folds = group.space is not None and group.space.dims is not None
    return "reduce kernel" if folds else "map kernel"


def _rebuilt(graph: Graph, partition: Partition) -> Graph:
    """Replace the groups by kernels."""
    units = _units((*graph.inputs, *graph.updates, *graph.roots), partition)
    wanted = {*graph.roots, *(node for unit in units for node in _needs(unit, partition))}
    new: dict[Node, Node] = {}
    for unit in units:
        if partition.is_group(unit):
            own = [node for node in unit if partition.unit(node) is unit]
            results = [node for node in own if node in wanted]
            new |= make_kernel(unit, results, new, partition.factors(unit[0]))
        else:
            (node,) = unit
            new[node] = with_inputs(node, tuple(new[operand] for operand in node.inputs))
    return Graph(
        graph.inputs,
        {name: new[node] for name, node in graph.outputs.items()},
        {variable: new[node] for variable, node in graph.updates.items()},
    )


def _needs(unit: Unit, partition: Partition) -> tuple[Node, ...]:
    """What must be computed before a kernel or a single node."""
    if not partition.is_group(unit):
        return unit[0].inputs
    return needs_of(unit, partition.factors(unit[0]))


def _units(roots: Iterable[Node], partition: Partition) -> list[Unit]:
    """Kernels and the nodes outside of them that the roots need, each after what it needs."""
    done: dict[Unit, None] = {}
    begun: set[Unit] = set()
    stack = [(root, False) for root in reversed(tuple(roots))]
    while stack:
        node, ready = stack.pop()
        unit = partition.unit(node)
        if ready:
            done[unit] = None
        elif unit not in done:
            if unit in begun:
                raise PassError("kernels wait for each other", got=repr(unit))
            begun.add(unit)
            stack.append((node, True))
            stack.extend((need, False) for need in reversed(_needs(unit, partition)))
    return list(done)
