"""Kernels that read and add at positions: divided in any way, they give the definition's bits."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from graphc.dtypes import of_array
from graphc.errors import CompileError
from graphc.evaluate import evaluate_nodes
from graphc.node import Node
from graphc.ops.index import gather, index, index_add, scatter_add
from graphc.ops.leaf import placeholder
from graphc.ops.random import random_bits
from graphc.runtime.llvm.compiler.target import host_target
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.lowering import indexing
from graphc.runtime.llvm.lowering import random_bits as bits
from graphc.runtime.llvm.lowering.indexing import build_indexing
from graphc.runtime.llvm.lowering.random_bits import build_random_bits
from graphc.runtime.llvm.native_step import NativeStep
from graphc.runtime.plan import Operand, Step
from graphc.types import TensorType
from tests.unit.runtime.llvm.guard import Array, Runnable, guarded, layout_of

GENERATOR = np.random.default_rng(21)
CUTS: list[tuple[float, ...]] = [(), (0.5,), (0.2, 0.4, 0.9), tuple(np.linspace(0, 1, 60))]


def normal(*shape: int) -> Array:
    return GENERATOR.normal(size=shape).astype(np.float32)


def positions(size: int, *shape: int, dtype: Any = np.int64) -> Array:
    return GENERATOR.integers(0, size, shape).astype(dtype)


def applied(name: str, arrays: list[Array]) -> Node:
    leaves = [
        placeholder(f"a{k}", TensorType(array.shape, of_array(array)))
        for k, array in enumerate(arrays)
    ]
    made: Node = CASES[name][1](*leaves)
    return made


CASES: dict[str, tuple[Any, Any]] = {
    "rows": (lambda: [normal(50, 70), positions(50, 90)], lambda x, i: index(x, i, dims=(0,))),
    "columns": (lambda: [normal(9, 50), positions(50, 300)], lambda x, i: index(x, i, dims=(1,))),
    "two indices": (
        lambda: [normal(9, 8, 40), positions(9, 30, 1), positions(40, 20, dtype=np.int32)],
        lambda x, i, j: index(x, i, j, dims=(0, 2)),
    ),
    "of a transpose": (
        lambda: [normal(70, 50).T, positions(50, 90)],
        lambda x, i: index(x, i, dims=(0,)),
    ),
    "one index": (lambda: [normal(50, 70), positions(50)], lambda x, i: index(x, i, dims=(0,))),
    "gather rows": (
        lambda: [normal(50, 40), positions(50, 90, 40)],
        lambda x, i: gather(x, i, dim=0),
    ),
    "gather columns": (
        lambda: [normal(64, 10), positions(10, 64, 3, dtype=np.uint8)],
        lambda x, i: gather(x, i, dim=1),
    ),
    "gather in a wide matrix": (
        lambda: [normal(90, 100), positions(100, 90, 130)],
        lambda x, i: gather(x, i, dim=1),
    ),
    "gather in a few rows": (
        lambda: [normal(3, 50), positions(50, 3, 5000)],
        lambda x, i: gather(x, i, dim=1),
    ),
    "scatter in a few planes": (
        lambda: [normal(3, 70, 90), positions(70, 3, 50, 90), normal(3, 50, 90)],
        lambda x, i, s: scatter_add(x, i, s, dim=1),
    ),
    "scatter rows": (
        lambda: [normal(5, 140), positions(5, 90, 140), normal(90, 140)],
        lambda x, i, s: scatter_add(x, i, s, dim=0),
    ),
    "scatter columns": (
        lambda: [normal(70, 5).copy("F"), positions(5, 70, 31), normal(70, 31)],
        lambda x, i, s: scatter_add(x, i, s, dim=1),
    ),
    "scatter a line": (
        lambda: [normal(5), positions(5, 900), normal(900)],
        lambda x, i, s: scatter_add(x, i, s, dim=0),
    ),
    "embedding": (
        lambda: [normal(300, 150), positions(7, 300)],
        lambda v, i: index_add(v, i, shape=(7, 150), dims=(0,)),
    ),
    "embedding in columns": (
        lambda: [normal(150, 300).T, positions(7, 300)],
        lambda v, i: index_add(v, i, shape=(7, 150), dims=(0,)),
    ),
    "planes": (
        lambda: [normal(40, 6, 80), positions(3, 40)],
        lambda v, i: index_add(v, i, shape=(6, 3, 80), dims=(1,)),
    ),
    "scatter 16 bits": (
        lambda: [
            normal(70, 5).astype(ml_dtypes.bfloat16),
            positions(5, 70, 31),
            normal(70, 31).astype(ml_dtypes.bfloat16),
        ],
        lambda x, i, s: scatter_add(x, i, s, dim=1),
    ),
    "booleans": (
        lambda: [normal(30, 1500) > 2, positions(7, 30)],
        lambda v, i: index_add(v, i, shape=(7, 1500), dims=(0,)),
    ),
    "histogram": (
        lambda: [np.ones(5000, np.int32), positions(9, 5000)],
        lambda v, i: index_add(v, i, shape=(9,), dims=(0,)),
    ),
}


def build(node: Node, arrays: list[Array], out: Array) -> tuple[Runnable, NativeStep]:
    def operand(array: Array) -> Operand:
        layout = layout_of(array)
        return Operand(0, 0, layout.shape, layout.strides, layout.dtype)

    step = Step("compute", node, tuple(map(operand, arrays)), (operand(out),))
    module = Module(host_target())
    native = build_indexing(module, step, [layout_of(each) for each in arrays], layout_of(out))
    return Runnable(module, native, len(arrays) + 1), native


@pytest.mark.parametrize("name", CASES)
def test_any_division_gives_the_definitions_bits(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "UNIT_NANOSECONDS", 30.0)
    arrays = [guarded(array) for array in CASES[name][0]()]
    node = applied(name, arrays)
    wanted = np.asarray(evaluate_nodes([node], dict(zip(node.inputs, arrays, strict=True)))[node])
    out = guarded(np.empty_like(wanted, order="C"))
    run, native = build(node, arrays, out)
    divisible = "line" not in name and "histogram" not in name and name != "one index"
    assert (native.phases[-1].units > 1) == divisible
    for cuts in CUTS:
        out[...] = -7
        assert run(*arrays, out, cuts=cuts) == 0
        np.testing.assert_array_equal(out, wanted)


@pytest.mark.parametrize("name", CASES)
def test_any_index_out_of_range_is_refused(name: str) -> None:
    arrays = CASES[name][0]()
    node = applied(name, arrays)
    out = np.full(node.type.static_shape, -7, node.type.dtype.numpy)
    run, _ = build(node, arrays, out)
    blank = out.copy()
    for array in arrays:
        if array.dtype.kind not in "iu" or array is arrays[0]:
            continue
        for place in {0, array.size // 2, array.size - 1}:
            before = array.flat[place]
            for wrong in (-1, 120):
                array.flat[place] = wrong if array.dtype.kind == "i" else 255
                assert run(*arrays, out) == 1
                np.testing.assert_array_equal(out, blank)
            array.flat[place] = before
    assert run(*arrays, out) == 0


@pytest.mark.parametrize("count", [1, 63, 64, 4096, 4097, 10_000])
def test_random_bits_in_any_division(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bits, "UNIT", 3)
    state = np.array([99, 2**33])
    node = random_bits(placeholder("s", TensorType((2,), of_array(state))), call=5, shape=(count,))
    wanted = np.asarray(evaluate_nodes([node], {node.inputs[0]: state})[node])
    module = Module(host_target())
    native = build_random_bits(module, layout_of(state), 5, count)
    out = guarded(np.empty(count, np.int32))
    run = Runnable(module, native, 2)
    for cuts in CUTS:
        out[...] = 0
        run(state, out, cuts=cuts)
        np.testing.assert_array_equal(out, wanted)


def test_sums_in_16_bits_are_refused() -> None:
    arrays = [normal(30, 150).astype(np.float16), positions(7, 30)]
    node = CASES["embedding"][1]
    leaves = [placeholder(f"a{k}", TensorType(x.shape, of_array(x))) for k, x in enumerate(arrays)]
    with pytest.raises(CompileError, match="float16"):
        build(node(*leaves), arrays, np.empty((7, 150), np.float16))


def test_units_are_rows_where_there_are_many_rows() -> None:
    """A unit of columns walks through memory in steps of a row."""
    arrays = [normal(1001, 40), positions(40, 1001, 1003)]
    out = np.empty((1001, 1003), np.float32)
    _, native = build(applied("gather columns", arrays), arrays, out)
    assert native.phases[1].units == 251  # blocks of 4 rows


@pytest.mark.parametrize("repeated", [(0,), (1,), (2,), (0, 1), (0, 2), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("size", [0, 4])
def test_an_index_that_repeats_in_memory_is_checked_once(
    repeated: tuple[int, ...], size: int
) -> None:
    x, shape = normal(size, 6, 50), (size, 6, 70)
    own = positions(50, *(1 if dim in repeated else each for dim, each in enumerate(shape)))
    arrays = [x, np.broadcast_to(own, shape)]
    node = gather(*(placeholder(f"a{k}", TensorType(a.shape, of_array(a))) for k, a in
                    enumerate(arrays)), dim=2)  # fmt: skip
    out = np.full(shape, -7, np.float32)
    run, native = build(node, arrays, out)
    assert run(*arrays, out) == 0
    np.testing.assert_array_equal(out, np.take_along_axis(x, arrays[1], 2))
    if size:
        assert native.phases[0].nanoseconds == pytest.approx(own.size * 0.3)
        own.flat[-1], out[...] = 50, -7
        assert run(*arrays, out) == 1
        assert (out == -7).all()
