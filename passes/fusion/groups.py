"""Groups of nodes that shall share a kernel, kept free of cycles while they grow.

Two groups may merge only if no path leaves the one and enters the other through a third: the
merged kernel would have to run both before and after that third one. Ancestors and descendants
are kept as sets of bits, one bit per node, with merged groups counted as one node.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from graphc.node import Node
from graphc.passes.fusion.parts import base_of, is_cheap, is_glue, is_work
from graphc.passes.fusion.space import Space, join, space_of

CYCLE = "would make a cycle"
TOO_LARGE = "the kernel would be too large"
MAX_NODES = 96
"""Operations in one kernel; beyond this, compile time and register pressure cost more."""
MAX_OPERANDS = 40
"""Operands and results of one kernel, counted as the values that cross its border."""


@dataclass(slots=True, eq=False)
class Group:
    """Nodes that share a kernel.

    Args:
        members: the nodes that it computes, operands first.
        space: what it loops over; None for a node that is no work of a kernel.
        bits: its nodes, one bit each.
        before: the nodes that it needs.
        after: the nodes that need it.
        reads: values from outside, through glue, without cheap ones.
    """

    members: list[Node]
    space: Space | None
    bits: int
    before: int
    after: int
    reads: dict[Node, None]


class Groups:
    """A partition of a graph's nodes that stays acyclic.

    Args:
        nodes: the graph's nodes, operands first; glue and cheap nodes are left out.
    """

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.nodes = tuple(node for node in nodes if not is_glue(node) and not is_cheap(node))
        self._index = {node: position for position, node in enumerate(self.nodes)}
        self._of: dict[Node, Group] = {}
        self.merges = 0
        for position, node in enumerate(self.nodes):
            reads = dict.fromkeys(
                base for each in node.inputs if (base := base_of(each)) in self._index
            )
            before = 0
            for base in reads:
                before |= self._of[base].before | 1 << self._index[base]
            space = space_of(node) if is_work(node) else None
            self._of[node] = Group([node], space, 1 << position, before, 0, reads)
        for node in reversed(self.nodes):
            group = self._of[node]
            for base in group.reads:
                self._of[base].after |= group.after | group.bits

    def of(self, node: Node) -> Group:
        """The group of a node."""
        return self._of[node]

    def holds(self, node: Node) -> bool:
        """True unless the node is glue or cheap, which belong to no group."""
        return node in self._index

    @property
    def work(self) -> tuple[Node, ...]:
        """The nodes that kernels compute, operands first."""
        return tuple(node for node in self.nodes if self._of[node].space is not None)

    def kernels(self) -> Iterator[Group]:
        """Each group of work once, in the order of its first node."""
        seen: set[int] = set()
        for node in self.work:
            group = self._of[node]
            if id(group) not in seen:
                seen.add(id(group))
                yield group

    def obstacle(self, first: Group, second: Group) -> str:
        """Why the two cannot merge; empty if they can."""
        if first.space is None or second.space is None:
            return "no kernel work"
        joined = join(first.space, second.space)
        if isinstance(joined, str):
            return joined
        outside = ~(first.bits | second.bits)
        between = (first.after & second.before | second.after & first.before) & outside
        if between:
            return CYCLE
        crossing = {*first.reads, *second.reads}
        too_large = (
            len(first.members) + len(second.members) > MAX_NODES or len(crossing) > MAX_OPERANDS
        )
        return TOO_LARGE if too_large else ""

    def merge(self, first: Group, second: Group) -> None:
        """Make the two one; there must be no obstacle."""
        assert first.space is not None
        assert second.space is not None
        space = join(first.space, second.space)
        assert isinstance(space, Space)
        members = sorted([*first.members, *second.members], key=self._index.__getitem__)
        bits = first.bits | second.bits
        before = (first.before | second.before) & ~bits
        after = (first.after | second.after) & ~bits
        reads = {node: None for node in (*first.reads, *second.reads) if node not in set(members)}
        self.merges += 1
        merged = Group(members, space, bits, before, after, reads)
        for node in members:
            self._of[node] = merged
        informed = _complete_before(first, after | bits) | _complete_before(second, after | bits)
        for earlier in self._groups(before & ~informed):
            earlier.after |= after | bits
        informed = _complete_after(first, before | bits) | _complete_after(second, before | bits)
        for later in self._groups(after & ~informed):
            later.before |= before | bits

    def _groups(self, bits: int) -> Iterator[Group]:
        """Every group with a node in the set, once."""
        while bits:
            group = self._of[self.nodes[(bits & -bits).bit_length() - 1]]
            yield group
            bits &= ~group.bits


def _complete_before(group: Group, after: int) -> int:
    """The nodes before a group, if they are known to be before all of ``after`` already."""
    return group.before if not after & ~(group.after | group.bits) else 0


def _complete_after(group: Group, before: int) -> int:
    """The nodes after a group, if they are known to be after all of ``before`` already."""
    return group.after if not before & ~(group.before | group.bits) else 0


def readers(groups: Groups) -> Mapping[Node, list[Group]]:
    """The kernels that read each value from outside, in order."""
    found: dict[Node, list[Group]] = {}
    for group in groups.kernels():
        for node in group.reads:
            found.setdefault(node, []).append(group)
    return found
