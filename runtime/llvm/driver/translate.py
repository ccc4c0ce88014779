"""From the steps of a plan to native functions, programs inside steps included."""

from __future__ import annotations

from dataclasses import dataclass

from graphc.errors import CompileError
from graphc.runtime.backend import Kernel
from graphc.runtime.llvm.control import build_control, control_operands
from graphc.runtime.llvm.lowering import products
from graphc.runtime.llvm.lowering.steps import build_step
from graphc.runtime.llvm.module import Module
from graphc.runtime.llvm.program import NativeCall
from graphc.runtime.numpy_backend import step_name
from graphc.runtime.plan import Inside, Plan, Step


@dataclass(frozen=True, slots=True)
class Fallback:
    """A step that stays numpy's, and why."""

    step: int
    reason: str


Translated = NativeCall | Fallback


def translate(module: Module, plan: Plan) -> list[Translated]:
    """Add the kernels of all steps to a module."""
    return [translate_step(module, position, step) for position, step in enumerate(plan.steps)]


def translate_step(module: Module, position: int, step: Step) -> Translated:
    """Add the kernels of one step to a module, or say why it has none."""
    try:
        if step.inside is not None:
            return _control(module, position, step, step.inside)
        if step.kind == "compute" and step.node.op.name in products.OPERATIONS:
            product = products.build_product(module, step)
            return NativeCall(position, product, products.product_operands(step))
        return NativeCall(position, build_step(module, step), (*step.inputs, *step.outputs))
    except CompileError as refusal:
        return Fallback(position, refusal.what)


def _control(module: Module, position: int, step: Step, inside: Inside) -> NativeCall:
    """A scan, a loop or a branch: native if all of its programs are."""
    programs, kernels = [], []
    for plan in inside.plans:
        calls = []
        for each in translate(module, plan):
            if isinstance(each, Fallback):
                raise CompileError(f"inside {step.node.op.name}: {each.reason}")
            calls.append(each)
        programs.append(calls)
        kernels.append(tuple(kernels_of(plan, calls)))
    native = build_control(module, step, inside, programs)
    return NativeCall(position, native, control_operands(step, inside), tuple(kernels))


def kernels_of(plan: Plan, members: list[Translated] | list[NativeCall]) -> list[Kernel]:
    """What each step became; steps with the same code share one kernel."""
    shared: dict[tuple[str, bool, str], list[int]] = {}
    inside: dict[str, tuple[tuple[Kernel, ...], ...]] = {}
    for item in members:
        if isinstance(item, NativeCall):
            key = (item.native.phases[0].symbol, True, "")
            inside[key[0]] = item.inside
        else:
            key = (f"numpy.{step_name(plan.steps[item.step])}", False, item.reason)
        shared.setdefault(key, []).append(item.step)
    return [
        Kernel(name, tuple(steps), native, why, inside.get(name, ()))
        for (name, native, why), steps in shared.items()
    ]
