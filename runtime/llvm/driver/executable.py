"""A prepared plan: native runs of kernels, and numpy for the steps in between."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from graphc.errors import SessionError
from graphc.runtime.backend import Code, Kernel, NativeProgram, StepSeconds
from graphc.runtime.llvm.compiler.engine import Library
from graphc.runtime.llvm.driver.addresses import address_of
from graphc.runtime.llvm.driver.program import NativeCall, Slot
from graphc.runtime.llvm.driver.times import read_inside, times_bytes
from graphc.runtime.memory import aligned_memory
from graphc.runtime.numpy_backend import NumpyExecutable
from graphc.runtime.plan import Plan, Step
from graphc.storage import Array


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of one run: its arrays, and the address of each buffer and of the workspace."""

    arena: Array
    bound: Sequence[Array]
    workspace: Array
    table: ctypes.Array[ctypes.c_void_p]


@dataclass(frozen=True, slots=True)
class Helpers:
    """What native steps work with, besides their operands.

    Args:
        workspace: bytes of memory.
        pool: the address of the threads that take part; 0: none.
    """

    workspace: int
    pool: int


class Stage(Protocol):
    """Some consecutive steps of a plan that execute together."""

    def run(self, memory: Memory) -> None:
        """Execute them."""
        ...

    def timed(self, memory: Memory) -> Sequence[StepSeconds]:
        """Execute them one by one and return how long each took."""
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

    def run(self, memory: Memory) -> None:
        """One call."""
        refused = self._function(memory.table)
        if refused:
            self._refuse(self._calls[refused - 1], memory)

    def timed(self, memory: Memory) -> Sequence[StepSeconds]:
        """One call that notes when each step begins."""
        first, behind = self._calls[0].step, self._calls[-1].step + 1
        noted = np.zeros(times_bytes(self._plan) // 8, np.int64)
        slot = len(self._plan.buffers) + Slot.TIMES
        memory.table[slot] = address_of(noted)
        self.run(memory)
        memory.table[slot] = None
        times = noted[: 2 * (behind + 1)].reshape(-1, 2)
        seconds = (times[:, 0] - times[first, 0]) + 1e-9 * times[:, 1]
        return [
            StepSeconds(float(each), read_inside(self._plan, step, noted))
            for step, each in enumerate(np.diff(seconds[first:]), first)
        ]

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

    def timed(self, memory: Memory) -> Sequence[StepSeconds]:
        """Execute the steps and measure them."""
        return self._inner.timed(memory.arena, memory.bound)


class LlvmExecutable:
    """See ``graphc.runtime.backend.Executable``.

    Args:
        plan: the plan.
        stages: all its steps, in order.
        kernels: what each step became.
        phases: seconds that preparing took, by phase.
        library: the native code; None if no step is native.
        helpers: what native steps work with besides.
        made: what ``prepare`` need not make again.
        code: makes the generated code of a step again, for people.
    """

    def __init__(
        self,
        plan: Plan,
        stages: Sequence[Stage],
        kernels: Sequence[Kernel],
        phases: Mapping[str, float],
        library: Library | None,
        helpers: Helpers,
        made: object,
        code: Callable[[int], Code],
    ) -> None:
        self.made = made
        self.code = code
        self._plan, self._stages, self._library = plan, stages, library
        self._kernels, self._phases = kernels, phases
        self._helpers = helpers
        self._table_type = ctypes.c_void_p * (len(plan.buffers) + len(Slot))
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

    def timed(self, arena: Array, bound: Sequence[Array]) -> Sequence[StepSeconds]:
        """Execute all steps one by one and return how long each took."""
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
        workspace = aligned_memory(self._helpers.workspace)
        addresses = [*map(address_of, bound), *self._constants, address_of(arena)]
        addresses += [address_of(workspace), self._helpers.pool, None]
        return Memory(arena, bound, workspace, self._table_type(*addresses))
