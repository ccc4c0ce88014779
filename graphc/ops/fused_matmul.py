"""A matrix product with what its factors are made of and what is made of its elements.

Elementwise producers of a factor run while the factor is read, elementwise consumers of the product
on each tile of the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from graphc.errors import ShapeError
from graphc.evaluate import evaluate_nodes
from graphc.graph import Graph, has_trait
from graphc.node import Node, make_node
from graphc.opdef import OpDef, Trait
from graphc.ops.leaf import PLACEHOLDER
from graphc.ops.linalg import matmul, swap_last
from graphc.ops.reduce import sum_
from graphc.ops.shape import permute
from graphc.shapes import broadcast_shapes
from graphc.storage import Array
from graphc.types import TensorType, TupleType, Type

T = TypeVar("T")


def _infer_fused_matmul(
    *types: TensorType,
    body: Graph,
    transposed: bool,
    left: Graph | None = None,
    right: Graph | None = None,
) -> Type:
    a, rest = split_factors(types, left)
    b, extras = split_factors(rest, right)
    product = matmul.infer(_factor_type(a, left), _factor_type(b, right))
    if transposed:
        *batch, rows, columns = product.shape
        product = product.with_shape((*batch, columns, rows))
    wanted = tuple(node.type for node in body.inputs)
    if (product, *extras) != wanted:
        raise ShapeError(
            "fused_matmul: product and extras do not fit the body",
            got=", ".join(map(str, (product, *extras))),
            expected=", ".join(map(str, wanted)),
        )
    results = tuple(node.type for node in body.outputs.values())
    sums = product.with_shape((1, *product.shape[1:])) if product.rank == 2 else product
    if any(type.shape not in (product.shape, sums.shape) for type in results):
        raise _misfit(results, product)
    late = _with_sums(body, product, sums)
    for node in body.outputs.values():
        if node.type.shape != (sums if node in late else product).shape:
            raise _misfit(results, product)
    return results[0] if len(results) == 1 else TupleType(results)


def split_factors(
    operands: Sequence[T], prologue: Graph | None
) -> tuple[tuple[T, ...], tuple[T, ...]]:
    """The first operands, which one factor is made of, and the others.

    Args:
        operands: what is left of the operands of a ``fused_matmul``.
        prologue: how the factor is computed; None if it is one operand.
    """
    count = 1 if prologue is None else len(prologue.inputs)
    return tuple(operands[:count]), tuple(operands[count:])


def _factor_type(operands: tuple[TensorType, ...], prologue: Graph | None) -> TensorType:
    if prologue is None:
        return operands[0]
    wanted = tuple(node.type for node in prologue.inputs)
    if operands != wanted or len(prologue.outputs) != 1:
        raise ShapeError(
            "fused_matmul: operands do not fit a prologue",
            got=", ".join(map(str, operands)),
            expected=", ".join(map(str, wanted)),
        )
    source, _ = computed_factor(prologue)
    _require_pointwise(Graph(prologue.inputs, {"r0": source}), source.type)
    (result,) = prologue.outputs.values()
    return result.type


def computed_factor(prologue: Graph) -> tuple[Node, bool]:
    """What a prologue computes element by element, and whether its result is the transpose."""
    (result,) = prologue.outputs.values()
    if result.op is not permute:
        return result, False
    (source,) = result.inputs
    if result is not swap_last(source):
        raise ShapeError("fused_matmul: a prologue may only swap the last two dims")
    return source, True


def _misfit(results: Sequence[TensorType], product: TensorType) -> ShapeError:
    return ShapeError(
        "fused_matmul: every result must have the product's shape, or that of sums over its rows",
        got=", ".join(map(str, results)),
        expected=str(product),
    )


def _with_sums(body: Graph, product: TensorType, sums: TensorType) -> set[Node]:
    """Sums over the rows of full values, and what is made of them; all that a body may hold."""
    late: set[Node] = set()
    for node in body.nodes:
        if has_trait(node, Trait.REDUCE) and _adds_rows(node, product):
            late.add(node)
        elif late.intersection(node.inputs):
            late.add(node)
            _require_value(node, sums)
        else:
            _require_value(node, product)
    return late


def _adds_rows(node: Node, product: TensorType) -> bool:
    (value,) = node.inputs
    over_rows = node.attrs["dims"] == (0,) and product.rank == 2
    return node.op is sum_ and over_rows and value.type.shape == product.shape


def _require_pointwise(body: Graph, product: TensorType) -> None:
    for node in body.nodes:
        _require_value(node, product)


def _require_value(node: Node, product: TensorType) -> None:
    if node.op is not PLACEHOLDER and node.inputs and not _is_pointwise(node):
        raise ShapeError(f"fused_matmul: {node.op.name} is no elementwise operation")
    if broadcast_shapes(node.type.shape, product.shape) != product.shape:
        raise ShapeError(
            "fused_matmul: a value does not broadcast to the product",
            got=str(node.type),
            expected=str(product),
        )


def _is_pointwise(node: Node) -> bool:
    return has_trait(node, Trait.ELEMENTWISE) or node.op.name in ("expand", "reshape")


def _eval_fused_matmul(
    *arrays: Array,
    body: Graph,
    transposed: bool,
    left: Graph | None = None,
    right: Graph | None = None,
) -> Array | tuple[Array, ...]:
    a, rest = split_factors(arrays, left)
    b, extras = split_factors(rest, right)
    product = matmul.eval(_factor(a, left), _factor(b, right))
    if transposed:
        product = product.swapaxes(-1, -2)
    values = evaluate_nodes(body.roots, dict(zip(body.inputs, (product, *extras), strict=True)))
    results = tuple(np.asarray(values[node], order="C") for node in body.outputs.values())
    return results[0] if len(results) == 1 else results


def _factor(arrays: tuple[Array, ...], prologue: Graph | None) -> Array:
    """A factor in the memory that it would have if it were computed by a kernel of its own."""
    if prologue is None:
        return arrays[0]
    source, turned = computed_factor(prologue)
    values = evaluate_nodes((source,), dict(zip(prologue.inputs, arrays, strict=True)))
    factor = np.asarray(values[source], order="C")
    return factor.swapaxes(-1, -2) if turned else factor


FUSED_MATMUL = OpDef("fused_matmul", _infer_fused_matmul, _eval_fused_matmul)


def fused_matmul(
    a: Node | tuple[Node, ...],
    b: Node | tuple[Node, ...],
    extras: tuple[Node, ...],
    body: Graph,
    *,
    transposed: bool = False,
    left: Graph | None = None,
    right: Graph | None = None,
) -> Node:
    """A product, what its factors are computed from, and what is computed from its elements.

    Args:
        a: left operand of ``matmul``, or the inputs of ``left``.
        b: right operand, or the inputs of ``right``.
        extras: further operands of the body; each broadcasts to the product's shape.
        body: a map (see ``graphc.ops.fused``): elementwise operations on placeholders ``a0``, the
            product, and ``a1, a2, ...``, the extras. Its outputs ``r0, r1, ...`` all have the
            product's shape; one of them may be the product itself. Values of a product without
            batches may also be summed over all rows (dim 0), and results may be made of the sums,
            in their shape. With several outputs the node
            has a tuple type and is used through ``item``.
        transposed: the body sees the product with its last two dims swapped. Native code swaps
            and transposes the operands instead: ``(a @ b)^T = b^T @ a^T``, term by term.
        left: a map whose one output ``r0`` is the left factor, or its transpose by ``permute``;
            each input broadcasts to the factor's shape. None: the factor is ``a``.
        right: the same for the right factor.
    """
    attrs: dict[str, Any] = {"body": body, "transposed": transposed}
    attrs |= {name: each for name, each in (("left", left), ("right", right)) if each is not None}
    factors = (*(a if isinstance(a, tuple) else (a,)), *(b if isinstance(b, tuple) else (b,)))
    return make_node(FUSED_MATMUL, (*factors, *extras), attrs)


def factor_operands(node: Node) -> int:
    """How many of the first inputs of a ``fused_matmul`` its two factors are made of."""
    _, rest = split_factors(node.inputs, node.attrs.get("left"))
    _, extras = split_factors(rest, node.attrs.get("right"))
    return len(node.inputs) - len(extras)
