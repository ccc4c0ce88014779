"""Move split leading dims behind elementwise operations and reductions of rows.

A product of rows of any rank is a product of matrices between two reshapes. What follows, bias,
activation, residual, normalization, treats all rows alike: moved behind it, the second reshape
meets the first one of the next product, and nothing stands between a product and its readers.
"""

from __future__ import annotations

import math

from graphc.dims import Shape
from graphc.graph import has_trait
from graphc.node import Node, make_node
from graphc.opdef import Trait
from graphc.ops.reduce import sum_
from graphc.ops.shape import reshape
from graphc.passes.layout import adds_units, is_contiguous, is_unit
from graphc.passes.pattern import var
from graphc.passes.rewrite import rule
from graphc.rebuild import with_inputs
from graphc.shapes import is_static

Sizes = tuple[int, ...]


def _splits_leading_dims(node: Node) -> bool:
    """True for a reshape that makes more dims, keeps the last one, and may be moved at no cost."""
    if node.op is not reshape or adds_units(node) or not is_contiguous(node):
        return False
    shape, inner = node.type.shape, node.inputs[0].type.shape
    return len(shape) > len(inner) > 0 and is_static(shape) and shape[-1] == inner[-1]


def _is_map_of_split_rows(node: Node) -> bool:
    return any(map(_splits_leading_dims, node.inputs)) and has_trait(node, Trait.ELEMENTWISE)


@rule(var("node", _is_map_of_split_rows))
def split_after_map(node: Node) -> Node | None:
    """f(reshape(x), y) = reshape(f(x, reshape(y))) where the reshape splits leading dims"""
    shape = node.type.shape
    for split in filter(_splits_leading_dims, node.inputs):
        merged = split.inputs[0].type.static_shape
        groups = _groups(split.type.static_shape, merged)
        if split.type.shape != shape or groups is None:
            continue
        inputs = [_merged(each, split.type.static_shape, groups) for each in node.inputs]
        found = tuple(each for each in inputs if each is not None)
        if len(found) == len(inputs):
            return reshape(with_inputs(node, found), shape=shape)
    return None


def _folds_split_rows(node: Node) -> bool:
    return has_trait(node, Trait.REDUCE) and _splits_leading_dims(node.inputs[0])


@rule(var("node", _folds_split_rows))
def split_after_reduction(node: Node) -> Node | None:
    """reduce(reshape(x)) = reshape(reduce(x)) over the last dim, which the reshape keeps

    Sums may also run over all the dims that one dim was split into: they merge such dims.
    """
    (split,), dims = node.inputs, node.attrs["dims"]
    (x,), last = split.inputs, len(split.type.shape) - 1
    groups = _groups(split.type.static_shape, x.type.static_shape)
    if groups is None or not (dims == (last,) or node.op is sum_):
        return None
    if any(set(group) & set(dims) and not set(group) <= set(dims) for group in groups):
        return None
    merged = tuple(dim for dim, group in enumerate(groups) if set(group) <= set(dims))
    folded = make_node(node.op, (x,), {**node.attrs, "dims": merged})
    return reshape(folded, shape=node.type.shape)


def _groups(shape: Sizes, merged: Sizes) -> tuple[Sizes, ...] | None:
    """Which dims of ``shape`` each dim of ``merged`` stands for; None if it is no such merge."""
    groups: list[Sizes] = []
    start = 0
    for size in merged:
        stop = start + 1
        while stop < len(shape) and math.prod(shape[start:stop]) < size:
            stop += 1
        if math.prod(shape[start:stop]) != size:
            return None
        groups.append(tuple(range(start, stop)))
        start = stop
    return tuple(groups) if start == len(shape) else None


def _merged(operand: Node, shape: Sizes, groups: tuple[Sizes, ...]) -> Node | None:
    """An operand that broadcasts to ``shape``, with dims merged; None if that would copy it."""
    own = operand.type.shape
    padded: Shape = (*(1,) * (len(shape) - len(own)), *own)
    sizes: list[int] = []
    for group in groups:
        if all(is_unit(padded[dim]) for dim in group):
            sizes.append(1)
        elif all(padded[dim] == shape[dim] for dim in group):
            sizes.append(math.prod(shape[dim] for dim in group))
        else:
            return None
    while sizes and sizes[0] == 1 and len(sizes) > min(len(own), 1):
        del sizes[0]
    target = tuple(sizes)
    if target == own:
        return operand
    return reshape(operand, shape=target) if is_contiguous(operand) else None
