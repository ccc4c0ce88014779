"""The text form of graphs: stable SSA, one node a line; ``graphc.parse`` reads it back.

Values are named by position in ``graph.nodes``, so equal graphs have equal text. The comment at the
end of a line tells where the node comes from in the user's program and is not part of the graph.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

from graphc.dims import Dim
from graphc.dtypes import DType
from graphc.literal import Literal
from graphc.node import Node
from graphc.number_text import INLINE_LIMIT, array_text
from graphc.opdef import Trait
from graphc.provenance import describe
from graphc.shapes import shape_text
from graphc.storage import Source
from graphc.types import TensorType

_PLAIN_WORD = re.compile(r"[^\W\d][\w.]*")


@runtime_checkable
class Program(Protocol):
    """A ``Graph``, as this module sees it; ``graphc.graph`` imports this module."""

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The placeholder nodes, in order."""
        ...

    @property
    def outputs(self) -> Mapping[str, Node]:
        """The result nodes by name."""
        ...

    @property
    def updates(self) -> Mapping[Node, Node]:
        """The next value of each variable node that changes."""
        ...

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, operands first."""
        ...


def format_graph(graph: Program, *, locations: bool = True) -> str:
    """The graph as text.

    Args:
        graph: the program.
        locations: add a comment with the user's source lines to each node.

    Example:
        >>> from graphc.dtypes import float32
        >>> from graphc.graph import Graph
        >>> from graphc.ops.elementwise import mul
        >>> from graphc.ops.leaf import placeholder
        >>> x = placeholder("x", TensorType((2,), float32))
        >>> print(format_graph(Graph([x], {"y": mul(x, x)}), locations=False))
        graph(%x: f32[2]) {
          %0: f32[2] = mul %x, %x
          return y=%0
        }
    """
    return _Printer(_source_keys(graph), locations).graph(graph)


def constants_of(graph: Program) -> dict[str, Literal]:
    """The literals that the text names by digest; ``parse_graph`` takes them back.

    Args:
        graph: the program.
    """
    return {
        literal.digest(): literal
        for node in _all_nodes(graph)
        for literal in node.attrs.values()
        if isinstance(literal, Literal) and not _is_inline(literal)
    }


def variables_of(graph: Program) -> dict[str, Source]:
    """What the variables are bound to, by the names in the text; ``parse_graph`` takes them back.

    Args:
        graph: the program.
    """
    return {key: node.attrs["source"] for node, key in _source_keys(graph).items()}


class _Printer:
    """Writes one graph and the graphs inside its nodes."""

    def __init__(self, source_keys: Mapping[Node, str], locations: bool) -> None:
        self.source_keys = source_keys
        self.locations = locations

    def graph(self, graph: Program) -> str:
        names = _names(graph)
        inputs = ", ".join(
            f"{names[node]}: {node.type}{self._attrs(node, leave_out=('name', 'type'))}"
            for node in graph.inputs
        )
        body = [self._line(node, names) for node in graph.nodes if node not in graph.inputs]
        if graph.outputs:
            results = (f"{word(name)}={names[node]}" for name, node in graph.outputs.items())
            body.append("return " + ", ".join(results))
        body += [f"update {names[old]} = {names[new]}" for old, new in graph.updates.items()]
        lines = [f"  {line}" for text in body for line in text.split("\n")]
        return "\n".join([f"graph({inputs}) {{", *lines, "}"])

    def _line(self, node: Node, names: Mapping[Node, str]) -> str:
        operands = ", ".join(names[operand] for operand in node.inputs)
        text = f"{names[node]}: {node.result_type} = {word(node.op.name)}"
        text += f" {operands}" if operands else ""
        text += self._attrs(node, ("type",) if node.op.traits & Trait.LEAF else ())
        shared = node.op.name == "constant"  # equal constants are one node in all programs
        where = describe(node) if self.locations and not shared else ""
        if not where:
            return text
        first, *block = text.split("\n")
        return "\n".join([f"{first}   # {where}", *block])

    def _attrs(self, node: Node, leave_out: tuple[str, ...]) -> str:
        """All attributes as `` name=value``, graphs last because they take several lines."""
        shown = [(name, value) for name, value in node.attrs.items() if name not in leave_out]
        if node in self.source_keys:
            key = self.source_keys[node]
            shown = [(name, value) for name, value in shown if name != "source"]
            if key != node.attrs["name"]:
                shown.append(("source", _SourceKey(key)))
        shown.sort(key=lambda item: (isinstance(item[1], Program), item[0]))
        return "".join(f" {name}={self._value(value)}" for name, value in shown)

    def _value(self, value: Any) -> str:
        match value:
            case bool():
                return "true" if value else "false"
            case None:
                return "none"
            case int() if type(value) is int:
                return str(value)
            case float():
                return float.__repr__(value)
            case str():
                return json.dumps(value)
            case DType():
                return value.short
            case Dim():
                return f"dim({value})"
            case TensorType():
                return str(value)
            case Literal():
                return f"{value.type}{{{_literal_text(value)}}}"
            case _SourceKey():
                return "@" + json.dumps(value.key)
            case tuple() if value and all(type(item) in (int, Dim) for item in value):
                return shape_text(value)
            case tuple():
                return "(" + "".join(f"{self._value(item)}, " for item in value).rstrip(" ") + ")"
            case Program():
                return self.graph(value)
            case _:
                return f"<{type(value).__name__}>"


class _SourceKey:
    """Stands for a source in the text."""

    def __init__(self, key: str) -> None:
        self.key = key


def word(name: str) -> str:
    """A name as it stands in the text: quoted unless it is a plain word."""
    return name if _PLAIN_WORD.fullmatch(name) else json.dumps(name)


def _names(graph: Program) -> dict[Node, str]:
    names = {node: "%" + word(node.attrs["name"]) for node in graph.inputs}
    inner = (node for node in graph.nodes if node not in names)
    return names | {node: f"%{number}" for number, node in enumerate(inner)}


def _is_inline(literal: Literal) -> bool:
    return literal.array.size <= INLINE_LIMIT and literal.array.flags.c_contiguous


def _literal_text(literal: Literal) -> str:
    if _is_inline(literal):
        return array_text(literal.array, literal.type.dtype)
    return "@" + json.dumps(literal.digest())


def _source_keys(graph: Program) -> dict[Node, str]:
    """A unique key for each source: the variable's name, numbered where it is taken."""
    keys: dict[int, str] = {}
    taken: set[str] = set()
    found: dict[Node, str] = {}
    for node in _all_nodes(graph):
        if "source" not in node.attrs:
            continue
        source = id(node.attrs["source"])
        if source not in keys:
            name = node.attrs["name"]
            candidates = (name, *(f"{name}#{count}" for count in range(2, len(taken) + 3)))
            keys[source] = next(key for key in candidates if key not in taken)
            taken.add(keys[source])
        found[node] = keys[source]
    return found


def _all_nodes(graph: Program) -> Iterator[Node]:
    for node in graph.nodes:
        yield node
        for _, value in sorted(node.attrs.items()):
            if isinstance(value, Program):
                yield from _all_nodes(value)
