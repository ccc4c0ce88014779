"""Making and applying the graphs that are attributes of loops and branches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from graphc.graph import Graph
from graphc.node import Node
from graphc.opdef import OpDef, Operand
from graphc.ops.fused import ITEM
from graphc.ops.leaf import placeholder
from graphc.ordering import operands_first
from graphc.provenance import made_for, origins_of
from graphc.types import TupleType


class Value(Operand, Protocol):
    """A node or a tensor: what bodies can be applied to."""

    def __results__(
        self, op: OpDef, inputs: tuple[Any, ...], attrs: Mapping[str, Any]
    ) -> tuple[Any, ...]:
        """Apply an operation with several results in this value's world."""
        ...

    def __leaf__(self, node: Node) -> Any:
        """What a node without operands, e.g. a constant, is in this value's world."""
        ...


V = TypeVar("V", bound=Value)


def results(op: OpDef, operands: Sequence[V], attrs: Mapping[str, Any]) -> tuple[V, ...]:
    """Apply an operation with several results to nodes or tensors, whichever the operands are."""
    return operands[0].__results__(op, tuple(operands), attrs)


def body_graph(inputs: Mapping[str, Node], outputs: Mapping[str, Node]) -> Graph:
    """A body whose inputs get these names.

    Args:
        inputs: the placeholders that the outputs are made of, by the names that they shall have.
        outputs: the results by name.
    """
    known = {old: placeholder(name, old.type) for name, old in inputs.items()}
    new = computed(list(outputs.values()), known, next(iter(outputs.values())))
    return Graph(known.values(), dict(zip(outputs, new, strict=True)))


def numbered(**groups: Iterable[Node]) -> dict[str, Node]:
    """Nodes by the name of their group and a number, e.g. ``carry0, carry1, item0``."""
    return {
        f"{name}{number}": node
        for name, nodes in groups.items()
        for number, node in enumerate(nodes)
    }


def computed(roots: Sequence[Node], known: Mapping[Node, V], like: V) -> list[V]:
    """Nodes computed again in another world: their operations are applied to values there.

    Args:
        roots: what is computed; it depends on ``known`` and on constants.
        known: values by node.
        like: any value of the other world.
    """
    values: dict[Node, Any] = dict(known)

    def operands_of(node: Node) -> tuple[Node, ...]:
        return () if node in known else node.inputs

    for node in operands_first(roots, operands_of):
        if node in values:
            continue
        operands = [values[operand] for operand in node.inputs]
        with made_for(origins_of(node)):
            if node.op is ITEM:
                values[node] = operands[0][node.attrs["index"]]
            elif not operands:
                values[node] = like.__leaf__(node)
            elif isinstance(node.result_type, TupleType):
                values[node] = results(node.op, operands, node.attrs)
            else:
                values[node] = node.op(*operands, **node.attrs)
    return [values[root] for root in roots]
