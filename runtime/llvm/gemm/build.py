"""The entry: native code for one matrix product, with what is computed from it."""

from __future__ import annotations

from graphc.errors import CompileError
from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.gemm.blocking import Blocking, blocking_of
from graphc.runtime.llvm.gemm.blocks import build_blocks
from graphc.runtime.llvm.gemm.factors import Factor, Prologue
from graphc.runtime.llvm.gemm.form import PLAIN, Form
from graphc.runtime.llvm.gemm.problem import Epilogue, Problem, formed, problem_of
from graphc.runtime.llvm.gemm.strips import Strips, build_strips, strips_of
from graphc.runtime.llvm.gemm.sums import schedule_of_sums, sums_bytes
from graphc.runtime.llvm.gemm.tiling import dots_cycles, dots_tile, outer_cycles
from graphc.runtime.llvm.ir.function import define_function
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.runtime.llvm.kernels.phase import emit_phase
from graphc.runtime.llvm.native_step import NativeStep, Phase

_FEW = 15
"""More rows and columns than these read each operand so often that packing is better."""

_LITTLE = 6
"""Instructions for a vector of a factor that may be repeated for each tile of dot products."""


def build_gemm(
    module: Module,
    a: Layout | Prologue,
    b: Layout | Prologue,
    c: Layout,
    epilogue: Epilogue | None = None,
    form: Form = PLAIN,
) -> NativeStep:
    """Add the function of a matrix product to a module.

    Its operands are those of ``a``, then of ``b``, then the epilogue's, then the outputs (``c`` if
    there is no epilogue). Factors of 16 bits are widened while they are copied, and summed in
    float32. Batch dims broadcast as numpy's do. Outputs may share memory with operands of the
    epilogue that have the same layout, but not with ``a`` or ``b``.

    Args:
        module: where the code goes.
        a: left operand, ``[..., m, k]``, of a floating dtype; any strides, or how it is computed.
        b: right operand, ``[..., k, n]``, of the same dtype; the same.
        c: the product, ``[..., m, n]``; with an epilogue only its shape and dtype matter.
        epilogue: what is computed from each element of the product before it is stored.
        form: what is wanted beside the result.

    Raises:
        CompileError: if there is no native code for a dtype or an operation, or none of that form.
    """
    body = None if epilogue is None else (*epilogue.body.inputs, *epilogue.body.outputs.values())
    others = None if epilogue is None else (epilogue.operands, epilogue.outputs)
    key = ("gemm", *map(_identity, (a, b)), c, body, others, form)
    if key not in module.kernels:
        problem = problem_of(a, b, c, epilogue)
        if form != PLAIN:
            problem = formed(problem, form)
        native = _build(module, problem)
        if epilogue is not None and problem.body.sums:
            native = _with_sums(module, problem, epilogue, native)
        module.kernels[key] = native
    return module.kernels[key]


def _identity(side: Layout | Prologue) -> object:
    if isinstance(side, Layout):
        return side
    return side.body.inputs, *side.body.outputs.values(), side.operands, side.shape


def _build(module: Module, problem: Problem) -> NativeStep:
    if problem.is_empty:
        return NativeStep((Phase(define_function(module, problem.parameters, []), 1, 0.0),))
    chosen = plan_of(module.target, problem)
    if isinstance(chosen, Strips):
        return build_strips(module, chosen)
    return build_blocks(module, chosen)


def _with_sums(
    module: Module, problem: Problem, epilogue: Epilogue, native: NativeStep
) -> NativeStep:
    """The same with the phase that follows the sums over rows."""
    if problem.is_empty:
        raise CompileError("matmul: sums over the rows of an empty product")
    tiles = blocking_of(module.target, problem, lanes_of(module.target, problem)).row_tiles
    schedule = schedule_of_sums(module.target, problem, epilogue, tiles)
    phase = emit_phase(module, schedule, problem.parameters)
    return NativeStep(
        (*native.phases, phase),
        tiles * sums_bytes(problem),
        max(native.scratch_bytes, schedule.scratch_bytes),
    )


def lanes_of(target: Target, problem: Problem) -> int:
    """Elements of a vector."""
    return target.lanes(8 * problem.dtype.itemsize)


def plan_of(target: Target, problem: Problem) -> Blocking | Strips:
    """Choose a kernel and cut the product, which is not empty."""
    lanes = lanes_of(target, problem)
    blocking = blocking_of(target, problem, lanes)
    if problem.body.sums or problem.form != PLAIN:
        return blocking
    if min(problem.m, problem.n) <= _FEW and _suit_dots(problem):
        tile = dots_tile(target, problem, lanes)
        outer = outer_cycles(problem, blocking.tile, lanes, blocking.packed)
        if dots_cycles(problem, tile, lanes) < outer:
            return strips_of(problem, tile, lanes)
    return blocking


def _suit_dots(problem: Problem) -> bool:
    """Whether both factors lie along k, and take little work wherever they are read."""
    a, b = problem.a, problem.b.transposed
    return all(_lies_in_rows(factor) and factor.work <= _LITTLE for factor in (a, b))


def _lies_in_rows(factor: Factor) -> bool:
    steps = [matrix.column for matrix in factor.matrices]
    return 1 in steps and all(step in (0, 1) for step in steps)
