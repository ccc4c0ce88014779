"""Which options of a loader make sense together."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from typing import Any

from graphc.errors import ArgumentError, ArgumentTypeError
from graphc.provenance import user_location_text


@dataclass(frozen=True)
class Options:
    """The arguments of ``DataLoader`` that exclude others or have limits."""

    is_stream: bool
    batch_size: Any
    shuffle: Any
    sampler: Any
    batch_sampler: Any
    num_workers: Any
    drop_last: Any
    timeout: Any
    context: Any
    prefetch_factor: Any
    persistent_workers: Any

    def check(self) -> None:
        """Raise ArgumentError for the first problem."""
        if not isinstance(self.num_workers, int) or isinstance(self.num_workers, bool):
            raise ArgumentTypeError(
                "DataLoader: num_workers must be a whole number", got=repr(self.num_workers),
                where=user_location_text(),
            )  # fmt: skip
        for problem in (*self._of_order(), *self._of_workers()):
            raise ArgumentError(f"DataLoader: {problem}", where=user_location_text())
        self._check_context()

    def _of_order(self) -> Iterator[str]:
        if self.is_stream:
            for name in ("shuffle", "sampler", "batch_sampler"):
                value = getattr(self, name)
                if value is not None and value is not False:
                    yield f"an IterableDataset has its own order; leave out {name}"
        if self.sampler is not None and self.shuffle:
            yield "sampler and shuffle exclude each other"
        if self.batch_sampler is not None:
            if self.batch_size != 1 or self.shuffle or self.sampler is not None or self.drop_last:
                yield "batch_sampler excludes batch_size, shuffle, sampler and drop_last"
        elif self.batch_size is None and self.drop_last:
            yield "drop_last needs a batch_size"

    def _of_workers(self) -> Iterator[str]:
        if self.num_workers < 0:
            yield f"num_workers must not be negative, and is {self.num_workers}"
        if self.timeout < 0:
            yield f"timeout must not be negative, and is {self.timeout}"
        if self.prefetch_factor is not None and self.prefetch_factor < 1:
            yield f"prefetch_factor must be 1 or more, and is {self.prefetch_factor}"
        if self.num_workers == 0:
            for name, given in (
                ("prefetch_factor", self.prefetch_factor is not None),
                ("persistent_workers", bool(self.persistent_workers)),
                ("timeout", self.timeout > 0),
                ("multiprocessing_context", self.context is not None),
            ):
                if given:
                    yield f"{name} is about workers: it needs num_workers > 0"

    def _check_context(self) -> None:
        known = multiprocessing.get_all_start_methods()
        if isinstance(self.context, str) and self.context not in known:
            raise ArgumentError(
                "DataLoader: multiprocessing_context is no way to start processes here",
                got=repr(self.context), expected=", ".join(known), where=user_location_text(),
            )  # fmt: skip
        if self.context is not None and not isinstance(self.context, str | BaseContext):
            raise ArgumentTypeError(
                "DataLoader: multiprocessing_context must be a name or a context",
                got=type(self.context).__name__, expected=", ".join(known),
                where=user_location_text(),
            )  # fmt: skip
