"""What is computed from a product before it is stored, against the operations' definitions."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from graphc.dtypes import float32, float64
from graphc.errors import CompileError
from graphc.evaluate import evaluate_nodes
from graphc.node import Node, constant
from graphc.ops.comparison import gt
from graphc.ops.elementwise import add, exp, maximum, mul, sub, tanh
from graphc.ops.leaf import iota
from graphc.ops.reduce import sum_
from graphc.ops.select import cast, where
from graphc.ops.shape import expand
from graphc.runtime.llvm.compiler.target import host_target
from graphc.runtime.llvm.gemm.build import build_gemm
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.iteration import Layout
from tests.unit.runtime.llvm.gemm.products import Product, epilogue_of, matrix
from tests.unit.runtime.llvm.guard import Array, guarded, layout_of
from tests.unit.runtime.llvm.harness import targets

Compute = Callable[..., tuple[Node, ...]]
SHAPES = [
    (1, 1, 1),
    (5, 7, 9),
    (1, 37, 64),
    (61, 1, 40),
    (33, 50, 20),
    (64, 64, 64),
    (40, 100, 900),
]


def scalar(value: float) -> Node:
    return constant(np.float32(value))


def relu(x: Node) -> Node:
    return maximum(x, scalar(0.0))


def gelu(x: Node) -> Node:
    inner = mul(scalar(0.7978846), add(x, mul(scalar(0.044715), mul(x, mul(x, x)))))
    return mul(mul(scalar(0.5), x), add(scalar(1.0), tanh(inner)))


EPILOGUES: dict[str, tuple[Compute, Sequence[str]]] = {
    "bias": (lambda p, row: (add(p, row),), ["row"]),
    "bias and relu": (lambda p, row: (relu(add(p, row)),), ["row"]),
    "bias and two gelus": (lambda p, row: (gelu(gelu(add(p, row))),), ["row"]),
    "column": (lambda p, column: (mul(p, column),), ["column"]),
    "residual": (lambda p, full: (add(full, p),), ["full"]),
    "turned residual": (lambda p, full: (sub(full, p),), ["turned"]),
    "scalar": (lambda p, one: (mul(p, one),), ["scalar"]),
    "row work once": (lambda p, row: (mul(p, exp(mul(row, row))),), ["row"]),
    "everything": (
        lambda p, row, column, full, one: (add(mul(add(p, row), column), mul(full, one)),),
        ["row", "column", "full", "scalar"],
    ),
    "several results": (
        lambda p, row: (add(p, row), p, gt(add(p, row), scalar(0.0)), cast(p, dtype=float64)),
        ["row"],
    ),
    "mask": (lambda p, full: (where(gt(full, scalar(0.0)), p, scalar(0.0)),), ["full"]),
    "not of the product": (lambda p, full: (add(full, full), relu(p)), ["full"]),
    "expanded": (lambda p, row: (add(p, expand(row, shape=p.type.shape)),), ["row"]),
}


def operand(random: np.random.Generator, kind: str, m: int, n: int) -> Array:
    shapes = {"row": (n,), "column": (m, 1), "scalar": ()}
    if kind in shapes:
        return np.asarray(random.normal(size=shapes[kind]), np.float32)
    return matrix(random, (m, n), "columns" if kind == "turned" else "rows", np.float32)


def run(
    a: Array, b: Array, operands: Sequence[Array], compute: Compute, order: str, target: Any
) -> tuple[list[Array], list[Array]]:
    """What the code gives and what the definitions give for numpy's product."""
    product = np.matmul(a.astype(np.float64), b.astype(np.float64)).astype(a.dtype)
    like = epilogue_of(product, operands, [], compute).body
    results = list(like.outputs.values())
    outputs = [
        guarded(np.empty(node.type.static_shape, node.type.dtype.numpy, order=order))
        for node in results
    ]
    epilogue = epilogue_of(product, operands, outputs, compute)
    inputs = [guarded(array) for array in (a, b, *operands)]
    assert Product(a, b, product, epilogue, target).run(*inputs, *outputs, cuts=(0.5,)) == 0
    values = evaluate_nodes(like.roots, dict(zip(like.inputs, (product, *operands), strict=True)))
    return outputs, [np.asarray(values[node]) for node in results]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", EPILOGUES)
