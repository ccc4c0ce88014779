"""Keep dims of size 1 where kernels are, so that fusion sees one space.

``sum(x, keepdim=False)`` is a reduction and a reshape. What follows the reshape loops over the
same rows as the reduction, but has lost a dim; moved behind it, the reshape is in nobody's way.
So is a reshape that adds dims of size 1 once it is moved before what it follows.
"""

from __future__ import annotations

from graphc.dims import Shape
from graphc.evaluate import evaluate_nodes
from graphc.graph import has_trait
from graphc.node import CONSTANT, Node, constant
from graphc.opdef import Trait
from graphc.ops.reduce import sum_
from graphc.ops.shape import reshape
from graphc.passes.layout import adds_units, drops_units, is_unit
from graphc.passes.pattern import Attr, var
from graphc.passes.rewrite import Rewrite, rule
from graphc.passes.rules.canonicalize import CANONICAL_RULES, adds_leading_units
from graphc.passes.rules.merge_dims import split_after_map, split_after_reduction
from graphc.rebuild import with_inputs


def _has_dropped_operand(node: Node) -> bool:
    return any(map(drops_units, node.inputs)) and has_trait(node, Trait.ELEMENTWISE)


@rule(var("node", _has_dropped_operand))
def reshape_later(node: Node) -> Node | None:
    """f(reshape(x), y) = reshape(f(x, reshape(y))) where the reshape drops dims of size 1"""
    shape = node.type.shape
    for dropped in filter(drops_units, node.inputs):
        if dropped.type.shape != shape:
            continue
        wide = dropped.inputs[0].type.shape
        inputs = tuple(_widened(each, shape, wide) for each in node.inputs)
        return reshape(with_inputs(node, inputs), shape=shape)
    return None


def _widened(operand: Node, shape: Shape, wide: Shape) -> Node:
    """An operand that broadcasts to ``shape``, with the dims that ``wide`` has in addition."""
    if drops_units(operand) and operand.inputs[0].type.shape == wide:
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


def _is_light_work_that_gains_a_dim(node: Node) -> bool:
    """True for added dims of size 1 behind what costs less than to load it once more.

    Leading ones are free where they are.
    """
    if not adds_units(node) or adds_leading_units(node):
        return False
    work = node.inputs[0]
    return has_trait(work, Trait.ELEMENTWISE) and not has_trait(work, Trait.COSTLY)


@rule(var("node", _is_light_work_that_gains_a_dim))
def reshape_earlier(node: Node) -> Node | None:
    """reshape(f(x, y)) = f(reshape(x), reshape(y)) where the reshape adds dims of size 1"""
    (work,) = node.inputs
    shape, wide = work.type.shape, node.type.shape
    inputs = tuple(_widened(each, shape, wide) for each in work.inputs)
    made = with_inputs(work, inputs)
    return made if made.type.shape == wide else None


@rule(sum_(var("x", drops_units), dims=Attr("dims")))
def sum_before_reshape(x: Node, dims: tuple[int, ...]) -> Node | None:
    """sum(reshape(x)) = reshape(sum(x)) over all dims, where the reshape drops dims of size 1"""
    (wide,) = x.inputs
    if len(dims) != len(x.type.shape):
        return None
    total = sum_(wide, dims=tuple(range(len(wide.type.shape))))
    return reshape(total, shape=(1,) * len(dims))


def _is_reshaped_constant(node: Node) -> bool:
    return node.op is reshape and node.inputs[0].op is CONSTANT


@rule(var("node", _is_reshaped_constant), keeps_strides=True)
def reshape_constant(node: Node) -> Node:
    """reshape(constant) = constant: a reshape that was moved is folded before another round"""
    return constant(evaluate_nodes((node,), {})[node])


ALIGN_RULES = (
    reshape_later, reshape_earlier, sum_before_reshape, split_after_map, split_after_reduction,
    reshape_constant,
)  # fmt: skip

ALIGN = Rewrite("align", (*ALIGN_RULES, *CANONICAL_RULES))
