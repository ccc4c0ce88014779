"""What gradient rules of loops and branches have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

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


def zeros(like: V, type: TensorType) -> V:
    """Zeros of a type, in the world of ``like``."""
    zero = scalar(like, 0)
    if zero.type.dtype is not type.dtype:
        zero = like.__literal__(type.dtype.numpy.type(0))
    return expand(zero, shape=type.shape) if type.shape else zero


def seeds(name: str, outputs: Sequence[Node], wanted: Iterable[int]) -> dict[int, Node]:
    """Placeholders for the gradients of some outputs, by the outputs' positions."""
    return {i: placeholder(f"{name}{i}", outputs[i].type) for i in wanted}


def used(roots: Sequence[Node], candidates: Sequence[Node]) -> list[int]:
    """The positions of the candidates that the roots read, not looking behind any of them."""
    known = set(candidates)
    order = operands_first(roots, lambda node: () if node in known else node.inputs)
    reached = set(order)
    return [position for position, node in enumerate(candidates) if node in reached]
