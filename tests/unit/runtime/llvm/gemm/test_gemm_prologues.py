"""Factors that are computed while they are read, and factors of 16 bits, against definitions."""

from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from graphc.dtypes import float32 as f32
from graphc.dtypes import of_array, uint8
from graphc.errors import CompileError
from graphc.evaluate import evaluate_nodes
from graphc.graph import Graph
from graphc.node import Node, constant
from graphc.ops.comparison import gt
from graphc.ops.elementwise import add, maximum, mul, sub, tanh
from graphc.ops.leaf import placeholder
from graphc.ops.reduce import sum_
from graphc.ops.select import cast, where
from graphc.runtime.llvm.compiler.target import Target, host_target
from graphc.runtime.llvm.gemm.build import build_gemm
from graphc.runtime.llvm.gemm.factors import Prologue
from graphc.runtime.llvm.gemm.problem import Epilogue
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.types import TensorType
from tests.unit.runtime.llvm.gemm.products import epilogue_of, matrix, require_close
from tests.unit.runtime.llvm.guard import Array, Runnable, guarded, layout_of
from tests.unit.runtime.llvm.harness import targets

Compute = Callable[..., Node]
SHAPES = [
    (1, 1, 1),
    (5, 7, 9),
    (1, 37, 64),
    (1, 64, 37),
    (61, 1, 40),
    (33, 50, 20),
    (13, 90, 131),
    (64, 64, 64),
    (230, 40, 70),
    (40, 100, 900),
    (130, 700, 30),
]
HALVES = [np.float16, ml_dtypes.bfloat16]


def scalar(value: float) -> Node:
    return constant(np.float32(value))


PROLOGUES: dict[str, tuple[Compute, Sequence[str]]] = {
    "cast of bytes": (lambda x: cast(x, dtype=f32), ["bytes"]),
    "cast of a mask": (lambda x: cast(x, dtype=f32), ["mask"]),
    "cast of halves": (lambda x: cast(x, dtype=f32), ["half"]),
    "cast of float64": (lambda x: cast(x, dtype=f32), ["double"]),
    "scalar": (lambda x, s: mul(x, s), ["full", "scalar"]),
    "row": (lambda x, row: add(x, row), ["full", "row"]),
    "column": (lambda x, column: mul(x, column), ["full", "column"]),
    "relu": (lambda x: maximum(x, scalar(0.0)), ["full"]),
    "derivative": (
        lambda g, z: where(gt(z, scalar(0.0)), mul(g, sub(scalar(1.0), mul(z, z))), scalar(0.0)),
        ["full", "turned"],
    ),
    "normalized": (
        lambda x, mean, scale, weight: mul(mul(sub(x, mean), scale), weight),
        ["full", "column", "column", "row"],
    ),
    "dropout": (lambda x, m: where(m, tanh(x), scalar(0.0)), ["turned", "mask"]),
    "outer": (lambda row, column: mul(row, column), ["row", "column"]),
}


def operand(random: np.random.Generator, kind: str, shape: tuple[int, ...]) -> Array:
    """An operand of a factor; small whole numbers over 4, so that sums are exact."""
    *batch, rows, columns = shape
    sizes = {"row": (columns,), "column": (*batch, rows, 1), "scalar": ()}
    dtypes: dict[str, Any] = {
        "bytes": np.uint8, "mask": np.bool_, "half": np.float16, "double": np.float64,
    }  # fmt: skip
    if kind == "turned":
        return np.round(matrix(random, shape, "columns", np.float32) * 2) / 4
    numbers = np.round(random.normal(size=sizes.get(kind, shape)) * 2)
    if kind in ("bytes", "mask"):
        return np.asarray(np.abs(numbers), dtypes[kind])
    return np.asarray(numbers / 4, dtypes.get(kind, np.float32))


class Side:
    """A factor: its operands, how it is computed, and its value."""

    def __init__(self, compute: Compute | None, operands: Sequence[Array], shape: Any) -> None:
        self.operands = operands
        if compute is None:
            (self.value,) = operands
            self.side: Layout | Prologue = layout_of(self.value)
            return
        inputs = tuple(
            placeholder(f"a{number}", TensorType(array.shape, of_array(array)))
            for number, array in enumerate(operands)
        )
        body = Graph(inputs, {"r0": compute(*inputs)})
        values = evaluate_nodes(body.roots, dict(zip(inputs, operands, strict=True)))
        self.value = np.broadcast_to(values[body.outputs["r0"]], shape)
        self.side = Prologue(body, tuple(map(layout_of, operands)), tuple(shape))


def product_of(
    left: Side,
    right: Side,
    target: Target | None,
    epilogue: Epilogue | None,
    out: Array,
    *more: Any,
) -> None:
    module = Module(target or host_target())
    layout = Layout.contiguous(out.shape, of_array(left.value))
    native = build_gemm(module, left.side, right.side, layout, epilogue)
    inputs = [guarded(array) for array in (*left.operands, *right.operands, *more)]
    run = Runnable(module, native, len(inputs) + 1)
    assert run(*inputs, out, cuts=(0.3, 0.6)) == 0


