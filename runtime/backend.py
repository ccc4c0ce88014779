"""What every backend offers: it prepares a plan once, and the result runs many times."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from graphc.runtime.plan import Plan
from graphc.storage import Array


@dataclass(frozen=True, slots=True)
class Kernel:
    """How a backend executes some of a plan's steps.

    Args:
        name: the kernel's name; equal steps may share one kernel.
        steps: positions in ``Plan.steps``.
        native: True for generated code, False for numpy through ``OpDef.eval``.
        reason: why a step is not native; may be empty.
        inside: for each program that the steps run its kernels.
    """

    name: str
    steps: tuple[int, ...]
    native: bool
    reason: str = ""
    inside: tuple[tuple[Kernel, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class StepSeconds:
    """How long one step took.

    Args:
        seconds: from its beginning to its end.
        inside: for each program that it runs, how long each step took in all iterations.
    """

    seconds: float
    inside: tuple[tuple[StepSeconds, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Code:
    """The generated code of one step, for people; empty texts where there is none.

    Args:
        schedule: the loops.
        llvm: the text that LLVM gets.
        assembly: makes the machine code's text.
    """

    schedule: str = ""
    llvm: str = ""
    assembly: Callable[[], str] = str


@dataclass(frozen=True, slots=True)
class NativeProgram:
    """A whole plan as one native function, with memory of its own for one run at a time.

    Args:
        address: the function, ``i32 (ptr table)``; 0, or not if it refuses its data: then no
            variable has been written.
        table: the address of each buffer by id, and whatever else the function needs; those of
            inputs and outputs may be changed between runs.
        kept: what must live as long as the program is run.
    """

    address: int
    table: ctypes.Array[ctypes.c_void_p]
    kept: object


class Executable(Protocol):
    """A prepared plan. It holds no state of a run, so several threads may run it at once."""

    @property
    def kernels(self) -> Sequence[Kernel]:
        """Every step's kernel; each step appears in exactly one."""
        ...

    @property
    def phases(self) -> Mapping[str, float]:
        """Seconds that each phase of preparing took, in order."""
        ...

    @property
    def made(self) -> Any:
        """What ``Backend.prepare`` can use instead of making it anew; it can be pickled."""
        ...

    def run(self, arena: Array, bound: Sequence[Array]) -> None:
        """Execute all steps.

        Args:
            arena: uint8[plan.arena_bytes], aligned to 64 bytes, for this run only.
            bound: the base array of each bound buffer, by id. Inputs and outputs are
                C-contiguous; inputs may be read-only.

        Raises:
            GraphcError: if a step fails; no variable has been written then.
        """
        ...

    def timed(self, arena: Array, bound: Sequence[Array]) -> Sequence[StepSeconds]:
        """Like ``run``, and return how long each step took, by position."""
        ...

    def native(self, arena: Array, bound: Sequence[Array]) -> NativeProgram | None:
        """The plan as one native function; None if a step of it needs Python.

        Args:
            arena: like ``run``; for this program only, which keeps it alive.
            bound: like ``run``; those of inputs and outputs may be of any size.
        """
        ...

    def code(self, step: int) -> Code:
        """The generated code of a step, made again: it is for people."""
        ...

    def close(self) -> None:
        """Free what the executable holds; it is not run again."""
        ...


class Backend(Protocol):
    """Turns plans into executables."""

    @property
    def name(self) -> str:
        """The name that users choose it by."""
        ...

    def prepare(self, plan: Plan, made: Any = None) -> Executable:
        """Make a plan executable; slow, done once per plan.

        Args:
            plan: the plan.
            made: what ``Executable.made`` of an equal plan was, in another process perhaps.
        """
        ...

    def key(self) -> str | None:
        """What besides the plan decides what ``prepare`` makes; None if it is not worth keeping."""
        ...
