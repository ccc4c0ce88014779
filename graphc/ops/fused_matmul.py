"""A matrix product whose elementwise consumers run as part of it, on each tile of the result."""

from __future__ import annotations

import numpy as np

from graphc.dims import broadcast_shapes
from graphc.errors import ShapeError
from graphc.evaluate import evaluate_nodes
from graphc.graph import Graph, has_trait
from graphc.node import Node, make_node
from graphc.opdef import OpDef, Trait
from graphc.ops.leaf import PLACEHOLDER
from graphc.ops.linalg import matmul
from graphc.storage import Array
from graphc.types import TensorType, TupleType, Type


def _infer_fused_matmul(
    a: TensorType, b: TensorType, *extras: TensorType, body: Graph, transposed: bool
) -> Type:
    product = matmul.infer(a, b)
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
    if any(type.shape != product.shape for type in results):
        raise ShapeError(
            "fused_matmul: every result must have the product's shape",
            got=", ".join(map(str, results)),
            expected=str(product),
        )
    _require_pointwise(body, product)
    return results[0] if len(results) == 1 else TupleType(results)


def _require_pointwise(body: Graph, product: TensorType) -> None:
    for node in body.nodes:
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
    a: Array, b: Array, *extras: Array, body: Graph, transposed: bool
) -> Array | tuple[Array, ...]:
    product = matmul.eval(a, b)
    if transposed:
        product = product.swapaxes(-1, -2)
    values = evaluate_nodes(body.roots, dict(zip(body.inputs, (product, *extras), strict=True)))
    results = tuple(np.asarray(values[node], order="C") for node in body.outputs.values())
    return results[0] if len(results) == 1 else results


FUSED_MATMUL = OpDef("fused_matmul", _infer_fused_matmul, _eval_fused_matmul)


def fused_matmul(
    a: Node, b: Node, extras: tuple[Node, ...], body: Graph, *, transposed: bool = False
) -> Node:
    """A product and what is computed from each of its elements.

    Args:
        a: left operand of ``matmul``.
        b: right operand.
        extras: further operands of the body; each broadcasts to the product's shape.
        body: a map (see ``graphc.ops.fused``): elementwise operations on placeholders ``a0``, the
            product, and ``a1, a2, ...``, the extras. Its outputs ``r0, r1, ...`` all have the
            product's shape; one of them may be the product itself. With several outputs the node
            has a tuple type and is used through ``item``.
        transposed: the body sees the product with its last two dims swapped. Native code swaps
            and transposes the operands instead: ``(a @ b)^T = b^T @ a^T``, term by term.
    """
    attrs = {"body": body, "transposed": transposed}
    return make_node(FUSED_MATMUL, (a, b, *extras), attrs)
