"""The LLVM backend: every step that has native code becomes a kernel, the others stay numpy's."""

from __future__ import annotations

import functools
import textwrap
import time
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from graphc.errors import CompileError
from graphc.runtime.backend import Code
from graphc.runtime.disk_cache import open_cache
from graphc.runtime.llvm.compiler import engine, native
from graphc.runtime.llvm.compiler.build import compile_parts, stored_objects
from graphc.runtime.llvm.compiler.target import Target, host_target
from graphc.runtime.llvm.compiler.units import split
from graphc.runtime.llvm.driver.executable import (
    Helpers,
    LlvmExecutable,
    NativeStage,
    NumpyStage,
    Stage,
)
from graphc.runtime.llvm.driver.program import NativeCall, define_run, workspace
from graphc.runtime.llvm.driver.translate import (
    NO_BUFFERS,
    Fallback,
    Translated,
    form_of,
    kernels_of,
    translate,
    translate_step,
)
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.lowering import products
from graphc.runtime.llvm.lowering.panels import buffers_in_panels, panels_inside
from graphc.runtime.llvm.lowering.steps import describe_step
from graphc.runtime.llvm.pool.library import imports
from graphc.runtime.llvm.pool.pool import get_pool
from graphc.runtime.llvm.pool.region import PARALLEL_FOR
from graphc.runtime.plan import Plan, Step
from graphc.runtime.planning.inside import program_names
from graphc.runtime.reporting.tables import step_text


class LlvmBackend:
    """Compiles a plan's steps to native code for this machine.

    Args:
        threads: how many may work on one run.
    """

    name = "llvm"

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads

    def prepare(self, plan: Plan, made: Translation | None = None) -> LlvmExecutable:
        """Make a plan executable.

        Raises:
            CompileError: if LLVM refuses the generated code, or for this processor.
        """
        phases: dict[str, float] = {}
        start = time.perf_counter()
        cache = open_cache()
        objects = None if made is None else stored_objects(made.parts, cache)
        if made is None or objects is None:
            module, groups = _translate_all(plan)
            parts = split(module)
            phases["emit"] = time.perf_counter() - start
            objects, keys = compile_parts(parts, cache, phases)
            made = Translation(groups, keys, PARALLEL_FOR in module.declarations)
        library = _link(made, objects, phases)
        return LlvmExecutable(
            plan,
            [_stage(plan, group, library) for group in made.groups],
            kernels_of(plan, made.members),
            phases,
            library,
            _helpers(made, self._threads),
            made,
            functools.partial(step_code, plan),
        )

    def key(self) -> str:
        """The processor, and the versions that decide what code is made for it."""
        return f"{host_target()} {native.versions()}"


@dataclass(frozen=True, slots=True)
class Translation:
    """What became of a plan, without its code.

    Args:
        groups: all steps, in order.
        parts: the keys of the compiled objects.
        parallel: whether some phase is divided among threads.
    """

    groups: tuple[Group, ...]
    parts: tuple[str, ...]
    parallel: bool

    @property
    def members(self) -> list[Translated]:
        """What became of each step."""
        return [member for group in self.groups for member in group.members]

    @property
    def calls(self) -> list[NativeCall]:
        """The native steps."""
        return [member for member in self.members if isinstance(member, NativeCall)]


def step_code(plan: Plan, position: int) -> Code:
    """The generated code of one step; empty if it has none."""
    target = host_target()
    module = Module(target)
    step = plan.steps[position]
    item = translate_step(module, position, step)
    if isinstance(item, Fallback):
        return Code()
    text = module.text()
    return Code(_schedule(target, step), text, lambda: engine.assembly(text, target))


def _schedule(target: Target, step: Step, panels: Mapping[int, int] = NO_BUFFERS) -> str:
    """The loops of a step; of each step of the programs that it runs, if it does."""
    if step.inside is not None:
        texts = []
        copied = panels_inside(target, step, step.inside)
        lying = buffers_in_panels(step, step.inside, copied)
        texts += [f"input {number}: {each}" for number, each in copied.items()]
        names = program_names(step.node)
        for name, plan, within in zip(names, step.inside.plans, lying, strict=True):
            for number, each in enumerate(plan.steps):
                inner = textwrap.indent(_schedule(target, each, within), "  ")
                texts.append(f"{name} step {number}: {step_text(each)}\n{inner}".rstrip())
        return "\n".join(texts)
    if step.kind == "compute" and step.node.op.name in products.OPERATIONS:
        return products.describe_product(target, step, form_of(step, panels))
    return describe_step(target, step)


def _translate_all(plan: Plan) -> tuple[Module, tuple[Group, ...]]:
    module = Module(host_target())
    return module, _groups(module, plan, translate(module, plan))


def _link(
    made: Translation, objects: Sequence[bytes], phases: MutableMapping[str, float]
) -> engine.Library | None:
    symbols = sorted({group.symbol for group in made.groups if group.symbol})
    if not symbols:
        return None
    start = time.perf_counter()
    library = engine.link(objects, symbols, imports() if made.parallel else {})
    phases["link"] = time.perf_counter() - start
    return library


def _helpers(made: Translation, threads: int) -> Helpers:
    """As many threads as asked for, or one if no phase is worth dividing."""
    number = threads if made.parallel else 1
    pool = get_pool(number).address if number > 1 else 0
    return Helpers(workspace(made.calls).nbytes(number), pool)


@dataclass(frozen=True, slots=True)
class Group:
    """Consecutive steps of one kind; native ones have a function that runs them all."""

    members: tuple[Translated, ...]
    symbol: str = ""


def _groups(module: Module, plan: Plan, translated: Sequence[Translated]) -> tuple[Group, ...]:
    """Join consecutive steps that can run together."""

    groups = []
    for _, members in groupby(translated, lambda item: isinstance(item, NativeCall)):
        together = tuple(members)
        calls = [member for member in together if isinstance(member, NativeCall)]
        groups.append(Group(together, define_run(module, plan, calls) if calls else ""))
    return tuple(groups)


def _stage(plan: Plan, group: Group, library: engine.Library | None) -> Stage:
    first = group.members[0]
    if isinstance(first, NativeCall):
        if library is None:
            raise CompileError("a native step without native code")
        calls = [member for member in group.members if isinstance(member, NativeCall)]
        return NativeStage(plan, calls, library, group.symbol)
    return NumpyStage(plan, [plan.steps[member.step] for member in group.members])
