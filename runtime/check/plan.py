"""The independent checker of plans: follows every value through memory, step by step.

It shares no code with the planner's liveness and placement. It knows for each buffer which elements
of which values it holds, forgets what other writes overlap, and demands that every step reads, at
every index, the values that its node's operands mean.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from graphc.errors import VerifyError
from graphc.graph import Graph
from graphc.node import Node
from graphc.provenance import describe
from graphc.runtime.check.geometry import contiguous, repeats, share_elements
from graphc.runtime.check.hazards import (
    last_that_may_raise,
    may_have_gaps,
    reads_before_writing,
    same_points,
)
from graphc.runtime.check.inside import check_inside
from graphc.runtime.check.memory import Memory
from graphc.runtime.layout import Layout
from graphc.runtime.plan import ALIGNMENT, Operand, Plan, Step
from graphc.types import TensorType, TupleType, Type

NO_LAYOUTS: Mapping[Node, Layout] = MappingProxyType({})


def check_plan(plan: Plan, graph: Graph, layouts: Mapping[Node, Layout] = NO_LAYOUTS) -> None:
    """Raise unless the plan computes the graph without using memory twice at one time.

    Args:
        plan: what to check.
        graph: what it was made from.
        layouts: where the elements of variables and inputs lie; C order if missing.

    Raises:
        VerifyError: it names the step, the node and its place in the user's program.
    """
    _check_buffers(plan)
    memory = Memory(plan, layouts)
    done = _last_reads(plan)
    for position, step in enumerate(plan.steps):
        try:
            _check_types(step)
            _check_operands(plan, step)
            _check_overlaps(plan, step)
            check_inside(plan, step, check_plan)
            _follow(memory, step)
        except VerifyError as error:
            error.what = f"step {position} ({step.node.op.name}): {error.what}"
            raise error.located(describe(step.node)) from None
        for number in done.get(position, ()):
            memory.forget_buffer(number)
    _check_results(plan, graph, memory)
    _check_variables_survive_errors(plan)


def _last_reads(plan: Plan) -> Mapping[int, list[int]]:
    """The arena's buffers by the step that reads them last."""
    last = {
        operand.buffer: position
        for position, step in enumerate(plan.steps)
        for operand in step.touched
        if 0 <= operand.buffer < len(plan.buffers) and plan.buffers[operand.buffer].kind == "arena"
    }
    found: dict[int, list[int]] = {}
    for number, position in last.items():
        found.setdefault(position, []).append(number)
    return found


def _follow(memory: Memory, step: Step) -> None:
    """Demand that a step reads what its node means, and note what it writes."""
    if step.kind == "copy":
        memory.write(step.outputs[0], *memory.copied(step))
        return
    for node, operand in zip(step.node.inputs, step.inputs, strict=True):
        memory.demand(node, operand)
    if step.inside is not None:
        memory.write(step.inside.work)
    for index, operand in enumerate(step.outputs):
        memory.write(operand, (step.node, index))


def _check_buffers(plan: Plan) -> None:
    for position, buffer in enumerate(plan.buffers):
        if buffer.id != position:
            raise VerifyError(f"buffer {position} calls itself {buffer.id}")
        if (position < plan.bound) != (buffer.kind in ("input", "variable", "output")):
            raise VerifyError(f"buffer {position} of kind {buffer.kind} is on the wrong side")
        if (buffer.kind == "constant") != (buffer.array is not None):
            raise VerifyError(f"buffer {position} of kind {buffer.kind} and its array disagree")
        if buffer.kind == "arena" and (
            buffer.offset % ALIGNMENT
            or buffer.offset < 0
            or buffer.offset + buffer.nbytes > plan.arena_bytes
        ):
            raise VerifyError(
                f"buffer {position} does not lie in the arena",
                got=f"{buffer.nbytes} bytes at {buffer.offset}",
                expected=f"a multiple of {ALIGNMENT}, inside {plan.arena_bytes} bytes",
            )


def _check_types(step: Step) -> None:
    """The operands are what the node takes and gives."""
    if step.kind == "copy":
        (source,), (target,) = step.inputs, step.outputs
        if (source.shape, source.dtype) != (target.shape, target.dtype):
            raise VerifyError("a copy changes shape or dtype", got=f"{source} to {target}")
        return
    wanted = [operand.result_type for operand in step.node.inputs]
    for operands, types in ((step.inputs, wanted), (step.outputs, _parts(step.node.result_type))):
        got = [TensorType(operand.shape, operand.dtype) for operand in operands]
        if got != list(types):
            raise VerifyError(
                "operands do not fit the node",
                got=", ".join(map(str, got)),
                expected=", ".join(map(str, types)),
            )


def _parts(type: Type) -> tuple[TensorType, ...]:
    return type.items if isinstance(type, TupleType) else (type,)


