"""Where programs inside a step find their inputs and outputs, as instructions of its function.

The function has the addresses of the step's inputs, results, work and constants as ``%p0`` and so
on; see ``graphc.runtime.llvm.driver.control``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphc.dtypes import uint8
from graphc.runtime.layout import Layout
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.lowering.panels import Panels
from graphc.runtime.plan import Inside, Operand, Step
from graphc.runtime.planning.inside import (
    COND,
    carries_in_place,
    input_layouts,
    programs,
    stacked_carries,
)


def control_operands(step: Step, inside: Inside) -> tuple[Operand, ...]:
    """What the function of a step takes: its operands, the work memory, and all constants."""
    constants = [Operand(number, 0, (), (), uint8) for number in _constants(inside)]
    return (*step.inputs, *step.outputs, inside.work, *constants)


def _constants(inside: Inside) -> list[int]:
    return list(dict.fromkeys(number for numbers in inside.constants for number in numbers))


class Places:
    """The addresses, and the instructions that compute them.

    Args:
        step: the step.
        inside: its programs.
        panels: the inputs that are read from panels.

    Attributes:
        lines: all instructions.
        sequences: the numbers of the inputs that are sequences.
    """

    def __init__(self, step: Step, inside: Inside, panels: Mapping[int, Panels]) -> None:
        self.lines: list[str] = []
        self._step, self._inside = step, inside
        self._count = 0
        self._results = len(step.inputs)
        self._work = self._results + len(step.outputs)
        attrs = step.node.attrs
        carries = attrs.get("carries", 0)
        self.sequences = range(carries, carries + attrs.get("sequences", 0))
        read = [inside.copies.get(at, each) for at, each in enumerate(step.inputs)]
        layouts = [Layout(each.offset, each.shape, each.strides) for each in read]
        self._layouts = input_layouts(step.node, layouts)
        self._inputs = [{node: at for at, node in enumerate(graph.inputs)} for graph in
                        programs(step.node)]  # fmt: skip
        self._copied = {**inside.copies, **{number: inside.packed[number] for number in panels}}
        for number, copy in self._copied.items():
            start = copy.offset * copy.dtype.itemsize
            self._emit(f"%copy{number} = getelementptr i8, ptr %p{self._work}, i64 {start}")

    def fixed(self, program: int) -> dict[int, str]:
        """The addresses of a program's buffers that never change, by the buffers' numbers."""
        plan, order = self._inside.plans[program], _constants(self._inside)
        constants = [buffer.id for buffer in plan.buffers if buffer.kind == "constant"]
        given = zip(constants, self._inside.constants[program], strict=True)
        found = {slot: f"%p{self._work + 1 + order.index(number)}" for slot, number in given}
        for slot, number in self._given(program):
            if number in carries_in_place(self._step.node):
                found[slot] = f"%p{self._results + number}"
            elif number >= self.sequences.stop:
                found[slot] = self._lowest(program, slot, number)
        return found

    def iteration(self, again: str) -> Iterator[tuple[int, str]]:
        """Begin an iteration of a scan, in a block ``next`` of the function.

        Args:
            again: the block from which ``next`` is entered again.

        Yields:
            The buffers of the body that move on from iteration to iteration, and their addresses.
        """
        node, plan = self._step.node, self._inside.plans[0]
        stacked, latest, items = stacked_carries(node), self._latest(), self._items()
        self._emit("br label %next")
        self._label("next")
        self._emit(f"%i = phi i64 [ 0, %entry ], [ %following, %{again} ]")
        for number in latest.values():
            target = f"%r{stacked[number]}"
            self._emit(f"%c{number} = phi ptr [ %p{number}, %entry ], [ {target}, %{again} ]")
        last = node.attrs["length"] - 1
        at = self._value(f"sub i64 {last}, %i") if node.attrs["reverse"] else "%i"
        for slot, (base, nbytes) in items.items():
            yield slot, self._further(base, self._value(f"mul i64 {at}, {nbytes}"))
        for position, slot in enumerate(plan.outputs.values()):
            distance = self._value(f"mul i64 {at}, {plan.buffers[slot].nbytes}")
            stack = f"%p{self._results + self.sequences.start + position}"
            self._emit(f"%r{position} = getelementptr i8, ptr {stack}, i64 {distance}")
            yield slot, f"%r{position}"
        for slot, number in latest.items():
            yield slot, f"%c{number}"

    def end_iteration(self) -> None:
        """Go on with the next iteration of a scan, or with what stands behind all of them."""
        length: int = self._step.node.attrs["length"]
        self._emit("%following = add i64 %i, 1")
        self._emit(f"%again = icmp slt i64 %following, {length}")
        self._emit("br i1 %again, label %next, label %last")
        self._label("last")

    def last_values(self) -> list[tuple[int, str]]:
        """The numbers of a scan's stacked carries, and where the last iteration put them."""
        stacked = stacked_carries(self._step.node)
        return [(number, f"%r{stacked[number]}") for number in self._latest().values()]

    def _items(self) -> dict[int, tuple[str, int]]:
        """The address of the first item of each sequence of a scan, and bytes to the next one."""
        return {
            slot: (self._lowest(0, slot, number), self._stride(number))
            for slot, number in self._given(0)
            if number in self.sequences
        }

    def _latest(self) -> dict[int, int]:
        """The numbers of a scan's stacked carries, by the buffers that the body reads them from."""
        stacked = stacked_carries(self._step.node)
        return {slot: number for slot, number in self._given(0) if number in stacked}

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

    def _stride(self, number: int) -> int:
        """Bytes from one item of a sequence to the next."""
        operand = self._step.inputs[number]
        return operand.strides[0] * operand.dtype.itemsize

    def _copy_bytes(self, module: Module, target: str, source: str, nbytes: int | str) -> None:
        """Copy what lies at an address to another one."""
        name = "llvm.memcpy.p0.p0.i64"
        module.declare(name, f"declare void @{name}(ptr, ptr, i64, i1)")
        self._emit(f"call void @{name}(ptr {target}, ptr {source}, i64 {nbytes}, i1 0)")

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
