"""Groups of nodes that shall share a kernel, kept free of cycles while they grow.

Two groups may merge only if no path leaves the one and enters the other through a third: the
merged kernel would have to run both before and after that third one. Ancestors and descendants
are kept as sets of bits, one bit per group. Groups that merge keep the bit of the one that more
others know, so that few have to learn of it; the bit of the other loses its meaning. What needs
nothing, like a variable, has no bit, as no path can pass through it. Nor can one pass through
kernels that need variables only, such as those that count steps: as long as that is so, nobody
has to know that they come before others, and what comes after them is asked of their readers.
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
        bit: what stands for it in sets of groups; 0 for what needs nothing.
        needs: whether it needs another group that has a bit.
        before: the groups that it needs and that need others, and bits without a meaning.
        after: the groups that need it, and bits without a meaning; unknown if it needs no other.
        reads: values from outside, through glue, without cheap ones.
    """

    members: list[Node]
    space: Space | None
    bit: int
    needs: bool
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
        self._owners: list[Node] = []
        self._readers: dict[Node, list[Node]] = {}
        self.merges = 0
        for node in self.nodes:
            reads = dict.fromkeys(
                base for each in node.inputs if (base := base_of(each)) in self._index
            )
            for base in reads:
                self._readers.setdefault(base, []).append(node)
            before, needs = 0, False
            for group in map(self._of.__getitem__, reads):
                before |= group.before | (group.bit if group.needs else 0)
                needs = needs or group.bit != 0
            space = space_of(node) if is_work(node) else None
            bit = self._new_bit(node) if reads or space is not None else 0
            self._of[node] = Group([node], space, bit, needs, before, 0, reads)
        self._meaningful = (1 << len(self._owners)) - 1
        self._needing = 0
        for group in self._of.values():
            self._needing |= group.bit if group.needs else 0
        for node in reversed(self.nodes):
            group = self._of[node]
            for base in group.reads:
                if self._of[base].bit:
                    self._of[base].after |= group.after | group.bit

    def _new_bit(self, node: Node) -> int:
        self._owners.append(node)
        return 1 << len(self._owners) - 1

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
        between = 0
        if second.before:
            between |= self._after(first) & second.before
        if first.before:
            between |= self._after(second) & first.before
        if between & self._meaningful & ~(first.bit | second.bit):
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
        inside = set(members)
        reads = {node: None for node in (*first.reads, *second.reads) if node not in inside}
        known, lost = (first, second) if _width(first) >= _width(second) else (second, first)
        needs = any(self._of[node].bit for node in reads)
        self._meaningful &= ~lost.bit
        others = self._meaningful & ~known.bit
        self._needing &= ~(0 if needs else known.bit)
        before = (first.before | second.before) & others & self._needing
        after = (self._after(first) | self._after(second)) & others if needs else 0
        merged = Group(members, space, known.bit, needs, before, after, reads)
        for node in members:
            self._of[node] = merged
        self.merges += 1
        if not needs:
            return
        news = after | known.bit
        informed = _complete_before(first, news) | _complete_before(second, news)
        for earlier in self.named(before & ~informed):
            earlier.after |= news
        news = before | known.bit
        informed = _complete_after(first, news) | _complete_after(second, news)
        for later in self.named(after & ~informed):
            later.before |= news

    def _after(self, group: Group) -> int:
        """The groups that need one, and bits without a meaning."""
        after = group.after
        if not group.needs:
            for node in group.members:
                for reader in map(self._of.__getitem__, self._readers.get(node, ())):
                    after |= 0 if reader is group else reader.after | reader.bit
        return after

    def named(self, bits: int) -> Iterator[Group]:
        """The groups in a set of bits."""
        bits &= self._meaningful
        while bits:
            last = bits.bit_length() - 1
            yield self._of[self._owners[last]]
            bits ^= 1 << last


def _width(group: Group) -> tuple[bool, int]:
    """How many others know a group; those behind it only if it needs another one."""
    return group.needs, group.before.bit_count() + group.after.bit_count()


def _complete_before(group: Group, after: int) -> int:
    """The groups before one, if they are known to be before all of ``after`` already."""
    return group.before if not after & ~(group.after | group.bit) else 0


def _complete_after(group: Group, before: int) -> int:
    """The groups after one, if they are known to be after all of ``before`` already."""
    return group.after if not before & ~(group.before | group.bit) else 0


def readers(groups: Groups) -> Mapping[Node, list[Group]]:
    """The kernels that read each value from outside, in order."""
    found: dict[Node, list[Group]] = {}
    for group in groups.kernels():
        for node in group.reads:
            found.setdefault(node, []).append(group)
    return found
