"""Runs generated matrix products between guard pages, and gives operands of all layouts."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.dtypes import of_array
from graphc.graph import Graph
from graphc.node import Node
from graphc.ops.leaf import placeholder
from graphc.runtime.llvm.compiler.target import Target, host_target
from graphc.runtime.llvm.gemm.build import build_gemm
from graphc.runtime.llvm.gemm.problem import Epilogue
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.types import TensorType
from tests.unit.runtime.llvm.guard import Array, Runnable, guarded, layout_of

LAYOUTS = ("rows", "columns", "apart", "backwards", "repeated")


def matrix(random: np.random.Generator, shape: Sequence[int], layout: str, dtype: Any) -> Array:
    """Random numbers whose last two dims lie in memory as the layout says."""
    *batch, rows, columns = shape
    if layout == "columns":
        return random.normal(size=(*batch, columns, rows)).astype(dtype).swapaxes(-1, -2)
    if layout == "apart":
        return random.normal(size=(*batch, 2 * rows, 3 * columns)).astype(dtype)[..., ::2, ::3]
    if layout == "backwards":
        return random.normal(size=shape).astype(dtype)[..., ::-1, ::-1]
    if layout == "repeated":
        return np.broadcast_to(random.normal(size=(*batch, 1, columns)).astype(dtype), shape)
    return random.normal(size=shape).astype(dtype)


def epilogue_of(
    product: Array,
    operands: Sequence[Array],
    outputs: Sequence[Array],
    compute: Callable[..., tuple[Node, ...]],
) -> Epilogue:
    """The epilogue that computes the outputs from the product and the operands."""
    inputs = tuple(
        placeholder(f"a{number}", TensorType(array.shape, of_array(array)))
        for number, array in enumerate((product, *operands))
    )
    results = {f"r{number}": node for number, node in enumerate(compute(*inputs))}
    return Epilogue(
        Graph(inputs, results), tuple(map(layout_of, operands)), tuple(map(layout_of, outputs))
    )


class Product:
    """The native code of one product."""

    def __init__(
        self,
        a: Array,
        b: Array,
        c: Array,
        epilogue: Epilogue | None = None,
        target: Target | None = None,
    ) -> None:
        module = Module(target or host_target())
        layout = layout_of(c) if epilogue is None else Layout.contiguous(c.shape, of_array(c))
        self.native = build_gemm(module, layout_of(a), layout_of(b), layout, epilogue)
        others = 1 if epilogue is None else len(epilogue.operands) + len(epilogue.outputs)
        self.run = Runnable(module, self.native, 2 + others)

    @property
    def units(self) -> int:
        """Pieces of work of its longest phase."""
        return max(phase.units for phase in self.native.phases)


def multiply(
    a: Array,
    b: Array,
    c: Array,
    target: Target | None = None,
    *,
    at_start: bool = False,
    cuts: Sequence[float] = (),
) -> Array:
    """``a @ b`` in memory that lies as ``c``, everything between guard pages."""
    inputs = [guarded(array, at_start=at_start) for array in (a, b)]
    result = guarded(c, at_start=at_start)
    result[...] = np.nan
    assert Product(a, b, result, target=target).run(*inputs, result, cuts=cuts) == 0
    for given, used in zip((a, b), inputs, strict=True):
        assert np.array_equal(given, used, equal_nan=True), "the code changed its input"
    return result


def require_close(got: Array, a: Array, b: Array) -> None:
    """Each element is off by no more than k roundings of the sum of its magnitudes."""
    wide = np.matmul(a.astype(np.float64), b.astype(np.float64))
    size = np.matmul(np.abs(a).astype(np.float64), np.abs(b).astype(np.float64))
    bound = (a.shape[-1] + 1) * float(np.finfo(got.dtype).eps) * size
    assert got.shape == wide.shape
    assert np.all(np.abs(got - wide) <= bound)
