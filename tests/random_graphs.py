"""Random graphs with variables, updates and views, as hypothesis strategies."""

import math
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from graphc.dtypes import float32, float64
from graphc.graph import Graph
from graphc.node import Node, constant
from graphc.ops import elementwise as e
from graphc.ops.comparison import lt
from graphc.ops.fused import fused, item
from graphc.ops.index import index
from graphc.ops.leaf import iota, placeholder, variable
from graphc.ops.linalg import matmul
from graphc.ops.reduce import amax, sum_
from graphc.ops.select import cast, detach, where
from graphc.ops.shape import concat, expand, flip, pad, permute, reshape, slice_
from graphc.storage import Array, Storage
from graphc.types import TensorType

SHAPES = [(2, 3), (3, 2), (3,), (1, 3), (2, 1), (), (0, 3), (6,), (3, 3)]


@dataclass
class Program:
    """A graph and what one run of it takes."""

    graph: Graph
    feed: dict[str, Array]
    storages: list[Storage]


def softmax_kernel(x: Node) -> Node:
    """A fused node with two reductions and one full result."""
    a = placeholder("a0", x.type)
    dims = (x.type.rank - 1,)
    shifted = e.exp(e.sub(a, amax(a, dims=dims)))
    return fused((x,), Graph([a], {"r0": e.div(shifted, sum_(shifted, dims=dims))}))


def pair_kernel(x: Node, y: Node) -> tuple[Node, Node]:
    """A fused node with two full results that reads both operands for each."""
    a, b = placeholder("a0", x.type), placeholder("a1", y.type)
    both = fused((x, y), Graph([a, b], {"r0": e.add(a, b), "r1": e.mul(e.sub(a, b), a)}))
    return item(both, 0), item(both, 1)


def rows_kernel(x: Node, row: Node) -> tuple[Node, Node, Node]:
    """A fused node that sums rows, with two results like its second operand and a full one."""
    a, b = placeholder("a0", x.type), placeholder("a1", row.type)
    total = sum_(a, dims=(0,))
    spread = sum_(e.abs_(e.sub(a, total)), dims=(0,))
    results = {"r0": e.add(b, total), "r1": e.sub(spread, b), "r2": e.mul(a, spread)}
    kernel = fused((x, row), Graph([a, b], results))
    return item(kernel, 0), item(kernel, 1), item(kernel, 2)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Draw a program over float64 with a few inputs, variables, outputs and updates."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    feed: dict[str, Array] = {}
    storages: list[Storage] = []
    inputs: list[Node] = []
    variables: list[Node] = []
    for number in range(draw(st.integers(0, 2))):
        shape = draw(st.sampled_from(SHAPES))
        feed[f"x{number}"] = rng.standard_normal(shape)
        inputs.append(placeholder(f"x{number}", TensorType(shape, float64)))
    for number in range(draw(st.integers(1, 3))):
        shape = draw(st.sampled_from(SHAPES))
        storages.append(Storage(draw_layout(draw, rng, shape)))
        variables.append(variable(f"v{number}", TensorType(shape, float64), storages[-1]))
    pool = [*inputs, *variables, constant(rng.standard_normal((2, 3)))]
    pool.append(iota((2, 3), draw(st.integers(0, 1)), float64))
    for _ in range(draw(st.integers(0, 14))):
        pool += grow(draw, pool)
    updates = {}
    for node in variables:
        fitting = [one for one in pool if one.type == node.type]
        if draw(st.booleans()):
            updates[node] = draw(st.sampled_from(fitting))
    outputs = {f"y{n}": draw(st.sampled_from(pool)) for n in range(draw(st.integers(0, 4)))}
    return Program(Graph(inputs, outputs, updates), feed, storages)


def draw_layout(draw: st.DrawFn, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw values that lie contiguous, transposed, flipped or with gaps."""
    kind = draw(st.sampled_from(["plain", "plain", "transposed", "flipped", "gaps"]))
    if kind == "transposed":
        return rng.standard_normal(shape[::-1]).T
    if kind == "flipped" and shape:
        return rng.standard_normal(shape)[::-1]
    if kind == "gaps" and shape:
        return rng.standard_normal((*shape[:-1], 2 * shape[-1]))[..., ::2]
    return np.asarray(rng.standard_normal(shape))


def grow(draw: st.DrawFn, pool: list[Node]) -> list[Node]:
    """Draw one more operation on nodes of the pool; nothing if it does not fit."""
    x = draw(st.sampled_from(pool))
    alike = [one for one in pool if one.type == x.type]
    y = draw(st.sampled_from(alike))
    shape = x.type.static_shape
    rank = len(shape)
    kind = draw(st.sampled_from(KINDS))
    if kind == "binary":
        return [draw(st.sampled_from([e.add, e.sub, e.mul, e.maximum]))(x, y)]
    if kind == "unary":
        return [draw(st.sampled_from([e.neg, e.tanh, e.abs_, e.sin]))(x)]
    if kind == "narrow":
        return [cast(cast(x, dtype=float32), dtype=float64)]
    if kind == "where":
        return [where(lt(x, y), y, x)]
    if kind == "detach":
        return [detach(x)]
    if kind == "pair":
        return list(pair_kernel(x, y))
    if kind == "concat" and rank:
        dim = draw(st.integers(0, rank - 1))
        parts = [e.neg(x), reshape(e.tanh(reshape(y, shape=(math.prod(shape),))), shape=shape), x]
        return [concat(*draw(st.permutations(parts)), dim=dim)]
    if kind == "frame" and rank:
        low, high = ((draw(st.integers(0, 2)),) * rank for _ in range(2))
        return [pad(e.sin(x), low=low, high=high, interior=(0,) * rank, value=1.5)]
    if kind == "rows" and rank == 2 and 0 not in shape:
        fitting = [one for one in pool if one.type.shape in ((1, shape[1]), (shape[1],))]
        return [*rows_kernel(x, draw(st.sampled_from(fitting)))] if fitting else []
    if kind == "permute" and rank > 1:
        return [permute(x, dims=tuple(reversed(range(rank))))]
    if kind == "flip" and rank:
        return [flip(x, dims=(draw(st.integers(0, rank - 1)),))]
    if kind == "slice" and rank and shape[0] > 1:
        steps = (draw(st.integers(1, 2)), *(1,) * (rank - 1))
        return [slice_(x, starts=(1, *(0,) * (rank - 1)), stops=shape, steps=steps)]
    if kind == "expand":
        return [expand(x, shape=(2, *shape))] if rank < 3 else []
    if kind == "reshape":
        fitting = [other for other in SHAPES if math.prod(other) == math.prod(shape)]
        return [reshape(x, shape=draw(st.sampled_from(fitting)))] if fitting else []
    if kind == "sum" and rank:
        return [sum_(x, dims=(draw(st.integers(0, rank - 1)),))]
    if kind == "pad" and rank:
        return [pad(x, low=(1,) * rank, high=(0,) * rank, interior=(1,) * rank, value=0.5)]
    if kind == "matmul" and rank == 2:
        return [matmul(x, permute(y, dims=(1, 0)))]
    if kind == "index" and rank and shape[0]:
        return [index(x, constant(np.array([0, shape[0] - 1, 0])), dims=(0,))]
    if kind == "softmax" and rank and 0 not in shape:
        return [softmax_kernel(x)]
    return []


KINDS = """binary binary unary unary narrow where detach pair concat concat frame rows rows permute
flip slice expand reshape reshape sum pad matmul index softmax""".split()
