"""One form for all matrix products: batches of row-major-like ``c[m, n] = a[m, k] @ b[k, n]``.

Leading dims are joined where every operand allows it, a product with one matrix ``b`` for all
batches becomes one tall product, and a product whose result lies in columns is computed as
``b^T @ a^T``, so that vectors run along the columns of the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from graphc.dtypes import DType
from graphc.errors import CompileError
from graphc.graph import Graph, has_trait, topological
from graphc.node import Node
from graphc.opdef import Trait
from graphc.ops.leaf import placeholder
from graphc.runtime.llvm.analysis import is_array_constant, require_supported
from graphc.runtime.llvm.iteration import Layout
from graphc.types import TensorType


@dataclass(frozen=True, slots=True)
class Epilogue:
    """What is computed from each element of the product before anything is stored.

    Args:
        body: elementwise operations; input 0 is the product, the others are the operands.
        operands: layout of each other input; each broadcasts to the product's shape.
        outputs: layout of each output; all have the product's shape.
    """

    body: Graph
    operands: tuple[Layout, ...]
    outputs: tuple[Layout, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """One operand of the generated function, as the loops see it.

    Args:
        parameter: its position among the function's parameters.
        row: distance between rows, in elements; 0 if there is just one or all are the same.
        column: distance between columns.
        batch: distance between batches, along each batch dim.
        dtype: type of its elements.
    """

    parameter: int
    row: int
    column: int
    batch: tuple[int, ...]
    dtype: DType

    @property
    def transposed(self) -> Matrix:
        """The same memory with rows and columns exchanged."""
        return replace(self, row=self.column, column=self.row)


@dataclass(frozen=True, slots=True)
class Body:
    """What happens to each element of the product.

    Args:
        nodes: all nodes that the results need, operands first.
        product: the node that stands for the product.
        loads: the number of the operand that a node is read from.
        results: the nodes to store, one per output.
    """

    nodes: tuple[Node, ...]
    product: Node
    loads: dict[Node, int]
    results: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A batch of products of one shape.

    Args:
        batch: sizes of the batch dims.
        m: rows of the result.
        n: columns of the result.
        k: terms of each sum.
        a: left operand, ``[m, k]``.
        b: right operand, ``[k, n]``.
        body: what happens to the product.
        operands: the body's operands, ``[m, n]``.
        outputs: what is stored, ``[m, n]``.
    """

    batch: tuple[int, ...]
    m: int
    n: int
    k: int
    a: Matrix
    b: Matrix
    body: Body
    operands: tuple[Matrix, ...]
    outputs: tuple[Matrix, ...]

    @property
    def matrices(self) -> tuple[Matrix, ...]:
        """All operands, in no special order."""
        return (self.a, self.b, *self.operands, *self.outputs)

    @property
    def transposed(self) -> Problem:
        """The same problem as ``c^T = b^T @ a^T``."""
        return replace(
            self,
            m=self.n,
            n=self.m,
            a=self.b.transposed,
            b=self.a.transposed,
            operands=tuple(matrix.transposed for matrix in self.operands),
            outputs=tuple(matrix.transposed for matrix in self.outputs),
        )


def problem_of(a: Layout, b: Layout, c: Layout, epilogue: Epilogue | None) -> Problem:
    """Bring a product into its one form.

    Args:
        a: left operand, ``[..., m, k]``.
        b: right operand, ``[..., k, n]``.
        c: the product, ``[..., m, n]``; where it is stored if there is no epilogue.
        epilogue: what is computed from the product.

    Raises:
        CompileError: if there is no native code for the dtype, or for something in the epilogue.
    """
    _require_product(a, b, c)
    if epilogue is None:
        value = placeholder("a0", TensorType(c.shape, c.dtype))
        epilogue = Epilogue(Graph((value,), {"r0": value}), (), (c,))
    body = _body_of(epilogue, c)
    rank = len(c.shape)
    layouts = (a, b, *epilogue.operands, *epilogue.outputs)
    matrices = [_matrix(number, layout, rank) for number, layout in enumerate(layouts)]
    first_output = 2 + len(epilogue.operands)
    problem = Problem(
        c.shape[:-2],
        c.shape[-2],
        c.shape[-1],
        a.shape[-1],
        matrices[0],
        matrices[1],
        body,
        tuple(matrices[2:first_output]),
        tuple(matrices[first_output:]),
    )
    problem = _folded(_joined(problem))
    result = problem.outputs[0]
    single_column = problem.n == 1 and problem.m != 1
    in_columns = result.row == 1 and result.column != 1 and problem.m != 1
    return problem.transposed if single_column or in_columns else problem


