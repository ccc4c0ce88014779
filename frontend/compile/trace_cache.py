"""What a compiled function keeps: its traces by signature, for any number of threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from graphc.frontend.compile.compiled_trace import CompiledTrace
from graphc.frontend.compile.signature import Signature
from graphc.runtime.sessions.locks import renew_after_fork


class CacheInfo(NamedTuple):
    """What a compiled function keeps: one line of reasons per trace."""

    hits: int
    misses: int
    size: int
    reasons: tuple[str, ...]


class TraceCache:
    """A bounded cache of traces; those used longest ago go first.

    What goes is dropped, not closed: its session is freed when no thread and no user holds it.

    Args:
        limit: how many traces it keeps.
        difference: tells how a signature differs from an earlier one.

    Attributes:
        direct_hits: calls that did not need to look here.
    """

    def __init__(self, limit: int, difference: Callable[[Signature, Signature], str]) -> None:
        self._limit, self._difference = limit, difference
        self._entries: OrderedDict[Signature, list[CompiledTrace]] = OrderedDict()
        self._hits = 0
        self.direct_hits = 0
        self._reasons: list[str] = []
        self.renew_locks()
        renew_after_fork(self)

    def renew_locks(self) -> None:
        """Make new locks; a forked child calls it."""
        self._lock = threading.Lock()
        self._tracing = threading.RLock()  # a traced function may run itself dynamically

    def find_or_make(self, key: Signature, make: Callable[[], CompiledTrace]) -> CompiledTrace:
        """The trace of a signature that fits the present state of modules and optimizers.

        Args:
            key: the signature.
            make: traces; one thread at a time does.
        """
        found, _ = self._find(key)
        if found is not None:
            return found
        with self._tracing:
            found, reason = self._find(key)  # another thread may have made it meanwhile
            if found is not None:
                return found
            made = make()
            self._keep(key, made, reason)
            return made

    def info(self) -> CacheInfo:
        """Hits, traces, kept signatures, and why each trace was needed."""
        with self._lock:
            size = sum(map(len, self._entries.values()))
            reasons = tuple(self._reasons)
            return CacheInfo(self._hits + self.direct_hits, len(reasons), size, reasons)

    def clear(self) -> None:
        """Forget all traces."""
        with self._lock:
            dropped = list(self._entries.values())
            self._entries.clear()
        dropped.clear()  # freeing sessions takes other locks, so not while this one is held

    def _find(self, key: Signature) -> tuple[CompiledTrace | None, str]:
        with self._lock:
            entries = list(self._entries.get(key, ()))  # the one that ran last comes first
            latest = next(reversed(self._entries), None)
        if not entries:
            return None, "first call" if latest is None else self._difference(latest, key)
        reasons = []
        for entry in entries:
            changed = entry.changed_guard
            if changed is None:
                self._note_hit(key, entry)
                return entry, ""
            reasons.append(changed)
        return None, reasons[0]

    def _note_hit(self, key: Signature, entry: CompiledTrace) -> None:
        with self._lock:
            self._hits += 1
            entries = self._entries.get(key, [])
            if entry in entries:  # else another thread has evicted it meanwhile
                self._entries.move_to_end(key)
                entries.remove(entry)
                entries.insert(0, entry)

    def _keep(self, key: Signature, made: CompiledTrace, reason: str) -> None:
        dropped = []
        with self._lock:
            self._reasons.append(reason)
            self._entries[key] = [made, *self._entries.pop(key, ())]
            while sum(map(len, self._entries.values())) > self._limit:
                oldest, entries = next(iter(self._entries.items()))
                dropped.append(entries.pop())
                if not entries:
                    del self._entries[oldest]
        dropped.clear()  # see ``clear``
