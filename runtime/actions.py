"""What a graph asks for, before any order or address: actions that read and write cells.

A cell is one result of one node. View nodes have no cell where a strided view of another node's
cell says the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from graphc.dtypes import DType
from graphc.graph import Graph, has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.ops.fused import ITEM
from graphc.ops.leaf import PLACEHOLDER, VARIABLE
from graphc.ops.shape import reshape
from graphc.runtime.layout import (
    Layout,
    array_layout,
    base_of,
    contiguous,
    extent,
    is_contiguous,
    view_layout,
)
from graphc.runtime.plan import BufferKind, StepKind
from graphc.storage import Array
from graphc.types import TensorType, TupleType


@dataclass(eq=False, slots=True)
class Cell:
    """Memory for one value.

    Args:
        kind: who owns the memory.
        node: whose value it is.
        nbytes: how much it needs, gaps included.
        name: of the placeholder, variable or output.
        array: a constant's base array.
        home: the cell whose memory it uses instead of its own: an operand that it overwrites, or
            the variable whose next value it is.
    """

    kind: BufferKind
    node: Node
    nbytes: int
    name: str = ""
    array: Array | None = None
    home: Cell | None = None

    @property
    def root(self) -> Cell:
        """The cell whose memory it uses in the end."""
        cell = self
        while cell.home is not None:
            cell = cell.home
        return cell


@dataclass(frozen=True, slots=True)
class View:
    """Elements of a cell."""

    cell: Cell
    layout: Layout
    dtype: DType

    def covers(self) -> bool:
        """True if it is the whole cell in C order."""
        layout = self.layout
        whole = math.prod(layout.shape) * self.dtype.itemsize == self.cell.nbytes
        return whole and layout.offset == 0 and is_contiguous(layout)


@dataclass(eq=False, slots=True)
class Action:
    """One step to be: a computation or a copy."""

    kind: StepKind
    node: Node
    reads: tuple[View, ...]
    writes: tuple[View, ...]


@dataclass(slots=True)
class Program:
    """All actions of a graph in program order, and where its values are.

    Args:
        values: the view of each node's value; one per result for nodes with several results.
        actions: operands first.
        inputs: cells of the placeholders, in order.
        variables: cells of the variables.
        outputs: output cells by name.
        updates: the view of each variable's next value; those without change are left out.
    """

    values: dict[Node, tuple[View, ...]] = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)
    inputs: list[Cell] = field(default_factory=list)
    variables: dict[Node, Cell] = field(default_factory=dict)
    outputs: dict[str, Cell] = field(default_factory=dict)
    updates: dict[Node, View] = field(default_factory=dict)


def collect(graph: Graph, layouts: Mapping[Node, Layout]) -> Program:
    """Turn a graph with static shapes into actions.

    Args:
        graph: the program.
        layouts: where the elements of variables lie relative to their base; C order if missing.
    """
    program = Program()
    for node in graph.nodes:
        program.values[node] = _value(program, node, layouts)
    for name, node in graph.outputs.items():
        program.outputs[name] = _output(program, name, node)
    for variable, node in graph.updates.items():
        if variable is not node:
            program.updates[variable] = _next_value(program, node)
    return program


def _value(program: Program, node: Node, layouts: Mapping[Node, Layout]) -> tuple[View, ...]:
    if node.op is PLACEHOLDER:
        cell = Cell("input", node, node.type.nbytes, node.attrs["name"])
        program.inputs.append(cell)
        return (_whole(cell, node.type),)
    if node.op is VARIABLE:
        layout = layouts.get(node, contiguous(node.type.static_shape))
        nbytes = extent(layout) * node.type.dtype.itemsize
        program.variables[node] = cell = Cell("variable", node, nbytes, node.attrs["name"])
        return (View(cell, layout, node.type.dtype),)
    if not node.inputs and not has_trait(node, Trait.RANDOM | Trait.OPAQUE | Trait.FALLIBLE):
        return (_constant(node, node.op.eval(**node.attrs)),)
    if node.op is ITEM:
        return (program.values[node.inputs[0]][node.attrs["index"]],)
    if has_trait(node, Trait.VIEW):
        (source,) = program.values[node.inputs[0]]
        layout_or_none = view_layout(node, source.layout)
        if layout_or_none is not None:
            return (View(source.cell, layout_or_none, source.dtype),)
        if node.op is reshape:
            return (_copied(program, node, source),)
    return _computed(program, node)


def _constant(node: Node, array: Array) -> View:
    base = base_of(array)
    if base is None:
        array = base = array.copy()
    layout = array_layout(array)
    nbytes = extent(layout) * node.type.dtype.itemsize
    return View(Cell("constant", node, nbytes, array=base), layout, node.type.dtype)


def _computed(program: Program, node: Node) -> tuple[View, ...]:
    result = node.result_type
    types = result.items if isinstance(result, TupleType) else (result,)
    views = tuple(_whole(Cell("arena", node, type.nbytes), type) for type in types)
    reads = tuple(program.values[operand][0] for operand in node.inputs)
    program.actions.append(Action("compute", node, reads, views))
    return views


def _copied(program: Program, node: Node, source: View) -> View:
    """A contiguous copy of a value that is laid out otherwise, shaped as the node's."""
    cell = Cell("arena", node, node.type.nbytes)
    target = View(cell, contiguous(source.layout.shape), source.dtype)
    program.actions.append(Action("copy", node, (source,), (target,)))
    return _whole(cell, node.type)


def _output(program: Program, name: str, node: Node) -> Cell:
    """The cell of an output: the value's own if that can leave the program, else a copy's."""
    (value,) = program.values[node]
    if value.cell.kind == "arena" and value.covers():
        value.cell.kind, value.cell.name = "output", name
        return value.cell
    cell = Cell("output", node, node.type.nbytes, name)
    program.actions.append(Action("copy", node, (value,), (_whole(cell, node.type),)))
    return cell


def _next_value(program: Program, node: Node) -> View:
    """A variable's next value; where it is some variable's present value, a copy of that.

    Next values are written when the run is over, one after the other. The copy keeps a swap of
    two variables from reading what was just written.
    """
    (value,) = program.values[node]
    return _copied(program, node, value) if value.cell.kind == "variable" else value


def _whole(cell: Cell, type: TensorType) -> View:
    return View(cell, contiguous(type.static_shape), type.dtype)
