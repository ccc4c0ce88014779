"""Values whose gradient is given: what a custom function made, inside a loop or branch."""

from __future__ import annotations

from graphc.errors import ShapeError
from graphc.graph import Graph
from graphc.opdef import OpDef
from graphc.storage import Array
from graphc.types import TensorType, TupleType


def _infer_with_gradient(
    *types: TensorType, backward: Graph, values: int, operands: int
) -> TupleType:
    made, read = types[:values], types[values + operands :]
    wanted = tuple(node.type for node in backward.inputs)
    if wanted != (*read, *made, *made):
        raise ShapeError("with_gradient: the operands do not fit what backward takes")
    found = tuple(node.type for node in backward.outputs.values())
    if found != types[values : values + operands]:
        raise ShapeError(
            "with_gradient: backward must give the types of the operands",
            got=", ".join(map(str, found)),
        )
    return TupleType(made)


def _eval_with_gradient(
    *arrays: Array, backward: Graph, values: int, operands: int
) -> tuple[Array, ...]:
    return arrays[:values]


WITH_GRADIENT = OpDef("with_gradient", _infer_with_gradient, _eval_with_gradient)
"""``with_gradient(*values, *operands, *read, backward=, values=, operands=)``: the values.

Their gradients flow to the operands, of which they were made, through ``backward``; it takes what
is read, the values, and their gradients. None flow to the rest.
"""
