"""Scans that threads divide by rows: each takes its rows through all iterations and waits for none.

Where all steps of a body treat blocks of rows apart, so does the whole scan. Its function does some
of the blocks, iteration by iteration; what a body keeps between its steps is in the thread's own
memory::

    i32 @symbol(ptr operand..., ptr shared, ptr scratch, i64 begin, i64 end)
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from graphc.runtime.llvm.driver.control_places import Places, control_operands
from graphc.runtime.llvm.driver.program import NativeCall, workspace
from graphc.runtime.llvm.driver.row_parts import are_apart, read_by_all
from graphc.runtime.llvm.ir.function import content_hash
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.row_units import RowUnits
from graphc.runtime.llvm.lowering.panels import Panels
from graphc.runtime.llvm.native_step import Phase
from graphc.runtime.plan import Inside, Operand, Step
from graphc.runtime.planning.inside import SCAN, stacked_carries

FEWEST_ROWS, MOST_ROWS = 4, 16
"""Rows of a unit: fewer read the weights too often, more leave too few units."""

USUAL_ROWS = 8
"""Tiles of products have so many rows, or they divide it."""

SHARED_BYTES = 1 << 20
"""What all units read must stay in the caches of each core; else units should share it."""

OWN_BYTES = 1 << 22
"""Memory that a thread may need for a body."""

_COMMON = "ptr %shared, ptr %scratch, i64 %begin, i64 %end"


def row_units(step: Step, inside: Inside) -> RowUnits | None:
    """How a scan's rows would be divided, if it has rows."""
    node = step.node
    if node.op.name != SCAN or node.attrs["length"] < 2 or not node.attrs["carries"]:
        return None
    (plan,) = inside.plans
    if plan.arena_bytes > OWN_BYTES or any(each.inside is not None for each in plan.steps):
        return None
    heights = {_height(step.outputs[number].shape) for number in range(node.attrs["carries"])}
    (height,) = heights if len(heights) == 1 else (0,)
    sizes = [
        rows for rows in range(FEWEST_ROWS, MOST_ROWS + 1) if height % rows == 0 and height > rows
    ]
    if not sizes:
        return None
    return RowUnits(
        height, min(sizes, key=lambda rows: (rows > USUAL_ROWS, abs(rows - USUAL_ROWS)))
    )


def _height(shape: Sequence[int]) -> int:
    """The outermost size that is not 1; 0 for vectors and numbers."""
    sizes = [size for size in shape if size != 1]
    return sizes[0] if len(sizes) > 1 else 0


def is_divisible(step: Step, inside: Inside, calls: Sequence[NativeCall], rows: RowUnits) -> bool:
    """Whether blocks of rows go through all iterations apart.

    Args:
        step: the scan.
        inside: its program.
        calls: the kernels of its body, made for these rows.
        rows: the blocks.
    """
    (plan,) = inside.plans
    if read_by_all(plan, calls, rows.units) > SHARED_BYTES:
        return False
    outputs = [*plan.outputs.values()]
    body = step.node.attrs["body"]
    latest = {
        buffer.id: outputs[stacked_carries(step.node)[number]]
        for buffer in plan.buffers[: plan.bound]
        for number in stacked_carries(step.node)
        if buffer.kind != "output" and buffer.node is body.inputs[number]
    }

    def memory(number: int) -> Hashable:
        constant = plan.buffers[number].kind == "constant"
        return None if constant else latest.get(number, number)

    return are_apart(plan, calls, rows.units, memory)


class Divided(Places):
    """The function of such a scan.

    Args:
        module: where the code goes; it has the kernels.
        step: the scan.
        inside: its program.
        panels: the inputs that are read from panels.
        calls: the kernels of the body.
        rows: the blocks.
    """

    def __init__(
        self,
        module: Module,
        step: Step,
        inside: Inside,
        panels: Mapping[int, Panels],
        calls: Sequence[NativeCall],
        rows: RowUnits,
    ) -> None:
        super().__init__(step, inside, panels)
        (self._plan,) = inside.plans
        self._module, self._calls, self._rows = module, calls, rows

    @property
    def scratch_bytes(self) -> int:
        """Memory of each thread: that of the kernels, and the body's arena behind it."""
        return workspace(self._calls).scratch + self._plan.arena_bytes

    def define(self, nanoseconds: float, timed: str) -> Phase:
        """Add the function to the module.

        Args:
            nanoseconds: all iterations on one core.
            timed: the function that does all of it and notes times.
        """
        addresses = self.fixed(0)
        own = workspace(self._calls).scratch
        self._emit(f"%arena = getelementptr i8, ptr %scratch, i64 {own}")
        addresses.update(self.iteration(again="next"))
        for call in self._calls:
            given = "".join(f"ptr {self._address(each, addresses)}, " for each in call.operands)
            for phase in call.native.phases:
                self._emit(f"call i32 @{phase.symbol}({given}{_COMMON})")
        self.end_iteration()
        for number, latest in self.last_values():
            self._keep_last(number, latest)
        symbol = self._function()
        return Phase(symbol, self._rows.units, nanoseconds, apart=True, timed=timed)

    def _keep_last(self, number: int, latest: str) -> None:
        """Copy the rows of the last value of a stacked carry to where the scan's result is."""
        share = self._step.outputs[number].nbytes // self._rows.units
        start = self._value(f"mul i64 %begin, {share}")
        count = self._value("sub i64 %end, %begin")
        nbytes = self._value(f"mul i64 {count}, {share}")
        source = self._further(latest, start)
        target = self._further(f"%p{self._results + number}", start)
        self._copy_bytes(self._module, target, source, nbytes)

    def _function(self) -> str:
        code = "\n".join(self.lines)
        operands = range(len(control_operands(self._step, self._inside)))
        given = "".join(f"ptr %p{number}, " for number in operands)
        text = f"({given}{_COMMON}) nounwind {{\nentry:\n{code}\n  ret i32 0\n}}"
        symbol = f"scan.rows.{content_hash(text)}"
        self._module.define(symbol, f"define i32 @{symbol}{text}")
        return symbol

    def _address(self, operand: Operand, addresses: Mapping[int, str]) -> str:
        """The first element of an operand of the body."""
        buffer = self._plan.buffers[operand.buffer]
        offset = operand.offset * operand.dtype.itemsize
        if buffer.kind == "arena":
            return self._value(f"getelementptr i8, ptr %arena, i64 {buffer.offset + offset}")
        base = addresses[operand.buffer]
        return self._further(base, offset)
