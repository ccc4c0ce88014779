"""What a trace read of modules, so that a compiled function notices when it has changed.

While a function is traced, each attribute that its thread reads of a module is noted. A later call
compares the values that it finds there now, and only if some module of the process was changed
since it last did: if none was, one comparison tells.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Self, TypeVar

from graphc.frontend.base import TensorBase
from graphc.frontend.fingerprint import Identity, fingerprint

T = TypeVar("T")

_MISSING = object()


class Observed:
    """The base of objects whose attributes are noted when a trace reads them."""

    def peek(self, name: str) -> Any:
        """An attribute's value, found without running any code of a property or method."""
        own = object.__getattribute__(self, "__dict__")
        return own[name] if name in own else getattr(type(self), name, _MISSING)


class _Changes:
    """The latest change of any observed object: a new object for each, so that none is missed."""

    def __init__(self) -> None:
        self.latest = object()


_changes = _Changes()


def mark_changed() -> None:
    """Note that an attribute of some observed object has another value now."""
    _changes.latest = object()


class OwnedDict(dict[str, T]):
    """A dict whose every change counts as one of the object that owns it.

    Attributes:
        version: another object after each change.
    """

    version = object()

    def touch(self) -> None:
        """Note that a value has changed in place."""
        self.version = object()
        mark_changed()

    def __setitem__(self, key: str, value: T) -> None:
        super().__setitem__(key, value)
        self.touch()

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.touch()

    def __ior__(self, other: Any) -> Self:  # type: ignore[misc, override]  # | gives a dict
        self.update(other)
        return self

    def clear(self) -> None:
        """Take all out."""
        super().clear()
        self.touch()

    def pop(self, *args: Any) -> Any:
        """Take one value out; see ``dict.pop``."""
        value = super().pop(*args)
        self.touch()
        return value

    def popitem(self) -> tuple[str, Any]:
        """Take the last pair out."""
        pair = super().popitem()
        self.touch()
        return pair

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of a key, which gets the default if it has none."""
        value = super().setdefault(key, default)
        self.touch()
        return value

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Take over other pairs; see ``dict.update``."""
        super().update(*args, **kwargs)
        self.touch()


class Reads:
    """The attributes that one trace has read, and the values that it left there.

    A value that the trace itself has changed counts as it is afterwards: the next call starts
    from that one, and runs the program without changing it again.
    """

    def __init__(self) -> None:
        self._noted: dict[tuple[int, str], Observed] = {}
        self._values: list[_Read] = []
        self._lists: list[_Read] = []
        self._compared: object = None
        self._difference: str | None = None

    def note(self, owner: Observed, name: str) -> None:
        """The trace reads an attribute now."""
        self._noted[id(owner), name] = owner

    def settle(self) -> None:
        """Remember the values: the trace is over."""
        self._compared = _changes.latest
        for (_, name), owner in self._noted.items():
            value = owner.peek(name)
            unnoticed = isinstance(value, list | dict) and not isinstance(value, OwnedDict)
            read = _Read(owner, name, _version(value), fingerprint(value, _leaf))
            (self._lists if unnoticed else self._values).append(read)

    def difference(self) -> str | None:
        """Which attribute has another value by now, or None."""
        latest = _changes.latest
        if latest is not self._compared:
            self._difference = _first_difference(self._values)
            self._compared = latest
        return self._difference or (_first_difference(self._lists) if self._lists else None)


class _Read(NamedTuple):
    """An attribute with what tells quickly that it is as it was, and with its fingerprint."""

    owner: Observed
    name: str
    version: object
    key: Any


def _version(value: Any) -> object:
    """An object that stays the same as long as the value surely does."""
    if isinstance(value, OwnedDict):
        return value.version
    if isinstance(value, TensorBase):
        return value.storage.array
    return object() if isinstance(value, list | dict | tuple) else value


def _leaf(value: object) -> object:
    """Tensors are themselves only as long as they have their type; their values do not matter."""
    if isinstance(value, TensorBase):
        return (Identity(value), (value.dtype, value.shape))
    return Identity(value)


def _first_difference(known: list[_Read]) -> str | None:
    for owner, name, version, key in known:
        now = owner.peek(name)
        if _version(now) is not version and (key_now := fingerprint(now, _leaf)) != key:
            return f"{type(owner).__name__}.{_explained(name, key, key_now)}"
    return None


def _explained(name: str, before: Any, now: Any) -> str:
    if isinstance(before, tuple) and isinstance(now, tuple) and before[0] == "dict" == now[0]:
        items, later = dict(before[1]), dict(now[1])
        for key in {**items, **later}:
            if items.get(key) != later.get(key):
                how = "was replaced" if key in items and key in later else "came or went"
                return f"{key[1]} {how}"
    was, is_now = _text(before), _text(now)
    if was is None or is_now is None:
        return f"{name} was replaced"
    return f"{name} was {was}, is {is_now}"


def _text(key: Any) -> str | None:
    """The number, text or None that this is the fingerprint of, or None if it is of another."""
    kind, value = key if isinstance(key, tuple) else (None, None)
    if kind in (float, complex):
        return str(value)
    return repr(value) if kind in (int, bool, str, type(None)) else None


class _Active(threading.local):
    """The trace that goes on in this thread."""

    def __init__(self) -> None:
        self.reads: Reads | None = None


_active = _Active()


class _Traces:
    """How many traces go on in all threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0


_traces = _Traces()


def _noting(self: Observed, name: str) -> Any:
    reads = _active.reads
    if reads is not None and not name.startswith("__"):
        reads.note(self, name)
    return object.__getattribute__(self, name)


@contextmanager
def noted_reads() -> Iterator[Reads]:
    """Note what this thread reads of observed objects inside the block.

    Python calls ``__getattribute__`` for each read of an attribute, which dynamic mode should not
    pay for: ``Observed`` has one only while a trace goes on.
    """
    reads = Reads()
    before, _active.reads = _active.reads, reads
    with _traces.lock:
        _traces.count += 1
        type.__setattr__(Observed, "__getattribute__", _noting)
    try:
        yield reads
    finally:
        _active.reads = before
        with _traces.lock:
            _traces.count -= 1
            if _traces.count == 0:
                type.__delattr__(Observed, "__getattribute__")
    reads.settle()
