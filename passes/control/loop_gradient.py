"""The gradient of ``while_loop``: the loop once more, and as many steps back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.graph import Graph
from graphc.opdef import Call
from graphc.ops.bodies import body_graph, numbered, results
from graphc.ops.control import WHILE_LOOP_GRADIENT
from graphc.passes.control.differentiation import Gradients, StepGradient, zeros


def while_loop_gradient(call: Call, grads: Sequence[Any], gradients: Gradients) -> list[Any]:
    """Gradients of the first carries and of what is captured.

    How many steps there are is known only when they are over, so one operation does both ways.
    """
    body: Graph = call.attrs["body"]
    count: int = call.attrs["carries"]
    step = StepGradient.of(body, count, grads, call.unwanted, gradients)
    summed = {i: grad for i, grad in enumerate(step.found) if i >= count and grad is not None}
    arriving = [step.arriving[i] for i in step.carried]
    if not arriving:
        return [None] * len(call.inputs)
    backward = body_graph(
        numbered(carry=body.inputs[:count], captured=body.inputs[count:], grad=arriving),
        numbered(grad=step.nexts(), captured=summed.values()),
    )
    like = next(grad for grad in grads if grad is not None)
    starts = [
        zeros(like, node.type) if grads[i] is None else grads[i]
        for i, node in zip(step.carried, arriving, strict=True)
    ]
    attrs = {**call.attrs, "backward": backward, "grads": len(arriving)}
    made = results(WHILE_LOOP_GRADIENT, [*call.inputs, *starts], attrs)
    every: list[Any] = [None] * len(call.inputs)
    for position, grad in zip([*step.carried, *summed], made, strict=True):
        every[position] = grad
    return every
