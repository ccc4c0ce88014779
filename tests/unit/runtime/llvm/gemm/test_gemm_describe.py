"""What people are told about a product is what its code does."""

import re

import pytest

from graphc.dtypes import DType, bfloat16, float32, float64
from graphc.graph import Graph
from graphc.ops.elementwise import add, tanh
from graphc.ops.leaf import placeholder
from graphc.ops.select import cast
from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.gemm.build import build_gemm
from graphc.runtime.llvm.gemm.describe import describe_gemm
from graphc.runtime.llvm.gemm.factors import Prologue
from graphc.runtime.llvm.gemm.problem import Epilogue, problem_of
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.types import TensorType
from tests.unit.runtime.llvm.gemm.test_gemm_code import ARM, AVX512, layout
from tests.unit.runtime.llvm.harness import targets

SHAPES = [(1, 1, 1), (8, 300, 900), (300, 200, 1000), (64, 64, 64), (1, 700, 300), (2000, 40, 70)]


def lines_of(target: Target, *request: object) -> list[str]:
    return [
        line.strip()
        for line in describe_gemm(target, problem_of(*request), request[-1]).splitlines()
    ]


@pytest.mark.parametrize("kinds", ["NN", "NT", "TN", "TT"])
@pytest.mark.parametrize("dtype", [float32, float64, bfloat16])
def test_units_and_registers_are_those_of_the_code(dtype: DType, kinds: str) -> None:
    for target in (*targets().values(), ARM):
        for m, n, k in SHAPES:
            a, b = layout(m, k, kinds[0], dtype), layout(k, n, kinds[1], dtype)
            c = layout(m, n, "N", dtype)
            (phase,) = build_gemm(Module(target), a, b, c).phases
            lines = lines_of(target, a, b, c, None)
            assert int(lines[0].split()[0]) == phase.units
            (tile,) = [line for line in lines if line.startswith("tile")]
            used, budget = map(int, re.findall(r"(\d+) of (\d+), each", tile)[0])
            assert used == sum(map(int, re.findall(r"(\d+) (?:registers of sums|of [ab])", tile)))
            assert used <= budget


def test_a_large_product_with_everything() -> None:
    x, row = placeholder("a0", TensorType((1024, 2048), bfloat16)), TensorType((600,), float32)
    left = Prologue(
        Graph([x], {"r0": cast(x, dtype=float32)}),
        (Layout.contiguous((1024, 2048), bfloat16),),
        (1024, 2048),
    )
    p, r = placeholder("a0", TensorType((1024, 600), float32)), placeholder("a1", row)
    c = Layout.contiguous((1024, 600), float32)
    epilogue = Epilogue(
        Graph([p, r], {"r0": tanh(add(p, r))}), (Layout.contiguous((600,), float32),), (c,)
    )
    lines = lines_of(AVX512, left, layout(2048, 600, "T", float32), c, epilogue)
    assert lines[1:6] == [
        "c[1024, 600] = a[1024, 2048] @ b[2048, 600], summed in float32",
        "a: cast of %p0 bfloat16 in rows; copied by 48 rows x 512 terms, 96.0 KiB",
        "b: %p1 float32 in columns; copied by 48 columns x 512 terms, 96.0 KiB",
        "stored: %p3 float32 in rows",
        "tile 8 x 48: 24 registers of sums, 3 of b, 1 of a: 28 of 31, each 16 x float32",
    ]
    assert lines[6:] == [
        "for each of 3 blocks of columns: 5 panels of 48 columns",
        "for each of 4 blocks of the sum: 512 terms",
        "copy b: 5 panels of 48 columns x 512 terms",
        "for each of 6 times 24 tiles of 8 rows, a unit",
        "for each 6 tiles: copy a: 48 rows x 512 terms",
        "for each tile of rows, each panel",
        "sums of 512 outer products; partial sums wait in memory; "
        "after the last block add, tanh, store",
    ]


def test_dot_products_batches_and_nothing() -> None:
    a, b = Layout.contiguous((5, 2, 300), float32), Layout((5, 300, 80), (24000, 1, 300), float32)
    c = Layout.contiguous((5, 2, 80), float32)
    lines = lines_of(AVX512, a, b, c, None)
    assert lines[1] == "c[2, 80] = a[2, 300] @ b[300, 80], 5 times, summed in float32"
    assert lines[2:4] == [
        "a: %p0 float32 in rows; read in vectors along k",
        "b: %p1 float32 in columns; read in vectors along k",
    ]
    assert "for each of 5 batches" in lines
    assert lines[-1] == "dot products of 300 terms; then store"
    none = Layout.contiguous((0, 3), float32)
    square = Layout.contiguous((3, 3), float32)
    assert lines_of(AVX512, none, square, none, None) == ["an empty product"]
