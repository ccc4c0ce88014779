"""An optimizer's groups and state as dicts and lists that tell compiled steps of their changes."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, TypeVar

from graphc.errors import RecordingError
from graphc.frontend.guards.changes import announced_changes
from graphc.frontend.guards.containers import (
    ABSENT,
    ObservableDict,
    ObservableList,
)
from graphc.frontend.guards.fingerprint import fingerprint
from graphc.frontend.modes import modes
from graphc.provenance import user_location_text

V = TypeVar("V")


class ParamGroup(ObservableDict[str, Any]):
    """A group of parameters: ``"params"`` and options by name.

    A compiled step reads the options before each run, and cannot write them: while recording, an
    option can only be given the value that it has.

    Raises:
        RecordingError: for another value while recording.
    """

    def changing(self, key: str, value: object) -> None:
        """Refuse a change that only the recording would make."""
        before = self.get(key, ABSENT)
        if modes.recorder is None or fingerprint(before) == fingerprint(value):
            return
        raise RecordingError(
            f"the optimizer's option {key!r} was changed inside a step that is recorded, "
            "which would change it once, not at each run",
            got=f"{_text(before)} to {_text(value)}",
            fix="change it outside; a compiled step reads it anew before each run",
            where=user_location_text(),
        )

    def changed(self) -> None:
        """Let compiled steps look at all groups again."""
        announced_changes.mark()


class Members(ObservableList[V]):
    """The parameters of a group, or the groups of an optimizer."""

    def changed(self) -> None:
        """Let compiled steps look at all groups again."""
        announced_changes.mark()


class ParamState(ObservableDict[str, Any]):
    """The state of one parameter: tensors by name."""

    def changed(self) -> None:
        """Let compiled steps look at the state again."""
        announced_changes.mark()


class States(ObservableDict[Any, dict[str, Any]], defaultdict[Any, dict[str, Any]]):
    """The state by parameter; one that is not there is made, empty."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*(args or (ParamState,)))

    def changed(self) -> None:
        """Let compiled steps look at the state again."""
        announced_changes.mark()


def _text(value: Any) -> str:
    return "nothing" if value is ABSENT else repr(value)
