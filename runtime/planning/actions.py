"""What a graph asks for, before any order or address: actions that read and write cells.

A cell is memory for one value. View nodes have no cell where a strided view of another node's cell
says the same; operands of concat and pad have none where they are computed in their place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

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
    same_elements,
    view_layout,
)
from graphc.runtime.plan import BufferKind, Plan, StepKind
from graphc.runtime.planning.inside import has_programs, stacked_carries
from graphc.runtime.planning.parts import fill_of, find_places, has_parts, parts_of
from graphc.storage import Array
from graphc.types import TensorType, TupleType

_UNKNOWN = Trait.RANDOM | Trait.OPAQUE | Trait.FALLIBLE
"""What is not computed while planning."""


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
class Nest:
    """The programs of a step to be: see ``graphc.runtime.plan.Inside``."""

    plans: tuple[Plan, ...]
    work: View
    constants: tuple[tuple[Cell, ...], ...]
    copies: Mapping[int, View] = field(default_factory=dict)
    packed: Mapping[int, View] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Action:
    """One step to be: a computation or a copy."""

    kind: StepKind
    node: Node
    reads: tuple[View, ...]
    writes: tuple[View, ...]
    nest: Nest | None = None

    @property
    def fills(self) -> tuple[View, ...]:
        """What it writes, and the memory that it needs meanwhile."""
        return self.writes if self.nest is None else (*self.writes, self.nest.work)


MakeNest = Callable[[Node, Sequence[View]], Nest]
"""Plans the programs inside a node for operands that lie like these."""


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
        copied: why a next value is not computed in its variable's memory.
    """

    values: dict[Node, tuple[View, ...]] = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)
    inputs: list[Cell] = field(default_factory=list)
    variables: dict[Node, Cell] = field(default_factory=dict)
    outputs: dict[str, Cell] = field(default_factory=dict)
    updates: dict[Node, View] = field(default_factory=dict)
    copied: dict[Node, str] = field(default_factory=dict)


def collect(graph: Graph, layouts: Mapping[Node, Layout], make_nest: MakeNest) -> Program:
    """Turn a graph with static shapes into actions.

    Args:
        graph: the program. A placeholder that it updates counts as a variable.
        layouts: where the elements of inputs and variables lie relative to their base; C order if
            missing.
        make_nest: plans what is inside a node.
    """
    return _Collector(graph, layouts, make_nest).collect()


