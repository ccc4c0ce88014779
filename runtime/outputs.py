"""Memory for outputs: fresh, or the caller's, which must fit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from graphc.errors import FeedError
from graphc.graph import Graph
from graphc.runtime.bindings import Snapshot, address_range
from graphc.runtime.specialization import fresh_output
from graphc.storage import Array


def make_outputs(
    graph: Graph, out: Mapping[str, Array] | None, arrays: Mapping[str, Array], variables: Snapshot
) -> dict[str, Array]:
    """Memory for the outputs: fresh, or what the caller gave."""
    given = out or {}
    unknown = [name for name in given if name not in graph.outputs]
    if unknown:
        raise FeedError(f"out: the program has no output {unknown[0]!r}")
    outputs = {}
    taken = [*map(address_range, arrays.values()), *variables.ranges] if given else []
    for name, node in graph.outputs.items():
        array = given.get(name)
        if array is None:
            outputs[name] = fresh_output(node)
            continue
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
        outputs[name] = array
    return outputs


def same_layout_copy(array: Array) -> Array:
    """A copy with the same strides, gaps included."""
    low, high = address_range(array)
    memory = np.empty(high - low, np.uint8)
    copy = np.ndarray(array.shape, array.dtype, memory, 0, array.strides)
    np.copyto(copy, array)
    return copy
