"""The code itself: registers are enough, code is small, and other processors have it, too."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from graphc.dtypes import DType, float32, float64
from graphc.runtime.llvm.compiler import engine, native
from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.gemm.blocking import Blocking, blocking_of
from graphc.runtime.llvm.gemm.build import build_gemm
from graphc.runtime.llvm.gemm.problem import problem_of
from graphc.runtime.llvm.gemm.tiling import dots_tile, outer_tile
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.iteration import Layout
from tests.unit.runtime.llvm.harness import targets

AVX512 = Target("x86_64-unknown-linux-gnu", "x86-64-v4", "", "avx512", 512, True)
ARM = Target("aarch64-unknown-linux-gnu", "generic", "", "neon", 128, True)
SHAPES = [(128, 512, 784), (100, 100, 100), (64, 16, 64), (3, 200, 70), (1, 256, 64), (37, 41, 43)]
LAYOUTS = ["NN", "NT", "TN"]


def layout(rows: int, columns: int, kind: str, dtype: DType) -> Layout:
    strides = (1, rows) if kind == "T" else (columns, 1)
    return Layout((rows, columns), strides, dtype)


def code_of(shape: tuple[int, int, int], kinds: str, dtype: DType, target: Target) -> str:
    m, n, k = shape
    module = Module(target)
    a, b = layout(m, k, kinds[0], dtype), layout(k, n, kinds[1], dtype)
    build_gemm(module, a, b, layout(m, n, "N", dtype))
    return module.text()


def inner_loops(assembly: str) -> Iterator[list[str]]:
    """The instructions of each block that jumps back to its own start."""
    for block in re.split(r"^(?=\.L)", assembly, flags=re.MULTILINE):
        label = re.escape(block.split(":")[0])
        body, *jumps = re.split(rf"^\t(?:j\w+|b\.\w+)\t{label}$", block, flags=re.MULTILINE)
        if jumps:
            yield re.findall(r"^\t[a-z].*$", body, re.MULTILINE)


HOT = {
    "host": (r"vfmadd", r"\(%r[sb]p"),
    "avx2": (r"vfmadd", r"\(%r[sb]p"),
    "baseline": (r"\bmulp[sd]\b", r"\(%r[sb]p"),
    "aarch64": (r"fmla", r"q\d+, \[sp"),
}
"""How a loop of sums and a spilled register look."""


@pytest.mark.parametrize("dtype", [float32, float64])
@pytest.mark.parametrize("kinds", [*LAYOUTS, "TT"])
@pytest.mark.parametrize("name", HOT)
def test_no_sum_leaves_its_register(name: str, kinds: str, dtype: DType) -> None:
    llvm = native.binding()
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    target = {**targets(), "aarch64": ARM}.get(name)
    if target is None or (name == "host" and target.isa not in ("avx512", "avx2")):
        pytest.skip("not the processor whose assembly this reads")
    target = replace(target, effort=2)  # at 0, LLVM keeps nothing in registers
    multiply, spill = HOT[name]
    hot = 0
    for shape in SHAPES:
        assembly = engine.assembly(code_of(shape, kinds, dtype, target), target)
        for loop in inner_loops(assembly):
            if any(re.search(multiply, line) for line in loop):
                hot += 1
                assert not [line for line in loop if re.search(spill, line)]
    assert hot >= len(SHAPES)


@pytest.mark.parametrize("dtype", [float32, float64])
def test_tiles_fit_and_are_large(dtype: DType) -> None:
    for target in (*targets().values(), ARM):
        lanes = target.lanes(8 * dtype.itemsize)
        limit = 32 if target.isa in ("avx512", "neon") else 16
        square, few = (Layout.contiguous((rows, 512), dtype) for rows in (512, 2))
        tile = outer_tile(target, problem_of(square, square, square, None), lanes)
        assert limit // 2 <= tile.rows * tile.vectors < limit - tile.vectors
        dots = dots_tile(target, problem_of(few, square, few, None), lanes)
        assert 4 <= dots.rows * dots.vectors < limit - dots.rows


def test_the_code_is_small() -> None:
    target = next(iter(targets().values()))
    for kinds in LAYOUTS:
        text = code_of((513, 500, 1000), kinds, float32, target)
        kernels = text.count("define internal void @gemm.outer")
        assert 1 < kernels <= 4  # inside, at two edges and in the corner
        assert len(engine.compile_object(text, target)) < 64 * 1024


def test_operands_are_copied_only_where_that_pays() -> None:
    def blocking(m: int, n: int, k: int, kinds: str) -> Blocking:
        a, b = layout(m, k, kinds[0], float32), layout(k, n, kinds[1], float32)
        problem = problem_of(a, b, layout(m, n, "N", float32), None)
        return blocking_of(AVX512, problem, AVX512.lanes(32))

    assert not blocking(64, 64, 64, "NN").packed  # reads b as it lies
    assert blocking(64, 64, 64, "NT").packed  # vectors must be made first
    assert not blocking(128, 512, 784, "NN").packed
    assert blocking(512, 512, 512, "NN").packed  # repaid by many rows
    assert blocking(128, 1024, 512, "NN").packed  # rows of b compete for the cache
    assert not blocking(1024, 500, 300, "NN").slab
    assert blocking(1024, 500, 300, "TN").slab > 1  # neighbours of a compete
    assert blocking(1000, 500, 300, "TN").slab > 1  # they are far apart
    assert not blocking(200, 500, 300, "TN").slab
    assert not blocking(1000, 500, 30, "TN").slab
    assert blocking(1024, 500, 300, "TN").alternating  # there are rows to copy beside others
    assert not blocking(1024, 500, 300, "NN").alternating
    large = blocking(2048, 2048, 2048, "NN")
    assert 8 <= large.units <= 32
    assert large.packed_bytes <= 1 << 20
    assert large.blocks == 4
