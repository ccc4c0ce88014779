"""Constant folding: what depends on constants only is computed now."""

from __future__ import annotations

from graphc.errors import GraphcError
from graphc.evaluate import evaluate_nodes
from graphc.graph import has_trait
from graphc.node import CONSTANT, Node, constant
from graphc.opdef import Trait
from graphc.ops.leaf import IOTA
from graphc.ops.shape import expand
from graphc.passes.pattern import var
from graphc.passes.rewrite import Refusal, Rewrite, rule
from graphc.types import TensorType

LIMIT = 16384
"""Bytes of a folded constant; larger ones cost more memory than their computation costs time."""

_UNFOLDED = Trait.LEAF | Trait.RANDOM | Trait.OPAQUE


def _is_known(node: Node) -> bool:
    """True for constants, and for ranges and broadcast constants, which are never stored."""
    while node.op is expand:
        node = node.inputs[0]
    return node.op is CONSTANT or node.op is IOTA


def _is_foldable(node: Node) -> bool:
    if has_trait(node, _UNFOLDED) or _is_known(node):
        return False
    kind = node.result_type
    static = isinstance(kind, TensorType) and kind.is_static
    return static and all(_is_known(each) and each.type.is_static for each in node.inputs)


@rule(var("node", _is_foldable), keeps_strides=True)
def fold_constants(node: Node) -> Node | Refusal:
    """f(constants) = constant"""
    needed = max(each.type.nbytes for each in (node, *node.inputs))
    if needed > LIMIT:
        return Refusal(f"the constant would have more than {LIMIT} bytes")
    try:
        return constant(evaluate_nodes((node,), {})[node])
    except GraphcError as error:
        return Refusal(f"computing it raises {type(error).__name__}")


FOLD = Rewrite("fold", (fold_constants,))
