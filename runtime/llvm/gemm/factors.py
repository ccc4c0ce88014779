"""The two factors of a product: matrices in memory, or what is computed from such matrices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from graphc.dtypes import DType, float32
from graphc.errors import CompileError
from graphc.graph import Graph, has_trait, topological
from graphc.node import Node
from graphc.opdef import Trait
from graphc.runtime.llvm.ir import memory
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.values import Value, constant
from graphc.runtime.llvm.kernels.analysis import ALIASES, is_array_constant, require_supported
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.runtime.llvm.scalar.scalar_ops import emit_elementwise, weight


@dataclass(frozen=True, slots=True)
class Prologue:
    """A factor that is computed, element by element, from operands in memory.

    Args:
        body: elementwise operations; its one output is the factor.
        operands: layout of each input; each broadcasts to the factor's shape.
        shape: the factor's own shape, rows and columns last.
    """

    body: Graph
    operands: tuple[Layout, ...]
    shape: tuple[int, ...]

    @property
    def dtype(self) -> DType:
        """The type of the factor's elements."""
        (result,) = self.body.outputs.values()
        return result.type.dtype


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
class Factor:
    """One side of a product.

    Args:
        matrices: what lies in memory; the largest one stands for all where loops are chosen.
        nodes: how an element is computed from one of each matrix, operands first; empty if the
            factor is the one matrix.
        loads: the number of the matrix that a node is read from.
        dtype: type of the factor's elements.
    """

    matrices: tuple[Matrix, ...]
    nodes: tuple[Node, ...]
    loads: dict[Node, int]
    dtype: DType

    @property
    def plain(self) -> bool:
        """Whether kernels can read it as it lies."""
        return not self.nodes and not memory.is_half(self.dtype)

    @property
    def work(self) -> int:
        """About how many instructions an element (or a vector of them) takes."""
        halves = sum(memory.is_half(matrix.dtype) for matrix in self.matrices)
        elementwise = (node for node in self.nodes if has_trait(node, Trait.ELEMENTWISE))
        return halves + sum(map(weight, elementwise))

    @property
    def main(self) -> Matrix:
        """The matrix that stands for all: one with an element for each of the factor's."""
        return max(self.matrices, key=lambda each: bool(each.row) + bool(each.column))

    @property
    def row(self) -> int:
        """Distance between rows, in elements."""
        return self.main.row

    @property
    def column(self) -> int:
        """Distance between columns."""
        return self.main.column

    @property
    def transposed(self) -> Factor:
        """The same factor with rows and columns exchanged."""
        return replace(self, matrices=tuple(matrix.transposed for matrix in self.matrices))

    def value(self, e: Emitter, load: Callable[[Matrix, int], Value], lanes: int) -> Value:
        """Some elements, in computed form.

        Args:
            e: where to emit.
            load: reads the same elements of a matrix, given with its number.
            lanes: how many elements.
        """
        if not self.nodes:
            return e.splat(load(self.matrices[0], 0), lanes)
        known: dict[Node, Value] = {}
        for node in self.nodes:
            number = self.loads.get(node)
            known[node] = (
                computed(e, node, [known[each] for each in node.inputs])
                if number is None
                else load(self.matrices[number], number)
            )
        return e.splat(known[self.nodes[-1]], lanes)


def computed(e: Emitter, node: Node, operands: list[Value]) -> Value:
    """What a node of a body is, given its operands: scalars, and vectors of one width."""
    if node.op.name == "constant":
        elem = memory.computed_elem(node.type.dtype)
        scalar = node.attrs["value"].array.reshape(-1)[0]
        whole = not node.type.dtype.is_floating_point
        return constant(elem, int(scalar) if whole else float(scalar))
    if node.op.name in ALIASES:
        return operands[0]
    lanes = max(operand.lanes for operand in operands)
    return emit_elementwise(e, node, [e.splat(value, lanes) for value in operands])


def require_elementwise(body: Graph) -> None:
    """Raise CompileError unless each element of the outputs is made of one of each input."""
    for node in topological(body.outputs.values()):
        if node in body.inputs:
            continue
        if has_trait(node, Trait.REDUCE) or node.op.name == "iota" or is_array_constant(node):
            raise CompileError(
                "matmul: a prologue or epilogue has more than elementwise operations"
            )
        require_supported(node)


def summed_in(dtype: DType) -> DType:
    """The type in which products of factors of a dtype are added."""
    return float32 if memory.is_half(dtype) else dtype


def factor_of(side: Layout | Prologue, first: int, rank: int) -> Factor:
    """A factor as the loops see it.

    Args:
        side: where it lies, or how it is computed.
        first: the position of its first operand among the function's parameters.
        rank: the number of dims of the product.

    Raises:
        CompileError: if the body has no native code.
    """
    if isinstance(side, Layout):
        return Factor((matrix_of(first, side, rank),), (), {}, side.dtype)
    require_elementwise(side.body)
    (result,) = side.body.outputs.values()
    matrices = [
        matrix_of(first + number, layout, rank) for number, layout in enumerate(side.operands)
    ]
    loads = {node: number for number, node in enumerate(side.body.inputs)}
    return Factor(tuple(matrices), topological([result]), loads, side.dtype)


def matrix_of(parameter: int, layout: Layout, rank: int) -> Matrix:
    """An operand, whose dims stand for the last ones of the product."""
    *batch, row, column = (layout.along(dim, rank) for dim in range(rank))
    return Matrix(parameter, row, column, tuple(batch), layout.dtype)
