"""What gradient rules of loops and branches have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphc.graph import Graph
from graphc.node import Node
from graphc.opdef import Call, V
from graphc.ops.leaf import placeholder
from graphc.ops.select import scalar
from graphc.ops.shape import expand
from graphc.ordering import operands_first
from graphc.types import TensorType

Gradients = Callable[[Sequence[Node], Sequence["Node | None"], Sequence[Node]], "list[Node | None]"]
"""``graphc.passes.autodiff.gradients``, which knows these rules and so cannot be known by them."""

Rule = Callable[[Call, Sequence[Any], Gradients], "list[Any]"]
"""``rule(call, grads, gradients)``: one gradient or None per operand; results without one are None.

``call.output`` is a tuple. What the rule builds are operations in the operands' world.
"""


@dataclass(frozen=True)
class StepGradient:
    """The gradient of a loop's step, in nodes of its body.

    Attributes:
        carried: the carries whose gradients are carried backward.
        arriving: placeholders for the gradients of the outputs, by their position.
        found: the gradients of the body's inputs.
    """

    carried: tuple[int, ...]
    arriving: Mapping[int, Node]
    found: tuple[Node | None, ...]

    @classmethod
    def of(
        cls, body: Graph, carries: int, grads: Sequence[Any], unwanted: frozenset[int],
        gradients: Gradients,
    ) -> StepGradient:  # fmt: skip
        """Differentiate the body; what reaches a carry arrives at it from the step before, too.

        Args:
            body: the loop's body.
            carries: how many carries it has; they are its first inputs and outputs.
            grads: which gradients of outputs there are.
            unwanted: inputs whose gradients nobody reads.
            gradients: the driver.
        """
        inputs, outputs = body.inputs, list(body.outputs.values())
        wanted = [i for i in range(len(inputs)) if i < carries or i not in unwanted]
        arriving = seeds(outputs, (i for i, grad in enumerate(grads) if grad is not None))
        while True:
            made = gradients(
                [outputs[i] for i in arriving],
                list(arriving.values()),
                [inputs[i] for i in wanted],
            )
            found = dict(zip(wanted, made, strict=True))
            reached = [i for i in range(carries) if found[i] is not None and i not in arriving]
            if not reached:
                break
            arriving |= seeds(outputs, reached)
        carried = tuple(i for i in range(carries) if i in arriving)
        return cls(carried, arriving, tuple(found.get(i) for i in range(len(inputs))))

    def nexts(self) -> list[Node]:
        """The gradients of the carries that are carried backward, after the step back."""
        pairs = ((self.found[i], self.arriving[i]) for i in self.carried)
        return [zeros(like, like.type) if grad is None else grad for grad, like in pairs]


def zeros(like: V, type: TensorType) -> V:
    """Zeros of a type, in the world of ``like``."""
    zero = scalar(like, 0)
    if zero.type.dtype is not type.dtype:
        zero = like.__literal__(type.dtype.numpy.type(0))
    return expand(zero, shape=type.shape) if type.shape else zero


def seeds(outputs: Sequence[Node], wanted: Iterable[int]) -> dict[int, Node]:
    """Placeholders for the gradients of some outputs, by the outputs' positions."""
    return {i: placeholder(f"grad{i}", outputs[i].type) for i in wanted}


def used(roots: Sequence[Node], candidates: Sequence[Node]) -> list[int]:
    """The positions of the candidates that the roots read, not looking behind any of them."""
    known = set(candidates)
    order = operands_first(roots, lambda node: () if node in known else node.inputs)
    reached = set(order)
    return [position for position, node in enumerate(candidates) if node in reached]
