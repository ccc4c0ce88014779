"""From a step of a plan to a kernel."""

from __future__ import annotations

from graphc.errors import CompileError
from graphc.graph import Graph, has_trait
from graphc.node import Node, make_node
from graphc.opdef import Trait
from graphc.ops.leaf import placeholder
from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.convolution.build import build_convolution
from graphc.runtime.llvm.ir.function import define_function
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.runtime.llvm.kernels.kernel import build_kernel, phases_of
from graphc.runtime.llvm.kernels.row_units import RowUnits
from graphc.runtime.llvm.kernels.schedule import describe
from graphc.runtime.llvm.lowering import indexing
from graphc.runtime.llvm.lowering.padding import build_pad
from graphc.runtime.llvm.lowering.random_bits import build_random_bits
from graphc.runtime.llvm.native_step import NativeStep, Phase
from graphc.runtime.plan import Operand, Step
from graphc.types import TensorType

_WRITTEN_BY_HAND = ("random_bits", "pad", "conv", *indexing.OPERATIONS)


def build_step(module: Module, step: Step, rows: RowUnits | None = None) -> NativeStep:
    """Add the kernels of a step to a module.

    Args:
        module: where the code goes.
        step: the step.
        rows: how units are cut, if that is not for the step to say.

    Raises:
        CompileError: if the step has no native code; says why.
    """
    inputs = [layout_of(operand) for operand in step.inputs]
    outputs = [layout_of(operand) for operand in step.outputs]
    if rows is not None and step.kind == "compute" and step.node.op.name in _WRITTEN_BY_HAND:
        raise CompileError(f"{step.node.op.name}: no units of rows")
    if not any(output.size for output in outputs) and not has_trait(step.node, Trait.FALLIBLE):
        symbol = define_function(module, len(inputs) + len(outputs), [])
        return NativeStep((Phase(symbol, 1, 0.0),))
    if step.node.op.name == "random_bits" and step.kind == "compute":
        return build_random_bits(module, inputs[0], step.node.attrs["call"], step.outputs[0].size)
    if step.node.op.name in indexing.OPERATIONS and step.kind == "compute":
        return indexing.build_indexing(module, step, inputs, outputs[0])
    if step.node.op.name == "pad" and step.kind == "compute":
        return build_pad(module, step.node, inputs[0], outputs[0])
    if step.node.op.name == "conv" and step.kind == "compute":
        x, w = inputs
        return build_convolution(module, x, w, outputs[0], **step.node.attrs)
    return build_kernel(module, body_of(step), inputs, outputs, _overwriting(step), rows)


def describe_step(target: Target, step: Step) -> str:
    """The schedule of a step's kernel, for people; empty where code is written without one.

    Raises:
        CompileError: if the step has no native code; says why.
    """
    if step.kind == "compute" and step.node.op.name in _WRITTEN_BY_HAND:
        return ""
    inputs = [layout_of(operand) for operand in step.inputs]
    outputs = [layout_of(operand) for operand in step.outputs]
    if not any(output.size for output in outputs):
        return ""
    phases = phases_of(Module(target), body_of(step), inputs, outputs, _overwriting(step))
    return describe(phases.schedules)


def _overwriting(step: Step) -> list[int]:
    """The numbers of the outputs that take the place of an input."""
    read = {operand.buffer for operand in step.inputs}
    return [number for number, operand in enumerate(step.outputs) if operand.buffer in read]


def body_of(step: Step) -> Graph:
    """The scalar graph that a step computes: its own body, or one made of a single operation.

    Raises:
        CompileError: if the step's operation is none that a kernel can compute.
    """
    node = step.node
    if step.kind == "copy" or _is_scalar_view(step):
        (source,) = _placeholders(step)
        return Graph((source,), {"r0": source})
    if node.op.name == "fused":
        body: Graph = node.attrs["body"]
        return body
    if not has_trait(node, Trait.ELEMENTWISE | Trait.REDUCE):
        raise CompileError(f"{node.op.name}: no native code")
    inputs = _placeholders(step)
    return Graph(inputs, {"r0": make_node(node.op, inputs, node.attrs)})


def _is_scalar_view(step: Step) -> bool:
    """Whether a view of one number gives that number."""
    return has_trait(step.node, Trait.VIEW) and step.inputs[0].shape == step.outputs[0].shape == ()


def layout_of(operand: Operand) -> Layout:
    """How an operand lies in memory."""
    return Layout(operand.shape, operand.strides, operand.dtype)


def _placeholders(step: Step) -> tuple[Node, ...]:
    return tuple(
        placeholder(f"a{number}", TensorType(operand.shape, operand.dtype))
        for number, operand in enumerate(step.inputs)
    )
