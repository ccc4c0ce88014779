"""The graph: named inputs and outputs, and the next values of variables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from graphc.node import Node
from graphc.opdef import Trait
from graphc.ordering import operands_first
from graphc.text import format_graph

if TYPE_CHECKING:
    import networkx


class Graph:
    """A program: what it takes, what it returns, and which variables it updates.

    Args:
        inputs: placeholder nodes, in order.
        outputs: results by name.
        updates: the next value of each variable node; all are written after the run.

    Passes take a graph and return another; a graph itself never changes.
    """

    def __init__(
        self,
        inputs: Iterable[Node] = (),
        outputs: Mapping[str, Node] | None = None,
        updates: Mapping[Node, Node] | None = None,
    ) -> None:
        self._inputs = tuple(inputs)
        self._outputs = MappingProxyType(dict(outputs or {}))
        self._updates = MappingProxyType(dict(updates or {}))

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The placeholder nodes, in order."""
        return self._inputs

    @property
    def outputs(self) -> Mapping[str, Node]:
        """The result nodes by name."""
        return self._outputs

    @property
    def updates(self) -> Mapping[Node, Node]:
        """The next value of each variable node that changes."""
        return self._updates

    @property
    def roots(self) -> tuple[Node, ...]:
        """All nodes whose values leave the graph: outputs, then next values of variables."""
        return (*self.outputs.values(), *self.updates.values())

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, operands before their users, in an order that depends on structure only."""
        return topological((*self.inputs, *self.updates, *self.roots))

    @property
    def variables(self) -> tuple[Node, ...]:
        """The variable nodes that the graph reads or updates."""
        return tuple(node for node in self.nodes if node.op.name == "variable")

    @cached_property
    def users(self) -> Mapping[Node, tuple[Node, ...]]:
        """The nodes that read each node; one entry per operand position."""
        found: dict[Node, list[Node]] = {node: [] for node in self.nodes}
        for node in self.nodes:
            for operand in node.inputs:
                found[operand].append(node)
        return MappingProxyType({node: tuple(users) for node, users in found.items()})

    @cached_property
    def dag(self) -> networkx.MultiDiGraph[Node]:
        """The nodes as a networkx graph; edges carry the operand's ``position``.

        It is a view for reading: ``mul(x, x)`` has two edges from ``x``.
        """
        import networkx

        dag: networkx.MultiDiGraph[Node] = networkx.MultiDiGraph()
        for node in self.nodes:
            dag.add_node(node, op=node.op.name, type=str(node.result_type))
        for node in self.nodes:
            for position, operand in enumerate(node.inputs):
                dag.add_edge(operand, node, position=position)
        return dag

    def __str__(self) -> str:
        return format_graph(self)

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def same_as(self, other: Graph) -> bool:
        """True if both have the same inputs, outputs and updates in the same order.

        Nodes are interned, so this is structural equality; it is what ``==`` means, too. A node
        that holds a graph is the same as one that holds an equal graph.
        """
        return self._key == other._key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Graph) and self.same_as(other)

    def __hash__(self) -> int:
        return hash(self._key)

    @cached_property
    def _key(self) -> tuple[object, ...]:
        return (self.inputs, tuple(self.outputs.items()), tuple(self.updates.items()))

    def replace_roots(self, replacement: Mapping[Node, Node]) -> Graph:
        """The graph whose outputs and next values are replaced where the mapping says so."""
        return Graph(
            self.inputs,
            {name: replacement.get(node, node) for name, node in self.outputs.items()},
            {var: replacement.get(node, node) for var, node in self.updates.items()},
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return (Graph, (self.inputs, dict(self.outputs), dict(self.updates)))


def topological(roots: Iterable[Node]) -> tuple[Node, ...]:
    """The nodes that the roots need, operands first; iterative, so depth is no limit."""
    return tuple(operands_first(roots, _inputs))


def _inputs(node: Node) -> tuple[Node, ...]:
    return node.inputs


def has_trait(node: Node, trait: Trait) -> bool:
    """True if the node's operation has any of these traits."""
    # The values, since `&` of two flags makes a third, and passes ask this everywhere.
    return node.op.traits._value_ & trait._value_ != 0


def bodies_of(node: Node) -> tuple[Graph, ...]:
    """The graphs among a node's attributes, in the order of the attributes' names."""
    return tuple(value for _, value in sorted(node.attrs.items()) if isinstance(value, Graph))


_MAY_FAIL = Trait.FALLIBLE | Trait.OPAQUE


def may_fail(node: Node) -> bool:
    """True if computing the node may raise on bad data; it may do so in one of its bodies."""
    if has_trait(node, _MAY_FAIL):
        return True
    return any(may_fail(inner) for body in bodies_of(node) for inner in body.nodes)
