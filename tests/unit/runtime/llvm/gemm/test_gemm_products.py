"""Generated matrix products against float64 by numpy: all layouts, shapes and processors."""

from typing import Any

import numpy as np
import pytest

from graphc.dtypes import float32, int32
from graphc.errors import CompileError
from graphc.runtime.llvm.compiler.target import host_target
from graphc.runtime.llvm.gemm.build import build_gemm
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.iteration import Layout
from tests.unit.runtime.llvm.gemm.products import (
    LAYOUTS,
    Product,
    matrix,
    multiply,
    require_close,
)
from tests.unit.runtime.llvm.guard import Array
from tests.unit.runtime.llvm.harness import targets

SIZES = [1, 2, 3, 5, 8, 13, 16, 17, 31, 33, 47, 64, 70, 97]
RESULTS = ("rows", "columns", "apart", "backwards")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(12))
def test_random_shapes_and_layouts(seed: int, dtype: Any) -> None:
    random = np.random.default_rng(seed)
    for target in targets().values():
        m, n, k = (int(size) for size in random.choice(SIZES, 3))
        a = matrix(random, (m, k), random.choice(LAYOUTS), dtype)
        b = matrix(random, (k, n), random.choice(LAYOUTS), dtype)
        c = matrix(random, (m, n), random.choice(RESULTS), dtype)
        got = multiply(a, b, c, target, at_start=bool(seed % 2))
        require_close(got, a, b)


@pytest.mark.parametrize("left", ["rows", "columns"])
@pytest.mark.parametrize("right", ["rows", "columns", "apart"])
@pytest.mark.parametrize(
    "shape",
    [
        (1, 300, 200),
        (300, 1, 200),
        (1, 1, 1000),
        (5, 260, 131),
        (260, 5, 131),
        (200, 210, 1),
        (3, 2, 700),
        (193, 130, 600),
        (450, 64, 90),
    ],
)
def test_shapes_with_ways_of_their_own(shape: tuple[int, int, int], left: str, right: str) -> None:
    random = np.random.default_rng(3)
    m, n, k = shape
    a = matrix(random, (m, k), left, np.float32)
    b = matrix(random, (k, n), right, np.float32)
    for layout in RESULTS:
        c = matrix(random, (m, n), layout, np.float32)
        require_close(multiply(a, b, c, cuts=(0.5,)), a, b)


@pytest.mark.parametrize("left", ["rows", "columns"])
def test_rows_that_compete_for_the_cache(left: str) -> None:
    random = np.random.default_rng(4)
    for m, n, k in ((130, 1024, 300), (1024, 400, 270), (1030, 200, 270), (2, 1024, 1030)):
        a = matrix(random, (m, k), left, np.float32)
        b = matrix(random, (k, n), "rows", np.float32)
        require_close(multiply(a, b, np.empty((m, n), np.float32), cuts=(0.3, 0.8)), a, b)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [2, 37, 257, 259, 273, 517, 1031])
