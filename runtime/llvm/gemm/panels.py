"""A right factor copied once for many products: in the panels in which their kernels read it.

Such a copy is what a product makes for itself where it multiplies many rows. Where a loop
multiplies few rows again and again by the same matrix, it is made before the loop.
"""

from __future__ import annotations

from graphc.runtime.llvm.gemm.blocking import Blocking
from graphc.runtime.llvm.gemm.factors import Factor, matrix_of
from graphc.runtime.llvm.gemm.outer import UNROLL
from graphc.runtime.llvm.gemm.packing import Packing, define_packing
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.function import BEGIN, END, define_function, parameters
from graphc.runtime.llvm.ir.loops import repeat, when
from graphc.runtime.llvm.ir.memory import moved
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import Value, constant
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.runtime.llvm.native_step import NativeStep, Phase

_NANOSECONDS = 0.15
"""What an element takes to be copied."""


def panels_of(blocking: Blocking) -> int:
    """The columns of a panel that a product could read its right factor from; 0 if it cannot.

    Args:
        blocking: how the product would be computed with a factor that lies as its strides say.
    """
    problem = blocking.problem
    turned = problem.b.matrices[0].parameter < problem.a.matrices[0].parameter
    return 0 if turned or problem.batch or not problem.b.plain else blocking.width


def panel_elements(terms: int, columns: int, width: int) -> int:
    """How many elements a factor has in panels, what fills the last one up included."""
    return terms * -(-columns // width) * width


def build_panels(module: Module, source: Layout, width: int) -> NativeStep:
    """Add a function that copies a matrix ``[k, n]`` into panels; its operands are both addresses.

    Args:
        module: where the code goes.
        source: how the matrix lies.
        width: columns of a panel, whole vectors.
    """
    (k, n), size = source.shape, source.dtype.itemsize
    e, lanes = Emitter(module), module.target.lanes(8 * size)
    matrix = matrix_of(0, source, 2)
    factor = Factor((matrix,), (), {}, source.dtype)
    given, target = parameters(2)
    whole, rest = divmod(n, width)

    def copy(columns: int, panel: Value) -> None:
        packing = Packing(factor, columns, width, lanes, k, source.dtype)
        here = moved(e, given, size, (panel, width * matrix.column))
        there = moved(e, target, size, (panel, k * width))
        rounds = constant("i64", k // UNROLL)
        arguments = (there, rounds, constant("i1", 1), here)
        typed = ", ".join(value.typed for value in arguments)
        e.emit(f"call void @{define_packing(module, packing)}({typed})")

    stop = e.intrinsic("smin", END, constant("i64", whole))
    if whole:
        repeat(e, e.sub(stop, BEGIN), lambda index: copy(width, e.add(BEGIN, index)))
    if rest:
        last = e.cmp("sgt", END, whole)
        when(e, last, lambda: copy(rest, constant("i64", whole)))
    symbol = define_function(module, 2, e.lines)
    return NativeStep((Phase(symbol, whole + (rest > 0), k * n * _NANOSECONDS),))
