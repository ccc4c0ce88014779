"""From a step with a matrix product to the generator of products."""

from __future__ import annotations

from dataclasses import dataclass

from graphc.errors import CompileError
from graphc.graph import Graph
from graphc.ops.fused_matmul import computed_factor, split_factors
from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.gemm.blocking import blocking_of
from graphc.runtime.llvm.gemm.build import build_gemm, lanes_of
from graphc.runtime.llvm.gemm.describe import describe_gemm
from graphc.runtime.llvm.gemm.factors import Prologue
from graphc.runtime.llvm.gemm.form import PLAIN, Form
from graphc.runtime.llvm.gemm.panels import panels_of
from graphc.runtime.llvm.gemm.problem import Epilogue, formed, problem_of
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.runtime.llvm.lowering.plain_products import build_plain_product, describe_plain_product
from graphc.runtime.llvm.native_step import NativeStep
from graphc.runtime.plan import Operand, Step

OPERATIONS = ("matmul", "fused_matmul")


def build_product(module: Module, step: Step, form: Form = PLAIN) -> NativeStep:
    """Add the function of a step's product to a module; its operands are ``product_operands``.

    Args:
        module: where the code goes.
        step: the step.
        form: what is wanted beside the result.

    Raises:
        CompileError: if there is no native code for the dtype, or for something in a body, or none
            of that form.
    """
    if _has_tiles(step):
        return build_gemm(module, *_request(step), form)
    if form != PLAIN:
        raise CompileError(f"matmul: no such product of {step.inputs[0].dtype.name}")
    return build_plain_product(module, *map(layout_of, (*step.inputs, *step.outputs)))


def describe_product(target: Target, step: Step, form: Form = PLAIN) -> str:
    """How a product is computed, for people.

    Args:
        target: the processor.
        step: the product.
        form: what is wanted beside the result.
    """
    if _has_tiles(step):
        request = _request(step)
        problem = problem_of(*request)
        if form != PLAIN:
            problem = formed(problem, form)
        return describe_gemm(target, problem, request[-1])
    return describe_plain_product(target, *map(layout_of, (*step.inputs, *step.outputs)))


def wanted_panels(target: Target, step: Step) -> tuple[int, Operand]:
    """The columns of panels from which a product could read its right factor; that factor.

    Returns:
        The columns, 0 if it cannot, and the factor as it is multiplied.
    """
    parts = _parts(step)
    problem = problem_of(*_request(step)) if _has_tiles(step) and len(parts.b) == 1 else None
    if problem is None or problem.is_empty:
        return 0, parts.b[0]
    return panels_of(blocking_of(target, problem, lanes_of(target, problem))), parts.b[0]


def right_factor(step: Step) -> Operand:
    """The right factor as it is multiplied; the first operand of what computes it."""
    return _parts(step).b[0]


def _has_tiles(step: Step) -> bool:
    """Whether the generator of products has code for the dtype."""
    return step.inputs[0].dtype.is_floating_point or step.node.op.name != "matmul"


def _request(
    step: Step,
) -> tuple[Layout | Prologue, Layout | Prologue, Layout, Epilogue | None]:
    """What the generator is asked for: the factors, the product, what becomes of it."""
    parts = _parts(step)
    a, b = _side(parts.a, parts.left), _side(parts.b, parts.right)
    outputs = tuple(map(layout_of, step.outputs))
    if step.node.op.name == "matmul":
        return a, b, outputs[0], None
    body: Graph = step.node.attrs["body"]
    product = body.inputs[0].type
    epilogue = Epilogue(body, tuple(map(layout_of, parts.extras)), outputs)
    return a, b, Layout.contiguous(product.static_shape, product.dtype), epilogue


def product_operands(step: Step) -> tuple[Operand, ...]:
    """Inputs and outputs as the generated function takes them.

    The transpose of a product is a product of transposes, so it needs no code of its own.
    """
    parts = _parts(step)
    return (*parts.a, *parts.b, *parts.extras, *step.outputs)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The inputs of a step, and how its factors are computed.

    Args:
        a: what the left factor is made of; already transposed where the factor is.
        b: what the right factor is made of.
        extras: further operands of the body.
        left: how the left factor is computed; None if it is an operand.
        right: how the right factor is computed.
    """

    a: tuple[Operand, ...]
    b: tuple[Operand, ...]
    extras: tuple[Operand, ...]
    left: Graph | None
    right: Graph | None


def _parts(step: Step) -> _Parts:
    """The parts of a product that is not transposed any more."""
    attrs = step.node.attrs
    left, right = attrs.get("left"), attrs.get("right")
    a, rest = split_factors(step.inputs, left)
    b, extras = split_factors(rest, right)
    a, b = _as_multiplied(a, left), _as_multiplied(b, right)
    if attrs.get("transposed"):
        a, b = tuple(map(_transposed, b)), tuple(map(_transposed, a))
        left, right = right, left
    return _Parts(a, b, extras, left, right)


def _as_multiplied(operands: tuple[Operand, ...], prologue: Graph | None) -> tuple[Operand, ...]:
    """Operands of a factor in the shape of the factor as it is multiplied; 0 strides repeat."""
    if prologue is None:
        return operands
    source, turned = computed_factor(prologue)
    spread = [_spread(each, source.type.static_shape) for each in operands]
    return tuple(map(_transposed, spread)) if turned else tuple(spread)


def _spread(x: Operand, shape: tuple[int, ...]) -> Operand:
    layout = layout_of(x)
    strides = tuple(layout.along(dim, len(shape)) for dim in range(len(shape)))
    return Operand(x.buffer, x.offset, shape, strides, x.dtype)


def _side(operands: tuple[Operand, ...], prologue: Graph | None) -> Layout | Prologue:
    layouts = tuple(map(layout_of, operands))
    if prologue is None:
        return layouts[0]
    source, _ = computed_factor(prologue)
    return Prologue(Graph(prologue.inputs, {"r0": source}), layouts, layouts[0].shape)


def layout_of(operand: Operand) -> Layout:
    """How an operand lies in memory."""
    return Layout(operand.shape, operand.strides, operand.dtype)


def _transposed(x: Operand) -> Operand:
    *lead, rows, columns = x.shape
    *steps, row, column = x.strides
    return Operand(x.buffer, x.offset, (*lead, columns, rows), (*steps, column, row), x.dtype)
