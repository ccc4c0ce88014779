"""One kernel of a session for people: the source nodes, the loops, the code."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from graphc.graph import Graph
from graphc.provenance import describe
from graphc.runtime.backend import Code, Executable, Kernel
from graphc.runtime.plan import Plan, Step
from graphc.runtime.planning.inside import bodies, program_names
from graphc.runtime.reporting.tables import step_text


@dataclass(frozen=True)
class KernelReport:
    """How some steps are executed. ``print`` shows what it computes, from where, and its loops.

    Args:
        kernel: name, steps, whether it is native, and why not.
        plan: the plan.
        executable: what executes the plan.
    """

    kernel: Kernel
    plan: Plan
    executable: Executable

    @property
    def name(self) -> str:
        """The kernel's name."""
        return self.kernel.name

    @property
    def steps(self) -> tuple[int, ...]:
        """Positions in the plan; equal steps share one kernel."""
        return self.kernel.steps

    @property
    def native(self) -> bool:
        """True for generated code, False for numpy."""
        return self.kernel.native

    @property
    def reason(self) -> str:
        """Why it is not native; may be empty."""
        return self.kernel.reason

    @property
    def source(self) -> str:
        """What it computes: each step with the user's places, and the graph inside the first."""
        steps = [self.plan.steps[number] for number in self.steps]
        lines = [
            f"step {number}: {step_text(step)}   # {describe(step.node)}"
            for number, step in zip(self.steps, steps, strict=True)
        ]
        return "\n".join([*lines, *_body(steps[0])])

    @property
    def schedule(self) -> str:
        """The loops: sizes, roles, vectors, unrolling, units of work; empty without native code."""
        return self._code.schedule

    @property
    def llvm(self) -> str:
        """The generated code as LLVM IR; empty without native code."""
        return self._code.llvm

    @property
    def assembly(self) -> str:
        """The machine code as text; empty without native code."""
        return self._code.assembly()

    @cached_property
    def _code(self) -> Code:
        return self.executable.code(self.steps[0])

    def __str__(self) -> str:
        head = self.name if self.native else f"{self.name} (not native: {self.reason or 'numpy'})"
        return "\n".join(part for part in (head, self.source, self.schedule) if part)


def kernel_reports(plan: Plan, executable: Executable) -> tuple[KernelReport, ...]:
    """All kernels of an executable."""
    return tuple(KernelReport(kernel, plan, executable) for kernel in executable.kernels)


def _body(step: Step) -> list[str]:
    """The graphs inside a step: of a product's factors, what becomes of its result, programs."""
    if step.inside is not None:
        graphs = zip(program_names(step.node), bodies(step.node), strict=True)
        return [f"{name}: {graph}" for name, graph in graphs]
    found = []
    for name in ("left", "right", "body") if step.kind == "compute" else ():
        body = step.node.attrs.get(name)
        if isinstance(body, Graph):
            found += [str(body)] if name == "body" else [f"{name} factor: {body}"]
    return found
