"""Scans, loops and branches as native code: they run the programs of their bodies.

Such a function takes the addresses of the step's inputs, results, work and constants, then those of
the workspace, of its part for one thread, of the pool and of the times::

    i32 @symbol(ptr operand..., ptr shared, ptr scratch, ptr pool, ptr times)

It fills a table for each program. What stays the same is written once; before each iteration of a
scan the addresses of items, of stacked results and of stacked carries move on. What must be copied
before that are phases of the step in front of it, and where rows go through all iterations apart,
threads divide the scan itself (see ``graphc.runtime.llvm.driver.divided_scan``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphc.runtime.llvm.driver.before_loops import copies_before
from graphc.runtime.llvm.driver.control_places import Places, control_operands
from graphc.runtime.llvm.driver.divided_scan import Divided
from graphc.runtime.llvm.driver.program import NativeCall, Slot, define_run, workspace
from graphc.runtime.llvm.driver.times import ADD_TIMES, define_add_times, places
from graphc.runtime.llvm.ir.function import content_hash
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.row_units import RowUnits
from graphc.runtime.llvm.lowering.panels import NO_PANELS, Panels
from graphc.runtime.llvm.native_step import NativeStep, Phase
from graphc.runtime.plan import Inside, Step
from graphc.runtime.planning.inside import COND, SCAN, WHILE

USUAL_ROUNDS = 16
"""How many iterations a loop is thought to take, as nobody knows."""


def build_control(
    module: Module,
    step: Step,
    inside: Inside,
    calls: Sequence[Sequence[NativeCall]],
    panels: Mapping[int, Panels] = NO_PANELS,
    rows: RowUnits | None = None,
) -> NativeStep:
    """Add the function of a step that runs programs; its operands are ``control_operands``.

    Args:
        module: where the code goes; it has the kernels.
        step: the step.
        inside: its programs.
        calls: those of each program.
        panels: the inputs that products read from panels, by number.
        rows: blocks of rows that go through all iterations of a scan apart; None if there are none.
    """
    runs = [
        define_run(module, plan, own) if own else ""
        for plan, own in zip(inside.plans, calls, strict=True)
    ]
    given = len(control_operands(step, inside))
    before = copies_before(module, step, inside, panels, given)
    function = _Function(module, step, inside, runs, panels)
    code = "\n".join(function.lines)
    operands = [f"ptr %p{number}" for number in range(given)]
    parameters = ", ".join([*operands, "ptr %shared", "ptr %scratch", "ptr %pool", "ptr %times"])
    text = f"({parameters}) nounwind {{\nentry:\n{code}\n}}"
    symbol = f"{step.node.op.name}.{content_hash(text)}"
    module.define(symbol, f"define i32 @{symbol}{text}")
    together = [call for own in calls for call in own]
    space = workspace(together)
    work = sum(phase.nanoseconds for call in together for phase in call.native.phases)
    rounds = 1 if step.node.op.name == COND else step.node.attrs.get("length", USUAL_ROUNDS)
    main, scratch = Phase(symbol, 1, work * rounds, runs_programs=True), space.scratch
    if rows is not None:
        divided = Divided(module, step, inside, panels, together, rows)
        main, scratch = divided.define(work * rounds, timed=symbol), divided.scratch_bytes
    return NativeStep(
        (*before.phases, main),
        max(space.shared, before.shared_bytes),
        max(scratch, before.scratch_bytes),
        any(call.native.fallible for call in together),
    )


class _Function(Places):
    """The instructions of one such function.

    Args:
        module: where the code goes.
        step: the step.
        inside: its programs.
        runs: the function of each program; empty for one that does nothing.
        panels: the inputs that are read from panels.
    """

    def __init__(
        self,
        module: Module,
        step: Step,
        inside: Inside,
        runs: Sequence[str],
        panels: Mapping[int, Panels],
    ) -> None:
        super().__init__(step, inside, panels)
        self._module, self._runs = module, runs
        define_add_times(module)
        self._emit("%nobody = icmp eq ptr %times, null")
        for program in range(len(runs)):
            self._begin_table(program)
        write = {SCAN: self._scan, WHILE: self._while, COND: self._cond}
        write[step.node.op.name]()
        self.lines += ["done:", "  ret i32 0", "refused:", "  ret i32 1"]

    # ------------------------------------------------------------------ what stays as it is

    def _begin_table(self, program: int) -> None:
        """Make a program's table, with all addresses that never change."""
        plan = self._inside.plans[program]
        slots = len(plan.buffers) + len(Slot)
        self._emit(f"%t{program} = alloca [{slots} x ptr], align 8")
        own = {Slot.ARENA: f"%p{self._work}", Slot.WORKSPACE: "%shared", Slot.POOL: "%pool"}
        sums, times = [*places(self._inside)][program]
        self._emit(f"%sums{program} = getelementptr i8, ptr %times, i64 {sums}")
        notes = self._value(f"getelementptr i8, ptr %times, i64 {times}")
        self._emit(f"%times{program} = select i1 %nobody, ptr null, ptr {notes}")
        own[Slot.TIMES] = f"%times{program}"
        for which in Slot:
            self._set(program, len(plan.buffers) + which, own[which])
        for slot, address in self.fixed(program).items():
            self._set(program, slot, address)

    # ------------------------------------------------------------------ scan

    def _scan(self) -> None:
        if not self._step.node.attrs["length"]:
            self._emit("br label %done")
            return
        for slot, address in self.iteration(again="more"):
            self._set(0, slot, address)
        self._run(0)
        self._emit("br label %more")
        self._label("more")
        self.end_iteration()
        for number, latest in self.last_values():
            result, nbytes = f"%p{self._results + number}", self._step.outputs[number].nbytes
            self._copy_bytes(self._module, result, latest, nbytes)
        self._emit("br label %done")

    # ------------------------------------------------------------------ loops and branches

    def _while(self) -> None:
        (answer,) = self._inside.plans[0].outputs.values()
        self._emit("%answer = alloca i8")
        self._set(0, answer, "%answer")
        self._emit("br label %test")
        self._label("test")
        self._run(0)
        self._branch("%answer", "round", "done")
        self._label("round")
        self._run(1)
        self._emit("br label %test")

    def _cond(self) -> None:
        self._branch("%p0", "branch0", "branch1")
        for program, plan in enumerate(self._inside.plans):
            self._label(f"branch{program}")
            for position, slot in enumerate(plan.outputs.values()):
                self._set(program, slot, f"%p{self._results + position}")
            self._run(program)
            self._emit("br label %done")

    def _branch(self, address: str, yes: str, no: str) -> None:
        """Go on where the bool at an address says."""
        stored = self._value(f"load i8, ptr {address}, align 1")
        chosen = self._value(f"icmp ne i8 {stored}, 0")
        self._emit(f"br i1 {chosen}, label %{yes}, label %{no}")

    # ------------------------------------------------------------------ text

    def _run(self, program: int) -> None:
        """Run a program; leave if it refuses its data."""
        if not self._runs[program]:
            return
        result = self._value(f"call i32 @{self._runs[program]}(ptr %t{program})")
        fine = self._value(f"icmp eq i32 {result}, 0")
        self._emit(f"br i1 {fine}, label %fine{program}, label %refused")
        self._label(f"fine{program}")
        steps = len(self._inside.plans[program].steps)
        sums, times = f"ptr %sums{program}", f"ptr %times{program}"
        self._emit(f"call void @{ADD_TIMES}({sums}, {times}, i64 {steps})")

    def _set(self, program: int, slot: int, address: str) -> None:
        """Write a cell of a program's table."""
        cell = self._value(f"getelementptr ptr, ptr %t{program}, i64 {slot}")
        self._emit(f"store ptr {address}, ptr {cell}, align 8")