def some_target(number: int) -> Target:
    found = list(targets().values())
    return found[number % len(found)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", PROLOGUES)
def test_prologues(name: str, shape: tuple[int, int, int]) -> None:
    random = np.random.default_rng(1)
    m, n, k = shape
    compute, kinds = PROLOGUES[name]
    target = some_target(m + k)
    if "half" in kinds and target.isa == "baseline":
        target = host_target()
    computed = [("left",), ("right",), ("left", "right")][(m + n + len(name)) % 3]
    sides = []
    for side, size in (("left", (m, k)), ("right", (k, n))):
        if side in computed:
            sides.append(Side(compute, [operand(random, kind, size) for kind in kinds], size))
        else:
            layout = "turned" if m % 2 else "full"
            sides.append(Side(None, [operand(random, layout, size)], size))
    out = guarded(np.full((m, n), np.nan, np.float32))
    product_of(*sides, target, None, out)
    require_close(out, *(side.value for side in sides))


@pytest.mark.parametrize("where_", ["left", "right"])
def test_batches_and_an_epilogue(where_: str) -> None:
    random = np.random.default_rng(2)
    shapes = {"left": (3, 1, 17, 20), "right": (4, 20, 35)}
    compute, kinds = PROLOGUES["normalized"]
    sides = {
        side: Side(compute, [operand(random, kind, size) for kind in kinds], size)
        if side == where_
        else Side(None, [operand(random, "full", size)], size)
        for side, size in shapes.items()
    }
    out = guarded(np.full((3, 4, 17, 35), np.nan, np.float32))
    row = operand(random, "row", (1, 35))
    product = np.matmul(sides["left"].value, sides["right"].value)
    epilogue = epilogue_of(product, [row], [out], lambda p, r: (maximum(add(p, r), scalar(0.0)),))
    product_of(sides["left"], sides["right"], None, epilogue, out, row)
    np.testing.assert_allclose(out, np.maximum(product + row, 0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("kinds", ["NN TT", "NT TN"])
@pytest.mark.parametrize("shape", SHAPES)
def test_halves_are_summed_in_float32(dtype: Any, kinds: str, shape: tuple[int, int, int]) -> None:
    random = np.random.default_rng(3)
    m, n, k = shape
    a, b = (
        matrix(random, size, "columns" if kind == "T" else "rows", dtype)
        for size, kind in zip(((m, k), (k, n)), kinds.split()[m % 2], strict=True)
    )
    out = guarded(np.zeros((m, n), dtype))
    target = some_target(m + n)
    product_of(Side(None, [a], a.shape), Side(None, [b], b.shape),
               host_target() if target.isa == "baseline" else target, None, out)  # fmt: skip
    wide = np.matmul(a.astype(np.float64), b.astype(np.float64))
    size = np.matmul(np.abs(a).astype(np.float64), np.abs(b).astype(np.float64))
    half = float(ml_dtypes.finfo(dtype).eps) / 2
    slack = half * np.abs(wide) + (k + 1) * 2.0**-23 * size + float(ml_dtypes.finfo(dtype).tiny)
    assert np.all(np.abs(out.astype(np.float64) - wide) <= slack)


@pytest.mark.parametrize("dtype", HALVES)
def test_an_epilogue_sees_the_rounded_product(dtype: Any) -> None:
    random = np.random.default_rng(4)
    a, b = (np.round(matrix(random, (24, 24), "rows", np.float32) * 30).astype(dtype) for _ in "ab")
    wide = a.astype(np.float32) @ b.astype(np.float32)
    product = wide.astype(dtype)
    out = guarded(np.zeros((24, 24), np.float32))
    epilogue = epilogue_of(product, [], [out], lambda p: (cast(p, dtype=f32),))
    product_of(Side(None, [a], a.shape), Side(None, [b], b.shape), None, epilogue, out)
    np.testing.assert_array_equal(out, product.astype(np.float32))
    assert np.any(out != wide)


def test_nan_and_inf_come_through() -> None:
    x = np.array([[np.inf, 1.0, np.nan], [0.0, -np.inf, 2.0]], np.float32)
    side = Side(lambda v, s: mul(v, s), [x, np.array(0.0, np.float32)], x.shape)
    ones = np.ones((3, 4), np.float32)
    out = guarded(np.zeros((2, 4), np.float32))
    product_of(side, Side(None, [ones], ones.shape), None, None, out)
    assert np.all(np.isnan(out))


def test_reductions_are_refused() -> None:
    x = placeholder("a0", TensorType((4, 4), uint8))
    body = Graph((x,), {"r0": sum_(cast(x, dtype=f32), dims=(1,))})
    layout = Layout.contiguous((4, 4), f32)
    side = Prologue(body, (Layout.contiguous((4, 4), uint8),), (4, 4))
    with pytest.raises(CompileError, match="prologue"):
        build_gemm(Module(host_target()), side, layout, layout)
