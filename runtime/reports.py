"""What a session tells about itself: plain records with a table as their text."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from graphc.provenance import describe
from graphc.runtime.backend import Kernel
from graphc.runtime.plan import Plan, Step
from graphc.runtime.specialization import Specialization, Tally
from graphc.types import TensorType


def table(rows: Sequence[Sequence[object]], header: Sequence[str]) -> str:
    """Columns of text; numbers to the right.

    Example:
        >>> print(table([("add", 2), ("mul", 10)], ("op", "count")))
        op   count
        add      2
        mul     10
    """
    cells = [list(map(str, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    numeric = [
        bool(rows) and all(isinstance(row[column], int | float) for row in rows)
        for column in range(len(header))
    ]

    def line(texts: Sequence[str]) -> str:
        parts = (
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(texts, widths, numeric, strict=True)
        )
        return "  ".join(parts).rstrip()

    return "\n".join([line(header), *map(line, cells)])


def bytes_text(count: int) -> str:
    """A number of bytes for people, e.g. ``1.5 KiB``."""
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def step_text(step: Step) -> str:
    """What a step does, e.g. ``matmul f32[2,3]``."""
    name = step.node.op.name
    kind = step.node.result_type
    if step.kind == "copy":
        return f"copy {TensorType(step.inputs[0].shape, step.inputs[0].dtype)}"
    if isinstance(kind, TensorType):
        return f"{name} {kind}"
    return f"{name} {kind.items[0]}, {len(kind.items) - 1} more"


@dataclass(frozen=True, slots=True)
class BufferUse:
    """One piece of arena memory.

    Args:
        offset: bytes from the start of the arena.
        nbytes: its size.
        first: the step that writes it first.
        last: the last step that uses it.
        values: how many values it holds in turn.
        made_by: what the first step does.
        where: the user's lines.
    """

    offset: int
    nbytes: int
    first: int
    last: int
    values: int
    made_by: str
    where: str


@dataclass(frozen=True, slots=True)
class MemoryReport:
    """Memory that a run needs besides inputs, outputs, variables and constants.

    Args:
        peak: bytes of the arena.
        naive: bytes if each value had memory of its own.
        lower_bound: the most bytes that are live at one time.
        in_place_updates: variables that their update's step writes directly.
        copied_updates: variables that are written by a copy.
        reasons: why, for each of those.
        buffers: the arena's layout, by offset.
    """

    peak: int
    naive: int
    lower_bound: int
    in_place_updates: tuple[str, ...]
    copied_updates: tuple[str, ...]
    reasons: tuple[str, ...]
    buffers: tuple[BufferUse, ...]

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return asdict(self)

    @property
    def summary(self) -> str:
        """The report in one line."""
        return (
            f"arena {bytes_text(self.peak)}, without reuse {bytes_text(self.naive)}, "
            f"lower bound {bytes_text(self.lower_bound)}; updates: "
            f"{len(self.in_place_updates)} in place, {len(self.copied_updates)} copied"
        )

    def __str__(self) -> str:
        rows = [
            (one.offset, one.nbytes, one.first, one.last, one.values, one.made_by, one.where)
            for one in self.buffers
        ]
        header = ("offset", "bytes", "from", "to", "values", "first value", "where")
        copies = [*zip(self.copied_updates, self.reasons, strict=True)]
        parts = [self.summary]
        parts += [table(copies, ("copied update", "because"))] if copies else []
        parts += [table(rows, header)] if rows else []
        return "\n".join(parts)


def memory_report(plan: Plan) -> MemoryReport:
    """Read the memory report off a plan."""
    uses: dict[int, list[int]] = {}
    writes: dict[int, int] = {}
    for position, step in enumerate(plan.steps):
        for operand in step.touched:
            uses.setdefault(operand.buffer, []).append(position)
        work = () if step.inside is None else (step.inside.work,)
        for operand in (*step.outputs, *work):
            writes[operand.buffer] = writes.get(operand.buffer, 0) + 1
    rows = [
        BufferUse(
            buffer.offset, buffer.nbytes, uses[buffer.id][0], uses[buffer.id][-1],
            writes[buffer.id], step_text(plan.steps[uses[buffer.id][0]]), describe(buffer.node, 1),
        )
        for buffer in plan.buffers
        if buffer.kind == "arena"
    ]  # fmt: skip
    names = {number: plan.buffers[number].name for number in plan.written}
    return MemoryReport(
        plan.arena_bytes,
        plan.naive_bytes,
        plan.lower_bound_bytes,
        tuple(name for number, name in names.items() if number not in plan.copied),
        tuple(name for number, name in names.items() if number in plan.copied),
        tuple(plan.copied[number] for number in names if number in plan.copied),
        tuple(sorted(rows, key=lambda row: (row.offset, row.first))),
    )


@dataclass(frozen=True, slots=True)
class StepTime:
    """How long one step took."""

    step: int
    what: str
    kernel: str
    native: bool
    microseconds: float
    share: float
    where: str


@dataclass(frozen=True, slots=True)
class Profile:
    """Times per step, the median over several runs on copies of the variables.

    Args:
        runs: how many runs were timed.
        microseconds: the median sum of all steps.
        steps: every step, in the order of execution.
    """

    runs: int
    microseconds: float
    steps: tuple[StepTime, ...]

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return asdict(self)

    def __str__(self) -> str:
        slowest = sorted(self.steps, key=lambda one: -one.microseconds)
        rows = [
            (f"{one.microseconds:.1f}", f"{one.share:.1%}", one.step, one.what,
             one.kernel if one.native else f"{one.kernel} (not native)", one.where)
            for one in slowest
        ]  # fmt: skip
        head = f"{self.microseconds:.1f} us in {len(self.steps)} steps, median of {self.runs} runs"
        return f"{head}\n{table(rows, ('us', 'share', 'step', 'what', 'kernel', 'where'))}"


def profile_report(one: Specialization, samples: Sequence[Sequence[float]]) -> Profile:
    """Make the profile from the seconds per step of several runs."""
    kernels = {step: kernel for kernel in one.executable.kernels for step in kernel.steps}
    medians = [statistics.median(times) for times in zip(*samples, strict=True)]
    total = sum(medians) or 1.0
    steps = tuple(
        StepTime(
            number, step_text(step), kernels[number].name, kernels[number].native,
            medians[number] * 1e6, medians[number] / total, describe(step.node),
        )
        for number, step in enumerate(one.plan.steps)
    )  # fmt: skip
    whole = statistics.median(sum(times) for times in samples) * 1e6
    return Profile(len(samples), whole, steps)


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a session came about: passes, kernels, what is not native, phases, memory.

    Args:
        signature: input types by name.
        reason: why this specialization was made.
        backend: the backend's name.
        passes: records of the passes, in order.
        kernels: how the steps are executed.
        phases: seconds per phase of compiling.
        memory: the memory plan.
    """

    signature: Mapping[str, str]
    reason: str
    backend: str
    passes: tuple[Mapping[str, Any], ...]
    kernels: tuple[Kernel, ...]
    phases: Mapping[str, float]
    memory: MemoryReport

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain data, e.g. for JSON."""
        return {
            "signature": dict(self.signature),
            "reason": self.reason,
            "backend": self.backend,
            "passes": [dict(one) for one in self.passes],
            "kernels": [asdict(one) for one in self.kernels],
            "phases": dict(self.phases),
            "memory": self.memory.as_dict(),
        }

    def __str__(self) -> str:
        inputs = ", ".join(f"{name}: {type}" for name, type in self.signature.items())
        parts = [f"inputs: {inputs or 'none'} ({self.reason}); backend {self.backend}"]
        if self.passes:
            rows = [
                (one["name"], one["before"], one["after"], f"{one['seconds'] * 1e3:.2f}",
                 ", ".join(f"{rule} x{tally['count']}" for rule, tally in one["fired"].items()))
                for one in self.passes
            ]  # fmt: skip
            parts.append(table(rows, ("pass", "before", "after", "ms", "rules fired")))
            refusals = [
                (one["name"], tally["count"], reason, "; ".join(tally["places"]))
                for one in self.passes
                for reason, tally in one["refused"].items()
            ]
            header = ("not done in", "times", "because", "where")
            parts += [table(refusals, header)] if refusals else []
        native = [kernel for kernel in self.kernels if kernel.native]
        counts = [(kernel.name, len(kernel.steps)) for kernel in native]
        parts.append(f"native kernels: {len(native)}")
        parts += [table(counts, ("kernel", "steps"))] if counts else []
        others = [
            (kernel.name, len(kernel.steps), kernel.reason)
            for kernel in self.kernels
            if not kernel.native
        ]
        if others:
            parts += ["not native:", table(others, ("through", "steps", "reason"))]
        times = [(name, f"{seconds * 1e3:.2f}") for name, seconds in self.phases.items()]
        parts += [table(times, ("phase", "ms")), f"memory: {self.memory.summary}"]
        return "\n".join(parts)


def explanation(one: Specialization, backend: str) -> Explanation:
    """Collect what is known about a specialization."""
    return Explanation(
        one.signature,
        one.reason,
        backend,
        tuple(
            {
                "name": record.name,
                "seconds": record.seconds,
                "before": record.before,
                "after": record.after,
                "fired": _tallies(record.fired),
                "refused": _tallies(record.refused),
            }
            for record in one.passes
        ),
        tuple(one.executable.kernels),
        one.phases,
        memory_report(one.plan),
    )


def _tallies(found: Mapping[str, Tally]) -> dict[str, dict[str, Any]]:
    return {
        key: {"count": tally.count, "places": list(tally.places)} for key, tally in found.items()
    }
