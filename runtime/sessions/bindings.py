"""Variables at run time: where their memory is, and which of them a plan may use directly."""

from __future__ import annotations

import bisect
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from graphc.addresses import Range, address_range
from graphc.errors import SessionError
from graphc.graph import Graph
from graphc.node import Node
from graphc.provenance import describe
from graphc.runtime.layout import Layout, array_layout, base_of, is_contiguous
from graphc.storage import Array, Source, Storage, Version


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The memory of all variables, good until a storage gets another array.

    Args:
        bases: base arrays of the variables whose memory the plan may use as it is.
        layouts: where their elements lie, for those that are not C-contiguous.
        staged: the others (host values, unaligned or overlapping memory): each run works on
            fresh copies, and writes updates back when it is over.
        ranges: the address ranges of all variables.
        written: those of the variables that are written directly, ascending.
        sources: the storages, and the arrays that they had.
        key: equal for snapshots that the same plan fits.
    """

    bases: Mapping[Node, Array]
    layouts: Mapping[Node, Layout]
    staged: frozenset[Node]
    ranges: Sequence[Range]
    written: Sequence[Range]
    sources: Sequence[tuple[Storage, Array]]
    key: tuple[object, ...]

    def may_change(self, array: Array) -> bool:
        """True if a run writes memory that this array shares."""
        if not self.written or not array.size:
            return False
        low, high = address_range(array)
        before = bisect.bisect_left(self.written, (high, high)) - 1
        return before >= 0 and self.written[before][1] > low


class Variables:
    """The variables of one graph.

    Args:
        graph: the program, as the user made it.

    Raises:
        SessionError: if an update goes to something that cannot be written.
    """

    def __init__(self, graph: Graph) -> None:
        self.updated = frozenset(graph.updates)
        self._nodes = graph.variables
        self._storages = {
            node: node.attrs["source"]
            for node in self._nodes
            if isinstance(node.attrs["source"], Storage)
        }
        for node in graph.updates:
            if node not in self._storages:
                raise SessionError(
                    f"variable {node.attrs['name']!r} is a host value, so it cannot be updated",
                    fix="keep it in a tensor, e.g. a Buffer",
                    where=describe(node),
                )
        self._list = list(self._storages.values())
        self._seen: tuple[list[Array], Snapshot] | None = None  # one object: threads share it

    def versions(self, *, written: bool) -> list[Version]:
        """The versions of the variables that a run writes, or of those that it only reads."""
        return [
            storage.version
            for node, storage in self._storages.items()
            if (node in self.updated) == written
        ]

    def snapshot(self) -> Snapshot:
        """Where the variables are now."""
        arrays = [storage.array for storage in self._list]
        seen = self._seen
        if seen is not None and all(map(operator.is_, arrays, seen[0])):
            return seen[1]
        fresh = self._look(dict(zip(self._storages, arrays, strict=True)))
        self._seen = arrays, fresh
        return fresh

    def _look(self, arrays: Mapping[Node, Array]) -> Snapshot:
        for node, array in arrays.items():
            self._check(node, array)
        entangled = _entangled(arrays, self.updated)
        bases: dict[Node, Array] = {}
        layouts: dict[Node, Layout] = {}
        for node, array in arrays.items():
            base = base_of(array)
            if base is None or node in entangled:
                continue
            bases[node] = base
            layout = array_layout(array)
            if not is_contiguous(layout):
                layouts[node] = layout
        staged = frozenset(node for node in self._nodes if node not in bases)
        written = sorted(address_range(bases[node]) for node in self.updated if node in bases)
        ranges = [address_range(array) for array in arrays.values()]
        key = (*layouts.items(), *(node for node in self._nodes if node in staged))
        sources = [(self._storages[node], array) for node, array in arrays.items()]
        return Snapshot(bases, layouts, staged, ranges, written, sources, key)

    def _check(self, node: Node, array: Array) -> None:
        if array.shape != node.type.shape or array.dtype != node.type.dtype.numpy:
            raise SessionError(
                f"variable {node.attrs['name']!r} has changed its type since it was recorded",
                got=f"{array.dtype}{list(array.shape)}",
                expected=str(node.type),
                fix="record and compile the program again",
                where=describe(node),
            )
        if node in self.updated and not array.flags.writeable:
            raise SessionError(
                f"variable {node.attrs['name']!r} is updated, but its memory is read-only",
                fix="make it from a copy of the array",
                where=describe(node),
            )


def read_now(node: Node) -> Array:
    """A fresh C-contiguous copy of a variable's present value, in its own dtype."""
    source: Source = node.attrs["source"]
    value = source.read()
    if value.shape != node.type.shape:
        raise SessionError(
            f"variable {node.attrs['name']!r} has another shape than recorded",
            got=str(list(value.shape)),
            expected=str(node.type),
            where=describe(node),
        )
    return np.array(value, node.type.dtype.numpy, order="C")


def _entangled(arrays: Mapping[Node, Array], updated: Iterable[Node]) -> set[Node]:
    """Variables that share memory with others, or with themselves, where one of them is written."""
    written = set(updated)
    found = {node for node in written if _repeats(arrays[node])}
    ranges = sorted(
        (*address_range(array), position)
        for position, array in enumerate(arrays.values())
        if array.size
    )
    nodes = list(arrays)
    group: list[Node] = []
    end = 0
    for low, high, position in [*ranges, (end_of_memory := 1 << 64, end_of_memory, -1)]:
        if low >= end:
            if len(group) > 1 and written & set(group):
                found |= set(group)
            group = []
        if position >= 0:
            group.append(nodes[position])
        end = max(end, high)
    return found


def _repeats(array: Array) -> bool:
    return any(
        size > 1 and stride == 0 for size, stride in zip(array.shape, array.strides, strict=True)
    )
