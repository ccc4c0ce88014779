"""Memory that a caller gives for outputs must fit; and copies of memory with its layout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from graphc.addresses import address_range
from graphc.errors import FeedError
from graphc.graph import Graph
from graphc.runtime.sessions.bindings import Snapshot
from graphc.storage import Array


def given_outputs(
    graph: Graph, given: Mapping[str, Array], arrays: Iterable[Array], variables: Snapshot
) -> Mapping[str, Array]:
    """The caller's memory for outputs, by name.

    Args:
        graph: the program.
        given: what the caller gave.
        arrays: the inputs.
        variables: where the variables are.

    Raises:
        FeedError: if an array does not fit, or shares memory with others.
    """
    taken = [*map(address_range, arrays), *variables.ranges]
    for name, array in given.items():
        node = graph.outputs.get(name)
        if node is None:
            raise FeedError(f"out: the program has no output {name!r}")
        exact = array.shape == node.type.shape and array.dtype == node.type.dtype.numpy
        flags = array.flags
        if not (exact and flags.c_contiguous and flags.aligned and flags.writeable):
            raise FeedError(
                f"out: the array for {name!r} does not fit",
                got=f"{array.dtype}{list(array.shape)}",
                expected=f"a writable, C-contiguous {node.type}",
            )
        low, high = address_range(array)
        if any(low < stop and start < high for start, stop in taken):
            raise FeedError(
                f"out: the array for {name!r} shares memory with an input, a variable or another",
                fix="give it memory of its own",
            )
        taken.append((low, high))
    return given


def same_layout_copy(array: Array) -> Array:
    """A copy with the same strides, gaps included."""
    low, high = address_range(array)
    memory = np.empty(high - low, np.uint8)
    copy = np.ndarray(array.shape, array.dtype, memory, 0, array.strides)
    np.copyto(copy, array)
    return copy
