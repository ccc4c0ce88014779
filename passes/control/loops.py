"""A scan or a while loop taken apart, so that parts of it can be left out or moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphc.graph import Graph
from graphc.node import Node
from graphc.ops.bodies import body_graph, computed, numbered, results
from graphc.ops.control import SCAN, WHILE_LOOP
from graphc.ordering import operands_first

LOOPS = (SCAN, WHILE_LOOP)


@dataclass(frozen=True)
class Loop:
    """A loop's operands, by the placeholders of its body, and what its body computes.

    Attributes:
        node: the loop.
        carries: the first carries, by placeholder, in order.
        items: the sequences, by the placeholder of their items.
        captured: what is the same in every step, by placeholder.
        nexts: the next carries.
        stacked: the results of a step; none for a while loop.
        test: whether there is one step more; None for a scan.
    """

    node: Node
    carries: Mapping[Node, Node]
    items: Mapping[Node, Node]
    captured: Mapping[Node, Node]
    nexts: tuple[Node, ...]
    stacked: tuple[Node, ...] = ()
    test: Node | None = None

    @classmethod
    def of(cls, node: Node) -> Loop:
        """Take a loop apart."""
        body: Graph = node.attrs["body"]
        first = node.attrs["carries"]
        last = first + node.attrs.get("sequences", 0)
        known = list(zip(body.inputs, node.inputs, strict=True))
        outputs = tuple(body.outputs.values())
        return cls(
            node, dict(known[:first]), dict(known[first:last]), dict(known[last:]),
            outputs[:first], outputs[first:], _test(node, body),
        )  # fmt: skip

    @property
    def inputs(self) -> dict[Node, Node]:
        """All operands by placeholder."""
        return {**self.carries, **self.items, **self.captured}

    @property
    def roots(self) -> tuple[Node, ...]:
        """What the body computes."""
        return (*self.nexts, *self.stacked, *([] if self.test is None else [self.test]))

    def order(self, roots: Iterable[Node]) -> list[Node]:
        """The nodes of the body that some of its results need, operands first."""
        known = self.inputs
        return operands_first(roots, lambda node: () if node in known else node.inputs)

    def substituted(self, known: Mapping[Node, Node]) -> Loop:
        """The loop whose body has other nodes in place of some."""
        roots = self.roots
        new = iter(computed(list(roots), known, roots[0]))
        nexts = tuple(next(new) for _ in self.nexts)
        stacked = tuple(next(new) for _ in self.stacked)
        return replace(self, nexts=nexts, stacked=stacked, test=next(new, None))

    def made(self) -> tuple[Node, ...]:
        """The results of a new loop with these parts."""
        names = numbered(carry=self.carries, item=self.items, captured=self.captured)
        attrs: dict[str, Any] = {
            **self.node.attrs,
            "carries": len(self.carries),
            "body": body_graph(names, numbered(carry=self.nexts, result=self.stacked)),
        }
        if self.test is None:
            attrs["sequences"] = len(self.items)
        else:
            attrs["condition"] = body_graph(names, {"go_on": self.test})
        return results(self.node.op, list(self.inputs.values()), attrs)


def _test(node: Node, body: Graph) -> Node | None:
    """The condition in terms of the body's placeholders."""
    condition: Graph | None = node.attrs.get("condition")
    if condition is None:
        return None
    known = dict(zip(condition.inputs, body.inputs, strict=True))
    (test,) = condition.outputs.values()
    return computed([test], known, test)[0]
