"""What a native call knows of a program: words in memory, which Python writes and code reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from graphc.storage import Array

Words = Array
"""An int64 array; numbers, and addresses of objects and of other words."""


class Field(IntEnum):
    """The words of a record. A list has two: the address of its first item, and its length."""

    CLOSED = 0  # nonzero: no call may begin
    BUSY = 1  # nonzero: a run is under way; it has the table and the arena for itself
    RUNS = 2  # how many runs came to an end
    DETACH = 3  # nonzero: other threads of the interpreter may run meanwhile
    PROGRAM = 4  # the native function, i32 (ptr table)
    ARRAY_TYPE = 5
    NEW_ARRAY = 6
    INPUTS = 7
    OUTPUTS = 9
    HOSTS = 11
    WATCHED = 13
    RANGES = 15
    GROUPS = 17
    VERSIONS = 19
    TABLE = 21
    BOX = 22  # the words of a class whose instances stand for arrays; 0: there is none
    NEW_OBJECT = 23  # makes an object: (type, arguments, keywords)
    EMPTY = 24  # an empty tuple
    BYTE = 25  # the dtype of bytes
    SET_BASE = 26  # lets an array own another one's memory: (array, owner)


SIZE = 27


class Input(IntEnum):
    """A placeholder: the only type it takes, and where its address goes."""

    NAME = 0
    DESCR = 1
    NDIM = 2
    DIMS = 3
    NBYTES = 4
    CELL = 5
    FLAG = 6  # True or False: the boxes that it takes


class BoxItem(IntEnum):
    """A class whose instances stand for arrays: where they have what."""

    TYPE = 0
    ABSENT = 1
    FLAG = 2
    FIRST = 3
    HOLDER = 4
    SECOND = 5


class TemplateItem(IntEnum):
    """What a new object is made of: its class, and a list of slots."""

    TYPE = 0
    SLOTS = 1
    COUNT = 2


class SlotItem(IntEnum):
    """One slot of a new object: where it is, and what goes there."""

    OFFSET = 0
    TEMPLATE = 1  # the words of a template; 0: the value
    VALUE = 2  # an object; 0: the array


class Output(IntEnum):
    """A result: its type, and where its address goes."""

    DESCR = 0
    NDIM = 1
    DIMS = 2
    CELL = 3
    LARGE = 4  # the bytes to get for a large one, so that it can start a cache line; else 0


class Host(IntEnum):
    """A Python number: the function that gives it, and the memory that the program reads."""

    GETTER = 0
    CELL = 1
    SINGLE = 2  # nonzero: float32, not float64


class Watched(IntEnum):
    """A cell of an object, and the value that must be there, e.g. a storage's array."""

    CELL = 0
    VALUE = 1


class Range(IntEnum):
    """Memory that the program writes."""

    START = 0
    STOP = 1


class GroupItem(IntEnum):
    """A lock: its state, how it is held, and what to call when others wait for it."""

    STATE = 0
    EXCLUSIVE = 1
    WAKE = 2


@dataclass(slots=True)
class Record:
    """The words of one program; it keeps alive whatever they point to."""

    words: Words = field(default_factory=lambda: np.zeros(SIZE, np.int64))
    kept: list[object] = field(default_factory=list)

    def set(self, which: Field, value: int) -> None:
        """Write a number."""
        self.words[which] = value

    def get(self, which: Field) -> int:
        """Read a number."""
        return int(self.words[which])

    def set_list(self, which: Field, items: Sequence[Sequence[int]]) -> None:
        """Write a list of items of equal length."""
        self.words[which] = self.place([word for item in items for word in item])
        self.words[which + 1] = len(items)

    def place(self, numbers: Sequence[int]) -> int:
        """Put numbers into memory and give their address."""
        words = np.array([*numbers, 0], np.uint64).view(np.int64)
        self.kept.append(words)
        return int(words.ctypes.data)

    def keep(self, thing: object) -> int:
        """The address of an object that stays alive from now on."""
        self.kept.append(thing)
        return id(thing)
