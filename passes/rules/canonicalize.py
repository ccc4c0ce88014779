"""One form for what can be written in several: neutral operands, views of views, double casts."""

from __future__ import annotations

from graphc.dims import Shape
from graphc.dtypes import DType
from graphc.graph import has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.ops.comparison import bitwise_not, logical_not
from graphc.ops.elementwise import add, neg, power, sub
from graphc.ops.linalg import as_rows, linear, matmul, swap_last
from graphc.ops.select import cast, detach, where
from graphc.ops.shape import concat, expand, flip, pad, permute, reshape, slice_
from graphc.passes.layout import moves_only_units, without_units
from graphc.passes.pattern import Attr, as_pattern, var
from graphc.passes.rewrite import Rewrite, rule
from graphc.passes.rules.operands import casts_merge
from graphc.passes.rules.windows import padding_apart
from graphc.rebuild import with_inputs
from graphc.shapes import broadcast_shapes, is_static

Ints = tuple[int, ...]

x, a, b = var("x"), var("a"), var("b")
condition = var("condition")


@rule(x * 1)
def times_one(x: Node) -> Node:
    """x * 1 = x"""
    return x


@rule(x / 1)
def over_one(x: Node) -> Node:
    """x / 1 = x"""
    return x


@rule(x - 0.0)
def minus_zero(x: Node) -> Node:
    """x - 0.0 = x; not for -0.0, where -0.0 - -0.0 is 0.0"""
    return x


@rule(x + -0.0)
def plus_negative_zero(x: Node) -> Node:
    """x + -0.0 = x; for floats not with 0.0, where -0.0 + 0.0 is 0.0"""
    return x


@rule(neg(neg(x)))
def double_negation(x: Node) -> Node:
    """-(-x) = x"""
    return x


@rule(a - (-b))
def minus_negative(a: Node, b: Node) -> Node:
    """a - (-b) = a + b"""
    return add(a, b)


@rule(a + (-b))
def plus_negative(a: Node, b: Node) -> Node:
    """a + (-b) = a - b"""
    return sub(a, b)


@rule(logical_not(logical_not(x)))
def double_not(x: Node) -> Node:
    """not not x = x"""
    return x


@rule(bitwise_not(bitwise_not(x)))
def double_bitwise_not(x: Node) -> Node:
    """~~x = x"""
    return x


@rule(where(as_pattern(1), a, b))
def where_true(a: Node, b: Node) -> Node:
    """where(True, a, b) = a"""
    return a


@rule(where(as_pattern(0), a, b))
def where_false(a: Node, b: Node) -> Node:
    """where(False, a, b) = b"""
    return b


@rule(where(condition, x, x))
def where_same(condition: Node, x: Node) -> Node:
    """where(c, x, x) = x"""
    return x


@rule(where(logical_not(condition), a, b))
def where_not(condition: Node, a: Node, b: Node) -> Node:
    """where(not c, a, b) = where(c, b, a)"""
    return where(condition, b, a)


@rule(cast(x, dtype=Attr("target")))
def cast_to_same(x: Node, target: DType) -> Node | None:
    """cast(x, x.dtype) = x"""
    return x if target is x.type.dtype else None


@rule(cast(cast(x, dtype=Attr("middle")), dtype=Attr("target")))
def cast_through_wider(x: Node, middle: DType, target: DType) -> Node | None:
    """cast(cast(x, wider), target) = cast(x, target)"""
    return cast(x, dtype=target) if casts_merge(x.type.dtype, middle, target) else None


@rule(detach(x), keeps_strides=True)
def drop_detach(x: Node) -> Node:
    """detach(x) = x, as gradients are built by now"""
    return x


@rule(linear(x, var("weight")))
def linear_as_matmul(x: Node, weight: Node) -> Node:
    """linear(x, w) = matmul(rows of x, transposed w)"""
    product = matmul(as_rows(x), swap_last(weight))
    return reshape(product, shape=(*x.type.shape[:-1], weight.type.shape[0]))


@rule(permute(permute(x, dims=Attr("first")), dims=Attr("second")), keeps_strides=True)
def merge_permutes(x: Node, first: Ints, second: Ints) -> Node:
    """permute(permute(x, p), q) = permute(x, p[q])"""
    return permute(x, dims=tuple(first[dim] for dim in second))


@rule(permute(x, dims=Attr("dims")), keeps_strides=True)
def idle_permute(x: Node, dims: Ints) -> Node | None:
    """permute(x, (0, 1, ...)) = x"""
    return x if dims == tuple(range(len(dims))) else None


@rule(permute(x, dims=Attr("dims")), keeps_strides=True)
def permute_of_units(x: Node, dims: Ints) -> Node | None:
    """permute(x, dims) = reshape(x) where only dims of size 1 move"""
    shape = x.type.shape
    idle = dims == tuple(range(len(dims)))
    if idle or not moves_only_units(shape, dims):
        return None
    return reshape(x, shape=tuple(shape[dim] for dim in dims))


@rule(reshape(reshape(x, shape=Attr("first")), shape=Attr("shape")))
def merge_reshapes(x: Node, first: Shape, shape: Shape) -> Node:
    """reshape(reshape(x, s), t) = reshape(x, t)"""
    return reshape(x, shape=shape)


@rule(reshape(x, shape=Attr("shape")), keeps_strides=True)
def idle_reshape(x: Node, shape: Shape) -> Node | None:
    """reshape(x, x.shape) = x"""
    return x if shape == x.type.shape else None


