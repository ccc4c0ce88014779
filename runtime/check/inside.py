"""The checker's part for scans, loops and branches: the plans inside a step, and their memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from graphc.errors import VerifyError
from graphc.graph import Graph
from graphc.node import Node
from graphc.runtime.check.geometry import repeats
from graphc.runtime.layout import Layout
from graphc.runtime.plan import Inside, Operand, Plan, Step

Layouts = Mapping[Node, Layout]


class Check(Protocol):
    """Checks a plan, and those inside its steps."""

    def __call__(self, plan: Plan, graph: Graph, layouts: Layouts, /) -> None:
        """Raise VerifyError unless the plan computes the graph."""
        ...


def check_inside(plan: Plan, step: Step, check: Check) -> None:
    """Raise unless the plans inside a step are those of its node, and fit into its memory.

    Args:
        plan: the plan that the step belongs to.
        step: any step.
        check: checks the plans inside.
    """
    wanted = _wanted(step) if step.kind == "compute" else []
    inside = step.inside
    if inside is None or len(inside.plans) != len(wanted):
        if wanted or inside is not None:
            raise VerifyError("the plans inside are not those of the node's graphs")
        return
    work = plan.buffers[inside.work.buffer]
    if work.kind != "arena" or not inside.work.is_contiguous or inside.work.offset:
        raise VerifyError("the programs inside have no memory of their own", got=str(inside.work))
    arenas = max(own.arena_bytes for own in inside.plans)
    _check_copies(step, inside, arenas)
    for own, constants, (graph, layouts) in zip(
        inside.plans, inside.constants, wanted, strict=True
    ):
        if own.arena_bytes > inside.work.nbytes:
            raise VerifyError(
                "a program inside does not fit into its memory",
                got=f"{own.arena_bytes} bytes", expected=f"at most {inside.work.nbytes}",
            )  # fmt: skip
        given = [plan.buffers[number].array for number in constants]
        needed = [buffer.array for buffer in own.buffers if buffer.kind == "constant"]
        if len(given) != len(needed) or any(x is not y for x, y in zip(given, needed, strict=True)):
            raise VerifyError("a program inside gets other constants than it needs")
        check(own, graph, layouts)


def _check_copies(step: Step, inside: Inside, arenas: int) -> None:
    """Copies are of captured operands, and share memory with no arena and no other copy."""
    attrs = step.node.attrs
    first = attrs.get("carries", 0) + attrs.get("sequences", 0)
    taken = arenas
    both = [*inside.copies.items(), *inside.packed.items()]
    for number, copy in sorted(both, key=lambda item: item[1].span):
        low, high = copy.span
        free = taken <= low and high <= inside.work.nbytes and not repeats(copy)
        captured = number >= first and step.node.op.name != "cond"
        if not free or not captured or copy.buffer != inside.work.buffer:
            raise VerifyError("a copy for the programs inside is in the wrong place", got=str(copy))
        taken = high
    for number, copy in inside.copies.items():
        source = step.inputs[number]
        if (copy.shape, copy.dtype) != (source.shape, source.dtype):
            raise VerifyError("a copy for the programs inside is in the wrong place", got=str(copy))
    for number, copy in inside.packed.items():
        if number in inside.copies or not copy.is_contiguous:
            raise VerifyError(
                "panels for the programs inside are in the wrong place", got=str(copy)
            )
        if not all(_multiplies_by(plan, number, step) for plan in inside.plans):
            raise VerifyError("panels for the programs inside are read as something else")


def _multiplies_by(plan: Plan, number: int, outer: Step) -> bool:
    """Whether a program reads an input as the right factor of products, and in no other way."""
    names = {"scan": ("body",), "while_loop": ("condition", "body")}[outer.node.op.name]
    places = {outer.node.attrs[name].inputs[number] for name in names}
    mine = {buffer.id for buffer in plan.buffers[: plan.bound] if buffer.node in places}
    for step in plan.steps:
        read = [place for place, each in enumerate(step.inputs) if each.buffer in mine]
        written = any(each.buffer in mine for each in step.outputs)
        if written or (read and (step.kind, read) != ("compute", [_right_factor(step)])):
            return False
    return True


def _right_factor(step: Step) -> int:
    """The number of the input that is the right factor of a product; -1 if there is none."""
    attrs = step.node.attrs
    if step.node.op.name == "matmul":
        return 1
    if step.node.op.name != "fused_matmul" or attrs["transposed"] or attrs.get("right"):
        return -1
    return len(attrs["left"].inputs) if attrs.get("left") else 1


def _wanted(step: Step) -> list[tuple[Graph, Layouts]]:
    """The graphs that the plans inside compute, and where the elements of their inputs lie."""
    attrs = step.node.attrs
    copies = {} if step.inside is None else step.inside.copies
    inputs = tuple(copies.get(number, each) for number, each in enumerate(step.inputs))
    match step.node.op.name:
        case "cond":
            branches = (attrs["true"], attrs["false"])
            return [(graph, _lowest(graph.inputs, inputs[1:])) for graph in branches]
        case "while_loop":
            carries, body = attrs["carries"], attrs["body"]
            graphs = (attrs["condition"], _updating(body, carries, kept=()))
            rest = inputs[carries:]
            return [(graph, _lowest(graph.inputs[carries:], rest)) for graph in graphs]
        case "scan":
            return [_of_scan(replace(step, inputs=inputs), attrs["carries"], attrs["sequences"])]
    return []


def _of_scan(step: Step, carries: int, sequences: int) -> tuple[Graph, Layouts]:
    body: Graph = step.node.attrs["body"]
    last = carries + sequences
    results = [*body.outputs.values()]
    kept = [
        number
        for number, value in enumerate(results[:carries])
        if step.node.attrs["length"] and value in results[carries:]
    ]
    for number in kept:
        if not step.inputs[number].is_contiguous:
            raise VerifyError(
                "a stacked carry starts in another order", got=str(step.inputs[number])
            )
    items = [
        Operand(each.buffer, each.offset, each.shape[1:], each.strides[1:], each.dtype)
        for each in step.inputs[carries:last]
    ]
    layouts = _lowest(body.inputs[carries:], [*items, *step.inputs[last:]])
    return _updating(body, carries, kept), layouts


def _updating(body: Graph, carries: int, kept: Sequence[int]) -> Graph:
    """A body that changes its carries, but for those that are kept, and returns all behind them."""
    results = [*body.outputs.items()]
    changed = {
        body.inputs[number]: value
        for number, (_, value) in enumerate(results[:carries])
        if number not in kept
    }
    return Graph(body.inputs, dict(results[carries:]), changed)


def _lowest(inputs: Sequence[Node], operands: Sequence[Operand]) -> Layouts:
    """Operands in memory that begins with their lowest element."""
    found = {}
    for node, operand in zip(inputs, operands, strict=True):
        first = operand.offset - operand.span[0] // operand.dtype.itemsize
        found[node] = Layout(first, operand.shape, operand.strides)
    return found
