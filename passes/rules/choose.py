"""One element chosen per row, and one written per row, as comparisons with the position.

``gather`` and ``scatter_add`` with one index per row touch memory in their own steps. As
comparisons they are elementwise, so that they join the kernels around them: a cross entropy and
its gradient read their logits once. What they check, the range of the index, stays a step of its
own: it reads the index out of a list of all positions, which raises just like them.
"""

from __future__ import annotations

import numpy as np

from graphc.dims import Size
from graphc.dtypes import INTEGER, DType, int32
from graphc.graph import has_trait
from graphc.node import Node, constant
from graphc.opdef import Trait
from graphc.ops.comparison import eq
from graphc.ops.elementwise import add, neg
from graphc.ops.index import gather, index, scatter_add
from graphc.ops.leaf import IOTA, iota
from graphc.ops.reduce import amax, sum_
from graphc.ops.select import cast, where
from graphc.ops.shape import reshape
from graphc.passes.layout import adds_units
from graphc.passes.pattern import Attr, as_pattern, is_uniform, uniform_value, var
from graphc.passes.rewrite import Rewrite, rule
from graphc.storage import Array

Ints = tuple[int, ...]

source = var("source")


def _reads_from_a_kernel(node: Node) -> bool:
    """True where a kernel computes what is read; others are better read at one place per row."""
    return node.op is gather and has_trait(node.inputs[0], Trait.ELEMENTWISE)


@rule(var("node", _reads_from_a_kernel))
def chosen_by_comparison(node: Node) -> Node | None:
    """gather(x, i) = amax(where(range == i, x, lowest)) where i has one position per row"""
    x, _ = node.inputs
    lowest = _lowest(x.type.dtype)
    if lowest is None or not _one_per_row(node):
        return None
    return amax(where(_is_at(node), x, constant(lowest)), dims=(node.attrs["dim"],))


def _writes_to_constant(node: Node) -> bool:
    return node.op is scatter_add and is_uniform(node.inputs[0])


@rule(var("node", _writes_to_constant))
def written_by_comparison(node: Node) -> Node | None:
    """scatter_add(c, i, s) = where(range == i, c + s, c) where i has one position per row"""
    x, position, values = node.inputs
    if not _one_per_row(node) or values.type.shape != position.type.shape:
        return None
    fill = constant(np.asarray(uniform_value(x), x.type.dtype.numpy))
    return where(_is_at(node), add(fill, values), fill)


def _is_checked_position(condition: Node) -> bool:
    """True for ``range == i`` whose ``i`` is known to be in the range."""
    if condition.op is not eq or condition.inputs[0].op is not IOTA:
        return False
    places, found = condition.inputs
    while found.op in (cast, reshape):
        found = found.inputs[0]
    size = places.type.shape[places.attrs["dim"]]
    return found.op is index and found.inputs[0] is _range(size, found.type.dtype)


chosen = where(var("condition", _is_checked_position), source, as_pattern(0.0))


@rule(sum_(chosen, dims=Attr("dims")))
def sum_of_one_place(condition: Node, source: Node, dims: Ints) -> Node | None:
    """sum(where(range == i, s, 0)) = s + 0 where i is in the range"""
    return _total(condition, source, dims)


@rule(sum_(-chosen, dims=Attr("dims")))
def sum_of_one_negative_place(condition: Node, source: Node, dims: Ints) -> Node | None:
    """sum(-where(range == i, s, 0)) = -s + 0 where i is in the range, as sums begin at 0"""
    return _total(condition, neg(source), dims)


def _total(condition: Node, values: Node, dims: Ints) -> Node | None:
    shape, place = condition.type.shape, condition.inputs[0].attrs["dim"]
    row = tuple(1 if dim == place else size for dim, size in enumerate(shape))
    if dims != (place,) or values.type.shape != row:
        return None
    return add(values, constant(np.zeros((), values.type.dtype.numpy)))


def _one_per_row(node: Node) -> bool:
    """True if a gather or scatter_add has one position per row, and all rows."""
    x, position = node.inputs[0].type, node.inputs[1].type
    dim, limit = node.attrs["dim"], np.iinfo(np.int32).max
    row = tuple(1 if axis == dim else size for axis, size in enumerate(x.shape))
    return x.is_static and position.shape == row and 0 < x.static_shape[dim] <= limit


def _is_at(node: Node) -> Node:
    """Where the place along the dim is the position, which is checked to be in range."""
    x, position = node.inputs[0].type, node.inputs[1]
    narrow = position
    while adds_units(narrow):
        narrow = narrow.inputs[0]
    dim = node.attrs["dim"]
    places = _range(x.shape[dim], position.type.dtype)
    what = {name: value for name, value in node.attrs.items() if name != "dim"}
    checked = index(places, narrow, dims=(0,), **what)
    if narrow is not position:
        checked = reshape(checked, shape=position.type.shape)
    return eq(iota(x.static_shape, dim, int32), cast(checked, dtype=int32))


def _range(size: Size, dtype: DType) -> Node:
    return iota((size,), 0, dtype)


def _lowest(dtype: DType) -> Array | None:
    """What no value of the type is less than; None where ``amax`` does not keep every bit."""
    if dtype.is_floating_point:
        return np.asarray(-np.inf, dtype.numpy)
    return np.asarray(np.iinfo(dtype.numpy).min, dtype.numpy) if dtype.category == INTEGER else None


CHOOSE_RULES = (
    chosen_by_comparison, written_by_comparison, sum_of_one_place, sum_of_one_negative_place,
)  # fmt: skip

CHOOSE = Rewrite("choose", CHOOSE_RULES)
