"""Move dropped dims of size 1 behind elementwise operations, so that fusion sees one space.

``sum(x, keepdim=False)`` is a reduction and a reshape. What follows the reshape loops over the
same rows as the reduction, but has lost a dim; moved behind it, the reshape is in nobody's way.
"""

from __future__ import annotations

from graphc.dims import Shape
from graphc.graph import has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.ops.shape import reshape
from graphc.passes.layout import is_unit, without_units
from graphc.passes.pattern import var
from graphc.passes.rewrite import Rewrite, rule
from graphc.passes.rules.canonicalize import CANONICAL_RULES
from graphc.rebuild import with_inputs


def _drops_units(node: Node) -> bool:
    if node.op is not reshape:
        return False
    shape, inner = node.type.shape, node.inputs[0].type.shape
    return len(shape) < len(inner) and without_units(shape) == without_units(inner)


def _has_dropped_operand(node: Node) -> bool:
    return has_trait(node, Trait.ELEMENTWISE) and any(map(_drops_units, node.inputs))


@rule(var("node", _has_dropped_operand))
def reshape_later(node: Node) -> Node | None:
    """f(reshape(x), y) = reshape(f(x, reshape(y))) where the reshape drops dims of size 1"""
    shape = node.type.shape
    for dropped in filter(_drops_units, node.inputs):
        if dropped.type.shape != shape:
            continue
        wide = dropped.inputs[0].type.shape
        inputs = tuple(_widened(each, shape, wide) for each in node.inputs)
        return reshape(with_inputs(node, inputs), shape=shape)
    return None


def _widened(operand: Node, shape: Shape, wide: Shape) -> Node:
    """An operand that broadcasts to ``shape``, with the dims that ``wide`` has in addition."""
    if _drops_units(operand) and operand.inputs[0].type.shape == wide:
        return operand.inputs[0]
    own = operand.type.shape
    padded = (*(1,) * (len(shape) - len(own)), *own)
    kept = iter([size for size, full in zip(padded, shape, strict=True) if not is_unit(full)])
    target = tuple(1 if is_unit(size) else next(kept) for size in wide)
    lead = 0
    while lead < len(target) and len(target) - lead > len(own) and is_unit(target[lead]):
        lead += 1
    target = target[lead:]
    return operand if target == own else reshape(operand, shape=target)


ALIGN = Rewrite("align", (reshape_later, *CANONICAL_RULES))
