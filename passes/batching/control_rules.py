"""Batching loops and branches: their bodies are batched, and examples wait for each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphc.dims import Size
from graphc.dtypes import int64
from graphc.graph import Graph
from graphc.node import Node
from graphc.opdef import OpDef
from graphc.ops.bodies import body_graph, numbered, results
from graphc.ops.comparison import ne
from graphc.ops.control import COND, SCAN, WHILE_LOOP, WHILE_LOOP_GRADIENT
from graphc.ops.leaf import placeholder
from graphc.ops.reduce import sum_
from graphc.ops.select import cast, scalar, where, zeros_like
from graphc.ops.shape import expand, reshape
from graphc.ops.with_gradient import WITH_GRADIENT
from graphc.passes.batching.application import (
    Application,
    Batched,
    moved_first,
    moved_from_first,
)  # fmt: skip
from graphc.types import TensorType

Batch = Callable[
    [Sequence[Node], Mapping[Node, Batched], Size, Callable[[Node], Any]], "list[Batched]"
]
"""``graphc.passes.batching.batch.batch``, which knows these rules."""

ControlRule = Callable[[Application, Batch], "list[Batched]"]


class _Bodies:
    """Batches the bodies of one loop or branch, which share their inputs.

    Args:
        call: what is batched.
        batch: the driver.
        inputs: the inputs of the bodies, for one example.
        flags: which of them are batched.
    """

    def __init__(
        self, call: Application, batch: Batch, inputs: Sequence[Node], flags: Sequence[bool]
    ) -> None:
        self._size, self._batch = call.size, batch
        self.inputs = [
            placeholder(f"in{i}", _wide(node, call.size) if flag else node.type)
            for i, (node, flag) in enumerate(zip(inputs, flags, strict=True))
        ]
        self._given = list(map(Batched, self.inputs, flags))

    def outputs(self, body: Graph) -> list[Batched]:
        """The results of a body for all examples; it may take fewer inputs than others."""
        known = dict(zip(body.inputs, self._given, strict=False))
        return self._batch(list(body.outputs.values()), known, self._size, lambda node: node)

    def fronts(self, body: Graph, flags: Sequence[bool] | None = None) -> list[Node]:
        """The results with the batch dim, all of them or those with a flag."""
        found = self.outputs(body)
        likes = body.outputs.values()
        return [
            expand(each.value, shape=_wide(like, self._size).shape)
            if not each.is_batched and (flags is None or flags[i])
            else each.value
            for i, (each, like) in enumerate(zip(found, likes, strict=True))
        ]


def _wide(node: Node, size: Size) -> TensorType:
    return node.type.with_shape((size, *node.type.shape))


def scan(call: Application, batch: Batch) -> list[Batched]:
    """One loop, whose carries have the batch dim where any step gives it to them."""
    body: Graph = call.attrs["body"]
    count = call.attrs["carries"]
    last = count + call.attrs["sequences"]
    flags = [operand.is_batched for operand in call.operands]
    while True:
        parts = _Bodies(call, batch, body.inputs, flags)
        found = parts.outputs(body)
        grown = [flag or each.is_batched for flag, each in zip(flags, found[:count], strict=False)]
        if grown == flags[:count]:
            break
        flags[:count] = grown
    made_by_step = parts.fronts(body, [*flags[:count], *(False for _ in found[count:])])
    inputs = parts.inputs
    graph = body_graph(
        numbered(carry=inputs[:count], item=inputs[count:last], captured=inputs[last:]),
        numbered(carry=made_by_step[:count], result=made_by_step[count:]),
    )
    operands = [call.front(i) if flag else call.value(i) for i, flag in enumerate(flags)]
    for i in range(count, last):
        if flags[i]:
            operands[i] = moved_from_first(operands[i], 1)
    made = results(SCAN, operands, {**call.attrs, "body": graph})
    carried = [Batched(x, flag) for x, flag in zip(made, flags[:count], strict=False)]
    return carried + [
        Batched(moved_first(x, 1) if each.is_batched else x, each.is_batched)
        for x, each in zip(made[count:], found[count:], strict=True)
    ]


def cond(call: Application, batch: Batch) -> list[Batched]:
    """A branch; where the examples decide differently, both are computed for all of them."""
    branches: list[Graph] = [call.attrs["true"], call.attrs["false"]]
    if call.is_batched(0):
        return _chosen(call, batch, branches)
    flags = [operand.is_batched for operand in call.operands[1:]]
    parts = _Bodies(call, batch, branches[0].inputs, flags)
    found = zip(*(parts.outputs(branch) for branch in branches), strict=True)
    batched = [any(each.is_batched for each in pair) for pair in found]
    true, false = (
        body_graph(numbered(operand=parts.inputs), numbered(result=parts.fronts(branch, batched)))
        for branch in branches
    )
    operands = [operand.value for operand in call.operands]
    made = results(COND, operands, {"true": true, "false": false})
    return [Batched(x, flag) for x, flag in zip(made, batched, strict=True)]


def _chosen(call: Application, batch: Batch, branches: Sequence[Graph]) -> list[Batched]:
    predicate = call.value(0)
    found = []
    for branch in branches:
        known = dict(zip(branch.inputs, call.operands[1:], strict=True))
        roots = list(branch.outputs.values())
        found.append(_all(batch(roots, known, call.size, predicate.__leaf__), roots, call.size))
    return [
        Batched(where(_aligned(predicate, like.type.rank), one, other), True)
        for one, other, like in zip(*found, branches[0].outputs.values(), strict=True)
    ]


def _all(found: Sequence[Batched], likes: Sequence[Node], size: Size) -> list[Any]:
    """The values with the batch dim."""
    return [
        each.value if each.is_batched else expand(each.value, shape=_wide(like, size).shape)
        for each, like in zip(found, likes, strict=True)
    ]


def while_loop(call: Application, batch: Batch) -> list[Batched]:
    """A loop that goes on for as long as any example does; the others keep what they have."""
    loop = _WaitingLoop(call, batch, 0)
    attrs = {**call.attrs, **loop.graphs()}
    return [Batched(x, True) for x in results(WHILE_LOOP, loop.operands, attrs)]


def while_loop_gradient(call: Application, batch: Batch) -> list[Batched]:
    """The same loop, and back: the gradients of examples that waited wait, too."""
    loop = _WaitingLoop(call, batch, call.attrs["grads"])
    attrs = {**call.attrs, **loop.graphs(), "backward": loop.backward(call.attrs["backward"])}
    return [Batched(x, True) for x in results(WHILE_LOOP_GRADIENT, loop.operands, attrs)]


def with_gradient(call: Application, batch: Batch) -> list[Batched]:
    """The values, and their gradients; what the examples share gets the sum."""
    backward: Graph = call.attrs["backward"]
    first = call.attrs["values"]
    last = first + call.attrs["operands"]
    flags = [operand.is_batched for operand in call.operands]
    given = [*flags[last:], *flags[:first], *flags[:first]]
    parts = _Bodies(call, batch, backward.inputs, given)
    fronts = zip(parts.fronts(backward), flags[first:last], call.types[first:last], strict=True)
    found = [
        grad if flag else reshape(sum_(grad, dims=(0,)), shape=type.shape)
        for grad, flag, type in fronts
    ]
    read, values = parts.inputs[: len(flags) - last], parts.inputs[len(flags) - last :]
    names = numbered(read=read, value=values[:first], grad=values[first:])
    attrs = {**call.attrs, "backward": body_graph(names, numbered(grad=found))}
    made = results(WITH_GRADIENT, [operand.value for operand in call.operands], attrs)
    return [Batched(x, flag) for x, flag in zip(made, flags[:first], strict=True)]


class _WaitingLoop:
    """A while loop of all examples: what an example carries stays as it is once it is ready.

    Args:
        call: the loop, or its gradient.
        batch: the driver.
        grads: how many of the operands are gradients; they are the last ones.
    """

    def __init__(self, call: Application, batch: Batch, grads: int) -> None:
        self._attrs, self._size, self._grads = call.attrs, call.size, grads
        self._carries: int = call.attrs["carries"]
        self._first = len(call.operands) - grads
        flags = [
            call.is_batched(i) or not self._carries <= i < self._first
            for i in range(len(call.operands))
        ]
        self.operands = [call.front(i) if flag else call.value(i) for i, flag in enumerate(flags)]
        inputs = [placeholder(f"in{i}", type) for i, type in enumerate(call.types)]
        self._parts = _Bodies(call, batch, inputs, flags)
        (self._goes_on,) = self._parts.fronts(call.attrs["condition"])

    def graphs(self) -> dict[str, Graph]:
        """The condition and the body."""
        inputs = self._parts.inputs
        names = numbered(
            carry=inputs[: self._carries], captured=inputs[self._carries : self._first]
        )
        nexts = self._parts.fronts(self._attrs["body"])
        several = sum_(cast(self._goes_on, dtype=int64), dims=(0,))
        anybody = reshape(ne(several, scalar(several, 0)), shape=())
        return {
            "condition": body_graph(names, {"go_on": anybody}),
            "body": body_graph(names, numbered(carry=self._waiting(nexts, inputs))),
        }

    def backward(self, body: Graph) -> Graph:
        """What one step back gives."""
        inputs, made = self._parts.inputs, self._parts.fronts(body)
        going = self._waiting(made[: self._grads], inputs[self._first :])
        sums = made[self._grads :]
        names = numbered(
            carry=inputs[: self._carries], captured=inputs[self._carries : self._first],
            grad=inputs[self._first :],
        )  # fmt: skip
        more = self._waiting(sums, [zeros_like(x) for x in sums])
        return body_graph(names, numbered(grad=going, captured=more))

    def _waiting(self, after: Sequence[Node], before: Sequence[Node]) -> list[Node]:
        """The new values of examples that go on, and the old ones of the others."""
        return [
            where(_aligned(self._goes_on, new.type.rank - 1), new, old)
            for new, old in zip(after, before, strict=False)
        ]


def _aligned(decisions: Any, rank: int) -> Any:
    """One decision per example, to broadcast with examples of this rank."""
    size = decisions.type.shape[0]
    return reshape(decisions, shape=(size, *(1,) * rank)) if rank else decisions


CONTROL_RULES: Mapping[OpDef, ControlRule] = {
    SCAN: scan,
    COND: cond,
    WHILE_LOOP: while_loop,
    WHILE_LOOP_GRADIENT: while_loop_gradient,
    WITH_GRADIENT: with_gradient,
}
