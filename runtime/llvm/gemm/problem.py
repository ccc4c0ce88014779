"""One form for all matrix products: batches of row-major-like ``c[m, n] = a[m, k] @ b[k, n]``.

Leading dims are joined where every operand allows it, a product with one matrix ``b`` for all
batches becomes one tall product, and a product whose result lies in columns is computed as
``b^T @ a^T``, so that vectors run along the columns of the result.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from graphc.dtypes import DType, float32, float64
from graphc.errors import CompileError
from graphc.graph import Graph, has_trait, topological
from graphc.node import Node
from graphc.opdef import Trait
from graphc.ops.leaf import placeholder
from graphc.runtime.llvm.gemm.factors import (
    Factor,
    Matrix,
    Prologue,
    factor_of,
    matrix_of,
    require_elementwise,
    summed_in,
)
from graphc.runtime.llvm.gemm.form import PLAIN, Form
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.types import TensorType


@dataclass(frozen=True, slots=True)
class Epilogue:
    """What is computed from each element of the product before anything is stored.

    Args:
        body: elementwise operations; input 0 is the product, the others are the operands. Sums
            over all rows, and operations on them, may follow if there are no batches.
        operands: layout of each other input; each broadcasts to the product's shape.
        outputs: layout of each output: all have the product's shape, or that of its sums.
    """

    body: Graph
    operands: tuple[Layout, ...]
    outputs: tuple[Layout, ...]


@dataclass(frozen=True, slots=True)
class Body:
    """What happens to each element of the product.

    Args:
        nodes: all nodes that the results need, operands first.
        product: the node that stands for the product.
        loads: the number of the operand that a node is read from.
        results: the nodes to store, one per output of the product's shape.
        sums: sums of some of the nodes over all rows.
        late: outputs that depend on the sums.
    """

    nodes: tuple[Node, ...]
    product: Node
    loads: dict[Node, int]
    results: tuple[Node, ...]
    sums: tuple[Node, ...] = ()
    late: tuple[Node, ...] = ()


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
        parameters: how many operands and results the function has, those of later phases included.
        form: what is wanted beside the result.
    """

    batch: tuple[int, ...]
    m: int
    n: int
    k: int
    a: Factor
    b: Factor
    body: Body
    operands: tuple[Matrix, ...]
    outputs: tuple[Matrix, ...]
    parameters: int
    form: Form = PLAIN

    @property
    def dtype(self) -> DType:
        """The type in which sums are kept, and of copies of the factors."""
        return summed_in(self.a.dtype)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to compute."""
        return 0 in (*self.batch, self.m, self.n)

    @property
    def matrices(self) -> tuple[Matrix, ...]:
        """All operands, in no special order."""
        return (*self.a.matrices, *self.b.matrices, *self.operands, *self.outputs)

    @property
    def transposed(self) -> Problem:
        """The same problem as ``c^T = b^T @ a^T``."""
        turned = self.changed(lambda matrix: matrix.transposed)
        return replace(turned, m=self.n, n=self.m, a=turned.b, b=turned.a)

    def changed(self, change: Callable[[Matrix], Matrix]) -> Problem:
        """The same problem with all operands walked in another way."""

        def factor(old: Factor) -> Factor:
            return replace(old, matrices=tuple(map(change, old.matrices)))

        return replace(
            self,
            a=factor(self.a),
            b=factor(self.b),
            operands=tuple(map(change, self.operands)),
            outputs=tuple(map(change, self.outputs)),
        )


def problem_of(
    a: Layout | Prologue, b: Layout | Prologue, c: Layout, epilogue: Epilogue | None
) -> Problem:
    """Bring a product into its one form.

    Args:
        a: left operand, ``[..., m, k]``.
        b: right operand, ``[..., k, n]``.
        c: the product, ``[..., m, n]``; where it is stored if there is no epilogue.
        epilogue: what is computed from the product.

    Raises:
        CompileError: if there is no native code for the dtype, or for something in a body.
    """
    _require_product(a, b, c)
    if epilogue is None:
        value = placeholder("a0", TensorType(c.shape, c.dtype))
        epilogue = Epilogue(Graph((value,), {"r0": value}), (), (c,))
    body = _body_of(epilogue, c)
    rank = len(c.shape)
    left = factor_of(a, 0, rank)
    right = factor_of(b, len(left.matrices), rank)
    first = len(left.matrices) + len(right.matrices)
    count = len(epilogue.operands)
    others = [
        matrix_of(first + number, layout, rank)
        for number, layout in enumerate((*epilogue.operands, *epilogue.outputs))
    ]
    stored = zip(epilogue.body.outputs.values(), others[count:], strict=True)
    problem = Problem(
        c.shape[:-2],
        c.shape[-2],
        c.shape[-1],
        a.shape[-1],
        left,
        right,
        body,
        tuple(others[:count]),
        tuple(matrix for node, matrix in stored if node not in body.late),
        first + len(others),
    )
    problem = _folded(_joined(problem))
    if body.sums:
        return problem
    result = problem.outputs[0]
    single_column = problem.n == 1 and problem.m != 1
    in_columns = result.row == 1 and result.column != 1 and problem.m != 1
    return problem.transposed if single_column or in_columns else problem


def formed(problem: Problem, form: Form) -> Problem:
    """The problem in another form.

    Raises:
        CompileError: if the product cannot have this form.
    """
    turned = problem.b.matrices[0].parameter < problem.a.matrices[0].parameter
    if turned or problem.batch or problem.is_empty or problem.body.sums:
        raise CompileError("matmul: no product of whole rows")
    if (form.rows and problem.m % form.rows) or (form.panels and not problem.b.plain):
        raise CompileError("matmul: no product of such rows or panels")
    return replace(problem, form=form)


def _require_product(a: Layout | Prologue, b: Layout | Prologue, c: Layout) -> None:
    if summed_in(c.dtype).name not in ("float32", "float64"):
        raise CompileError(f"matmul: no native code for {c.dtype.name}")
    if {a.dtype, b.dtype} != {c.dtype}:
        raise CompileError("matmul: operands of different dtypes")
    if min(len(a.shape), len(b.shape)) < 2 or a.shape[-1] != b.shape[-2]:
        raise CompileError("matmul: shapes that have no product", got=f"{a.shape} @ {b.shape}")
    if c.shape[-2:] != (a.shape[-2], b.shape[-1]):
        raise CompileError("matmul: result of another shape", got=f"{c.shape}")


def _body_of(epilogue: Epilogue, c: Layout) -> Body:
    product, *operands = epilogue.body.inputs
    outputs = tuple(epilogue.body.outputs.values())
    sums = tuple(node for node in topological(outputs) if has_trait(node, Trait.REDUCE))
    late = depending_on(sums, outputs)
    results = tuple(node for node in outputs if node not in late)
    summed = tuple(node.inputs[0] for node in sums)
    _require_sums(sums, c)
    require_elementwise(Graph(epilogue.body.inputs, dict(_named((*results, *summed)))))
    for node, layout in zip(outputs, epilogue.outputs, strict=True):
        if layout.shape != (c.shape if node in results else node.type.static_shape):
            raise CompileError("matmul: an epilogue's result has another shape than the product")
    loads = {node: number for number, node in enumerate(operands)}
    return Body(topological((*results, *summed)), product, loads, results, sums, late)


def depending_on(sums: Collection[Node], outputs: Sequence[Node]) -> tuple[Node, ...]:
    """The outputs that are made of sums."""
    found = set(sums)
    for node in topological(outputs):
        if found.intersection(node.inputs):
            found.add(node)
    return tuple(node for node in outputs if node in found)


def _named(nodes: Sequence[Node]) -> Iterator[tuple[str, Node]]:
    return ((f"r{number}", node) for number, node in enumerate(nodes))


def _require_sums(sums: Sequence[Node], c: Layout) -> None:
    for node in sums:
        plain = node.op.name == "sum" and node.type.dtype in (float32, float64)
        over_rows = node.attrs["dims"] == (0,) and node.inputs[0].type.static_shape == c.shape
        if not plain or not over_rows or len(c.shape) != 2:
            raise CompileError("matmul: an epilogue has other reductions than sums over rows")


def _joined(problem: Problem) -> Problem:
    """Without batch dims of size 1, and with neighbours joined that all operands walk as one."""
    sizes: list[int] = []
    kept: list[int] = []
    for dim, size in enumerate(problem.batch):
        if size == 1:
            continue
        if kept and all(
            each.batch[kept[-1]] == each.batch[dim] * size for each in problem.matrices
        ):
            sizes[-1] *= size
            kept[-1] = dim
        else:
            sizes.append(size)
            kept.append(dim)
    return _with_batch(problem, sizes, kept)


def _with_batch(problem: Problem, sizes: Sequence[int], kept: Sequence[int]) -> Problem:
    moved = problem.changed(
        lambda matrix: replace(matrix, batch=tuple(matrix.batch[dim] for dim in kept))
    )
    return replace(moved, batch=tuple(sizes))


def _folded(problem: Problem) -> Problem:
    """The last batch dim as more rows, where all batches have the same ``b``."""
    if not problem.batch or any(matrix.batch[-1] for matrix in problem.b.matrices):
        return problem
    m, (*batch, size) = problem.m, problem.batch
    tall = (*problem.a.matrices, *problem.operands, *problem.outputs)
    if m != 1 and any(matrix.batch[-1] != m * matrix.row for matrix in tall):
        return problem

    def fold(matrix: Matrix) -> Matrix:
        row = matrix.batch[-1] if m == 1 else matrix.row
        return replace(matrix, row=row, batch=matrix.batch[:-1])

    flat = problem.changed(fold)
    b = replace(
        problem.b,
        matrices=tuple(replace(matrix, batch=matrix.batch[:-1]) for matrix in problem.b.matrices),
    )
    return replace(flat, batch=tuple(batch), m=m * size, b=b)
