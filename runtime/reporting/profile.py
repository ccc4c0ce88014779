"""Where the time of a run goes: each step, and what runs inside it."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from graphc.provenance import describe
from graphc.runtime.backend import Kernel, StepSeconds
from graphc.runtime.plan import Plan
from graphc.runtime.planning.inside import program_names
from graphc.runtime.reporting.tables import step_text, table
from graphc.runtime.sessions.specialization import Specialization

Samples = Sequence[Sequence[StepSeconds]]


@dataclass(frozen=True, slots=True)
class StepTime:
    """How long one step took.

    Args:
        step: its position in the plan.
        what: what it does.
        kernel: what executes it.
        native: whether that is generated code.
        microseconds: the median; of a step inside another one, in all iterations together.
        share: of the whole run.
        where: the user's lines.
        inside: the steps of the programs that it runs.
        program: the name of the program that the step belongs to; empty for the outermost.
    """

    step: int
    what: str
    kernel: str
    native: bool
    microseconds: float
    share: float
    where: str
    inside: tuple[StepTime, ...] = ()
    program: str = ""


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
        rows = [
            (f"{one.microseconds:.1f}", f"{one.share:.1%}", name, one.what,
             one.kernel if one.native else f"{one.kernel} (not native)", one.where)
            for name, one in _slowest_first(self.steps)
        ]  # fmt: skip
        head = f"{self.microseconds:.1f} us in {len(self.steps)} steps, median of {self.runs} runs"
        return f"{head}\n{table(rows, ('us', 'share', 'step', 'what', 'kernel', 'where'))}"


def _slowest_first(
    steps: Sequence[StepTime], before: str = ""
) -> Iterator[tuple[int | str, StepTime]]:
    """The steps with their names; those inside a step come behind it."""
    for one in sorted(steps, key=lambda one: -one.microseconds):
        name = f"{before}{one.program} {one.step}" if one.program else one.step
        yield name, one
        yield from _slowest_first(one.inside, f"{name} ")


def profile_report(one: Specialization, samples: Samples) -> Profile:
    """Make the profile from the times of the steps in several runs."""
    totals = [sum(step.seconds for step in steps) for steps in samples]
    medians = [statistics.median(each) for each in zip(*map(_seconds, samples), strict=True)]
    steps = _step_times(one.plan, one.executable.kernels, samples, sum(medians) or 1.0)
    return Profile(len(samples), statistics.median(totals) * 1e6, steps)


def _seconds(steps: Sequence[StepSeconds]) -> list[float]:
    return [step.seconds for step in steps]


def _step_times(
    plan: Plan, kernels: Sequence[Kernel], samples: Samples, total: float, program: str = ""
) -> tuple[StepTime, ...]:
    """The times of a plan's steps, which is one of the programs inside another one perhaps."""
    by_step = {step: kernel for kernel in kernels for step in kernel.steps}
    found = []
    for number, step in enumerate(plan.steps):
        kernel, times = by_step[number], [steps[number] for steps in samples]
        seconds = statistics.median(_seconds(times))
        inside: list[StepTime] = []
        for position, below in enumerate(kernel.inside if step.inside is not None else ()):
            assert step.inside is not None
            own = [each.inside[position] for each in times]
            name = program_names(step.node)[position]
            inside += _step_times(step.inside.plans[position], below, own, total, name)
        found.append(
            StepTime(
                number, step_text(step), kernel.name, kernel.native, seconds * 1e6,
                seconds / total, describe(step.node), tuple(inside), program,
            )
        )  # fmt: skip
    return tuple(found)
