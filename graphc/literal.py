"""The array inside a constant node, hashable."""

from __future__ import annotations

import hashlib
from typing import Any

from graphc.dtypes import of_array
from graphc.storage import Array
from graphc.types import TensorType

INTERN_LIMIT = 4096
"""Arrays up to this many bytes are equal by content, larger ones by identity."""


class Literal:
    """A read-only array that can be an attribute of a node.

    Args:
        array: the values; its strides are kept, and it must not be written afterwards.
    """

    __slots__ = ("_key", "array", "type")

    def __init__(self, array: Array) -> None:
        array = array.view()
        array.flags.writeable = False
        self.array = array
        self.type = TensorType(array.shape, of_array(array))
        self._key: object = (
            (self.type, self._layout, array.tobytes())
            if array.nbytes <= INTERN_LIMIT
            else id(array)
        )

    @property
    def _layout(self) -> tuple[int, ...] | None:
        """The strides, where they mean something: None for C-contiguous arrays."""
        return None if self.array.flags.c_contiguous else self.array.strides

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and (self is other or self._key == other._key)

    def __hash__(self) -> int:
        return hash(self._key)

    def digest(self) -> str:
        """A short name for the content, used by the text form of large constants."""
        content = f"{self.type} {self._layout}".encode() + self.array.tobytes()
        return hashlib.sha256(content).hexdigest()[:12]

    def __reduce__(self) -> tuple[Any, ...]:
        return (Literal, (self.array,))

    def __repr__(self) -> str:
        return f"Literal({self.type})"
