"""Where concrete values live: an array with a version, or a host value that is read at each run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Version:
    """Counts the in-place writes to one piece of memory; views share it.

    Attributes:
        count: the number of writes.
        shared: True once a second tensor, such as a view, has the same memory.
        is_inference: gradients must not depend on this memory, so nobody looks at the count.
    """

    __slots__ = ("__weakref__", "count", "shared")

    is_inference = False

    def __init__(self) -> None:
        self.count = 0
        self.shared = False


class InferenceVersion(Version):
    """Of memory that was made in inference mode."""

    __slots__ = ()

    is_inference = True


class Storage:
    """A tensor's memory.

    Args:
        array: the values; written in place by sessions and in-place methods.
        version: the write counter, shared by views of the same memory.
    """

    __slots__ = ("__weakref__", "array", "version")

    def __init__(self, array: Array, version: Version | None = None) -> None:
        self.array = array
        self.version = version or Version()

    def read(self) -> Array:
        """The current values; not a copy."""
        return self.array

    def write(self, values: Array) -> None:
        """Overwrite the values in place and count the write."""
        np.copyto(self.array, values, casting="same_kind")
        self.version.count += 1


class HostValue:
    """A Python number, read anew at each run, e.g. a learning rate that a scheduler changes.

    Args:
        getter: returns the current number.
    """

    __slots__ = ("__weakref__", "getter")

    def __init__(self, getter: Callable[[], float | int | bool]) -> None:
        self.getter = getter

    def read(self) -> Array:
        """The current number as a 0-d array."""
        return np.asarray(self.getter())


class Source(Protocol):
    """What a variable node is bound to."""

    def read(self) -> Array:
        """The current values."""
        ...
