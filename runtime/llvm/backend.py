"""The LLVM backend: every step that has native code becomes a kernel, the others stay numpy's."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from graphc.errors import CompileError
from graphc.runtime.backend import Kernel
from graphc.runtime.llvm import engine, products
from graphc.runtime.llvm.build import build
from graphc.runtime.llvm.executable import (
    Helpers,
    LlvmExecutable,
    NativeStage,
    NumpyStage,
    Stage,
)
from graphc.runtime.llvm.module import Module
from graphc.runtime.llvm.pool.pool import get_pool
from graphc.runtime.llvm.pool.region import PARALLEL_FOR
from graphc.runtime.llvm.program import NativeCall, Workspace, define_run, workspace
from graphc.runtime.llvm.steps import build_step
from graphc.runtime.llvm.target import host_target
from graphc.runtime.numpy_backend import step_name
from graphc.runtime.plan import Plan, Step


class LlvmBackend:
    """Compiles a plan's steps to native code for this machine.

    Args:
        threads: how many may work on one run.
    """

    name = "llvm"

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads

    def prepare(self, plan: Plan) -> LlvmExecutable:
        """Make a plan executable.

        Raises:
            CompileError: if LLVM refuses the generated code, or for this processor.
        """
        phases: dict[str, float] = {}
        start = time.perf_counter()
        module = Module(host_target())
        translated = [
            _translate(module, position, step) for position, step in enumerate(plan.steps)
        ]
        calls = [item for item in translated if isinstance(item, NativeCall)]
        groups = _groups(module, plan, translated)
        phases["emit"] = time.perf_counter() - start
        library = _load(module, groups, phases)
        stages = [_stage(plan, group, library) for group in groups]
        return LlvmExecutable(
            plan,
            stages,
            _kernels(plan, translated),
            phases,
            library,
            _helpers(module, workspace(calls), self._threads),
            module.text(),
        )


def _helpers(module: Module, space: Workspace, threads: int) -> Helpers:
    """As many threads as asked for, or one if no phase is worth dividing."""
    number = threads if PARALLEL_FOR in module.declarations else 1
    return Helpers(space.nbytes(number), get_pool(number).address if number > 1 else 0)


@dataclass(frozen=True, slots=True)
class _Fallback:
    """A step that stays numpy's, and why."""

    step: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Group:
    """Consecutive steps of one kind; native ones have a function that runs them all."""

    members: tuple[NativeCall | _Fallback, ...]
    symbol: str = ""


def _translate(module: Module, position: int, step: Step) -> NativeCall | _Fallback:
    try:
        if step.kind == "compute" and step.node.op.name in products.OPERATIONS:
            native = products.build_product(module, step)
            return NativeCall(position, native, products.product_operands(step))
        return NativeCall(position, build_step(module, step), (*step.inputs, *step.outputs))
    except CompileError as refusal:
        return _Fallback(position, refusal.what)


def _groups(
    module: Module, plan: Plan, translated: Sequence[NativeCall | _Fallback]
) -> list[_Group]:
    """Join consecutive steps that can run together."""

    groups = []
    for _, members in groupby(translated, lambda item: isinstance(item, NativeCall)):
        together = tuple(members)
        calls = [member for member in together if isinstance(member, NativeCall)]
        groups.append(_Group(together, define_run(module, plan, calls) if calls else ""))
    return groups


def _load(
    module: Module, groups: Sequence[_Group], phases: dict[str, float]
) -> engine.Library | None:
    """Compile the module, or take it from the cache, and link it."""
    symbols = sorted({group.symbol for group in groups if group.symbol})
    return build(module, symbols, phases) if symbols else None


def _stage(plan: Plan, group: _Group, library: engine.Library | None) -> Stage:
    first = group.members[0]
    if isinstance(first, NativeCall):
        if library is None:
            raise CompileError("a native step without native code")
        calls = [member for member in group.members if isinstance(member, NativeCall)]
        return NativeStage(plan, calls, library, group.symbol)
    return NumpyStage(plan, [plan.steps[member.step] for member in group.members])


def _kernels(plan: Plan, translated: Sequence[NativeCall | _Fallback]) -> list[Kernel]:
    """What each step became; steps with the same code share one kernel."""
    shared: dict[tuple[str, bool, str], list[int]] = {}
    for item in translated:
        if isinstance(item, NativeCall):
            key = (item.native.phases[0].symbol, True, "")
        else:
            key = (f"numpy.{step_name(plan.steps[item.step])}", False, item.reason)
        shared.setdefault(key, []).append(item.step)
    return [
        Kernel(name, tuple(steps), native, why) for (name, native, why), steps in shared.items()
    ]
