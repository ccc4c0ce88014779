"""What a session tells about itself: plain records with a table as their text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from graphc.provenance import describe
from graphc.runtime.backend import Kernel
from graphc.runtime.plan import Buffer, Plan
from graphc.runtime.reporting.tables import bytes_text, step_text, table
from graphc.runtime.sessions.optimizing import Tally
from graphc.runtime.sessions.specialization import Specialization


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
    inside = {step.inside.work.buffer for step in plan.steps if step.inside is not None}

    def made_by(buffer: Buffer) -> str:
        text = step_text(plan.steps[uses[buffer.id][0]])
        return f"programs inside {text}" if buffer.id in inside else text

    rows = [
        BufferUse(
            buffer.offset, buffer.nbytes, uses[buffer.id][0], uses[buffer.id][-1],
            writes[buffer.id], made_by(buffer), describe(buffer.node, 1),
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
        counts = [*_named(native)]
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


def _named(kernels: Iterable[Kernel], indent: str = "") -> Iterator[tuple[str, int]]:
    """The kernels with how many steps each has; those of programs inside steps are indented."""
    for kernel in kernels:
        yield f"{indent}{kernel.name}", len(kernel.steps)
        for program in kernel.inside:
            yield from _named(program, f"{indent}  ")


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