def _require_product(a: Layout, b: Layout, c: Layout) -> None:
    if c.dtype.name not in ("float32", "float64"):
        raise CompileError(f"matmul: no native code for {c.dtype.name}")
    if {a.dtype, b.dtype} != {c.dtype}:
        raise CompileError("matmul: operands of different dtypes")
    if min(len(a.shape), len(b.shape)) < 2 or a.shape[-1] != b.shape[-2]:
        raise CompileError("matmul: shapes that have no product", got=f"{a.shape} @ {b.shape}")
    if c.shape[-2:] != (a.shape[-2], b.shape[-1]):
        raise CompileError("matmul: result of another shape", got=f"{c.shape}")


def _body_of(epilogue: Epilogue, c: Layout) -> Body:
    if any(output.shape != c.shape for output in epilogue.outputs):
        raise CompileError("matmul: an epilogue's result has another shape than the product")
    product, *operands = epilogue.body.inputs
    results = tuple(epilogue.body.outputs.values())
    nodes = topological(results)
    for node in nodes:
        if node in epilogue.body.inputs:
            continue
        if has_trait(node, Trait.REDUCE) or node.op.name == "iota" or is_array_constant(node):
            raise CompileError("matmul: the epilogue has more than elementwise operations")
        require_supported(node)
    loads = {node: number for number, node in enumerate(operands)}
    return Body(nodes, product, loads, results)


def _matrix(parameter: int, layout: Layout, rank: int) -> Matrix:
    *batch, row, column = (layout.along(dim, rank) for dim in range(rank))
    return Matrix(parameter, row, column, tuple(batch), layout.dtype)


def _joined(problem: Problem) -> Problem:
    """Without batch dims of size 1, and with neighbours joined that all operands walk as one."""
    sizes: list[int] = []
    strides: list[tuple[int, ...]] = []
    for dim, size in enumerate(problem.batch):
        if size == 1:
            continue
        step = tuple(matrix.batch[dim] for matrix in problem.matrices)
        if sizes and all(far == near * size for far, near in zip(strides[-1], step, strict=True)):
            sizes[-1] *= size
            strides[-1] = step
        else:
            sizes.append(size)
            strides.append(step)
    return _with_batch(problem, sizes, strides)


def _with_batch(
    problem: Problem, sizes: Sequence[int], strides: Sequence[tuple[int, ...]]
) -> Problem:
    moved = [
        replace(matrix, batch=tuple(step[number] for step in strides))
        for number, matrix in enumerate(problem.matrices)
    ]
    a, b, *others = moved
    count = len(problem.operands)
    return replace(
        problem,
        batch=tuple(sizes),
        a=a,
        b=b,
        operands=tuple(others[:count]),
        outputs=tuple(others[count:]),
    )


def _folded(problem: Problem) -> Problem:
    """The last batch dim as more rows, where all batches have the same ``b``."""
    if not problem.batch or problem.b.batch[-1] != 0:
        return problem
    m, (*batch, size) = problem.m, problem.batch
    tall = [matrix for matrix in problem.matrices if matrix is not problem.b]
    if m != 1 and any(matrix.batch[-1] != m * matrix.row for matrix in tall):
        return problem

    def fold(matrix: Matrix) -> Matrix:
        row = matrix.batch[-1] if m == 1 else matrix.row
        return replace(matrix, row=row, batch=matrix.batch[:-1])

    return replace(
        problem,
        batch=tuple(batch),
        m=m * size,
        a=fold(problem.a),
        b=replace(problem.b, batch=problem.b.batch[:-1]),
        operands=tuple(map(fold, problem.operands)),
        outputs=tuple(map(fold, problem.outputs)),
    )
