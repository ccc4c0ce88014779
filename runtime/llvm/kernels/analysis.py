"""What a kernel must know about its values: where they lie, how they vary, what waits for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphc.errors import CompileError
from graphc.graph import has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.ops.leaf import IOTA
from graphc.ordering import operands_first
from graphc.runtime.llvm.ir.memory import computed_elem
from graphc.runtime.llvm.ir.values import Value
from graphc.runtime.llvm.kernels.iteration import Axis, Layout, Space, space_of
from graphc.runtime.llvm.kernels.reductions import reduction_of
from graphc.runtime.llvm.scalar.scalar_ops import require_native

ALIASES = ("expand", "reshape", "detach")
"""Operations inside a body that only change which dims a value spans."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an array lies.

    Args:
        base: an address.
        layout: how the elements lie.
        offset: bytes from the address to the first element.
        fresh: whether it is a result's and holds no operand, too.
    """

    base: Value
    layout: Layout
    offset: int = 0
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Partial:
    """The states of one reduction's chunks, before they are combined.

    Args:
        places: the first chunk's states: an array per component of the state.
        chunks: how many there are.
        distance: bytes from one chunk's states to the next one's.
    """

    places: tuple[Place, ...]
    chunks: int
    distance: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """The values of one phase and where each of them belongs.

    Args:
        nodes: all values that the results need, operands first; leaves are read from memory.
        results: the values to store.
        leaves: the place numbers of each value that is read from memory.
        stores: the place numbers of each result: one, or one per component of a state.
        partials: those leaves that are combined from the states of chunks.
        distance: bytes from one chunk's states to the next one's, if the results are reductions
            whose states are stored; 0 if values are stored.
        places: by number.
        space: the loops; the strides of its axes are in the order of the places.
        varying: the axes along which each value differs.
        depth: how many reductions follow each other up to each value.
    """

    nodes: tuple[Node, ...]
    results: tuple[Node, ...]
    leaves: Mapping[Node, tuple[int, ...]]
    stores: tuple[tuple[int, ...], ...]
    partials: Mapping[Node, Partial]
    distance: int
    places: tuple[Place, ...]
    space: Space
    varying: Mapping[Node, frozenset[Axis]]
    depth: Mapping[Node, int]

    @property
    def raw(self) -> bool:
        """Whether states of reductions are stored, not their values."""
        return self.distance > 0

    @property
    def reduced_dims(self) -> frozenset[int]:
        """The dims of the full shape that reductions run along."""
        return frozenset(
            dim for node in self.nodes if self.is_reduction(node) for dim in node.attrs["dims"]
        )

    @property
    def passes(self) -> int:
        """How many times a row is walked for its reductions."""
        return max(self.depth.values(), default=0)

    def is_reduction(self, node: Node) -> bool:
        """Whether this phase computes a reduction here."""
        return has_trait(node, Trait.REDUCE) and node not in self.leaves

    def spans(self, result: int) -> frozenset[Axis]:
        """The axes along which a result is stored."""
        number = self.stores[result][0]
        return frozenset(axis for axis in self.space.axes if axis.strides[number])


def analyze(
    results: Sequence[Node],
    loads: Mapping[Node, Place],
    stores: Sequence[Sequence[Place]],
    partials: Mapping[Node, Partial],
    distance: int = 0,
) -> Analysis:
    """Look through the values of one phase.

    Args:
        results: what to compute.
        loads: values that lie in memory.
        stores: where each result goes: its value, or each component of its state.
        partials: reductions whose states lie in memory.
        distance: bytes between chunks' states, where states are stored; else 0.

    Raises:
        CompileError: if there is no native code for something; says for what.
    """

    def operands(node: Node) -> tuple[Node, ...]:
        return () if node in loads or node in partials else node.inputs

    nodes = tuple(operands_first(results, operands))
    places: list[Place] = []
    leaves: dict[Node, tuple[int, ...]] = {}

    def add(more: Sequence[Place]) -> tuple[int, ...]:
        places.extend(more)
        return tuple(range(len(places) - len(more), len(places)))

    for node in nodes:
        if node in partials:
            leaves[node] = add(partials[node].places)
        elif node in loads:
            leaves[node] = add([loads[node]])
        else:
            require_supported(node)
        computed_elem(node.type.dtype)
    numbers = tuple(add(each) for each in stores)
    reductions = [node for node in nodes if has_trait(node, Trait.REDUCE) and node not in leaves]
    space = space_of(nodes, reductions, [place.layout for place in places])
    varying: dict[Node, frozenset[Axis]] = {}
    depth: dict[Node, int] = {}
    for node in nodes:
        reduces = node in reductions
        varying[node] = _varying(node, leaves, reduces, space, varying)
        below = max((depth[operand] for operand in operands(node)), default=0)
        depth[node] = reduces + below
    return Analysis(
        tuple(nodes),
        tuple(results),
        leaves,
        numbers,
        partials,
        distance,
        tuple(places),
        space,
        varying,
        depth,
    )


def iota_dim(node: Node, rank: int) -> int:
    """The dim of the full shape that an iota counts along."""
    dim: int = node.attrs["dim"]
    return dim + rank - len(node.type.shape)


def is_zero_iota(node: Node) -> bool:
    """Whether a value counts along a dim of size 1; it broadcasts as the number 0."""
    return node.op is IOTA and node.type.static_shape[node.attrs["dim"]] == 1


def is_array_constant(node: Node) -> bool:
    """Whether a value is a constant of several elements."""
    return node.op.name == "constant" and bool(node.attrs["value"].array.size != 1)


def _varying(
    node: Node,
    leaves: Mapping[Node, tuple[int, ...]],
    reduces: bool,
    space: Space,
    known: Mapping[Node, frozenset[Axis]],
) -> frozenset[Axis]:
    if node in leaves:
        number = leaves[node][0]
        return frozenset(axis for axis in space.axes if axis.strides[number])
    if is_zero_iota(node):
        return frozenset()
    if node.op is IOTA:
        return frozenset(axis for axis in space.axes if axis.dim == iota_dim(node, space.rank))
    union = frozenset[Axis]().union(*(known[operand] for operand in node.inputs))
    if reduces:
        return frozenset(axis for axis in union if not axis.reduced)
    return union


def require_supported(node: Node) -> None:
    """Raise CompileError if a value that is no leaf has no native code."""
    if has_trait(node, Trait.ELEMENTWISE):
        require_native(node)
    elif has_trait(node, Trait.REDUCE):
        reduction_of(node)
    elif node.op.name == "reshape":
        _require_alignment(node)
    elif node.op.name not in (*ALIASES, "constant", "iota"):
        raise CompileError(f"{node.op.name}: no native code")


def _require_alignment(node: Node) -> None:
    """A reshape inside a body may only add or drop leading dims of size 1."""
    before, after = node.inputs[0].type.static_shape, node.type.static_shape
    rank = max(len(before), len(after))
    if (1,) * (rank - len(before)) + before != (1,) * (rank - len(after)) + after:
        raise CompileError("reshape: no native code where it moves dims")
