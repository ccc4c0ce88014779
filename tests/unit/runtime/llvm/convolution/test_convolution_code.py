"""The code itself: registers are enough, code is small, and other processors have it, too."""

import re
from dataclasses import replace

import pytest

from graphc.dtypes import DType, float32, float64
from graphc.runtime.llvm.compiler import engine, native
from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.convolution.blocking import blocking_of
from graphc.runtime.llvm.convolution.build import build_convolution
from graphc.runtime.llvm.convolution.problem import problem_of
from graphc.runtime.llvm.gemm.tiling import registers
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.iteration import Layout
from tests.unit.runtime.llvm.convolution.convolutions import Case
from tests.unit.runtime.llvm.gemm.test_gemm_code import ARM, HOT, inner_loops
from tests.unit.runtime.llvm.harness import targets

CASES = (
    Case((64, 1, 32, 32), (6, 1, 5, 5), (1, 1), (1, 1)),
    Case((64, 6, 14, 14), (16, 6, 5, 5), (1, 1), (1, 1)),
    Case((64, 16, 18, 18), (6, 16, 5, 5), (1, 1), (1, 1)),
    Case((64, 16, 34, 34), (32, 16, 3, 3), (2, 2), (1, 1)),
    Case((64, 64, 10, 10), (64, 64, 3, 3), (1, 1), (1, 1)),
    Case((16, 64, 34, 34), (32, 64, 16, 16), (1, 1), (2, 2)),
    Case((8, 64, 34, 34), (64, 1, 3, 3), (1, 1), (1, 1), 64),
)


def layouts_of(case: Case, dtype: DType) -> tuple[Layout, Layout, Layout]:
    x, w, y = (Layout.contiguous(shape, dtype) for shape in (case.x, case.w, case.result))
    return x, w, y


def code_of(case: Case, dtype: DType, target: Target) -> str:
    module = Module(target)
    build_convolution(
        module, *layouts_of(case, dtype), stride=case.stride, dilation=case.dilation,
        groups=case.groups,
    )  # fmt: skip
    return module.text()


@pytest.mark.parametrize("dtype", [float32, float64])
@pytest.mark.parametrize("name", HOT)
def test_no_sum_leaves_its_register(name: str, dtype: DType) -> None:
    llvm = native.binding()
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    target = {**targets(), "aarch64": ARM}.get(name)
    if target is None or (name == "host" and target.isa not in ("avx512", "avx2")):
        pytest.skip("not the processor whose assembly this reads")
    target = replace(target, effort=2)  # at 0, LLVM keeps nothing in registers
    multiply, spill = HOT[name]
    for case in CASES:
        loops = list(inner_loops(engine.assembly(code_of(case, dtype, target), target)))
        hot = [loop for loop in loops if any(re.search(multiply, line) for line in loop)]
        assert hot, case
        for loop in hot:
            spilled = [line for line in loop if re.search(spill, line)]
            assert len(spilled) <= (2 if name == "baseline" else 0), case  # one sum of many


def test_the_code_is_small() -> None:
    target = next(iter(targets().values()))
    for case in CASES:
        assert len(engine.compile_object(code_of(case, float32, target), target)) < 64 * 1024


@pytest.mark.parametrize("dtype", [float32, float64])
def test_tiles_fit_and_are_large(dtype: DType) -> None:
    for target in (*targets().values(), ARM):
        lanes = target.lanes(8 * dtype.itemsize)
        for case in CASES[:-1]:
            problem = problem_of(*layouts_of(case, dtype), case.stride, case.dilation, case.groups)
            blocking = blocking_of(target, problem, lanes)
            sums = blocking.cut.block * blocking.cut.inside * blocking.vectors
            assert registers(target) // 3 <= sums < registers(target)
