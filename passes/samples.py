"""Sample inputs for a graph, made from its types: the same ones on every run."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping

import numpy as np

from graphc.dtypes import BOOLEAN, INTEGER
from graphc.errors import GraphcError
from graphc.graph import Graph, bodies_of, has_trait, topological
from graphc.node import Node
from graphc.opdef import Trait
from graphc.rebuild import bind_dims
from graphc.storage import Array

SIZES = (4, 6, 12, 5, 1)
"""Values that unknown sizes get, the first that fits all shapes."""

SPECIAL = (0.0, -0.0, np.nan, np.inf, -np.inf, 1.0, -1.0, 0.5, 1e-40, -1e30)


def sample_sizes(graph: Graph) -> Mapping[str, int] | None:
    """A value for each unknown size with which all shapes fit; None if none was found."""
    names = sorted({name for node in graph.inputs for name in _names(node)})
    for size in SIZES:
        sizes = dict.fromkeys(names, size)
        try:
            bind_dims(graph, sizes)
        except GraphcError:
            continue
        return sizes
    return None


def sample_feeds(graph: Graph) -> Iterator[dict[str, Array]]:
    """Ordinary numbers first, then numbers with NaN, infinity and signed zeros among them.

    Args:
        graph: a program without unknown sizes.
    """
    limit = _index_limit(graph)
    for special in (False, True):
        yield {node.attrs["name"]: _sample(node, special, limit) for node in graph.inputs}


def _names(node: Node) -> frozenset[str]:
    return frozenset().union(*(size.names for size in node.type.shape if not isinstance(size, int)))


def _index_limit(graph: Graph) -> dict[Node, int]:
    """For inputs that are used as positions, a size that they must stay below."""
    limits: dict[Node, int] = {}
    for node in graph.nodes:
        sizes = _indexed_sizes(node)
        if not sizes:
            continue
        for leaf in topological(node.inputs):
            if has_trait(leaf, Trait.LEAF) and leaf.type.dtype.category == INTEGER:
                limits[leaf] = min([limits.get(leaf, 127), *sizes])
    return limits


def _indexed_sizes(node: Node) -> list[int]:
    """The sizes that indices may have to be below, in a node or the graphs inside it."""
    inside = [
        size for body in bodies_of(node) for each in body.nodes for size in _indexed_sizes(each)
    ]
    if not has_trait(node, Trait.FALLIBLE):
        return inside
    return inside + [size for each in (node, *node.inputs) for size in each.type.static_shape]


def _sample(node: Node, special: bool, limits: Mapping[Node, int]) -> Array:
    dtype, shape = node.type.dtype, node.type.static_shape
    random = np.random.default_rng(zlib.crc32(node.attrs["name"].encode()))
    if dtype.category == BOOLEAN:
        return random.integers(0, 2, shape).astype(np.bool_)
    if dtype.category == INTEGER:
        if node in limits:
            return random.integers(0, max(limits[node], 1), shape).astype(dtype.numpy)
        values = random.integers(0, 10, shape).astype(dtype.numpy)
        info = np.iinfo(dtype.numpy)
        return _with_special(values, (info.min, info.max)) if special else values
    with np.errstate(all="ignore"):
        values = random.standard_normal(shape).astype(dtype.numpy)
        return _with_special(values, SPECIAL) if special else values


def _with_special(values: Array, special: tuple[float, ...]) -> Array:
    """Put a special value in every third place."""
    flat = values.reshape(-1)
    places = np.arange(0, flat.size, 3)
    flat[places] = np.resize(np.asarray(special).astype(values.dtype), places.size)
    return flat.reshape(values.shape)
