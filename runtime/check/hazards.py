"""What the checker knows of steps that write where they read, and of steps that may raise."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphc.graph import Graph, has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.runtime.plan import Operand, Step


def reads_before_writing(step: Step, source: int, target: int) -> bool:
    """True if each element of an input is read for the last time before the result replaces it.

    Args:
        step: both operands are the same elements, point by point.
        source: number of the input.
        target: number of the result.
    """
    node = step.node
    if step.kind == "copy":
        return False
    if has_trait(node, Trait.ELEMENTWISE):
        return True
    if node.op.name == "fused_matmul":
        factors = (node.attrs.get("left"), node.attrs.get("right"))
        return source >= sum(1 if each is None else len(each.inputs) for each in factors)
    if node.op.name in ("scan", "while_loop"):
        return source == target and _starts_in_place(node, target)
    return node.op.name == "fused" and _kernel_reads_first(node.attrs["body"], source, target)


def _starts_in_place(node: Node, carry: int) -> bool:
    """True for a carry that a loop keeps in its result, if no error makes its start needed again.

    Carries that are also stacked move on with the stack.
    """
    carries, results = node.attrs["carries"], [*node.attrs["body"].outputs.values()]
    stacked = carry < carries and results[carry] in results[carries:]
    return carry < carries and not (stacked and node.attrs["length"]) and not _may_raise(node)


def _may_raise(node: Node) -> bool:
    """True if the node may raise on bad data, or one in a graph inside it."""
    inside = [value for value in node.attrs.values() if isinstance(value, Graph)]
    return has_trait(node, Trait.FALLIBLE | Trait.OPAQUE) or any(
        _may_raise(each) for graph in inside for each in graph.nodes
    )


@dataclass(frozen=True, slots=True)
class _Loops:
    """A kernel's loops; dims are counted from the last one.

    Args:
        sizes: of all dims.
        reduced: the dims that reductions run along.
        waits: the most reductions on a way from a leaf to each node.
    """

    sizes: Mapping[int, int]
    reduced: frozenset[int]
    waits: Mapping[Node, int]

    def rows(self, node: Node) -> bool:
        """True if a value has its own element for each index of the kept dims."""
        own = dict(enumerate(reversed(node.type.static_shape)))
        return all(own.get(d, 1) == n for d, n in self.sizes.items() if d not in self.reduced)

    def varies(self, node: Node) -> bool:
        """True if a value has more than one element in a row."""
        own = enumerate(reversed(node.type.static_shape))
        return any(size != 1 and dim in self.reduced for dim, size in own)

    def full(self, node: Node) -> bool:
        """True if a value has an element for each point."""
        own = dict(enumerate(reversed(node.type.static_shape)))
        return all(own.get(dim, 1) == size for dim, size in self.sizes.items())


@functools.lru_cache(maxsize=64)
def _loops_of(body: Graph) -> _Loops:
    sizes: dict[int, int] = {}
    reduced: set[int] = set()
    waits: dict[Node, int] = {}
    for node in body.nodes:
        for dim, size in enumerate(reversed(node.type.static_shape)):
            sizes[dim] = size if size != 1 else sizes.get(dim, 1)
        waits[node] = max((waits[each] for each in node.inputs), default=0)
        if has_trait(node, Trait.REDUCE):
            waits[node] += 1
            rank = len(node.type.shape)
            reduced |= {rank - 1 - dim for dim in node.attrs["dims"]}
    return _Loops(sizes, frozenset(reduced), waits)


def _kernel_reads_first(body: Graph, source: int, target: int) -> bool:
    """True for a kernel's full result behind all reductions, or a row's behind all that reads."""
    results = [*body.outputs.values()]
    result = results[target]
    loops = _loops_of(body)
    if loops.rows(result) and not loops.varies(result):
        touched = {body.inputs[source]}
        for node in body.nodes:
            if any(each in touched for each in node.inputs):
                touched.add(node)
        early = all(loops.waits[node] <= loops.waits[result] for node in touched)
        if early and not any(map(loops.varies, touched)):
            return True
    below = _below(result)
    reductions = [node for node in body.nodes if has_trait(node, Trait.REDUCE)]
    alone = sum(map(loops.full, results)) == 1
    return loops.full(result) and (
        not reductions or (alone and all(node in below for node in reductions))
    )


def _below(node: Node) -> set[Node]:
    """The node and everything that it needs."""
    found = {node}
    stack = [node]
    while stack:
        new = set(stack.pop().inputs) - found
        found |= new
        stack += new
    return found


def same_points(source: Operand, target: Operand) -> bool:
    """True if two views are the same elements but for leading dims of size 1."""
    rank = max(len(source.shape), len(target.shape))
    return _aligned(source, rank).same_elements(_aligned(target, rank))


def _aligned(view: Operand, rank: int) -> Operand:
    lead = (1,) * (rank - len(view.shape))
    return Operand(view.buffer, view.offset, (*lead, *view.shape), (*lead, *view.strides),
                   view.dtype)  # fmt: skip


def last_that_may_raise(steps: Sequence[Step]) -> int:
    """The position of the last step that may raise if all before it did not; -1 if none may.

    A step whose indices have all been found inside the same sizes before cannot raise.
    """
    known: set[tuple[Node, int]] = set()
    last = -1
    for position, step in enumerate(steps):
        if step.kind != "compute" or not _may_raise(step.node):
            continue
        demands = _demands(step.node)
        if demands is None or not demands <= known:
            last = position
        known |= demands or set()
    return last


def _demands(node: Node) -> set[tuple[Node, int]] | None:
    """The index operands and the sizes that they must be inside; None if that is unknown."""
    if node.op.name in ("gather", "scatter_add"):
        return {(node.inputs[1], node.inputs[0].type.static_shape[node.attrs["dim"]])}
    if node.op.name in ("index", "index_add"):
        table = node.attrs.get("shape", node.inputs[0].type.static_shape)
        pairs = zip(node.inputs[1:], node.attrs["dims"], strict=True)
        return {(indices, table[dim]) for indices, dim in pairs}
    return None


def may_have_gaps(step: Step) -> bool:
    """True if the results may lie in any layout that does not repeat elements."""
    pointwise = has_trait(step.node, Trait.ELEMENTWISE)
    return step.kind == "copy" or pointwise or step.node.op.name in _ANY_LAYOUT


_ANY_LAYOUT = ("fused", "fused_matmul", "matmul")
