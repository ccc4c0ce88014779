"""Exceptions of workers: what they raise, and what the loader raises in their place."""

from __future__ import annotations

import pickle
import traceback
from dataclasses import dataclass

from graphc.errors import WorkerError


@dataclass(frozen=True)
class Failure:
    """An exception as it is sent.

    Attributes:
        kind: its pickled class, or nothing if that cannot be found by name.
        name: its class's name.
        text: the traceback.
        where: which process raised it.
    """

    kind: bytes
    name: str
    text: str
    where: str

    def raise_again(self) -> None:
        """Raise an exception of the same class, whose text has the traceback.

        Raises:
            WorkerError: for a class that the loader's process cannot make.
        """
        message = f"Caught {self.name} {self.where}.\nOriginal {self.text}"
        try:
            error = pickle.loads(self.kind)(_Text(message))
        except Exception:  # whatever such a class does with a text
            error = None
        if not isinstance(error, Exception) or isinstance(error, StopIteration):
            raise WorkerError(message)
        try:
            raise error
        finally:
            del error  # which holds this frame, and through it the workers, until it is let go of


class _Text(str):
    """A text that a KeyError shows as it is, with its line ends."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def failure_of(error: BaseException, where: str) -> Failure:
    """What to send of an exception that is being handled."""
    kind = type(error)
    try:
        pickled = pickle.dumps(kind)
    except Exception:  # e.g. a class inside a function
        pickled = b""
    text = "".join(traceback.format_exception(error))
    return Failure(pickled, kind.__name__, text, where)
