"""Python values that shape a program: a compiled function traces again when one has changed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ReferenceType, ref

from graphc.frontend.base import TensorBase
from graphc.storage import Storage

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


class Guard(NamedTuple):
    """A Python value that shapes a program.

    Attributes:
        read: gives the value now.
        value: what it was while tracing.
        what: what it is, for people.
        cell: the tensor and the attribute on which alone it depends; None if there is more.
        is_announced: whether, as things are, no change of it goes without one of
            ``graphc.frontend.guards.changes.announced_changes``; None if there is no telling.
    """

    read: Callable[[], Any]
    value: Any
    what: str
    cell: tuple[TensorBase, str] | None
    is_announced: Callable[[], bool] | None

    @property
    def announces_changes(self) -> bool:
        """Whether it cannot change now without announcing it."""
        return self.is_announced is not None and self.is_announced()


class Guards:
    """The guards of one recording, and the tensors that get some when it is over."""

    def __init__(self) -> None:
        self._all: list[Guard] = []
        self._captured: list[ReferenceType[Tensor]] = []
        self._values: dict[Storage, tuple[TensorBase, str]] = {}

    def __iter__(self) -> Iterator[Guard]:
        return iter(self._all)

    def add(
        self, read: Callable[[], Any], what: str, cell: tuple[TensorBase, str] | None = None,
        is_announced: Callable[[], bool] | None = None,
    ) -> Any:  # fmt: skip
        """Read a value, and notice from now on when it is another one; see ``Guard``."""
        value = read()
        self._all.append(Guard(read, value, what, cell, is_announced))
        return value

    def note_captured(self, x: Tensor) -> None:
        """A tensor was captured by value."""
        self._captured.append(ref(x))

    def note_value(self, storage: Storage, x: TensorBase, wanted: str) -> None:
        """The values of a tensor in this memory were read, as ``wanted``."""
        self._values.setdefault(storage, (x, wanted))

    def finish(self) -> Iterator[tuple[Storage, TensorBase, str]]:
        """Notice writes to what was captured or read; of the latter, tell what it was.

        A captured tensor that is gone was only part of an expression, and needs no guard. For
        others it also counts whether they require a gradient.
        """
        alive = {id(x): x for each in self._captured if (x := each()) is not None}
        for x in alive.values():
            self.add(functools.partial(_writes, x), f"writes to a captured {x.type}")
            if x.dtype.is_differentiable:
                what = f"requires_grad of a captured {x.type}"
                read = functools.partial(getattr, x, "_requires_grad")
                self.add(read, what, (x, "_requires_grad"))
        for storage, (one, wanted) in self._values.items():
            self.add(functools.partial(_writes, one), f"{wanted} of {one.type}: writes to it")
            yield storage, one, wanted
        self._captured.clear()
        self._values.clear()


def _writes(x: TensorBase) -> int:
    """How often the memory of a tensor was written."""
    return x.storage.version.count
