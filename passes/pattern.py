"""Patterns that look like the expressions they match.

``log(1 + x)`` with a pattern variable ``x`` is a pattern: operations apply to patterns as they
apply to nodes. Commutative operations match in both orders, and a variable that occurs twice
must match the same node.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphc.errors import PassError
from graphc.graph import has_trait
from graphc.literal import INTERN_LIMIT
from graphc.node import CONSTANT, Node
from graphc.opdef import OpDef, Trait
from graphc.ops.elementwise import add, div, mul, neg, sub
from graphc.types import TensorType

Attrs = Mapping[str, Any]


class Match(NamedTuple):
    """What a pattern found: a tuple, as most are made in vain.

    Args:
        bindings: nodes by variable name, and attribute values by attribute variable name.
        nodes: the nodes that the pattern's operations matched, the root last.
    """

    bindings: Attrs
    nodes: tuple[Node, ...] = ()

    def binding(self, name: str, value: Any) -> Match | None:
        """This match with one more binding, or None if the name means something else already."""
        known = self.bindings.get(name, value)
        if known is not value and (isinstance(value, Node) or known != value):
            return None
        return Match({**self.bindings, name: value}, self.nodes)


class Pattern:
    """A description of nodes; build one from ``var``, numbers, operators and operations."""

    __slots__ = ()

    def match(self, node: Node, match: Match) -> Iterator[Match]:
        """Every way in which the node fits."""
        raise NotImplementedError

    def may_match(self, node: Node) -> bool:
        """False only where there is surely no match; takes little time, as most nodes fit none."""
        return True

    @property
    def type(self) -> TensorType:
        """Patterns have no type; this exists because operands of operations have one."""
        raise PassError("a pattern has no type")

    def __apply__(self, op: OpDef, inputs: tuple[Any, ...], attrs: Attrs) -> Pattern:
        return Apply(op, tuple(map(as_pattern, inputs)), attrs)

    def __literal__(self, value: Any) -> Pattern:
        return Number(value)

    def __add__(self, other: Pattern | float) -> Pattern:
        return add(self, as_pattern(other))

    def __radd__(self, other: float) -> Pattern:
        return add(as_pattern(other), self)

    def __sub__(self, other: Pattern | float) -> Pattern:
        return sub(self, as_pattern(other))

    def __rsub__(self, other: float) -> Pattern:
        return sub(as_pattern(other), self)

    def __mul__(self, other: Pattern | float) -> Pattern:
        return mul(self, as_pattern(other))

    def __rmul__(self, other: float) -> Pattern:
        return mul(as_pattern(other), self)

    def __truediv__(self, other: Pattern | float) -> Pattern:
        return div(self, as_pattern(other))

    def __rtruediv__(self, other: float) -> Pattern:
        return div(as_pattern(other), self)

    def __neg__(self) -> Pattern:
        return neg(self)


def _anything(node: Node) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Var(Pattern):
    """Matches any node that ``accepts`` likes, and gives it a name."""

    name: str
    accepts: Callable[[Node], bool] = _anything

    def match(self, node: Node, match: Match) -> Iterator[Match]:
        """The match with this variable bound to the node."""
        bound = match.binding(self.name, node) if self.accepts(node) else None
        if bound is not None:
            yield bound


@dataclass(frozen=True, slots=True)
class Number(Pattern):
    """Matches a constant whose elements all are this number; 0.0 is not -0.0."""

    value: float

    def match(self, node: Node, match: Match) -> Iterator[Match]:
        """The match itself where the node is such a constant."""
        found = uniform_value(node)
        if found is not None and _same_number(found, self.value):
            yield match

    def may_match(self, node: Node) -> bool:
        """True for constants, also through views."""
        while has_trait(node, Trait.VIEW):
            node = node.inputs[0]
        return node.op is CONSTANT


@dataclass(frozen=True, slots=True)
class Attr:
    """Stands for an attribute's value in a pattern and gives it a name."""

    name: str


@dataclass(frozen=True, slots=True)
class Apply(Pattern):
    """Matches a node with this operation whose operands match."""

    op: OpDef
    operands: tuple[Pattern, ...]
    attrs: Attrs

    def match(self, node: Node, match: Match) -> Iterator[Match]:
        """Every way to match the operands, in both orders where the operation commutes."""
        if node.op is not self.op or len(node.inputs) != len(self.operands):
            return
        bound = self._match_attrs(node, match)
        if bound is None:
            return
        orders = [node.inputs]
        if has_trait(node, Trait.COMMUTATIVE) and node.inputs[0] is not node.inputs[1]:
            orders.append(node.inputs[::-1])
        for inputs in orders:
            for found in _match_all(self.operands, inputs, bound):
                yield Match(found.bindings, (*found.nodes, node))

    def may_match(self, node: Node) -> bool:
        """True if the operations fit."""
        if node.op is not self.op or len(node.inputs) != len(self.operands):
            return False
        if _may_match_all(self.operands, node.inputs):
            return True
        commutes = has_trait(node, Trait.COMMUTATIVE)
        return commutes and _may_match_all(self.operands, node.inputs[::-1])

    def _match_attrs(self, node: Node, match: Match) -> Match | None:
        bound: Match | None = match
        for name, wanted in self.attrs.items():
            value = node.attrs[name]
            if isinstance(wanted, Attr):
                bound = bound.binding(wanted.name, value) if bound is not None else None
            elif wanted != value:
                return None
        return bound


def _match_all(
    patterns: tuple[Pattern, ...], nodes: tuple[Node, ...], match: Match
) -> Iterator[Match]:
    if not patterns:
        yield match
        return
    for found in patterns[0].match(nodes[0], match):
        yield from _match_all(patterns[1:], nodes[1:], found)


def _may_match_all(patterns: tuple[Pattern, ...], nodes: tuple[Node, ...]) -> bool:
    return all(each.may_match(node) for each, node in zip(patterns, nodes, strict=True))


def var(name: str, accepts: Callable[[Node], bool] = _anything) -> Var:
    """A pattern variable.

    Args:
        name: the name under which the rule gets the node.
        accepts: what the node must satisfy.
    """
    return Var(name, accepts)


def as_pattern(value: Any) -> Pattern:
    """The pattern itself, or the pattern for a Python number."""
    return value if isinstance(value, Pattern) else Number(value)


def uniform_value(node: Node) -> Any:
    """The number that all elements of a small constant are, seen through views; else None."""
    while has_trait(node, Trait.VIEW):
        node = node.inputs[0]
    if node.op is not CONSTANT:
        return None
    array = node.attrs["value"].array
    if array.size == 0 or array.nbytes > INTERN_LIMIT:
        return None
    first = array.reshape(-1)[:1]
    return first[0] if array.tobytes() == first.tobytes() * array.size else None


def is_uniform(node: Node) -> bool:
    """True for a constant whose elements all are one real number."""
    found = uniform_value(node)
    return found is not None and found.dtype.kind != "c"


def _same_number(found: Any, wanted: float) -> bool:
    """Equal with the same sign of zero; complex constants match no number."""
    if found.dtype.kind == "c" or not bool(found == wanted):
        return False
    return found.dtype.kind in "biu" or math.copysign(1, float(found)) == math.copysign(1, wanted)
