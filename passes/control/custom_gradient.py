"""The gradient of ``with_gradient``: the one that is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.graph import Graph
from graphc.opdef import Call
from graphc.ops.bodies import computed
from graphc.passes.control.differentiation import Gradients, zeros


def with_gradient_gradient(call: Call, grads: Sequence[Any], gradients: Gradients) -> list[Any]:
    """Gradients of what the values were made of."""
    backward: Graph = call.attrs["backward"]
    first = call.attrs["values"]
    last = first + call.attrs["operands"]
    like = next(grad for grad in grads if grad is not None)
    arriving = [
        zeros(like, value.type) if grad is None else grad
        for value, grad in zip(call.output, grads, strict=True)
    ]
    given = [*call.inputs[last:], *call.output, *arriving]
    known = dict(zip(backward.inputs, given, strict=True))
    found = computed(list(backward.outputs.values()), known, like)
    return [*[None] * first, *found, *[None] * (len(call.inputs) - last)]
