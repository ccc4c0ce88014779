"""One class per kind of mistake, and the one template that all messages follow.

What PyTorch raises as RuntimeError is one here, too, beside Python's more precise kind: ``except``
clauses written for either work.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GraphcError(Exception):
    """Base of every error that graphc raises on purpose.

    Args:
        what: one line that states the fact, e.g. ``"add: shapes do not broadcast"``.
        got: what was found.
        expected: what would have been accepted.
        fix: what the user can do about it.
        where: the user's source location, ``"file:line"``.

    Example:
        >>> print(ShapeError("add: shapes do not broadcast", got="[2] and [3]"))
        add: shapes do not broadcast
          got: [2] and [3]
    """

    def __init__(
        self, what: str, *, got: str = "", expected: str = "", fix: str = "", where: str = ""
    ) -> None:
        self.what, self.got, self.expected, self.fix, self.where = what, got, expected, fix, where
        super().__init__(what)

    def __str__(self) -> str:
        details = [
            ("got", self.got),
            ("expected", self.expected),
            ("fix", self.fix),
            ("created at", self.where),
        ]
        return "\n".join([self.what, *(f"  {label}: {text}" for label, text in details if text)])

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.__dict__.copy()))

    def located(self, where: str) -> GraphcError:
        """Add the user's location unless a more precise one is already known."""
        self.where = self.where or where
        return self


def _rebuild(cls: type[GraphcError], state: dict[str, object]) -> GraphcError:
    error = cls(str(state["what"]))
    error.__dict__.update(state)
    return error


class ShapeError(GraphcError, ValueError, RuntimeError):
    """Shapes that do not fit together."""


class DTypeError(GraphcError, TypeError, RuntimeError):
    """A dtype that an operation or a feed does not accept."""


class ArgumentError(GraphcError, ValueError, RuntimeError):
    """A wrong argument value, e.g. a negative size."""


class ArgumentTypeError(ArgumentError, TypeError):
    """An argument of a wrong type, e.g. a string as a dim."""


class IndexRangeError(ArgumentError, IndexError):
    """A dim that does not exist, or an index outside the dimension that it indexes."""


class IndexKindError(ArgumentError, DTypeError, IndexError):
    """Something that is no index, e.g. a fraction."""


class IndexShapeError(ShapeError, IndexError):
    """Indices that do not fit together, or no elements where one must be chosen."""


class FeedError(GraphcError, ValueError):
    """Missing, unknown or unfit values given to ``session.run``."""


class SymbolicValueError(GraphcError, TypeError):
    """A concrete value was asked of a tensor that has none while recording."""


class AutogradError(GraphcError, RuntimeError):
    """A gradient that cannot be computed."""


class LinAlgError(GraphcError, RuntimeError):
    """A matrix without the decomposition or inverse that was asked for."""


class RecordingError(GraphcError, RuntimeError):
    """Something that cannot be recorded into a graph."""


class VerifyError(GraphcError, RuntimeError):
    """A graph or plan that breaks an invariant; a defect in graphc or in a custom pass."""


class PassError(GraphcError, RuntimeError):
    """A pass that failed or changed the meaning of a graph."""


class ParseError(GraphcError, ValueError):
    """Text that is not a graph."""


class CompileError(GraphcError, RuntimeError):
    """Native code that could not be generated or loaded."""


class SessionError(GraphcError, RuntimeError):
    """A session used after ``close()`` or in a way that it does not support."""


class CheckpointError(GraphcError, RuntimeError):
    """A checkpoint that is missing, damaged or does not fit."""


class DamagedCheckpointError(CheckpointError):
    """A file whose bytes are not those that were saved."""


class CheckpointTypeError(CheckpointError, TypeError):
    """A value that is no checkpoint at all."""


class CheckpointMismatchError(CheckpointError, ValueError):
    """A state of something else than what takes it over."""


class WorkerError(GraphcError, RuntimeError):
    """A process that makes batches ended, or raised what cannot be sent."""


class WorkerTimeoutError(WorkerError, TimeoutError):
    """A process that makes batches did not answer in time."""


class DataFileError(GraphcError, ValueError, RuntimeError):
    """A data file that is damaged or not of the expected format."""


class MissingFileError(DataFileError, FileNotFoundError):
    """A data file or folder that does not exist, or in which nothing was found."""


class DependencyError(GraphcError, ImportError):
    """An optional library that is needed and not installed."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Suggest the closest known name.

    Example:
        >>> did_you_mean("weigth", ["weight", "bias"])
        "did you mean 'weight'?"
    """
    close = difflib.get_close_matches(str(name), list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else ""
