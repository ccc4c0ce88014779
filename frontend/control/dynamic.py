"""Loops and branches that run now: their bodies' operations one by one, on the tape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import AutogradError
from graphc.frontend.autograd.function import Function
from graphc.frontend.making import concrete
from graphc.graph import Graph
from graphc.opdef import Call, OpDef
from graphc.ops.bodies import computed
from graphc.ops.control import COND, SCAN, WHILE_LOOP
from graphc.ops.select import copy
from graphc.ops.shape import concat, reshape
from graphc.passes.autodiff import gradients
from graphc.passes.control.table import GRADIENTS
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


class Unstack(Function):
    """The items of a sequence, each in memory of its own; their gradients are stacked again."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> tuple[Tensor, ...]:
        """All items along the first dim."""
        return tuple(concrete(np.array(item, order="C")) for item in x.storage.array)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        """The items' gradients in a new first dim."""
        return stacked(grads)


def items_of(x: Tensor) -> Sequence[Tensor]:
    """The items of a concrete sequence along its first dim."""
    found: Sequence[Tensor] = Unstack.apply(x) if x.shape[0] else ()
    return found


def stacked(values: Sequence[Tensor]) -> Tensor:
    """Values of one type, of which there is at least one, in a new first dim."""
    rows = [reshape(x, shape=(1, *x.shape)) for x in values]
    return concat(*rows, dim=0) if len(rows) > 1 else copy(rows[0])


def contiguous(x: Tensor) -> Tensor:
    """The values in index order, as bodies get their carries."""
    return x if x.storage.array.flags.c_contiguous else copy(x)


def results_now(
    op: OpDef, inputs: tuple[Tensor, ...], attrs: Mapping[str, Any]
) -> tuple[Tensor, ...]:
    """Apply an operation with several results to concrete tensors."""
    op.infer(*(x.type for x in inputs), **attrs)
    if op is SCAN:
        return _scan(inputs, **attrs)
    if op is COND:
        predicate, *operands = inputs
        return _call(attrs["true"] if predicate.storage.array else attrs["false"], operands)
    if op is WHILE_LOOP:
        return _while_loop(inputs, **attrs)
    found: tuple[Tensor, ...] = Applied.apply(op, attrs, *inputs)
    return found


class Applied(Function):
    """An operation of arrays; its rule gives the gradients."""

    @staticmethod
    def forward(ctx: Any, op: OpDef, attrs: Mapping[str, Any], *inputs: Tensor) -> Any:
        """The results."""
        made = op.eval(*(x.storage.array for x in inputs), **attrs)
        found = tuple(concrete(np.array(each, order="C")) for each in made)
        ctx.op, ctx.attrs, ctx.count = op, attrs, len(inputs)
        ctx.mark_non_differentiable(*(x for x in found if not x.dtype.is_differentiable))
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*inputs, *found)
        return found

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        """The gradients of the operands."""
        if ctx.op not in GRADIENTS:
            raise AutogradError(
                f"{ctx.op.name} has no gradient", fix="detach() what it reads",
                where=user_location_text(),
            )  # fmt: skip
        kept = ctx.saved_tensors
        needed = ctx.needs_input_grad[2:]
        unwanted = frozenset(i for i, is_needed in enumerate(needed) if not is_needed)
        call = Call(kept[: ctx.count], kept[ctx.count :], ctx.attrs, unwanted)
        return None, None, *GRADIENTS[ctx.op](call, grads, gradients)


def _scan(
    inputs: tuple[Tensor, ...], body: Graph, carries: int, sequences: int, length: int,
    reverse: bool,
) -> tuple[Tensor, ...]:  # fmt: skip
    last = carries + sequences
    carried = tuple(map(contiguous, inputs[:carries]))
    items = [items_of(x) for x in inputs[carries:last]]
    found: list[tuple[Tensor, ...]] = []
    for step in reversed(range(length)) if reverse else range(length):
        made = _call(body, (*carried, *(each[step] for each in items), *inputs[last:]))
        carried, results = made[:carries], made[carries:]
        found.append(results)
    columns = zip(*(found[::-1] if reverse else found), strict=True)
    if not found:
        types = [node.type for node in body.outputs.values()][carries:]
        return (*carried, *(concrete(np.empty((0, *t.shape), t.dtype.numpy)) for t in types))
    return (*carried, *map(stacked, columns))


def _while_loop(
    inputs: tuple[Tensor, ...], condition: Graph, body: Graph, carries: int
) -> tuple[Tensor, ...]:
    carried, captured = tuple(map(contiguous, inputs[:carries])), inputs[carries:]
    while _call(condition, (*carried, *captured))[0].storage.array:
        carried = _call(body, (*carried, *captured))
    return carried


def _call(body: Graph, operands: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The outputs of a body for these inputs."""
    known = dict(zip(body.inputs, operands, strict=True))
    like = operands[0] if operands else concrete(np.empty(()))
    return tuple(map(contiguous, computed(list(body.outputs.values()), known, like)))
