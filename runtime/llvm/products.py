"""From a step with a matrix product to the generator of products."""

from __future__ import annotations

from graphc.dtypes import float32, float64
from graphc.graph import Graph
from graphc.runtime.llvm.gemm.build import build_gemm
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
        CompileError: if there is no native code for the dtype, or for something in the body.
    """
    a, b, *others = map(layout_of, product_operands(step))
    if step.node.op.name == "matmul":
        (c,) = others
        native = build_gemm if c.dtype in (float32, float64) else build_plain_product
        return native(module, a, b, c)
    body: Graph = step.node.attrs["body"]
    extras = len(step.inputs) - 2
    product = body.inputs[0].type
    epilogue = Epilogue(body, tuple(others[:extras]), tuple(others[extras:]))
    return build_gemm(
        module, a, b, Layout.contiguous(product.static_shape, product.dtype), epilogue
    )


def product_operands(step: Step) -> tuple[Operand, ...]:
    """Inputs and outputs as the generated function takes them.

    The transpose of a product is a product of transposes, so it needs no code of its own.
    """
    a, b, *extras = step.inputs
    if step.node.attrs.get("transposed"):
        a, b = _transposed(b), _transposed(a)
    return (a, b, *extras, *step.outputs)


def layout_of(operand: Operand) -> Layout:
    """How an operand lies in memory."""
    return Layout(operand.shape, operand.strides, operand.dtype)


def _transposed(x: Operand) -> Operand:
    *lead, rows, columns = x.shape
    *steps, row, column = x.strides
    return Operand(x.buffer, x.offset, (*lead, columns, rows), (*steps, column, row), x.dtype)
