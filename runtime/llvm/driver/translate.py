"""From the steps of a plan to native functions, programs inside steps included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from graphc.errors import CompileError
from graphc.runtime.backend import Kernel
from graphc.runtime.llvm.control import build_control, control_operands
from graphc.runtime.llvm.gemm.form import PLAIN, Form
from graphc.runtime.llvm.lowering import products
from graphc.runtime.llvm.lowering.panels import buffers_in_panels, panels_inside
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


NO_BUFFERS: Mapping[int, int] = MappingProxyType({})


def translate(
    module: Module, plan: Plan, panels: Mapping[int, int] = NO_BUFFERS
) -> list[Translated]:
    """Add the kernels of all steps to a module.

    Args:
        module: where the code goes.
        plan: the plan.
        panels: the columns of panels, by the buffers that hold right factors in panels.
    """
    return [
        translate_step(module, position, step, panels) for position, step in enumerate(plan.steps)
    ]


def translate_step(
    module: Module, position: int, step: Step, panels: Mapping[int, int] = NO_BUFFERS
) -> Translated:
    """Add the kernels of one step to a module, or say why it has none."""
    try:
        if step.inside is not None:
            return _control(module, position, step, step.inside)
        if step.kind == "compute" and step.node.op.name in products.OPERATIONS:
            product = products.build_product(module, step, form_of(step, panels))
            return NativeCall(position, product, products.product_operands(step))
        return NativeCall(position, build_step(module, step), (*step.inputs, *step.outputs))
    except CompileError as refusal:
        return Fallback(position, refusal.what)


def form_of(step: Step, panels: Mapping[int, int]) -> Form:
    """The form of a product whose right factor may lie in panels."""
    return Form(panels.get(products.right_factor(step).buffer, 0)) if panels else PLAIN


def _control(module: Module, position: int, step: Step, inside: Inside) -> NativeCall:
    """A scan, a loop or a branch: native if all of its programs are."""
    programs, kernels = [], []
    panels = panels_inside(module.target, step, inside)
    for plan, lying in zip(inside.plans, buffers_in_panels(step, inside, panels), strict=True):
        calls = []
        for each in translate(module, plan, lying):
            if isinstance(each, Fallback):
                raise CompileError(f"inside {step.node.op.name}: {each.reason}")
            calls.append(each)
        programs.append(calls)
        kernels.append(tuple(kernels_of(plan, calls)))
    native = build_control(module, step, inside, programs, panels)
    return NativeCall(position, native, control_operands(step, inside), tuple(kernels))


def kernels_of(plan: Plan, members: list[Translated] | list[NativeCall]) -> list[Kernel]:
    """What each step became; steps with the same code share one kernel."""
    shared: dict[tuple[str, bool, str], list[int]] = {}
    inside: dict[str, tuple[tuple[Kernel, ...], ...]] = {}
    for item in members:
        if isinstance(item, NativeCall):
            key = (item.native.phases[-1 if item.inside else 0].symbol, True, "")
            inside[key[0]] = item.inside
        else:
            key = (f"numpy.{step_name(plan.steps[item.step])}", False, item.reason)
        shared.setdefault(key, []).append(item.step)
    return [
        Kernel(name, tuple(steps), native, why, inside.get(name, ()))
        for (name, native, why), steps in shared.items()
    ]
