"""A kernel: several operations that run as one, with their graph as an attribute."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ShapeError
from graphc.evaluate import evaluate_in_order
from graphc.graph import Graph
from graphc.node import Node, make_node
from graphc.opdef import OpDef
from graphc.storage import Array
from graphc.types import TensorType, TupleType, Type


def _infer_fused(*types: TensorType, body: Graph) -> Type:
    wanted = tuple(node.type for node in body.inputs)
    if types != wanted:
        raise ShapeError(
            "fused: operands do not fit the body",
            got=", ".join(map(str, types)),
            expected=", ".join(map(str, wanted)),
        )
    results = tuple(node.type for node in body.outputs.values())
    return results[0] if len(results) == 1 else TupleType(results)


def _eval_fused(*arrays: Array, body: Graph) -> Array | tuple[Array, ...]:
    values = evaluate_in_order(body.nodes, dict(zip(body.inputs, arrays, strict=True)))
    results = tuple(np.asarray(values[node], order="C") for node in body.outputs.values())
    return results[0] if len(results) == 1 else results


FUSED = OpDef("fused", _infer_fused, _eval_fused)


def fused(inputs: tuple[Node, ...], body: Graph) -> Node:
    """A kernel node.

    Args:
        inputs: operands, one per input of the body.
        body: placeholders ``a0, a1, ...``; outputs ``r0, r1, ...``. With several outputs the node
            has a tuple type and is used through ``item``.
    """
    return make_node(FUSED, inputs, {"body": body})


def _infer_item(x: Any, *, index: int) -> TensorType:
    if not isinstance(x, TupleType) or not 0 <= index < len(x.items):
        raise ShapeError("item: no such result", got=f"item {index} of {x}")
    return x.items[index]


def _eval_item(x: tuple[Array, ...], *, index: int) -> Array:
    return x[index]


ITEM = OpDef("item", _infer_item, _eval_item)


def item(node: Node, index: int) -> Node:
    """One result of a node with several results."""
    return make_node(ITEM, (node,), {"index": index})