def test_rows_that_are_copied_beside_others(k: int, dtype: Any) -> None:
    random = np.random.default_rng(k)
    a = matrix(random, (1024, k), "columns", dtype)
    b = matrix(random, (k, 330), "rows", dtype)
    whole = multiply(a, b, np.empty((1024, 330), dtype))
    require_close(whole, a, b)
    cut = multiply(a, b, np.empty((1024, 330), dtype), cuts=(0.1, 0.4, 0.7), at_start=True)
    assert np.array_equal(whole, cut)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((4, 5, 7), (4, 7, 20)),
        ((4, 5, 7), (7, 20)),
        ((5, 7), (4, 7, 20)),
        ((4, 1, 5, 7), (3, 7, 20)),
        ((2, 1, 3, 5, 7), (1, 4, 1, 7, 20)),
        ((6, 1, 7), (7, 20)),
        ((6, 1, 7), (6, 7, 1)),
        ((3, 4, 20, 9), (3, 4, 9, 33)),
        ((0, 5, 7), (7, 20)),
        ((3, 5, 0), (3, 0, 4)),
    ],
)
def test_batches(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    random = np.random.default_rng(5)
    for layouts in (("rows", "rows"), ("columns", "columns"), ("rows", "columns")):
        a = matrix(random, left, layouts[0], np.float32)
        b = matrix(random, right, layouts[1], np.float32)
        c = np.empty(np.matmul(a, b).shape, np.float32)
        for target in targets().values():
            require_close(multiply(a, b, c, target, cuts=(0.3, 0.6)), a, b)


def test_batches_in_any_order() -> None:
    random = np.random.default_rng(6)
    a = random.normal(size=(5, 3, 4, 9)).astype(np.float32).transpose(1, 2, 0, 3)  # [3, 4, 5, 9]
    b = random.normal(size=(4, 9, 3, 8)).astype(np.float32).transpose(2, 0, 1, 3)  # [3, 4, 9, 8]
    c = np.empty((5, 3, 4, 8), np.float32).transpose(1, 2, 0, 3)
    require_close(multiply(a, b, c), a, b)


@pytest.mark.parametrize("shape", [(0, 5, 3), (5, 0, 3), (5, 3, 0), (0, 0, 0), (1, 1, 0)])
def test_empty_operands(shape: tuple[int, int, int]) -> None:
    m, n, k = shape
    a, b = np.empty((m, k), np.float32), np.empty((k, n), np.float32)
    got = multiply(a, b, np.empty((m, n), np.float32))
    assert np.array_equal(got, np.zeros((m, n), np.float32))


@pytest.mark.parametrize("shape", [(3, 40, 20), (40, 40, 40), (1, 70, 33), (70, 1, 33)])
@pytest.mark.parametrize("right", ["rows", "columns"])
def test_what_is_not_finite_goes_where_it_must(shape: tuple[int, int, int], right: str) -> None:
    random = np.random.default_rng(7)
    m, n, k = shape
    a = matrix(random, (m, k), "rows", np.float32)
    b = matrix(random, (k, n), right, np.float32)
    a[m // 2, k // 3], b[k // 3, n // 2] = np.inf, 0.0
    a[0, k - 1] = np.nan
    b[k - 1, n - 1] = -np.inf
    with np.errstate(invalid="ignore"):
        wanted = np.matmul(a.astype(np.float64), b.astype(np.float64))
    for target in targets().values():
        got = multiply(a, b, np.empty((m, n), np.float32), target)
        assert np.array_equal(np.isnan(got), np.isnan(wanted))
        assert np.array_equal(np.isposinf(got), np.isposinf(wanted))
        assert np.array_equal(np.isneginf(got), np.isneginf(wanted))


def test_integers_are_exact() -> None:
    random = np.random.default_rng(8)
    a = random.integers(-9, 10, (129, 1100)).astype(np.float32)
    b = random.integers(-9, 10, (1100, 75)).astype(np.float32)
    wanted = a.astype(np.int64) @ b.astype(np.int64)
    for target in targets().values():
        for right in (b, np.asfortranarray(b)):
            got = multiply(a, right, np.empty((129, 75), np.float32), target)
            assert np.array_equal(got, wanted)


CUT: list[tuple[tuple[int, int, int], str, str]] = [
    ((300, 500, 1100), "rows", "rows"),
    ((300, 500, 1100), "columns", "columns"),
    ((1000, 260, 130), "columns", "rows"),
    ((1024, 500, 300), "columns", "columns"),
    ((4, 3000, 300), "rows", "columns"),
    ((1, 4100, 300), "rows", "rows"),
]


@pytest.mark.parametrize(("shape", "left", "right"), CUT)
def test_units_may_be_divided_anywhere(shape: tuple[int, int, int], left: str, right: str) -> None:
    random = np.random.default_rng(9)
    m, n, k = shape
    a = matrix(random, (m, k), left, np.float32)
    b = matrix(random, (k, n), right, np.float32)
    whole, parts = np.empty((m, n), np.float32), np.empty((m, n), np.float32)
    product = Product(a, b, whole)
    assert product.units > 1
    product.run(a, b, whole)
    require_close(whole, a, b)
    for cuts in divisions(product.units):
        parts.fill(np.nan)
        product.run(a, b, parts, cuts=cuts)
        assert whole.tobytes() == parts.tobytes()


def divisions(units: int) -> list[list[float]]:
    """Cut in two at every place, and everywhere."""
    places = [number / units for number in range(1, units)]
    return [[place] for place in places] + [places]


def test_batches_may_be_divided_anywhere() -> None:
    random = np.random.default_rng(10)
    a = matrix(random, (3, 5, 40, 60), "rows", np.float32)
    b = matrix(random, (5, 60, 50), "columns", np.float32)
    whole = np.empty((3, 5, 40, 50), np.float32)
    product = Product(a, b, whole)
    assert product.units >= 15
    product.run(a, b, whole)
    for cuts in divisions(product.units):
        parts: Array = np.full_like(whole, np.nan)
        product.run(a, b, parts, cuts=cuts)
        assert whole.tobytes() == parts.tobytes()


def test_equal_products_share_their_code() -> None:
    module = Module(host_target())
    layout = Layout.contiguous((40, 40), float32)
    first = build_gemm(module, layout, layout, layout)
    text = module.text()
    assert build_gemm(module, layout, layout, layout) == first
    assert module.text() == text


def test_what_has_no_native_code_is_refused() -> None:
    module = Module(host_target())
    good, whole = Layout.contiguous((4, 4), float32), Layout.contiguous((4, 4), int32)
    with pytest.raises(CompileError, match="no native code for int32"):
        build_gemm(module, whole, whole, whole)
    with pytest.raises(CompileError, match="different dtypes"):
        build_gemm(module, good, whole, good)
    with pytest.raises(CompileError, match="no product"):
        build_gemm(module, good, Layout.contiguous((5, 4), float32), good)
    with pytest.raises(CompileError, match="another shape"):
        build_gemm(module, good, good, Layout.contiguous((4, 5), float32))


@pytest.mark.parametrize("shape", [(64, 64), (5, 64), (300, 20), (7, 1100)])
def test_errors_of_long_sums_do_not_grow_with_their_length(shape: tuple[int, int]) -> None:
    """Terms of one sign: one chain of additions would be off by 1e-6 and more."""
    random = np.random.default_rng(11)
    m, n = shape
    for target in targets().values():
        a = random.uniform(size=(m, 8192)).astype(np.float32)
        b = random.uniform(size=(8192, n)).astype(np.float32)
        got = multiply(a, b, np.empty((m, n), np.float32), target)
        exact = a.astype(np.float64) @ b.astype(np.float64)
        assert np.sqrt(np.mean((got / exact - 1) ** 2)) < 3.5e-7
