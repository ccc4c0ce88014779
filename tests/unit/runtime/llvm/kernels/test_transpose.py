"""Permuted copies: squares that turn in registers, their borders, and where results go."""

import numpy as np
import pytest

from graphc.graph import Graph
from graphc.node import Node
from graphc.ops.elementwise import add
from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels import scheduler, streaming
from graphc.runtime.llvm.kernels.kernel import phases_of
from graphc.runtime.llvm.kernels.schedule import Schedule, describe
from tests.unit.runtime.llvm.guard import Array, Compiled, guarded, layout_of
from tests.unit.runtime.llvm.harness import targets
from tests.unit.runtime.llvm.kernels.test_kernel import inputs_of

AVX512 = Target("x86_64-unknown-linux-gnu", "x86-64-v4", "", "avx512", 512, True)
DTYPES = ["bool", "uint8", "int16", "float32", "float64"]
SHAPES = [(8, 8), (64, 64), (63, 65), (16, 150), (200, 9), (129, 70), (5, 40, 33), (3, 20, 9, 17)]


def filled(shape: tuple[int, ...], dtype: str) -> Array:
    count = int(np.prod(shape))
    numbers = np.random.default_rng(count).permutation(count) % (2 if dtype == "bool" else 251)
    return numbers.reshape(shape).astype(dtype)


def copied(x: Array, out: Array, target: Target | None = None) -> None:
    (a,) = inputs_of(x)
    out[...] = 0
    Compiled(Graph((a,), {"r": a}), [x], [out], target)(x, out, cuts=(0.2, 0.55))
    np.testing.assert_array_equal(out, x)


def schedule_of(results: list[Node], *arrays: Array) -> Schedule:
    inputs = inputs_of(*arrays)
    body = Graph(inputs, {f"r{k}": node for k, node in enumerate(results)})
    outputs = [layout_of(np.empty(arrays[0].shape, arrays[0].dtype)) for _ in results]
    (schedule,) = phases_of(Module(AVX512), body, [layout_of(x) for x in arrays], outputs).schedules
    return schedule


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_any_shape_is_transposed_inside_its_bounds(shape: tuple[int, ...], dtype: str) -> None:
    for target in targets().values():
        x = guarded(filled(shape, dtype).T)
        copied(x, guarded(np.empty(x.shape, x.dtype)), target)


@pytest.mark.parametrize("order", [(0, 2, 1), (2, 0, 1), (1, 2, 0), (2, 1, 0), (1, 0, 2)])
def test_any_order_of_dims(order: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "UNIT_NANOSECONDS", 4.0)
    x = filled((19, 34, 71), "float32").transpose(order)
    copied(x, np.empty(x.shape, x.dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_results_past_the_caches(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "STREAMED_BYTES", 64)
    for target in targets().values():
        for rows, columns in ((128, 64), (70, 192), (600, 128)):
            x = filled((columns, rows), dtype).T
            copied(x, np.empty(x.shape, x.dtype), target)
            memory = np.zeros(x.nbytes + 64, np.uint8)
            start = -memory.ctypes.data % 64
            copied(x, memory[start : start + x.nbytes].view(dtype).reshape(x.shape), target)


def test_rows_of_wider_arrays_and_backward_rows() -> None:
    wide = filled((90, 200), "int32")
    for x in (wide[3:80, 5:150].T, wide[::-1, :33].T, wide[::2].T, wide[:, ::-1].T):
        for out in (np.zeros((300, 120), np.int32), np.zeros((300, 120), np.int32)[::-1]):
            copied(x, out[: x.shape[0], 7 : 7 + x.shape[1]])


def test_a_plain_transpose_needs_no_scratch_memory() -> None:
    x = filled((1024, 512), "float32").T
    (a,) = inputs_of(x)
    schedule = schedule_of([a], x)
    assert schedule.tile is not None
    assert schedule.scratch_bytes == 0
    assert schedule.units.blocked is schedule.analysis.space.vector, "it reads whole rows"
    assert "tiles of 64 x 64, transposed straight to the result" in describe([schedule])


def test_what_computes_takes_tiles_from_scratch_memory() -> None:
    x = filled((1024, 512), "float32").T
    (a,) = inputs_of(x)
    schedule = schedule_of([add(a, a)], x)
    assert schedule.scratch_bytes == 64 * 64 * 4
    assert "1 operand transposed in scratch memory" in describe([schedule])
