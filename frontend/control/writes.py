"""Arguments that a function must not write in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphc.errors import RecordingError
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


class Untouched:
    """Remembers how often the memory of concrete tensors was written.

    Args:
        what: the function that was called, for errors.
        arguments: the tensors.
    """

    __slots__ = ("_arguments", "_counts", "_what")

    def __init__(self, what: str, arguments: Sequence[Tensor]) -> None:
        self._what, self._arguments = what, arguments
        self._counts = [x.storage.version.count for x in arguments]

    def require(self) -> None:
        """Raise if one was written since: a recorded loop could not do that."""
        for x, count in zip(self._arguments, self._counts, strict=True):
            if x.storage.version.count != count:
                raise written_in_place(self._what, x)


def written_in_place(what: str, x: Tensor) -> RecordingError:
    """The error for an argument that was written."""
    return RecordingError(
        f"{what}: an argument was written in place", got=str(x.type),
        fix="use the out-of-place operation, or write a clone() of it", where=user_location_text(),
    )  # fmt: skip