def _check_operands(plan: Plan, step: Step) -> None:
    for operand in step.touched:
        if not 0 <= operand.buffer < len(plan.buffers):
            raise VerifyError(f"there is no buffer {operand.buffer}")
        low, high = operand.span
        if low < 0 or high > plan.buffers[operand.buffer].nbytes:
            raise VerifyError(
                f"an operand leaves buffer {operand.buffer}",
                got=f"bytes {low}:{high}",
                expected=f"inside 0:{plan.buffers[operand.buffer].nbytes}",
            )
    for target in step.outputs:
        buffer = plan.buffers[target.buffer]
        if buffer.kind in ("input", "constant"):
            raise VerifyError(f"it writes buffer {buffer.id}, which is of kind {buffer.kind}")
        if repeats(target):
            raise VerifyError("it writes an element twice", got=str(target))
        if not target.is_contiguous and not may_have_gaps(step):
            raise VerifyError("it must write its result in C order", got=str(target))


def _check_overlaps(plan: Plan, step: Step) -> None:
    """A result shares memory with an operand only point by point, with another result never.

    Nothing shares memory with the programs inside.
    """
    work = () if step.inside is None else (step.inside.work,)
    operands = (*step.inputs, *step.outputs, *work)
    first_output = len(step.inputs)
    for one, other in _meeting(plan, operands):
        low, high = sorted((one, other))
        if high < first_output or not _overlap(plan, operands[low], operands[high]):
            continue
        source, target = operands[low], operands[high]
        if low >= first_output:
            raise VerifyError("two results share memory", got=f"{target} and {source}")
        same = same_points(source, target) or _same_memory(plan, source, target)
        if not same or not reads_before_writing(step, low, high - first_output):
            raise VerifyError(
                "a result overwrites an operand that is still read", got=f"{target}, {source}"
            )


def _meeting(plan: Plan, operands: Sequence[Operand]) -> Iterator[tuple[int, int]]:
    """The pairs of operands whose first and last bytes enclose common ones."""
    spans = []
    for number, operand in enumerate(operands):
        buffer = plan.buffers[operand.buffer]
        low, high = operand.span
        space = -1 if buffer.kind == "arena" else buffer.id
        if low < high:
            spans.append((space, low + buffer.offset, high + buffer.offset, number))
    spans.sort()
    for position, (space, _, high, number) in enumerate(spans):
        for later, low, _, other in itertools.islice(spans, position + 1, None):
            if later != space or low >= high:
                break
            yield number, other


def _same_memory(plan: Plan, one: Operand, other: Operand) -> bool:
    """True if two views of different arena buffers are one and the same array."""
    first, second = plan.buffers[one.buffer], plan.buffers[other.buffer]
    return (
        first.kind == second.kind == "arena"
        and first.offset == second.offset
        and one.offset == other.offset == 0
        and one.shape == other.shape
        and one.is_contiguous
        and other.is_contiguous
        and one.dtype.itemsize == other.dtype.itemsize
    )


def _overlap(plan: Plan, one: Operand, other: Operand) -> bool:
    first, second = plan.buffers[one.buffer], plan.buffers[other.buffer]
    if first.id == second.id:
        return share_elements(one, other)
    if not first.kind == second.kind == "arena":
        return False
    (a, b), (c, d) = one.span, other.span
    return max(a + first.offset, c + second.offset) < min(b + first.offset, d + second.offset)


def _check_results(plan: Plan, graph: Graph, memory: Memory) -> None:
    """At the end every output and every variable has its value, and outputs are all different."""
    if set(plan.outputs) != set(graph.outputs) or len(set(plan.outputs.values())) != len(
        plan.outputs
    ):
        raise VerifyError("the plan's outputs are not the graph's, or share a buffer")
    for name, node in graph.outputs.items():
        number = plan.outputs[name]
        if plan.buffers[number].kind != "output":
            raise VerifyError(f"output {name!r} is not in memory of its own")
        memory.demand(node, contiguous(number, node))
    for buffer in plan.buffers:
        if buffer.kind == "variable":
            value = graph.updates.get(buffer.node, buffer.node)
            memory.demand(value, memory.whole(buffer.id, buffer.node))
    bound = {buffer.node for buffer in plan.buffers if buffer.kind == "variable"}
    missing = [node.attrs["name"] for node in graph.updates if node not in bound]
    if missing:
        raise VerifyError("the plan forgets updates", got=", ".join(missing))


def _check_variables_survive_errors(plan: Plan) -> None:
    """No step that may raise comes after, or is, one that writes a variable."""
    last = last_that_may_raise(plan.steps)
    writes = {
        operand.buffer
        for step in plan.steps
        for operand in step.outputs
        if plan.buffers[operand.buffer].kind == "variable"
    }
    if writes != set(plan.written):
        raise VerifyError("the plan names other variables than it writes", got=str(plan.written))
    for step in plan.steps[: last + 1]:
        if any(operand.buffer in writes for operand in step.outputs):
            raise VerifyError(
                f"step {last} ({plan.steps[last].node.op.name}) may raise after a variable was "
                "written",
                where=describe(step.node),
            )
