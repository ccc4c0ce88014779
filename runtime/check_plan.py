"""The independent checker of plans: follows every value through memory, step by step.

It shares no code with the planner's liveness and placement. It knows for each buffer whose value
it holds, forgets what other writes overlap, and demands that every step reads the values that its
node's operands mean.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphc.errors import VerifyError
from graphc.graph import Graph, has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.ops.fused import ITEM
from graphc.provenance import describe
from graphc.runtime.hazards import may_overwrite, positions_that_may_raise
from graphc.runtime.plan import ALIGNMENT, Buffer, Operand, Plan, Step
from graphc.types import TensorType, TupleType, Type

Value = tuple[Node, int]
"""One result of one node."""


def check_plan(plan: Plan, graph: Graph) -> None:
    """Raise unless the plan computes the graph without using memory twice at one time.

    Args:
        plan: what to check.
        graph: what it was made from.

    Raises:
        VerifyError: it names the step, the node and its place in the user's program.
    """
    _check_buffers(plan)
    memory = _Memory(plan)
    for position, step in enumerate(plan.steps):
        try:
            _check_types(step)
            _check_operands(plan, step)
            _check_overlaps(plan, step)
            memory.read_all(step)
            memory.write_all(step)
        except VerifyError as error:
            error.what = f"step {position} ({step.node.op.name}): {error.what}"
            raise error.located(describe(step.node)) from None
    _check_results(plan, graph, memory)
    _check_variables_survive_errors(plan)


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
        if source.dtype is not step.node.type.dtype or source.size != step.node.type.numel:
            raise VerifyError(f"it copies something else than its {step.node.type}")
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
    for operand in (*step.inputs, *step.outputs):
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
        strided = buffer.kind == "variable" and step.kind == "copy"
        if not strided and not (target.is_contiguous and target.nbytes == buffer.nbytes):
            raise VerifyError(f"it writes only a part of buffer {buffer.id}")


def _check_overlaps(plan: Plan, step: Step) -> None:
    """A result shares memory with an operand only point by point, with another result never."""
    for position, target in enumerate(step.outputs):
        for other in step.outputs[:position]:
            if _overlap(plan, target, other):
                raise VerifyError("two results share memory", got=f"{target} and {other}")
        for position, source in enumerate(step.inputs):
            if not _overlap(plan, target, source):
                continue
            same = source.same_elements(target) or _same_memory(plan, source, target)
            may = same and may_overwrite(step.node, target.shape, [position])
            if step.kind == "copy" or not may:
                raise VerifyError(
                    "a result overwrites an operand that is still read", got=f"{target}, {source}"
                )


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
    if first.id != second.id and not first.kind == second.kind == "arena":
        return False
    (a, b), (c, d) = one.span, other.span
    return max(a + first.offset, c + second.offset) < min(b + first.offset, d + second.offset)


class _Memory:
    """Whose value each buffer holds."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.holds: dict[int, Value] = {
            buffer.id: (buffer.node, 0)
            for buffer in plan.buffers
            if buffer.kind in ("input", "variable", "constant")
        }

    def read_all(self, step: Step) -> None:
        """Demand that every operand's buffer holds what the node means by that operand."""
        meant = step.node.inputs if step.kind == "compute" else (step.node,)
        for node, operand in zip(meant, step.inputs, strict=True):
            self.demand(node, operand.buffer)

    def demand(self, node: Node, buffer: int) -> None:
        """Demand that a buffer holds a node's value, or the value that it is a view of."""
        held = self.holds.get(buffer)
        if held is None:
            raise VerifyError(
                f"buffer {buffer} is read, but its value was never written or is overwritten"
            )
        if held not in _bases(node):
            raise VerifyError(
                f"buffer {buffer} holds another value",
                got=f"{held[0]!r} from {describe(held[0])}",
                expected=f"{node!r} from {describe(node)}",
            )

    def write_all(self, step: Step) -> None:
        """Note the results, and forget all values that they overlap."""
        for index, operand in enumerate(step.outputs):
            target = self.plan.buffers[operand.buffer]
            if target.kind == "arena" and target.nbytes:
                for other in [self.plan.buffers[number] for number in self.holds]:
                    if _collide(target, other):
                        del self.holds[other.id]
            self.holds[target.id] = (step.node, index)


def _collide(one: Buffer, other: Buffer) -> bool:
    return (
        other.kind == "arena"
        and one.offset < other.offset + other.nbytes
        and other.offset < one.offset + one.nbytes
    )


def _bases(node: Node) -> Iterator[Value]:
    """The node's own value, and those that it is a view of."""
    yield node, 0
    while True:
        if node.op is ITEM:
            yield node.inputs[0], node.attrs["index"]
            return
        if not has_trait(node, Trait.VIEW):
            return
        node = node.inputs[0]
        yield node, 0


def _check_results(plan: Plan, graph: Graph, memory: _Memory) -> None:
    """At the end every output and every variable has its value, and outputs are all different."""
    if set(plan.outputs) != set(graph.outputs) or len(set(plan.outputs.values())) != len(
        plan.outputs
    ):
        raise VerifyError("the plan's outputs are not the graph's, or share a buffer")
    for name, node in graph.outputs.items():
        if plan.buffers[plan.outputs[name]].kind != "output":
            raise VerifyError(f"output {name!r} is not in memory of its own")
        memory.demand(node, plan.outputs[name])
    for buffer in plan.buffers:
        if buffer.kind == "variable":
            memory.demand(graph.updates.get(buffer.node, buffer.node), buffer.id)
    bound = {buffer.node for buffer in plan.buffers if buffer.kind == "variable"}
    missing = [node.attrs["name"] for node in graph.updates if node not in bound]
    if missing:
        raise VerifyError("the plan forgets updates", got=", ".join(missing))


def _check_variables_survive_errors(plan: Plan) -> None:
    """No step that may raise comes after, or is, one that writes a variable."""
    nodes = [step.node if step.kind == "compute" else None for step in plan.steps]
    last = max(positions_that_may_raise(nodes), default=-1)
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
