"""A program as builtin Python functions: arrays in, fresh arrays out, in about a microsecond."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.allocation import LINE
from graphc.runtime.llvm.entry.library import named_call, positional_call
from graphc.runtime.llvm.entry.objects import array_functions, make_object, slot, slot_offset
from graphc.runtime.llvm.entry.record import Field, Record
from graphc.runtime.llvm.entry.results import Shape
from graphc.runtime.sessions.boxes import Box
from graphc.runtime.sessions.locks import Group
from graphc.storage import Array, HostValue, Storage
from graphc.types import TensorType


@dataclass(frozen=True, slots=True)
class Binding:
    """Everything that a native call needs to know of a program and its variables.

    Args:
        program: the address of the native function, ``i32 (ptr table)``.
        table: the addresses of all buffers; those of inputs and outputs are filled in by calls.
        inputs: name, type, slot of the table, and the flag of boxes that it takes, in the order
            of the program.
        outputs: type and slot.
        hosts: Python numbers, and the 0-d float arrays that the table points to.
        watched: objects with ``__slots__``, names of attributes, and the values that these must
            have for a call to be ordinary: the same objects, not equal ones.
        written: address ranges of the memory that a run writes.
        groups: the locks, and whether a run holds each exclusively.
        updated: the storages whose writes are counted.
        box: a class whose instances stand for arrays, if there is one.
        kept: whatever must live as long as the program.
    """

    program: int
    table: ctypes.Array[ctypes.c_void_p]
    inputs: Sequence[tuple[str, TensorType, int, bool]]
    outputs: Sequence[tuple[TensorType, int]]
    hosts: Sequence[tuple[HostValue, Array]]
    watched: Sequence[tuple[object, str, object]]
    written: Sequence[tuple[int, int]]
    groups: Sequence[tuple[Group, bool]]
    updated: Sequence[Storage]
    box: Box | None
    kept: Sequence[object]


class Entry:
    """Native calls of one program.

    The functions that it makes answer ``NotImplemented`` to everything that is not an ordinary
    call, and have done nothing then.

    Args:
        binding: the program and its memory.
        detach: whether other Python threads run meanwhile; costs some 0.1 us.
    """

    def __init__(self, binding: Binding, *, detach: bool) -> None:
        self._record = record = Record(kept=[*binding.kept, binding.table])
        functions = array_functions()
        record.set(Field.DETACH, detach)
        record.set(Field.PROGRAM, binding.program)
        record.set(Field.ARRAY_TYPE, functions["type"])
        record.set(Field.NEW_ARRAY, functions["new"])
        record.set(Field.SET_BASE, functions["set_base"])
        record.set(Field.BYTE, record.keep(np.dtype(np.uint8)))
        record.set(Field.TABLE, ctypes.addressof(binding.table))
        record.set(Field.NEW_OBJECT, make_object())
        record.set(Field.EMPTY, record.keep(()))
        if binding.box is not None:
            record.set(Field.BOX, record.place(_box_words(record, binding.box)))
        for which, items in _lists(record, binding):
            record.set_list(which, items)

    @property
    def runs(self) -> int:
        """How many runs came to an end."""
        return self._record.get(Field.RUNS)

    @property
    def busy(self) -> bool:
        """Whether a run is under way in another thread."""
        return self._record.get(Field.BUSY) != 0

    def close(self) -> None:
        """Let no further run begin."""
        self._record.set(Field.CLOSED, 1)

    def renew(self) -> None:
        """Forget the runs of other threads, which do not exist in a forked child."""
        self._record.set(Field.BUSY, 0)

    def named(self, shape: Shape) -> Callable[[Any], Any]:
        """A function of a dict of arrays by name, which returns results in this shape."""
        return named_call(self._kept(shape))

    def positional(self, shape: Shape) -> Callable[..., Any]:
        """A function of the arrays in the order of the inputs."""
        return positional_call(self._kept(shape))

    def _kept(self, shape: Shape) -> tuple[object, ...]:
        words = np.array(shape.words(self._record), np.int64)
        return (self._record.words, words, self._record)


def _lists(record: Record, binding: Binding) -> list[tuple[Field, list[Sequence[int]]]]:
    """The lists of a record."""

    def cell(position: int) -> int:
        return ctypes.addressof(binding.table) + 8 * position

    def type_words(type_: TensorType) -> Sequence[int]:
        dims = type_.static_shape
        return (record.keep(type_.dtype.numpy), len(dims), record.place(dims))

    return [
        (Field.INPUTS, [
            (record.keep(name), *type_words(type_), type_.nbytes, cell(position), id(flag))
            for name, type_, position, flag in binding.inputs
        ]),
        (Field.OUTPUTS, [
            (*type_words(type_), cell(position), _large(type_.nbytes))
            for type_, position in binding.outputs
        ]),
        (Field.HOSTS, [
            (record.keep(host.getter), _address(record, array), array.dtype == np.float32)
            for host, array in binding.hosts
        ]),
        (Field.WATCHED, [
            (_cell(record, owner, name), record.keep(value))
            for owner, name, value in binding.watched
        ]),
        (Field.RANGES, list(binding.written)),
        (Field.GROUPS, [
            (_state(record, group), exclusive, record.keep(group.wake))
            for group, exclusive in binding.groups
        ]),
        (Field.VERSIONS, [
            (_cell(record, storage.version, "count"),) for storage in binding.updated
        ]),
    ]  # fmt: skip


def _box_words(record: Record, box: Box) -> Sequence[int]:
    first, second = box.path
    return (
        record.keep(box.kind),
        slot_offset(box.kind, box.absent),
        slot_offset(box.kind, box.flag),
        slot_offset(box.kind, first),
        record.keep(box.holder),
        slot_offset(box.holder, second),
    )


def _large(nbytes: int) -> int:
    """The bytes to get for a large output; a small one is made faster as it is."""
    return nbytes + LINE if nbytes >= _LARGE else 0


_LARGE = 1 << 16


def _address(record: Record, array: Array) -> int:
    record.keep(array)
    return int(array.ctypes.data)


def _cell(record: Record, owner: object, name: str) -> int:
    record.keep(owner)
    return slot(owner, name)


def _state(record: Record, group: Group) -> int:
    record.keep(group.state)
    return ctypes.addressof(group.state)
