"""What a trace read of modules, so that a compiled function notices when it has changed.

While a function is traced, each attribute that its thread reads or assigns of a module is noted.
A later call compares the values that it finds there now, and only if some module of the process
was changed since it last did: if none was, one comparison tells.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from graphc.frontend.base import TensorBase
from graphc.frontend.guards.access import ONCE, Access, explained, key_of, may_change_unnoticed
from graphc.frontend.guards.observed import Observed, OwnedDict, observed_changes
from graphc.provenance import user_location_text
from graphc.runtime.sessions.locks import renew_after_fork


class Reads:
    """The attributes that one trace has read or assigned, and the values that it left there.

    A value that the trace has assigned before it read one counts as it is afterwards: the next
    call starts from that one, and runs the program without assigning it again.
    """

    def __init__(self) -> None:
        self._accesses: dict[tuple[int, str], Access] = {}
        self._born: dict[int, Observed] = {}
        self._values: list[_Read] = []
        self._unnoticed: list[_Read] = []
        self._compared: object = None
        self._difference: str | None = None

    def born(self, owner: Observed) -> None:
        """The trace itself makes this object: what it does to it concerns no later call."""
        self._born[id(owner)] = owner

    def note(self, owner: Observed, name: str, is_read: bool = True) -> Access | None:
        """The trace accesses an attribute now; nothing if it has made the object itself."""
        if id(owner) in self._born:
            return None
        access = self._accesses.get((id(owner), name))
        if access is None:
            access = self._accesses[id(owner), name] = Access.begin(owner, name, is_read)
        return access

    def note_write(self, owner: Observed, name: str) -> None:
        """The trace is about to assign an attribute."""
        access = self.note(owner, name, is_read=False)
        if access is not None:
            access.written = user_location_text()

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Remember the values: the trace is over. If the block raises, it has not happened.

        Raises:
            RecordingError: if the trace has changed what it had read before.
        """
        try:
            for access in self._accesses.values():
                self._remember(access)
            yield
        except BaseException:
            self.restore()
            raise
        finally:
            self._accesses.clear()
            self._born.clear()

    def _remember(self, access: Access) -> None:
        owner, name, key = access.owner, access.name, access.settled_key()
        value = owner.peek(name)
        version = _version(value) if key_of(value) == key else ONCE
        known = self._unnoticed if may_change_unnoticed(owner, name) else self._values
        known.append(_Read(owner, name, version, key))

    def restore(self) -> None:
        """Take back what the trace has changed."""
        for access in self._accesses.values():
            access.restore()

    @property
    def looked_at_each_time(self) -> list[str]:
        """The attributes that every call has to look at: they may change without telling."""
        return [f"{type(read.owner).__name__}.{read.name}" for read in self._unnoticed]

    def difference(self) -> str | None:
        """Which attribute has another value by now, or None."""
        latest = observed_changes.latest
        if latest is not self._compared:
            self._difference = _first_difference(self._values)
            self._compared = latest
        return self._difference or (_first_difference(self._unnoticed) if self._unnoticed else None)


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
    return object() if isinstance(value, list | dict | tuple | set | np.ndarray) else value


def _first_difference(known: list[_Read]) -> str | None:
    for owner, name, version, key in known:
        now = owner.peek(name)
        if _version(now) is not version and (key_now := key_of(now)) != key:
            return f"{type(owner).__name__}.{explained(name, key, key_now)}"
    return None


class _Active(threading.local):
    """The trace that goes on in this thread."""

    def __init__(self) -> None:
        self.reads: Reads | None = None


_active = _Active()


class _Traces:
    """How many traces go on in all threads."""

    def __init__(self) -> None:
        self.count = 0
        self.renew_locks()
        renew_after_fork(self)

    def renew_locks(self) -> None:
        """Make a new lock; a forked child calls it."""
        self.lock = threading.Lock()


_traces = _Traces()


def current_reads() -> Reads | None:
    """What notes this thread's accesses, while it traces."""
    return _active.reads


def _noting(self: Observed, name: str) -> Any:
    reads = _active.reads
    if reads is not None and not name.startswith("__"):
        reads.note(self, name)
    return object.__getattribute__(self, name)


@contextmanager
def tracking_reads() -> Iterator[Reads]:
    """Note what this thread reads of observed objects inside the block.

    Python calls ``__getattribute__`` for each read of an attribute, which dynamic mode should not
    pay for: ``Observed`` has one only while a trace goes on. If the block raises, assignments are
    taken back.
    """
    reads = Reads()
    before, _active.reads = _active.reads, reads
    with _traces.lock:
        _traces.count += 1
        type.__setattr__(Observed, "__getattribute__", _noting)
    try:
        yield reads
    except BaseException:
        _active.reads = before
        reads.restore()
        raise
    finally:
        _active.reads = before
        with _traces.lock:
            _traces.count -= 1
            if _traces.count == 0:
                type.__delattr__(Observed, "__getattribute__")
