"""Which tensors of a recording are the same memory, and which share some of it."""

from __future__ import annotations

from collections.abc import Iterable

from graphc.addresses import address_range
from graphc.errors import RecordingError
from graphc.storage import Storage

Place = tuple[object, ...]


class AliasTable:
    """Storages by where their arrays lie: ``detach`` makes a storage of its own on one array."""

    def __init__(self) -> None:
        self._owners: dict[Place, Storage] = {}

    def owner(self, storage: Storage) -> Storage:
        """The storage that was met first of all those with exactly this memory."""
        array = storage.array
        if not array.size:
            return storage
        place = (array.__array_interface__["data"][0], array.shape, array.strides, array.dtype)
        return self._owners.setdefault(place, storage)

    def require_apart(
        self, variables: Iterable[Storage], written: Iterable[Storage], captured: Iterable[Storage]
    ) -> None:
        """Raise RecordingError if something that is written overlaps something else.

        Args:
            variables: all variables' storages.
            written: those that the program writes.
            captured: storages whose values the program has as constants.
        """
        changing = set(written)
        ranges = sorted(
            (*address_range(storage.array), position, storage)
            for position, storage in enumerate({*variables, *captured})
            if storage.array.size
        )
        end = 0
        group: list[Storage] = []
        for low, high, _, storage in ranges:
            if low >= end:
                group = []
            group.append(storage)
            end = max(end, high)
            if len(group) > 1 and changing & set(group):
                raise RecordingError(
                    "two tensors of a program share some memory, and one of them is written",
                    got=" and ".join(f"{x.array.dtype}{list(x.array.shape)}" for x in group[-2:]),
                    fix="use one of them for both, or clone() the other",
                )
