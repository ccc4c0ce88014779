"""From a step with a matrix product to the generator of products."""

from __future__ import annotations

from dataclasses import dataclass

from graphc.graph import Graph
from graphc.ops.fused_matmul import computed_factor, split_factors
from graphc.runtime.llvm.gemm.build import build_gemm
from graphc.runtime.llvm.gemm.factors import Prologue
from graphc.runtime.llvm.gemm.problem import Epilogue
from graphc.runtime.llvm.iteration import Layout
from graphc.runtime.llvm.module import Module
from graphc.runtime.llvm.native_step import NativeStep
from graphc.runtime.llvm.plain_products import build_plain_product
from graphc.runtime.plan import Operand, Step

OPERATIONS = ("matmul", "fused_matmul")


def build_product(module: Module, step: Step) -> NativeStep:
    """Add the function of a step's product to a module; its operands are ``product_operands``.

    Raises:
        CompileError: if there is no native code for the dtype, or for something in a body.
    """
    parts = _parts(step)
    if step.node.op.name == "matmul":
        a, b, c = map(layout_of, (*parts.a, *parts.b, *step.outputs))
        native = build_gemm if c.dtype.is_floating_point else build_plain_product
        return native(module, a, b, c)
    body: Graph = step.node.attrs["body"]
    product = body.inputs[0].type
    extras, outputs = (tuple(map(layout_of, each)) for each in (parts.extras, step.outputs))
    return build_gemm(
        module,
        _side(parts.a, parts.left),
        _side(parts.b, parts.right),
        Layout.contiguous(product.static_shape, product.dtype),
        Epilogue(body, extras, outputs),
    )


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