class _Collector:
    """A program while it is being collected."""

    def __init__(self, graph: Graph, layouts: Mapping[Node, Layout], make_nest: MakeNest) -> None:
        self._graph = graph
        self._layouts = layouts
        self._make_nest = make_nest
        self._program = Program()
        self._places = find_places(graph)
        self._wholes: dict[Node, Cell] = {}

    def collect(self) -> Program:
        program = self._program
        for node in self._graph.nodes:
            program.values[node] = self._value(node)
        for name, node in self._graph.outputs.items():
            program.outputs[name] = self._output(name, node)
        for variable, node in self._graph.updates.items():
            if variable is not node:
                (program.updates[variable],) = program.values[node]
        return program

    def _value(self, node: Node) -> tuple[View, ...]:
        program = self._program
        if node.op in (PLACEHOLDER, VARIABLE):
            return (self._given(node),)
        is_known = not has_trait(node, _UNKNOWN)
        if not node.inputs and is_known and not isinstance(node.result_type, TupleType):
            return (_constant(node, node.op.eval(**node.attrs)),)
        if node.op is ITEM:
            return (program.values[node.inputs[0]][node.attrs["index"]],)
        if has_trait(node, Trait.VIEW):
            (source,) = program.values[node.inputs[0]]
            layout_or_none = view_layout(node, source.layout)
            if layout_or_none is not None:
                return (View(source.cell, layout_or_none, source.dtype),)
            if node.op is reshape:
                view = self._in_order(node, source)
                return (View(view.cell, contiguous(node.type.static_shape), view.dtype),)
        if has_parts(node):
            return (self._assembled(node),)
        return self._computed(node)

    def _given(self, node: Node) -> View:
        """A value that comes with each run."""
        layout = self._layouts.get(node, contiguous(node.type.static_shape))
        nbytes = extent(layout) * node.type.dtype.itemsize
        if node.op is VARIABLE or node in self._graph.updates:
            cell = Cell("variable", node, nbytes, node.attrs["name"])
            self._program.variables[node] = cell
        else:
            cell = Cell("input", node, nbytes, node.attrs["name"])
            self._program.inputs.append(cell)
        return View(cell, layout, node.type.dtype)

    def _computed(self, node: Node) -> tuple[View, ...]:
        result = node.result_type
        types = result.items if isinstance(result, TupleType) else (result,)
        views = tuple(self._place(node, number, type) for number, type in enumerate(types))
        reads = [self._program.values[operand][0] for operand in node.inputs]
        nest = None
        if has_programs(node):
            for number in stacked_carries(node):
                if not is_contiguous(reads[number].layout):
                    reads[number] = self._in_order(node.inputs[number], reads[number])
            nest = self._make_nest(node, reads)
        self._program.actions.append(Action("compute", node, tuple(reads), views, nest))
        return views

    def _place(self, node: Node, number: int, type: TensorType) -> View:
        """Where a result is written: inside a larger value, or in a cell of its own."""
        place = self._places.get((node, number))
        if place is None:
            return whole(Cell("arena", node, type.nbytes), type)
        return View(self._whole(place.owner), place.layout, type.dtype)

    def _whole(self, owner: Node) -> Cell:
        """The cell of a value that is written in parts."""
        if owner not in self._wholes:
            self._wholes[owner] = Cell("arena", owner, owner.type.nbytes)
        return self._wholes[owner]

    def _assembled(self, node: Node) -> View:
        """The value of concat or pad: copy those parts that are not computed in their place."""
        place = self._places.get((node, 0))
        cell = self._whole(node if place is None else place.owner)
        layout = contiguous(node.type.static_shape) if place is None else place.layout
        view = View(cell, layout, node.type.dtype)
        for operand, inside in parts_of(node, layout):
            (value,) = self._program.values[operand]
            if value.cell is not cell or not same_elements(value.layout, inside):
                self._copy(node, value, cell, inside)
        fill, borders = fill_of(node, layout)
        for border in borders:
            repeated = Layout(0, border.shape, (0,) * len(border.shape))
            self._copy(node, View(_constant(node, fill).cell, repeated, view.dtype), cell, border)
        return view

    def _copy(self, node: Node, source: View, cell: Cell, layout: Layout) -> None:
        if 0 not in layout.shape:
            target = View(cell, layout, source.dtype)
            self._program.actions.append(Action("copy", node, (source,), (target,)))

    def _in_order(self, node: Node, source: View) -> View:
        """A contiguous copy of a value, or of one that a node reshapes."""
        cell = Cell("arena", node, node.type.nbytes)
        layout = contiguous(source.layout.shape)
        self._copy(node, source, cell, layout)
        return View(cell, layout, source.dtype)

    def _output(self, name: str, node: Node) -> Cell:
        """The cell of an output: the value's own if that can leave the program, else a copy's."""
        (value,) = self._program.values[node]
        if value.cell.kind == "arena" and value.covers():
            value.cell.kind, value.cell.name = "output", name
            return value.cell
        cell = Cell("output", node, node.type.nbytes, name)
        self._copy(node, value, cell, contiguous(node.type.static_shape))
        return cell


def whole(cell: Cell, type: TensorType) -> View:
    """All of a cell in C order."""
    return View(cell, contiguous(type.static_shape), type.dtype)


def _constant(node: Node, array: Array) -> View:
    base = base_of(array)
    if base is None:
        array = base = array.copy()
    layout = array_layout(array)
    if not base.flags.c_contiguous:  # its memory as one row, which files keep as it is
        base = np.lib.stride_tricks.as_strided(base, (extent(layout),), (base.itemsize,))
    nbytes = extent(layout) * node.type.dtype.itemsize
    return View(Cell("constant", node, nbytes, array=base), layout, node.type.dtype)