@rule(expand(expand(x, shape=Attr("first")), shape=Attr("shape")), keeps_strides=True)
def merge_expands(x: Node, first: Shape, shape: Shape) -> Node:
    """expand(expand(x, s), t) = expand(x, t)"""
    return expand(x, shape=shape)


@rule(expand(x, shape=Attr("shape")), keeps_strides=True)
def idle_expand(x: Node, shape: Shape) -> Node | None:
    """expand(x, x.shape) = x; with new dims of size 1 only it is a reshape"""
    if shape == x.type.shape:
        return x
    same = without_units(shape) == without_units(x.type.shape)
    return reshape(x, shape=shape) if same else None


@rule(flip(flip(x, dims=Attr("first")), dims=Attr("second")), keeps_strides=True)
def merge_flips(x: Node, first: Ints, second: Ints) -> Node:
    """flip(flip(x, p), q) = flip(x, p xor q)"""
    dims = tuple(sorted(set(first) ^ set(second)))
    return flip(x, dims=dims) if dims else x


@rule(
    slice_(x, starts=Attr("starts"), stops=Attr("stops"), steps=Attr("steps")), keeps_strides=True
)
def slice_of_all(x: Node, starts: Shape, stops: Shape, steps: Ints) -> Node | None:
    """x[0:size:1] = x"""
    whole = all(step == 1 for step in steps) and all(start == 0 for start in starts)
    return x if whole and stops == x.type.shape else None


@rule(
    slice_(
        slice_(x, starts=Attr("starts"), stops=Attr("stops"), steps=Attr("steps")),
        starts=Attr("inner_starts"),
        stops=Attr("inner_stops"),
        steps=Attr("inner_steps"),
    ),
    keeps_strides=True,
)
def merge_slices(
    x: Node,
    starts: Shape,
    stops: Shape,
    steps: Ints,
    inner_starts: Shape,
    inner_stops: Shape,
    inner_steps: Ints,
) -> Node | None:
    """x[a:b:s][c:d:t] = x[a + c*s : ... : s*t]"""
    if not all(is_static(bounds) for bounds in (starts, stops, inner_starts, inner_stops)):
        return None
    outer = zip(map(int, starts), steps, strict=True)
    inner = zip(map(int, inner_starts), map(int, inner_stops), inner_steps, strict=True)
    bounds = [
        _bounds(range(start, start + stop2 * step, step)[start2:stop2:step2])
        for (start, step), (start2, stop2, step2) in zip(outer, inner, strict=True)
    ]
    starts, stops, steps = zip(*bounds, strict=True)
    return slice_(x, starts=starts, stops=stops, steps=steps)


def _bounds(places: range) -> tuple[int, int, int]:
    """Start, stop and step of a slice that reads these places."""
    return (places.start, places[-1] + 1, places.step) if places else (0, 0, places.step)


@rule(pad(x, low=Attr("low"), high=Attr("high"), interior=Attr("interior")))
def pad_by_nothing(x: Node, low: Shape, high: Shape, interior: Ints) -> Node | None:
    """pad(x, 0, 0) = x"""
    return x if all(amount == 0 for amount in (*low, *high, *interior)) else None


@rule(concat(x))
def concat_of_one(x: Node) -> Node:
    """concat([x]) = x"""
    return x


def _broadcasts_an_operand(node: Node) -> bool:
    """True for all but ``pow``, which numpy computes differently for a broadcast exponent."""
    if not has_trait(node, Trait.ELEMENTWISE) or node.op is power or len(node.inputs) < 2:
        return False
    return any(_without_broadcast(each) is not each for each in node.inputs)


def _without_broadcast(operand: Node) -> Node:
    """The operand without a broadcast, and without leading dims of size 1 from a reshape."""
    while operand.op is expand or adds_leading_units(operand):
        operand = operand.inputs[0]
    return operand


def adds_leading_units(node: Node) -> bool:
    """True for a reshape that adds dims of size 1 in front and does nothing else."""
    if node.op is not reshape:
        return False
    shape, inner = node.type.shape, node.inputs[0].type.shape
    lead = len(shape) - len(inner)
    return lead > 0 and shape == (*(1,) * lead, *inner)


@rule(var("node", _broadcasts_an_operand))
def implicit_broadcast(node: Node) -> Node | None:
    """f(expand(x), y) = f(x, y) where y broadcasts x just so"""
    inputs = list(node.inputs)
    for position, operand in enumerate(inputs):
        inputs[position] = _without_broadcast(operand)
        shapes = [each.type.shape for each in inputs]
        if broadcast_shapes(*shapes) != node.type.shape:
            inputs[position] = operand
    return with_inputs(node, tuple(inputs)) if tuple(inputs) != node.inputs else None


CANONICAL_RULES = (
    times_one, over_one, minus_zero, plus_negative_zero,
    double_negation, minus_negative, plus_negative, double_not, double_bitwise_not,
    where_true, where_false, where_same, where_not,
    cast_to_same, cast_through_wider,
    drop_detach, linear_as_matmul, idle_permute, permute_of_units, merge_permutes,
    idle_reshape, merge_reshapes,
    idle_expand, merge_expands, merge_flips, slice_of_all, merge_slices,
    pad_by_nothing, concat_of_one, implicit_broadcast, padding_apart,
)  # fmt: skip

CANONICALIZE = Rewrite("canonicalize", CANONICAL_RULES, ensures=("no detach", "no linear"))
