"""A prepared plan: native runs of kernels, and numpy for the steps in between."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from graphc.errors import SessionError
from graphc.runtime.backend import Kernel, NativeProgram
from graphc.runtime.llvm.addresses import address_of, view_at
from graphc.runtime.llvm.engine import Library
from graphc.runtime.llvm.program import NativeCall, place, workspace
from graphc.runtime.numpy_backend import NumpyExecutable
from graphc.runtime.plan import ALIGNMENT, Plan, Step
from graphc.storage import Array


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of one run: its arrays, and the address of each buffer and of the workspace."""

    arena: Array
    bound: Sequence[Array]
    workspace: Array
    table: ctypes.Array[ctypes.c_void_p]


class Stage(Protocol):
    """Some consecutive steps of a plan that execute together."""

    def run(self, memory: Memory) -> None:
        """Execute them."""
        ...

    def timed(self, memory: Memory) -> Sequence[float]:
        """Execute them one by one and return the seconds that each took."""
        ...


class NativeStage:
    """Steps that are one native function."""

    def __init__(
        self, plan: Plan, calls: Sequence[NativeCall], library: Library, symbol: str
    ) -> None:
        self._plan, self._calls = plan, calls
        self.address = library.address(symbol)
        entry = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)
        self._function: Callable[[ctypes.Array[ctypes.c_void_p]], int] = entry(self.address)
        self._kernels = [
            [
                ctypes.CFUNCTYPE(
                    ctypes.c_int32,
                    *[ctypes.c_void_p] * (len(call.operands) + 2),
                    ctypes.c_int64,
                    ctypes.c_int64,
                )(library.address(phase.symbol))
                for phase in call.native.phases
            ]
            for call in calls
        ]

    def run(self, memory: Memory) -> None:
        """One call."""
        refused = self._function(memory.table)
        if refused:
            self._refuse(self._calls[refused - 1], memory)

    def timed(self, memory: Memory) -> Sequence[float]:
        """A call for each phase of each step."""
        seconds = []
        shared = memory.table[len(self._plan.buffers) + 1] or 0
        scratch = shared + workspace(self._calls)[0]
        for call, kernels in zip(self._calls, self._kernels, strict=True):
            arguments = []
            for operand in call.operands:
                slot, offset = place(self._plan, operand)
                arguments.append((memory.table[slot] or 0) + offset)
            start = time.perf_counter()
            for phase, kernel in zip(call.native.phases, kernels, strict=True):
                if kernel(*arguments, shared, scratch, 0, phase.units):
                    self._refuse(call, memory)
            seconds.append(time.perf_counter() - start)
        return seconds

    def _refuse(self, call: NativeCall, memory: Memory) -> None:
        """Raise the error that the definition of the refused step raises."""
        NumpyStage(self._plan, [self._plan.steps[call.step]]).run(memory)
        raise SessionError(
            "native code refused data that numpy accepts", fix="report this as a bug"
        )


class NumpyStage:
    """Steps through ``OpDef.eval``."""

    def __init__(self, plan: Plan, steps: Sequence[Step]) -> None:
        self._inner = NumpyExecutable(
            Plan(
                steps=tuple(steps),
                buffers=plan.buffers,
                bound=plan.bound,
                outputs=plan.outputs,
                written=plan.written,
                arena_bytes=plan.arena_bytes,
                naive_bytes=plan.naive_bytes,
                lower_bound_bytes=plan.lower_bound_bytes,
            )
        )

    def run(self, memory: Memory) -> None:
        """Execute the steps."""
        self._inner.run(memory.arena, memory.bound)

    def timed(self, memory: Memory) -> Sequence[float]:
        """Execute the steps and measure them."""
        return self._inner.timed(memory.arena, memory.bound)


class MatmulStage:
    """One matrix product, by numpy's BLAS straight into the memory that the plan says."""

    def __init__(self, plan: Plan, step: Step) -> None:
        self._operands = [
            (operand, *place(plan, operand)) for operand in (*step.inputs, *step.outputs)
        ]

    def run(self, memory: Memory) -> None:
        """Multiply."""
        a, b, out = (
            view_at((memory.table[slot] or 0) + offset, operand)
            for operand, slot, offset in self._operands
        )
        with np.errstate(all="ignore"):
            np.matmul(a, b, out=out)

    def timed(self, memory: Memory) -> Sequence[float]:
        """Multiply and measure."""
        start = time.perf_counter()
        self.run(memory)
        return [time.perf_counter() - start]


class LlvmExecutable:
    """See ``graphc.runtime.backend.Executable``.

    Args:
        plan: the plan.
        stages: all its steps, in order.
        kernels: what each step became.
        phases: seconds that preparing took, by phase.
        library: the native code; None if no step is native.
        workspace: bytes that native steps need beside their operands.
        ir: the native code as text IR, for people.
    """

    def __init__(
        self,
        plan: Plan,
        stages: Sequence[Stage],
        kernels: Sequence[Kernel],
        phases: Mapping[str, float],
        library: Library | None,
        workspace: int,
        ir: str,
    ) -> None:
        self.ir = ir
        self._plan, self._stages, self._library = plan, stages, library
        self._kernels, self._phases = kernels, phases
        self._workspace = workspace
        self._table_type = ctypes.c_void_p * (len(plan.buffers) + 2)
        self._constants = [
            None if buffer.array is None else address_of(buffer.array)
            for buffer in plan.buffers[plan.bound :]
        ]

    @property
    def kernels(self) -> Sequence[Kernel]:
        """Every step's kernel."""
        return self._kernels

    @property
    def phases(self) -> Mapping[str, float]:
        """Seconds of emitting, compiling (or loading) and linking."""
        return self._phases

    def run(self, arena: Array, bound: Sequence[Array]) -> None:
        """Execute all steps."""
        memory = self._memory(arena, bound)
        for stage in self._stages:
            stage.run(memory)

    def timed(self, arena: Array, bound: Sequence[Array]) -> Sequence[float]:
        """Execute all steps one by one and return the seconds that each took."""
        memory = self._memory(arena, bound)
        return [seconds for stage in self._stages for seconds in stage.timed(memory)]

    def native(self, arena: Array, bound: Sequence[Array]) -> NativeProgram | None:
        """The plan as one native function; None if a step of it needs Python."""
        if len(self._stages) != 1 or not isinstance(self._stages[0], NativeStage):
            return None
        memory = self._memory(arena, bound)
        return NativeProgram(self._stages[0].address, memory.table, (self, memory))

    def close(self) -> None:
        """Free the native code; the executable is not run again."""
        self._stages = ()
        if self._library is not None:
            self._library.close()

    def _memory(self, arena: Array, bound: Sequence[Array]) -> Memory:
        workspace = np.empty(self._workspace + ALIGNMENT, np.uint8)
        start = address_of(workspace)
        aligned = start + -start % ALIGNMENT
        addresses = [*map(address_of, bound), *self._constants, address_of(arena), aligned]
        return Memory(arena, bound, workspace, self._table_type(*addresses))
