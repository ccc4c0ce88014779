"""Products that read copied panels, and products whose units are rows."""

from itertools import product

import numpy as np
import pytest

from graphc.dtypes import of_array
from graphc.errors import CompileError
from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.gemm.blocking import blocking_of
from graphc.runtime.llvm.gemm.build import build_gemm, lanes_of
from graphc.runtime.llvm.gemm.form import Form
from graphc.runtime.llvm.gemm.panels import build_panels, panel_elements, panels_of
from graphc.runtime.llvm.gemm.problem import problem_of
from graphc.runtime.llvm.ir.module import Module
from tests.unit.runtime.llvm.gemm.products import matrix, multiply, require_close
from tests.unit.runtime.llvm.guard import Array, Runnable, guarded, layout_of
from tests.unit.runtime.llvm.harness import targets

SHAPES = [(32, 200, 130), (4, 17, 9), (12, 33, 1), (16, 48, 515)]
TARGETS = targets()


def factors(shape: tuple[int, int, int], layouts: tuple[str, str], dtype: type) -> list[Array]:
    """Random factors and room for their product."""
    m, n, k = shape
    random = np.random.default_rng(sum(shape))
    a, b = matrix(random, (m, k), layouts[0], dtype), matrix(random, (k, n), layouts[1], dtype)
    return [a, b, np.zeros((m, n), dtype)]


def width_of(target: Target, a: Array, b: Array, c: Array) -> int:
    """The panels that a product wants."""
    problem = problem_of(layout_of(a), layout_of(b), layout_of(c), None)
    return panels_of(blocking_of(target, problem, lanes_of(target, problem)))


def in_panels(target: Target, b: Array, width: int, *cuts: float) -> Array:
    """A factor copied between guard pages."""
    room = guarded(np.full(panel_elements(*b.shape, width), np.nan, b.dtype))
    module = Module(target)
    copy = build_panels(module, layout_of(b), width)
    assert Runnable(module, copy, 2)(guarded(b), room, cuts=cuts) == 0
    return room


def multiplied(
    target: Target, a: Array, b: Array, c: Array, form: Form, *cuts: float
) -> tuple[Array, int]:
    """A product of some form, and its units; the right factor is given as the form says."""
    module, result = Module(target), guarded(c)
    result[...] = np.nan
    native = build_gemm(module, layout_of(a), layout_of(b), layout_of(c), form=form)
    given = in_panels(target, b, form.panels, *cuts) if form.panels else guarded(b)
    assert Runnable(module, native, 3)(guarded(a), given, result, cuts=cuts) == 0
    (phase,) = native.phases
    return result, phase.units


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layouts", [("rows", "columns"), ("apart", "apart")])
@pytest.mark.parametrize("shape", SHAPES)
def test_panels(shape: tuple[int, int, int], layouts: tuple[str, str], dtype: type,
                name: str) -> None:  # fmt: skip
    a, b, c = factors(shape, layouts, dtype)
    width = width_of(TARGETS[name], a, b, c)
    results = [
        multiplied(TARGETS[name], a, b, c, Form(panels=width), *cuts)[0]
        for cuts in ((), (0.5, 0.8))
    ]
    require_close(results[0], a, b)
    assert np.array_equal(*results)
    if min(shape[:2]) > 15:  # else it may be computed by dot products
        assert np.array_equal(results[0], multiply(a, b, c, TARGETS[name]))


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("panels", [True, False])
@pytest.mark.parametrize("shape", SHAPES[:3])
def test_units_of_rows(shape: tuple[int, int, int], panels: bool, dtype: type, name: str) -> None:
    m, target = shape[0], TARGETS[name]
    a, b, c = factors(shape, ("rows", "columns" if panels else "rows"), dtype)
    for rows in (1, 4) if m % 8 else (8, 16):
        problem = problem_of(layout_of(a), layout_of(b), layout_of(c), None)
        of_rows = blocking_of(target, problem, lanes_of(target, problem))
        form = Form(panels_of(of_rows) if panels else 0, rows)
        try:
            whole, units = multiplied(target, a, b, c, form)
        except CompileError:
            assert panels, "tiles of one row fit everywhere"
            continue
        require_close(whole, a, b)
        assert units == m // rows
        assert np.array_equal(whole, multiplied(target, a, b, c, form, 0.3, 0.6)[0])


def test_spans_of_units_are_rows() -> None:
    a, b, _ = factors((32, 96, 64), ("rows", "rows"), np.float32)
    wide = np.zeros((32, 200), np.float32)[:, 10:106]
    layouts = [layout_of(each) for each in (a, b, wide)]
    (phase,) = build_gemm(Module(TARGETS["host"]), *layouts, form=Form(rows=8)).phases
    assert phase.spans == (8 * 64 * 4, None, 8 * 200 * 4)
    across = layout_of(np.zeros((96, 32), np.float32).T)
    with pytest.raises(CompileError, match="no product of whole rows"):
        build_gemm(Module(TARGETS["host"]), *layouts[:2], across, form=Form(rows=8))


def test_what_has_no_such_form() -> None:
    for a, b, form in product([(2, 8, 5), (8, 5)], [(2, 5, 9), (5, 9)], [Form(rows=3), Form(64)]):
        arrays = [np.zeros(shape, np.float16) for shape in (a, b)]
        c = np.zeros(np.matmul(*arrays).shape, np.float16)
        layouts = [layout_of(each) for each in (*arrays, c)]
        assert of_array(c).name == "float16"
        with pytest.raises(CompileError, match="no product of"):
            build_gemm(Module(TARGETS["host"]), *layouts, form=form)
