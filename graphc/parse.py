"""Read the text form of graphs; ``graphc.text`` describes and writes it.

Nodes are interned, so parsing what was printed gives the very same nodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphc.errors import did_you_mean
from graphc.graph import Graph
from graphc.literal import Literal
from graphc.node import Node, make_node
from graphc.opdef import OpDef, Trait, all_ops
from graphc.ops.leaf import PLACEHOLDER
from graphc.parse_values import ValueParser
from graphc.provenance import NOWHERE, made_for
from graphc.storage import Source


def parse_graph(
    text: str,
    *,
    constants: Mapping[str, Literal] | None = None,
    variables: Mapping[str, Source] | None = None,
) -> Graph:
    """Read a graph from its text form.

    Args:
        text: what ``format_graph`` gives; comments are ignored.
        constants: literals that the text names by digest, see ``graphc.text.constants_of``.
        variables: what variables are bound to by name, see ``graphc.text.variables_of``.

    Raises:
        ParseError: it names the line and what was expected.

    Example:
        >>> graph = parse_graph("graph(%x: f32[2]) { %0: f32[2] = neg %x return y=%0 }")
        >>> graph.outputs["y"]
        <neg: f32[2]>
    """
    parser = _GraphParser(text, constants or {}, variables or {})
    with made_for(NOWHERE):
        graph = parser.graph()
    parser.take("end")
    return graph


class _GraphParser(ValueParser):
    """Reads graphs, and values that may be graphs."""

    def __init__(
        self, text: str, constants: Mapping[str, Literal], variables: Mapping[str, Source]
    ) -> None:
        super().__init__(text, constants)
        self._variables = variables
        self._ops = {op.name: op for op in all_ops()}

    def graph(self) -> Graph:
        values: dict[str, Node] = {}
        self.take("graph")
        inputs = self._inputs(values)
        outputs: dict[str, Node] = {}
        updates: dict[Node, Node] = {}
        self.take("{")
        while not self.accept("}"):
            if self.next.kind == "value":
                self._node(values)
            elif self.accept("return"):
                self._outputs(outputs, values)
            elif self.accept("update"):
                self._update(updates, values)
            else:
                self.fail(f"unexpected {self.next}", expected="%name, return, update or }")
        return Graph(inputs, outputs, updates)

    def value(self) -> Any:
        """The value of an attribute, which may be a graph."""
        return self.graph() if self.next.text == "graph" else super().value()

    def _inputs(self, values: dict[str, Node]) -> list[Node]:
        inputs = []
        self.take("(")
        while not self.accept(")"):
            name = self._new_name(values)
            self.take(":")
            type = self.tensor_type()
            plain = self.unquote(name[1:]) if name.startswith('%"') else name[1:]
            attrs = {"name": plain, "type": type, **self._attrs()}
            values[name] = make_node(PLACEHOLDER, (), attrs)
            inputs.append(values[name])
            if self.next.text != ")":
                self.take(",")
        return inputs

    def _update(self, updates: dict[Node, Node], values: Mapping[str, Node]) -> None:
        name = self.next.text
        variable = self._operand(values)
        if variable in updates:
            self.fail(f"{name} is updated twice")
        self.take("=")
        updates[variable] = self._operand(values)

    def _outputs(self, outputs: dict[str, Node], values: Mapping[str, Node]) -> None:
        while True:
            name = self.word()
            if name in outputs:
                self.fail(f"two outputs are called {name!r}")
            self.take("=")
            outputs[name] = self._operand(values)
            if not self.accept(","):
                return

    def _node(self, values: dict[str, Node]) -> None:
        line = self.next.line
        name = self._new_name(values)
        self.take(":")
        type = self.result_type()
        self.take("=")
        op = self._op()
        inputs = self._operands(values)
        attrs = self._attrs()
        if op.traits & Trait.LEAF:
            attrs["type"] = type
            self._bind(op, attrs)
        try:
            node = make_node(op, inputs, attrs)
        except Exception as error:  # inference meets attributes of any kind here
            refused = f"{op.name} does not accept these operands and attributes"
            self.fail(refused, got=str(error), line=line)
        if node.result_type != type:
            wrong = f"{op.name} has another type"
            self.fail(wrong, got=str(type), expected=str(node.result_type), line=line)
        values[name] = node

    def _new_name(self, values: Mapping[str, Node]) -> str:
        name = self.next.text
        if name in values:
            self.fail(f"{name} is defined twice")
        return self.take("value").text

    def _op(self) -> OpDef:
        name = self.word()
        if name not in self._ops:
            self.fail(f"unknown operation {name!r}", fix=did_you_mean(name, self._ops))
        return self._ops[name]

    def _operands(self, values: Mapping[str, Node]) -> tuple[Node, ...]:
        if self.next.kind != "value" or self.after_next.text == ":":
            return ()  # what follows is the next node
        operands = [self._operand(values)]
        while self.accept(","):
            operands.append(self._operand(values))
        return tuple(operands)

    def _operand(self, values: Mapping[str, Node]) -> Node:
        name = self.next.text
        if self.next.kind == "value" and name not in values:
            self.fail(f"{name} is not defined above", fix=did_you_mean(name, values))
        return values[self.take("value").text]

    def _attrs(self) -> dict[str, Any]:
        attrs: dict[str, Any] = {}
        while self.next.kind == "word" and self.next.text not in ("return", "update"):
            name = self.take("word").text
            if name in attrs:
                self.fail(f"attribute {name} is given twice")
            self.take("=")
            if self.next.kind == "reference":
                attrs[name] = self._source(self.unquote(self.take("reference").text[1:]))
            else:
                attrs[name] = self.value()
        return attrs

    def _bind(self, op: OpDef, attrs: dict[str, Any]) -> None:
        if op.name == "variable" and "source" not in attrs:
            attrs["source"] = self._source(str(attrs.get("name")))

    def _source(self, key: str) -> Source:
        if key not in self._variables:
            self.fail(
                f"nothing is given for variable {key!r}",
                fix="pass it: parse_graph(text, variables={name: Storage(array)})",
            )
        return self._variables[key]
