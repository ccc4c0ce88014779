"""Matrix products of dtypes that the generator of products has no tiles for.

They are kernels like any other: each row of the result adds up rows of ``b``, each times one
element of ``a``. Booleans are counted.
"""

from __future__ import annotations

from graphc.dtypes import BOOLEAN, DType, int32
from graphc.graph import Graph
from graphc.node import Node
from graphc.ops.elementwise import mul
from graphc.ops.leaf import placeholder
from graphc.ops.reduce import sum_
from graphc.ops.select import cast
from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.runtime.llvm.kernels.kernel import build_kernel, phases_of
from graphc.runtime.llvm.kernels.schedule import describe
from graphc.runtime.llvm.native_step import NativeStep
from graphc.types import TensorType


def build_plain_product(module: Module, a: Layout, b: Layout, c: Layout) -> NativeStep:
    """Add the kernels of ``c = a @ b`` to a module.

    Args:
        module: where the code goes.
        a: layout of (..., m, k).
        b: layout of (..., k, n).
        c: layout of the result, (..., m, n).

    Raises:
        CompileError: if there is no native code for the dtype.
    """
    return build_kernel(module, *_kernel_of(a, b, c))


def describe_plain_product(target: Target, a: Layout, b: Layout, c: Layout) -> str:
    """The loops of these kernels, for people."""
    return describe(phases_of(Module(target), *_kernel_of(a, b, c)).schedules)


def _kernel_of(a: Layout, b: Layout, c: Layout) -> tuple[Graph, list[Layout], list[Layout]]:
    """The body, and the layouts of operands and results."""
    spread = [_with_dim(a, len(a.shape)), _with_dim(b, len(b.shape) - 2)]
    x, y = (
        placeholder(name, TensorType(layout.shape, layout.dtype))
        for name, layout in zip(("a0", "a1"), spread, strict=True)
    )
    body = Graph((x, y), {"r0": _product(x, y, c.dtype)})
    return body, spread, [_with_dim(c, len(c.shape) - 1)]


def _product(x: Node, y: Node, dtype: DType) -> Node:
    """The sum over k of (..., m, k, 1) * (..., 1, k, n)."""
    wide = int32 if dtype.category == BOOLEAN else dtype
    if wide is not dtype:
        x, y = cast(x, dtype=wide), cast(y, dtype=wide)
    products = mul(x, y)
    total = sum_(products, dims=(len(products.type.shape) - 2,))
    return total if total.type.dtype is dtype else cast(total, dtype=dtype)


def _with_dim(layout: Layout, position: int) -> Layout:
    """The same elements with one more dim of size 1."""
    shape, strides = layout.shape, layout.strides
    return Layout(
        (*shape[:position], 1, *shape[position:]),
        (*strides[:position], 0, *strides[position:]),
        layout.dtype,
    )
