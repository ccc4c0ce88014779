"""From the steps of a plan to native functions, programs inside steps included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from graphc.errors import CompileError
from graphc.runtime.backend import Kernel
from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.driver.control import build_control
from graphc.runtime.llvm.driver.control_places import control_operands
from graphc.runtime.llvm.driver.divided_scan import is_divisible, row_units
from graphc.runtime.llvm.driver.program import NativeCall
from graphc.runtime.llvm.gemm.form import Form
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.row_units import RowUnits
from graphc.runtime.llvm.lowering import products
from graphc.runtime.llvm.lowering.panels import buffers_in_panels, panels_inside
from graphc.runtime.llvm.lowering.steps import build_step
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
    module: Module,
    plan: Plan,
    panels: Mapping[int, int] = NO_BUFFERS,
    rows: RowUnits | None = None,
) -> list[Translated]:
    """Add the kernels of all steps to a module.

    Args:
        module: where the code goes.
        plan: the plan.
        panels: the columns of panels, by the buffers that hold right factors in panels.
        rows: how units are cut, if that is not for each step to say.
    """
    return [
        translate_step(module, position, step, panels, rows)
        for position, step in enumerate(plan.steps)
    ]


def translate_step(
    module: Module,
    position: int,
    step: Step,
    panels: Mapping[int, int] = NO_BUFFERS,
    rows: RowUnits | None = None,
) -> Translated:
    """Add the kernels of one step to a module, or say why it has none.

    Args:
        module: where the code goes.
        position: the step's, in its plan.
        step: the step.
        panels: the columns of panels, by the buffers that hold right factors in panels.
        rows: how units are cut, if that is not for the step to say.
    """
    try:
        if step.inside is not None:
            return _control(module, position, step, step.inside)
        if step.kind == "compute" and step.node.op.name in products.OPERATIONS:
            product = products.build_product(module, step, form_of(step, panels, rows))
            return NativeCall(position, product, products.product_operands(step))
        return NativeCall(position, build_step(module, step, rows), (*step.inputs, *step.outputs))
    except CompileError as refusal:
        return Fallback(position, refusal.what)


def form_of(step: Step, panels: Mapping[int, int], rows: RowUnits | None = None) -> Form:
    """The form of a product whose right factor may lie in panels, and whose units may be rows.

    Args:
        step: the product.
        panels: the columns of panels, by the buffers that hold right factors in panels.
        rows: how units are cut, if that is not for the product to say.
    """
    width = panels.get(products.right_factor(step).buffer, 0) if panels else 0
    return Form(width, 0 if rows is None else rows.unit)


def _control(module: Module, position: int, step: Step, inside: Inside) -> NativeCall:
    """A scan, a loop or a branch: native if all of its programs are."""
    panels = panels_inside(module.target, step, inside)
    lying = buffers_in_panels(step, inside, panels)
    rows = _dividing(module.target, step, inside, lying)
    programs = [
        _native(step, translate(module, plan, buffers, rows))
        for plan, buffers in zip(inside.plans, lying, strict=True)
    ]
    kernels = [
        tuple(kernels_of(plan, calls)) for plan, calls in zip(inside.plans, programs, strict=True)
    ]
    native = build_control(module, step, inside, programs, panels, rows)
    return NativeCall(position, native, control_operands(step, inside), tuple(kernels))


def _native(step: Step, translated: Sequence[Translated]) -> list[NativeCall]:
    """The calls of a program inside a step.

    Raises:
        CompileError: if some step of it has no native code.
    """
    calls = []
    for each in translated:
        if isinstance(each, Fallback):
            raise CompileError(f"inside {step.node.op.name}: {each.reason}")
        calls.append(each)
    return calls


def _dividing(
    target: Target, step: Step, inside: Inside, lying: Sequence[Mapping[int, int]]
) -> RowUnits | None:
    """The blocks of rows into which a scan can be divided; tried in a module of its own."""
    rows = row_units(step, inside)
    if rows is None:
        return None
    trial = translate(Module(target), inside.plans[0], lying[0], rows)
    calls = [each for each in trial if isinstance(each, NativeCall)]
    fine = len(calls) == len(trial) and is_divisible(step, inside, calls, rows)
    return rows if fine else None


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
