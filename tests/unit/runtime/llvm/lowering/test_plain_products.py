"""Products of integers, booleans and 16-bit numbers against numpy, between guard pages."""

from typing import Any

import numpy as np
import pytest

from graphc.errors import CompileError
from graphc.runtime.llvm.compiler.target import host_target
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels import scheduler
from graphc.runtime.llvm.lowering.plain_products import build_plain_product
from tests.unit.runtime.llvm.guard import Array, Runnable, guarded, layout_of
from tests.unit.runtime.llvm.harness import targets

GENERATOR = np.random.default_rng(4)
SHAPES = [
    ((3, 4), (4, 5)),
    ((17, 33), (33, 40)),
    ((1, 70), (70, 1)),
    ((5, 0), (0, 3)),
    ((0, 4), (4, 2)),
    ((2, 6, 7), (7, 9)),
    ((4, 1, 6, 7), (3, 7, 9)),
]
INTEGERS = ["bool", "uint8", "int8", "int16", "int32", "int64"]


def product(a: Array, b: Array, out: Array, isa: str) -> None:
    module = Module(targets()[isa])
    native = build_plain_product(module, layout_of(a), layout_of(b), layout_of(out))
    run = Runnable(module, native, 3)
    for cuts in ((), (0.4,)):
        out[...] = 1
        run(a, b, out, cuts=cuts)


def draw(shape: tuple[int, ...], dtype: Any, transposed: bool) -> Array:
    if transposed:
        shape = (*shape[:-2], shape[-1], shape[-2])
    values = GENERATOR.integers(0, 200, shape).astype(dtype)
    return guarded(values.swapaxes(-1, -2) if transposed else values)


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("transposed", [False, True])
def test_integers_wrap_around(
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
    dtype: str,
    transposed: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scheduler, "UNIT_NANOSECONDS", 20.0)
    a, b = (draw(shape, dtype, transposed) for shape in shapes)
    wanted = np.matmul(a, b)
    for isa in targets():
        out = guarded(np.zeros_like(wanted, order="C"))
        product(a, b, out, isa)
        np.testing.assert_array_equal(out, wanted)


def test_complex_numbers_are_refused() -> None:
    layout = layout_of(np.zeros((2, 2), np.complex64))
    with pytest.raises(CompileError, match="complex64"):
        build_plain_product(Module(host_target()), layout, layout, layout)
