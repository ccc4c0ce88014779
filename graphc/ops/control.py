"""Control flow: loops and branches, whose parts are graphs in the node's attributes.

A body is a graph of its own: placeholders in the order of the operands, and no variables. What it
reads of the program around it is an operand like others. The nodes have tuple types and are used
through ``item``, or ``results``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphc.dims import Size
from graphc.dtypes import bool_
from graphc.errors import DTypeError, ShapeError
from graphc.evaluate import evaluate_in_order
from graphc.graph import Graph
from graphc.opdef import OpDef
from graphc.shapes import unify
from graphc.storage import Array
from graphc.types import TensorType, TupleType


def _infer_scan(
    *types: TensorType, body: Graph, carries: int, sequences: int, length: Size, reverse: bool
) -> TupleType:
    last = carries + sequences
    for position, each in enumerate(types[carries:last]):
        if not each.shape or unify(each.shape[0], length) is None:
            raise ShapeError(
                "scan: the first dim of a sequence must be as long as the loop",
                got=f"sequence {position}: {each}", expected=f"length {length}",
            )  # fmt: skip
    items = [each.with_shape(each.shape[1:]) for each in types[carries:last]]
    _require_inputs("scan", "body", body, (*types[:carries], *items, *types[last:]))
    found = _types(body)
    _require_carries("scan", found[:carries], types[:carries])
    stacked = [each.with_shape((length, *each.shape)) for each in found[carries:]]
    return TupleType((*types[:carries], *stacked))


def _eval_scan(
    *arrays: Array, body: Graph, carries: int, sequences: int, length: int, reverse: bool
) -> tuple[Array, ...]:
    last = carries + sequences
    carried = [np.asarray(each, order="C") for each in arrays[:carries]]
    stacked = [
        np.empty((length, *each.static_shape), each.dtype.numpy) for each in _types(body)[carries:]
    ]
    for step in reversed(range(length)) if reverse else range(length):
        items = [np.asarray(each[step], order="C") for each in arrays[carries:last]]
        found = call(body, (*carried, *items, *arrays[last:]))
        carried = found[:carries]
        for result, value in zip(stacked, found[carries:], strict=True):
            result[step] = value
    return (*(np.array(each, order="C") for each in carried), *stacked)


SCAN = OpDef("scan", _infer_scan, _eval_scan)
"""``scan(*inits, *sequences, *captured, body=, carries=, sequences=, length=, reverse=)``: a loop.

The body takes the carries, one item of each sequence and what is captured: ``carry0, ..., item0,
..., captured0, ...``. Its outputs are the next carries, of the same types, and results: ``carry0,
..., result0, ...``. The node gives the last carries, and each result of all steps, stacked in a new
first dim. With ``reverse`` the steps go from the last position to the first. Carries and items are
C-contiguous.
"""


def _infer_cond(predicate: TensorType, *types: TensorType, true: Graph, false: Graph) -> TupleType:
    _require_predicate("cond", "the predicate", predicate)
    _require_inputs("cond", "the true branch", true, types)
    _require_inputs("cond", "the false branch", false, types)
    one, other = _types(true), _types(false)
    if one != other:
        raise ShapeError(
            "cond: the branches give different types", got=_listing(other), expected=_listing(one)
        )
    return TupleType(one)


def _eval_cond(predicate: Array, *arrays: Array, true: Graph, false: Graph) -> tuple[Array, ...]:
    found = call(true if predicate else false, arrays)
    return tuple(np.array(each, order="C") for each in found)


COND = OpDef("cond", _infer_cond, _eval_cond)
"""``cond(predicate, *operands, true=, false=)``: the results of one of two graphs.

