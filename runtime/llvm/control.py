"""Scans, loops and branches as native code: they run the programs of their bodies.

Such a function takes the addresses of the step's inputs, results, work and constants, then those of
the workspace, of its part for one thread, of the pool and of the times::

    i32 @symbol(ptr operand..., ptr shared, ptr scratch, ptr pool, ptr times)

It fills a table for each program. What stays the same is written once; before each iteration of a
scan the addresses of items, of stacked results and of stacked carries move on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphc.dtypes import uint8
from graphc.runtime.inside import (
    COND,
    SCAN,
    WHILE,
    carries_in_place,
    input_layouts,
    programs,
    stacked_carries,
)
from graphc.runtime.layout import Layout
from graphc.runtime.llvm.driver.before_loops import copies_before
from graphc.runtime.llvm.driver.tasks import content_hash
from graphc.runtime.llvm.driver.times import ADD_TIMES, define_add_times, places
from graphc.runtime.llvm.lowering.panels import NO_PANELS, Panels
from graphc.runtime.llvm.module import Module
from graphc.runtime.llvm.native_step import NativeStep, Phase
from graphc.runtime.llvm.program import NativeCall, Slot, define_run, workspace
from graphc.runtime.plan import Inside, Operand, Step

USUAL_ROUNDS = 16
"""How many iterations a loop is thought to take, as nobody knows."""

_MEMCPY = "llvm.memcpy.p0.p0.i64"


def control_operands(step: Step, inside: Inside) -> tuple[Operand, ...]:
    """What the function of a step takes: its operands, the work memory, and all constants."""
    constants = [Operand(number, 0, (), (), uint8) for number in _constants(inside)]
    return (*step.inputs, *step.outputs, inside.work, *constants)


def _constants(inside: Inside) -> list[int]:
    return list(dict.fromkeys(number for numbers in inside.constants for number in numbers))


def build_control(
    module: Module,
    step: Step,
    inside: Inside,
    calls: Sequence[Sequence[NativeCall]],
    panels: Mapping[int, Panels] = NO_PANELS,
) -> NativeStep:
    """Add the function of a step that runs programs; its operands are ``control_operands``.

    Args:
        module: where the code goes; it has the kernels.
        step: the step.
        inside: its programs.
        calls: those of each program.
        panels: the inputs that products read from panels, by number.
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
    return NativeStep(
        (*before.phases, Phase(symbol, 1, work * rounds, runs_programs=True)),
        max(space.shared, before.shared_bytes),
        max(space.scratch, before.scratch_bytes),
        any(call.native.fallible for call in together),
    )


