"""A group of parameters: a dict whose options cannot change while a step is recorded."""

from __future__ import annotations

from typing import Any, Self

from graphc.errors import RecordingError
from graphc.frontend.fingerprint import fingerprint
from graphc.frontend.modes import modes
from graphc.provenance import user_location_text

_MISSING = object()


class ParamGroup(dict[str, Any]):
    """``"params"`` and options by name.

    A compiled step reads the options before each run, and cannot write them: while recording, an
    option can only be given the value that it has.

    Raises:
        RecordingError: for another value while recording.
    """

    def __setitem__(self, key: str, value: Any) -> None:
        self._require_same(key, value)
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        self._require_same(key, _MISSING)
        super().__delitem__(key)

    def __ior__(self, other: Any) -> Self:  # type: ignore[misc, override]  # | gives a dict
        self.update(other)
        return self

    def clear(self) -> None:
        """Take all out."""
        for key in self:
            self._require_same(key, _MISSING)
        super().clear()

    def pop(self, key: str, *default: Any) -> Any:
        """Take one option out; see ``dict.pop``."""
        self._require_same(key, _MISSING)
        return super().pop(key, *default)

    def popitem(self) -> tuple[str, Any]:
        """Take the last pair out."""
        for key in [*self][-1:]:
            self._require_same(key, _MISSING)
        return super().popitem()

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of an option, which gets the default if it has none."""
        if key not in self:
            self._require_same(key, default)
        return super().setdefault(key, default)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Take over other pairs; see ``dict.update``."""
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def _require_same(self, key: str, value: Any) -> None:
        before = self.get(key, _MISSING)
        if modes.recorder is None or fingerprint(before) == fingerprint(value):
            return
        raise RecordingError(
            f"the optimizer's option {key!r} was changed inside a step that is recorded, "
            "which would change it once, not at each run",
            got=f"{_text(before)} to {_text(value)}",
            fix="change it outside; a compiled step reads it anew before each run",
            where=user_location_text(),
        )


def _text(value: Any) -> str:
    return "nothing" if value is _MISSING else repr(value)