Both take the operands and give the same types; only the chosen one is computed.
"""


def _infer_while_loop(*types: TensorType, condition: Graph, body: Graph, carries: int) -> TupleType:
    _require_inputs("while_loop", "condition", condition, types)
    _require_inputs("while_loop", "body", body, types)
    tests = _types(condition)
    if len(tests) != 1:
        raise ShapeError("while_loop: a condition has one output", got=_listing(tests))
    _require_predicate("while_loop", "the condition", tests[0])
    _require_carries("while_loop", _types(body), types[:carries])
    return TupleType(types[:carries])


def _eval_while_loop(
    *arrays: Array, condition: Graph, body: Graph, carries: int
) -> tuple[Array, ...]:
    carried, captured = [np.asarray(each, order="C") for each in arrays[:carries]], arrays[carries:]
    while call(condition, (*carried, *captured))[0]:
        carried = call(body, (*carried, *captured))
    return tuple(np.array(each, order="C") for each in carried)


WHILE_LOOP = OpDef("while_loop", _infer_while_loop, _eval_while_loop)
"""``while_loop(*carried, *captured, condition=, body=, carries=)``: as long as a condition holds.

Both graphs take ``carry0, ..., captured0, ...``; the body gives the next carries.
"""


def _infer_while_loop_gradient(
    *types: TensorType, condition: Graph, body: Graph, carries: int, backward: Graph, grads: int
) -> TupleType:
    first = len(types) - grads
    _infer_while_loop(*types[:first], condition=condition, body=body, carries=carries)
    _require_inputs("while_loop_gradient", "backward", backward, types)
    found = _types(backward)
    _require_carries("while_loop_gradient", found[:grads], types[first:])
    return TupleType(found)


def _eval_while_loop_gradient(
    *arrays: Array, condition: Graph, body: Graph, carries: int, backward: Graph, grads: int
) -> tuple[Array, ...]:
    first = len(arrays) - grads
    captured = arrays[carries:first]
    steps = []
    carried = [np.asarray(each, order="C") for each in arrays[:carries]]
    while call(condition, (*carried, *captured))[0]:
        steps.append(carried)
        carried = call(body, (*carried, *captured))
    going = [np.array(each, order="C") for each in arrays[first:]]
    types = _types(backward)[grads:]
    totals = [np.zeros(each.static_shape, each.dtype.numpy) for each in types]
    for carried in reversed(steps):
        found = call(backward, (*carried, *captured, *going))
        going = found[:grads]
        totals = [total + more for total, more in zip(totals, found[grads:], strict=True)]
    return (*going, *totals)


WHILE_LOOP_GRADIENT = OpDef(
    "while_loop_gradient", _infer_while_loop_gradient, _eval_while_loop_gradient
)
"""A ``while_loop`` that keeps the carries of each step, and then goes back.

Its operands are those of the loop, and gradients of carries; ``grads`` says how many. ``backward``
takes the same, of one step; it gives these gradients before the step, and what the step adds to
other ones. The node gives the gradients of the first carries, and the sums of the others.
"""


def call(body: Graph, arrays: Sequence[Array]) -> list[Array]:
    """The outputs of a body for these inputs, as C-contiguous arrays."""
    values = evaluate_in_order(body.nodes, dict(zip(body.inputs, arrays, strict=True)))
    return [np.asarray(values[node], order="C") for node in body.outputs.values()]


def _types(body: Graph) -> tuple[TensorType, ...]:
    return tuple(node.type for node in body.outputs.values())


def _require_inputs(op: str, part: str, body: Graph, types: Sequence[TensorType]) -> None:
    """Raise unless a body takes these types, and has nothing that outlives a run."""
    wanted = tuple(node.type for node in body.inputs)
    if wanted != tuple(types):
        raise ShapeError(
            f"{op}: the operands do not fit {part}", got=_listing(types), expected=_listing(wanted)
        )
    if body.updates or body.variables:
        raise ShapeError(
            f"{op}: {part} has variables",
            got=", ".join(str(node.attrs["name"]) for node in body.variables),
            fix="pass them as operands",
        )


def _require_carries(op: str, found: Sequence[TensorType], wanted: Sequence[TensorType]) -> None:
    if tuple(found) != tuple(wanted):
        raise ShapeError(
            f"{op}: the body changes the types of its carries",
            got=_listing(found), expected=_listing(wanted),
        )  # fmt: skip


def _require_predicate(op: str, what: str, type: TensorType) -> None:
    if type.dtype is not bool_ or type.shape:
        kind = ShapeError if type.dtype is bool_ else DTypeError
        raise kind(f"{op}: {what} must be one bool", got=str(type), expected="bool[]")


def _listing(types: Sequence[TensorType]) -> str:
    return ", ".join(map(str, types)) or "nothing"