def test_epilogues(name: str, shape: tuple[int, int, int]) -> None:
    random = np.random.default_rng(1)
    m, n, k = shape
    compute, kinds = EPILOGUES[name]
    operands = [operand(random, kind, m, n) for kind in kinds]
    target = list(targets().values())[(m + k) % len(targets())]
    for right, order in (("rows", "C"), ("columns", "F")):
        # whole numbers: the product is exact, so that comparisons agree
        a = np.round(matrix(random, (m, k), "rows", np.float32) * 2) / 4
        b = np.round(matrix(random, (k, n), right, np.float32) * 2) / 4
        for got, wanted in zip(*run(a, b, operands, compute, order, target), strict=True):
            assert got.dtype == wanted.dtype
            np.testing.assert_allclose(got, wanted, rtol=2e-6, atol=2e-6)


def test_batches_with_an_epilogue() -> None:
    random = np.random.default_rng(2)
    a = matrix(random, (3, 4, 17, 20), "rows", np.float32)
    b = matrix(random, (4, 20, 35), "columns", np.float32)
    full = matrix(random, (4, 17, 35), "rows", np.float32)
    column = matrix(random, (3, 1, 17, 1), "rows", np.float32)
    outputs, wanted = run(
        a, b, [full, column], lambda p, x, y: (mul(add(p, x), y),), "C", host_target()
    )
    np.testing.assert_allclose(outputs[0], wanted[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(40, 100, 1300), (3, 50, 40), (130, 70, 20)])
def test_a_result_may_replace_an_operand(shape: tuple[int, int, int]) -> None:
    """The update of a weight by its gradient, which is a product."""
    random = np.random.default_rng(3)
    m, n, k = shape
    a = matrix(random, (m, k), "columns", np.float32)
    b = matrix(random, (k, n), "rows", np.float32)
    weight = matrix(random, (m, n), "rows", np.float32)
    wanted = weight - 0.01 * (a.astype(np.float64) @ b)
    product = np.empty((m, n), np.float32)
    epilogue = epilogue_of(
        product, [weight], [weight], lambda p, w: (sub(w, mul(p, scalar(0.01))),)
    )
    Product(a, b, product, epilogue).run(a, b, weight, weight, cuts=(0.4,))
    np.testing.assert_allclose(weight, wanted, rtol=1e-5, atol=1e-5)


def test_other_dtypes_in_an_epilogue() -> None:
    random = np.random.default_rng(4)
    a, b = (matrix(random, (20, 20), "rows", np.float64) for _ in range(2))
    flags = random.normal(size=(20, 20)) > 0
    outputs, wanted = run(
        a, b, [flags], lambda p, f: (where(f, cast(p, dtype=float32), scalar(2.5)),), "C", None
    )
    np.testing.assert_allclose(outputs[0], wanted[0], rtol=1e-6)


def test_more_than_elementwise_operations_are_refused() -> None:
    module = Module(host_target())
    x = np.ones((4, 4), np.float32)
    layout = layout_of(x)

    def refused(compute: Compute, operands: Sequence[Array] = ()) -> None:
        epilogue = epilogue_of(x, operands, [x], compute)
        with pytest.raises(CompileError, match="epilogue"):
            build_gemm(module, layout, layout, layout, epilogue)

    refused(lambda p: (expand(sum_(p, dims=(1,)), shape=(4, 4)),))
    refused(lambda p: (add(p, iota((4, 4), 1, float32)),))
    refused(lambda p: (add(p, constant(np.ones((4, 4), np.float32))),))
    small = epilogue_of(x, [], [x[:1]], lambda p: (p,))
    with pytest.raises(CompileError, match="another shape"):
        build_gemm(module, layout, layout, Layout.contiguous((4, 4), float32), small)
