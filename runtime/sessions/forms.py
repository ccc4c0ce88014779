"""The compiled forms of one graph: found by sizes and layouts, made where missing, a few kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from graphc.errors import ArgumentError
from graphc.runtime.sessions.bindings import Snapshot
from graphc.runtime.sessions.locks import renew_after_fork
from graphc.runtime.sessions.specialization import Reservation, Specialization

Key = tuple[tuple[tuple[str, int], ...], tuple[object, ...]]
Sizes = Mapping[str, int]


class Make(Protocol):
    """Compiles a graph for one set of sizes."""

    def __call__(self, sizes: Sizes, variables: Snapshot, *, reason: str) -> Specialization:
        """A new form."""
        ...


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One compiled form in a session's cache.

    Args:
        signature: input types by name.
        reason: why it was compiled.
        runs: how often it ran.
        phases: seconds per phase of compiling.
    """

    signature: Mapping[str, str]
    reason: str
    runs: int
    phases: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """What a session has compiled.

    Args:
        entries: the forms it keeps, the least recently used first.
        hits: runs that found their form.
        misses: runs that had to compile one.
        limit: how many forms it keeps.
    """

    entries: tuple[CacheEntry, ...]
    hits: int
    misses: int
    limit: int


class Forms:
    """A bounded cache of compiled forms, for any number of threads.

    Args:
        make: compiles a form; the reason says why.
        limit: how many forms to keep.

    Raises:
        ArgumentError: if the limit is not positive.
    """

    def __init__(self, make: Make, limit: int) -> None:
        if limit < 1:
            raise ArgumentError("cache_size must be positive", got=str(limit))
        self._make, self._limit = make, limit
        self._forms: OrderedDict[Key, Specialization] = OrderedDict()
        self._hits = self._misses = 0
        self._evicted: set[Key] = set()
        self.closed = False
        self.renew_locks()
        renew_after_fork(self)

    def __len__(self) -> int:
        return len(self._forms)

    def renew_locks(self) -> None:
        """Make new locks; a forked child calls it."""
        self._lock = threading.Lock()
        self._compiling = threading.Lock()

    def reserve(self, sizes: Sizes, variables: Snapshot) -> Reservation:
        """Find or make a form, and keep it open for runs."""
        key = (tuple(sizes.items()), variables.key)
        found = self._find(key, variables)
        if found is not None:
            return found
        with self._compiling:
            found = self._find(key, variables)  # another thread may have made it meanwhile
            if found is not None:
                return found
            made = self._make(sizes, variables, reason=self._reason(key))
            reserved = Reservation(made, made.reserve(), variables)
            self._keep(key, made)
            return reserved

    def latest(self) -> Specialization | None:
        """The form that ran last."""
        with self._lock:
            return next(reversed(self._forms.values()), None)

    def info(self) -> CacheInfo:
        """What has been compiled, why, and how long it took."""
        with self._lock:
            forms = list(self._forms.values())
            entries = tuple(
                CacheEntry(one.signature, one.reason, one.runs, one.phases) for one in forms
            )
            native_runs = sum(one.native_runs for one in forms)
            return CacheInfo(entries, self._hits + native_runs, self._misses, self._limit)

    def close(self) -> None:
        """Free all forms as their runs end; those made later are not kept."""
        with self._lock:
            self.closed = True
            retired = list(self._forms.values())
            self._forms.clear()
        for one in retired:
            one.retire()

    def _find(self, key: Key, variables: Snapshot) -> Reservation | None:
        with self._lock:
            found = self._forms.get(key)
            if found is None:
                return None
            self._hits += 1
            self._forms.move_to_end(key)
            return Reservation(found, found.reserve(), variables)

    def _keep(self, key: Key, made: Specialization) -> None:
        with self._lock:
            self._misses += 1
            self._forms[key] = made
            retired = []
            while len(self._forms) > self._limit or (self.closed and self._forms):
                evicted, old = self._forms.popitem(last=False)
                self._evicted.add(evicted)
                self._hits += old.native_runs
                retired.append(old)
        for old in retired:
            old.retire()

    def _reason(self, key: Key) -> str:
        """Why no compiled form fits."""
        if not self._forms:
            return "first run"
        if key in self._evicted:
            return f"evicted before: more than {self._limit} signatures are in use"
        sizes, layouts = key
        last_sizes, last_layouts = next(reversed(self._forms))
        if sizes == last_sizes and layouts != last_layouts:
            return "the memory of a variable was replaced by one with another layout"
        new, old = dict(sizes), dict(last_sizes)
        changed = [
            f"{name} is {new[name]}, was {old[name]}" for name in new if new[name] != old[name]
        ]
        return "new size: " + ", ".join(changed)