class _Function:
    """The instructions of one such function.

    Args:
        module: where the code goes.
        step: the step.
        inside: its programs.
        runs: the function of each program; empty for one that does nothing.
        panels: the inputs that are read from panels.

    Attributes:
        lines: all instructions.
    """

    def __init__(
        self,
        module: Module,
        step: Step,
        inside: Inside,
        runs: Sequence[str],
        panels: Mapping[int, Panels],
    ) -> None:
        self.lines: list[str] = []
        self._module, self._step, self._inside, self._runs = module, step, inside, runs
        self._count = 0
        self._results = len(step.inputs)
        self._work = self._results + len(step.outputs)
        read = [inside.copies.get(at, each) for at, each in enumerate(step.inputs)]
        layouts = [Layout(each.offset, each.shape, each.strides) for each in read]
        self._layouts = input_layouts(step.node, layouts)
        self._inputs = [{node: at for at, node in enumerate(graph.inputs)} for graph in
                        programs(step.node)]  # fmt: skip
        define_add_times(module)
        self._emit("%nobody = icmp eq ptr %times, null")
        self._copied = {**inside.copies, **{number: inside.packed[number] for number in panels}}
        for number, copy in self._copied.items():
            start = copy.offset * copy.dtype.itemsize
            self._emit(f"%copy{number} = getelementptr i8, ptr %p{self._work}, i64 {start}")
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
        order = _constants(self._inside)
        constants = [buffer.id for buffer in plan.buffers if buffer.kind == "constant"]
        for slot, number in zip(constants, self._inside.constants[program], strict=True):
            self._set(program, slot, f"%p{self._work + 1 + order.index(number)}")
        own = {Slot.ARENA: f"%p{self._work}", Slot.WORKSPACE: "%shared", Slot.POOL: "%pool"}
        sums, times = [*places(self._inside)][program]
        self._emit(f"%sums{program} = getelementptr i8, ptr %times, i64 {sums}")
        notes = self._value(f"getelementptr i8, ptr %times, i64 {times}")
        self._emit(f"%times{program} = select i1 %nobody, ptr null, ptr {notes}")
        own[Slot.TIMES] = f"%times{program}"
        for which in Slot:
            self._set(program, len(plan.buffers) + which, own[which])
        for slot, number in self._given(program):
            if number in carries_in_place(self._step.node):
                self._set(program, slot, f"%p{self._results + number}")
            elif number >= self._items.stop:
                self._set(program, slot, self._lowest(program, slot, number))

    @property
    def _items(self) -> range:
        """The numbers of the inputs that are items of sequences."""
        attrs = self._step.node.attrs
        carries = attrs.get("carries", 0)
        return range(carries, carries + attrs.get("sequences", 0))

    def _given(self, program: int) -> list[tuple[int, int]]:
        """The buffers of a program's inputs, and their numbers."""
        plan = self._inside.plans[program]
        return [
            (buffer.id, self._inputs[program][buffer.node])
            for buffer in plan.buffers[: plan.bound]
            if buffer.kind != "output"
        ]

    def _lowest(self, program: int, slot: int, number: int) -> str:
        """The lowest address that the program uses of an operand, or of its first item."""
        node = self._inside.plans[program].buffers[slot].node
        before = self._layouts[program][node].offset * node.type.dtype.itemsize
        if number in self._copied:
            return f"%copy{number}"
        operand = number + 1 if self._step.node.op.name == COND else number
        return self._further(f"%p{operand}", -before)

    # ------------------------------------------------------------------ scan

    def _scan(self) -> None:
        node, plan = self._step.node, self._inside.plans[0]
        length: int = node.attrs["length"]
        if not length:
            self._emit("br label %done")
            return
        stacked = stacked_carries(node)
        items = [
            (slot, self._lowest(0, slot, number), self._stride(number))
            for slot, number in self._given(0)
            if number in self._items
        ]
        latest = [(slot, number) for slot, number in self._given(0) if number in stacked]
        self._emit("br label %next")
        self._label("next")
        self._emit("%i = phi i64 [ 0, %entry ], [ %following, %more ]")
        for _, number in latest:
            target = f"%r{stacked[number]}"
            self._emit(f"%c{number} = phi ptr [ %p{number}, %entry ], [ {target}, %more ]")
        at = self._value(f"sub i64 {length - 1}, %i") if node.attrs["reverse"] else "%i"
        for slot, base, nbytes in items:
            self._set(0, slot, self._further(base, self._value(f"mul i64 {at}, {nbytes}")))
        for position, slot in enumerate(plan.outputs.values()):
            distance = self._value(f"mul i64 {at}, {plan.buffers[slot].nbytes}")
            result = f"%p{self._results + self._items.start + position}"
            self._emit(f"%r{position} = getelementptr i8, ptr {result}, i64 {distance}")
            self._set(0, slot, f"%r{position}")
        for slot, number in latest:
            self._set(0, slot, f"%c{number}")
        self._run(0)
        self._emit("br label %more")
        self._label("more")
        self._emit("%following = add i64 %i, 1")
        self._emit(f"%again = icmp slt i64 %following, {length}")
        self._emit("br i1 %again, label %next, label %last")
        self._label("last")
        self._module.declare(_MEMCPY, f"declare void @{_MEMCPY}(ptr, ptr, i64, i1)")
        for _, number in latest:
            target = f"%p{self._results + number}"
            nbytes = self._step.outputs[number].nbytes
            self._emit(
                f"call void @{_MEMCPY}(ptr {target}, ptr %r{stacked[number]}, i64 {nbytes}, i1 0)"
            )
        self._emit("br label %done")

    def _stride(self, number: int) -> int:
        """Bytes from one item of a sequence to the next."""
        operand = self._step.inputs[number]
        return operand.strides[0] * operand.dtype.itemsize

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

    def _further(self, address: str, nbytes: int | str) -> str:
        return self._value(f"getelementptr i8, ptr {address}, i64 {nbytes}") if nbytes else address

    def _value(self, expression: str) -> str:
        self._count += 1
        self._emit(f"%v{self._count} = {expression}")
        return f"%v{self._count}"

    def _emit(self, line: str) -> None:
        self.lines.append(f"  {line}")

    def _label(self, name: str) -> None:
        self.lines.append(f"{name}:")
