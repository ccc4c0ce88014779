"""Whether numpy would hold a value in C order.

Numpy's functions round differently for strided operands (``exp`` backwards, ``matmul`` of a
transposed matrix, ``pow`` with a broadcast exponent). A change that keeps every bit therefore
keeps strides, too: it replaces C-contiguous values by such values, or a view by an equal view.
"""

from __future__ import annotations

from graphc.dims import Shape
from graphc.graph import has_trait
from graphc.node import CONSTANT, Node
from graphc.opdef import Trait
from graphc.ops.select import detach
from graphc.ops.shape import expand, permute, reshape


def is_contiguous(node: Node) -> bool:
    """True if the value certainly lies in C order when it is computed by ``OpDef.eval``.

    Placeholders and variables count as contiguous: sessions hold them so.
    """
    while has_trait(node, Trait.VIEW):
        if not _keeps_order(node):
            return False
        node = node.inputs[0]
    return node.op is not CONSTANT or bool(node.attrs["value"].array.flags.c_contiguous)


def _keeps_order(view: Node) -> bool:
    """True if this view of a contiguous value is contiguous."""
    operand = view.inputs[0]
    if view.op in (reshape, detach) or view.type.shape == operand.type.shape == ():
        return True
    if view.op is expand:
        return without_units(view.type.shape) == without_units(operand.type.shape)
    return view.op is permute and moves_only_units(operand.type.shape, view.attrs["dims"])


def without_units(shape: Shape) -> Shape:
    """The shape without its dims of size 1."""
    return tuple(size for size in shape if not is_unit(size))


def adds_units(node: Node) -> bool:
    """True for a reshape that adds dims of size 1 and does nothing else."""
    return node.op is reshape and _added_dims(node) > 0 and _changes_only_units(node)


def drops_units(node: Node) -> bool:
    """True for a reshape that drops dims of size 1 and does nothing else."""
    return node.op is reshape and _added_dims(node) < 0 and _changes_only_units(node)


def _added_dims(view: Node) -> int:
    return len(view.type.shape) - len(view.inputs[0].type.shape)


def _changes_only_units(view: Node) -> bool:
    return without_units(view.type.shape) == without_units(view.inputs[0].type.shape)


def is_unit(size: object) -> bool:
    """True for the literal size 1; an unknown size is not."""
    return isinstance(size, int) and size == 1


def moves_only_units(shape: Shape, dims: tuple[int, ...]) -> bool:
    """True if a permutation keeps the order of all dims that are not of size 1."""
    kept = [dim for dim in dims if not is_unit(shape[dim])]
    return kept == sorted(kept)
