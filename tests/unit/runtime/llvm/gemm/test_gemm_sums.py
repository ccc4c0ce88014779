"""Sums over the rows of what a product becomes, and what is computed from them."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

import graphc as gc
from graphc.dtypes import float32, float64
from graphc.errors import CompileError
from graphc.evaluate import evaluate_nodes
from graphc.node import Node, constant
from graphc.ops.comparison import gt
from graphc.ops.elementwise import add, exp, mul, sub, tanh
from graphc.ops.reduce import amax, sum_
from graphc.ops.select import cast, where
from graphc.runtime.llvm.compiler.target import host_target
from graphc.runtime.llvm.gemm.build import build_gemm
from graphc.runtime.llvm.gemm.describe import describe_gemm
from graphc.runtime.llvm.gemm.problem import problem_of
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.iteration import Layout
from tests.unit.runtime.llvm.gemm.products import Product, epilogue_of, matrix
from tests.unit.runtime.llvm.guard import Array, guarded, layout_of
from tests.unit.runtime.llvm.harness import targets

Compute = Callable[..., tuple[Node, ...]]
SHAPES = [
    (2, 1, 1),
    (5, 7, 9),
    (3, 37, 64),
    (61, 1, 40),
    (33, 50, 20),
    (40, 100, 900),
    (700, 90, 31),
]


def scalar(value: float) -> Node:
    return constant(np.float32(value))


def rows(x: Node) -> Node:
    return sum_(x, dims=(0,))


def long(x: Node) -> Node:
    return tanh(exp(tanh(exp(tanh(exp(tanh(exp(x))))))))


SUMS: dict[str, tuple[Compute, Sequence[str]]] = {
    "gradient of a bias": (
        lambda p, mask: ((z := where(gt(mask, scalar(0.0)), p, scalar(0.0))), rows(z)),
        ["full"],
    ),
    "its update": (
        lambda p, row, side: (
            (z := mul(p, side)),
            sub(row, mul(rows(z), scalar(0.1))),
            add(mul(row, scalar(0.9)), rows(z)),
        ),
        ["row", "full"],
    ),
    "of the product": (lambda p: (p, rows(p)), []),
    "two sums": (lambda p, row: ((z := add(p, row)), rows(z), mul(rows(mul(z, z)), row)), ["row"]),
    "in a loop": (lambda p: ((z := long(p)), rows(z)), []),
    "in float64": (lambda p: (p, rows(cast(p, dtype=float64))), []),
}


def outputs_for(
    a: Array, b: Array, operands: Sequence[Array], compute: Compute
) -> tuple[list[Array], list[Array]]:
    """Memory for the results, and what they must be."""
    product = np.matmul(a.astype(np.float64), b.astype(np.float64)).astype(np.float32)
    body = epilogue_of(product, operands, [], compute).body
    values = evaluate_nodes(body.roots, dict(zip(body.inputs, (product, *operands), strict=True)))
    results = list(body.outputs.values())
    blank = [np.full(each.type.static_shape, np.nan, each.type.dtype.numpy) for each in results]
    return list(map(guarded, blank)), [np.asarray(values[node]) for node in results]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", SUMS)
def test_sums(name: str, shape: tuple[int, int, int]) -> None:
    random = np.random.default_rng(0)
    m, n, k = shape
    compute, kinds = SUMS[name]
    a = matrix(random, (m, k), "rows", np.float32) / np.float32(k**0.5)
    b = matrix(random, (k, n), "columns" if m % 2 else "rows", np.float32)
    sizes = {"row": (1, n), "full": (m, n)}
    operands = [random.normal(size=sizes[kind]).astype(np.float32) for kind in kinds]
    target = list(targets().values())[(m + n) % len(targets())]
    found = []
    for cuts in ((), (0.5,), (0.2, 0.4, 0.9)):
        outputs, wanted = outputs_for(a, b, operands, compute)
        product = np.empty((m, n), np.float32)
        epilogue = epilogue_of(product, operands, outputs, compute)
        inputs = [guarded(each) for each in (a, b, *operands)]
        run = Product(a, b, product, epilogue, target)
        assert run.run(*inputs, *outputs, cuts=cuts) == 0
        for got, want in zip(outputs, wanted, strict=True):
            scale = 1 + np.abs(wanted[0]).sum(0).max()
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=2e-5 * scale)
        found.append([output.tobytes() for output in outputs])
    assert found[0] == found[1] == found[2]  # however the units are divided


def test_a_result_may_replace_the_bias_that_it_updates() -> None:
    random = np.random.default_rng(1)
    a, b = random.normal(size=(50, 30)), random.normal(size=(30, 40))
    a, b = a.astype(np.float32), b.astype(np.float32)
    bias, stored = np.ones((1, 40), np.float32), np.zeros((50, 40), np.float32)
    epilogue = epilogue_of(
        stored, [bias], [stored, bias], lambda p, r: (add(p, r), sub(r, rows(add(p, r))))
    )
    Product(a, b, stored, epilogue).run(a, b, bias, stored, bias, cuts=(0.5,))
    wanted = a.astype(np.float64) @ b + 1
    np.testing.assert_allclose(stored, wanted, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(bias, 1 - wanted.sum(0, keepdims=True), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    "compute",
    [
        lambda p: (p, amax(p, dims=(0,))),
        lambda p: (p, sum_(p, dims=(1,))),
        lambda p: (p, rows(gt(p, scalar(0.0)))),
    ],
)
def test_other_reductions_are_refused(compute: Compute) -> None:
    product = np.zeros((8, 8), np.float32)
    outputs, _ = outputs_for(product, product, [], compute)
    layout = layout_of(product)
    with pytest.raises(CompileError, match="sums over rows"):
        build_gemm(
            Module(host_target()),
            layout,
            layout,
            layout,
            epilogue_of(product, [], outputs, compute),
        )


def test_the_report_shows_both_phases() -> None:
    compute, _ = SUMS["of the product"]
    product = np.zeros((600, 64), np.float32)
    outputs, _ = outputs_for(np.zeros((600, 9)), np.zeros((9, 64)), [], compute)
    epilogue = epilogue_of(product, [], outputs, compute)
    a, b, c = (Layout.contiguous(each, float32) for each in ((600, 9), (9, 64), (600, 64)))
    target = host_target()
    text = describe_gemm(target, problem_of(a, b, c, epilogue), epilogue)
    first, second = build_gemm(Module(target), a, b, c, epilogue).phases
    assert text.startswith(f"phase 1: {first.units} unit")
    assert f"\nphase 2: {second.units} unit" in text
    assert "each tile's rows added up" in text


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_do_not_change_the_gradient_of_a_bias(threads: int) -> None:
    random = np.random.default_rng(2)
    feed = {
        "x": random.normal(size=(900, 70)).astype(np.float32),
        "w": random.normal(size=(300, 70)).astype(np.float32),
        "z": random.normal(size=(900, 300)).astype(np.float32),
    }

    def results(count: int) -> list[bytes]:
        with gc.Graph() as graph:
            x, w = gc.placeholder((900, 70), name="x"), gc.placeholder((300, 70), name="w")
            z = gc.placeholder((900, 300), name="z")
            gradient = gc.where(z > 0, x @ w.T, 0.0)
            graph.output(gradient, "g")
            graph.output(gradient.sum(dim=0), "b")
        session = graph.compile(threads=count)
        assert sum("matmul" in kernel.source for kernel in session.kernels()) == 1
        found = session.run(feed)
        np.testing.assert_allclose(found["b"], found["g"].sum(0), rtol=1e-4, atol=1e-3)
        return [found[name].tobytes() for name in ("g", "b")]

    assert results(1) == results(threads)
