"""The gradient of ``cond``: a branch of the branches' gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphc.graph import Graph
from graphc.node import Node
from graphc.opdef import Call
from graphc.ops.bodies import body_graph, numbered, results
from graphc.ops.control import COND
from graphc.passes.control.differentiation import Gradients, seeds, used, zeros


def cond_gradient(call: Call, grads: Sequence[Any], gradients: Gradients) -> list[Any]:
    """Gradients of the operands; the one that was chosen computes what it needs once more."""
    branches = [_Branch.of(call.attrs[name], call, grads, gradients) for name in ("true", "false")]
    every: list[Any] = [None] * len(call.inputs)
    reached = [i for i in range(len(every)) if any(i in each.found for each in branches)]
    if not reached:
        return every
    roots = [[each.gradient(i) for i in reached] for each in branches]
    inputs = [each.inputs for each in branches]
    needed = sorted({i for r, c in zip(roots, inputs, strict=True) for i in used(r, c)})
    operands = [*call.inputs[1:], *(grad for grad in grads if grad is not None)]
    true, false = (
        body_graph(numbered(operand=[c[i] for i in needed]), numbered(grad=r))
        for r, c in zip(roots, inputs, strict=True)
    )
    given = [call.inputs[0], *(operands[i] for i in needed)]
    made = results(COND, given, {"true": true, "false": false})
    for position, grad in zip(reached, made, strict=True):
        every[position] = grad
    return every


@dataclass(frozen=True)
class _Branch:
    """The gradient of one branch.

    Attributes:
        inputs: those of the branch, and placeholders for the gradients of its outputs.
        found: its gradients by the positions of the node's operands.
    """

    inputs: Sequence[Node]
    found: Mapping[int, Node]

    @classmethod
    def of(cls, branch: Graph, call: Call, grads: Sequence[Any], gradients: Gradients) -> _Branch:
        """Differentiate it by the operands that are wanted; the first one is the predicate."""
        outputs = list(branch.outputs.values())
        arriving = seeds(outputs, (i for i, grad in enumerate(grads) if grad is not None))
        wanted = [i for i in range(1, len(call.inputs)) if i not in call.unwanted]
        made = gradients(
            [outputs[i] for i in arriving],
            list(arriving.values()),
            [branch.inputs[i - 1] for i in wanted],
        )
        found = {i: grad for i, grad in zip(wanted, made, strict=True) if grad is not None}
        return cls([*branch.inputs, *arriving.values()], found)

    def gradient(self, position: int) -> Node:
        """The gradient of one operand; zeros if this branch does not use it."""
        like = self.inputs[position - 1]
        return self.found[position] if position in self.found else zeros(like, like.type)
