"""Which nodes run together, once the groups have grown: kernels, and nodes on their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from graphc.graph import Graph
from graphc.node import Node
from graphc.ordering import operands_first
from graphc.passes.fusion.kernel import is_product
from graphc.passes.fusion.parts import base_of, is_glue

Unit = tuple[Node, ...]


class Partition:
    """The kernels of a graph; each node is computed by one of them or on its own.

    Args:
        graph: the program.
        kernels: members of each kernel, operands first.
    """

    def __init__(self, graph: Graph, kernels: Iterable[Unit]) -> None:
        self._units = {node: unit for unit in kernels for node in unit}
        self._factors: dict[tuple[Node, int], Unit] = {}
        self.results = set(map(base_of, graph.roots))
        self._readers: dict[Node, list[Node]] = {}
        for node in graph.nodes:
            if not is_glue(node):
                for base in dict.fromkeys(map(base_of, node.inputs)):
                    self._readers.setdefault(base, []).append(node)
        self._rank = self._ranks(graph)

    def _ranks(self, graph: Graph) -> dict[Node, int]:
        """Numbers that never fall from a node to its readers, equal within each kernel."""

        def needs(first: Node) -> list[Node]:
            bases = {base_of(each): None for node in self.unit(first) for each in node.inputs}
            return [head for base in bases if (head := self.unit(base)[0]) is not first]

        heads = {self.unit(node)[0]: None for node in graph.nodes if not is_glue(node)}
        order = operands_first(heads, needs)
        return {node: rank for rank, head in enumerate(order) for node in self.unit(head)}

    def unit(self, node: Node) -> Unit:
        """The nodes that run together with this one, itself included."""
        return self._units.get(node, (node,))

    def is_kernel(self, node: Node) -> bool:
        """True if a kernel of elementwise operations and reductions computes the node."""
        return node in self._units and not is_product(self._units[node])

    def is_group(self, unit: Unit) -> bool:
        """True for what a kernel of any kind computes, False for a node on its own."""
        return len(unit) > 1 or unit[0] in self._units

    def readers(self, node: Node) -> Sequence[Node]:
        """The nodes that read a value, through glue."""
        return self._readers.get(node, ())

    def leaves(self, node: Node, inside: Iterable[Node]) -> bool:
        """True if a value is needed by others than these nodes."""
        inside = set(inside)
        return node in self.results or any(each not in inside for each in self.readers(node))

    def kernels(self) -> Sequence[Unit]:
        """Each kernel once."""
        return list({id(unit): unit for unit in self._units.values()}.values())

    def change(self, changes: Iterable[tuple[Unit, Unit]]) -> None:
        """Give kernels other members.

        Args:
            changes: kernels, and what they compute from now on: nodes may have their home
                elsewhere; nobody needs those that are left out, nor an empty kernel.
        """
        for old, new in changes:
            for node in old:
                del self._units[node]
            self._units |= dict.fromkeys(set(old).intersection(new), new)

    def replace(self, units: Iterable[Unit]) -> None:
        """Let these nodes run together from now on."""
        for unit in units:
            self._units |= dict.fromkeys(unit, unit)
            self._raise(unit)

    def _raise(self, unit: Unit) -> None:
        """Give the nodes of a kernel the highest of their ranks, and what follows them no less."""
        rank = max(self._rank[node] for node in unit)
        stack = [node for node in unit if self._rank[node] < rank]
        self._rank |= dict.fromkeys(stack, rank)
        while stack:
            followers = [each for one in self.readers(stack.pop()) for each in self.unit(one)]
            low = [each for each in followers if self._rank[each] < rank]
            self._rank |= dict.fromkeys(low, rank)
            stack.extend(low)

    def absorb(self, product: Node, side: int, unit: Unit) -> None:
        """Let a product compute one of its factors, which nobody else needs."""
        self._factors[product, side] = unit
        self._units.setdefault(product, (product,))

    def factors(self, product: Node) -> tuple[Unit, Unit]:
        """The nodes that a product computes its factors with; none for a factor that it reads."""
        return self._factors.get((product, 0), ()), self._factors.get((product, 1), ())

    def closes_cycle(self, members: Iterable[Node]) -> bool:
        """True if a path leaves these nodes and comes back."""
        inside = set(members)
        # No path comes back from beyond the last of them.
        last = max(self._rank[node] for node in inside)
        stack = [each for node in inside for each in self.readers(node) if each not in inside]
        seen: set[Node] = set()
        while stack:
            node = stack.pop()
            if node in inside:
                return True
            if node in seen or self._rank[node] > last:
                continue
            # What belongs to the kernel but was not taken runs after it as a whole.
            unit = [each for each in self.unit(node) if each not in inside]
            seen.update(unit)
            stack.extend(each for one in unit for each in self.readers(one) if each not in seen)
        return False
